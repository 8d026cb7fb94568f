import type { Socket } from 'node:net'
import type { AccessEvent, SessionId, Target, WorkerId } from '@countersign/contracts'
import { faultOf, type Logger } from '@countersign/platform'
import type { CancelKey, Greeting, LiveSession, Speaker } from './protocol.ts'
import type { Recorder } from './record/recorder.ts'
import type { Sessions } from './sessions.ts'
import { recordOf } from './startup/client-certificate.ts'
import { Doorway } from './startup/doorway.ts'
import { FailedLogins } from './startup/failed-logins.ts'
import { FailureRecord } from './startup/failure-record.ts'
import type { GateRules } from './startup/gate-rules.ts'
import type { Line } from './startup/line.ts'
import { login, type LoggedIn, type LoginOptions } from './startup/login.ts'
import { Places } from './startup/places.ts'
import { restrictedText } from './startup/restricted-text.ts'
import { sparingly } from './startup/sparingly.ts'
import { PeerGoneError, StartupRefusedError, type RefusalText } from './startup/startup-refused.ts'
import type { Holds } from './statement/holds.ts'
import { holdSecondsFor } from './statement/interactive.ts'
import type { StatementObserver } from './telemetry/statement-observer.ts'
import type { Counts } from './workers/front.ts'

/** What clients come in by. Made anew with each configuration, around the same counts. */
export interface EntranceOptions {
  readonly speaker: Pick<Speaker, 'name' | 'greet' | 'breachIn' | 'lastWords'>
  readonly rules: GateRules
  readonly worker: WorkerId
  /** Another worker of the node has the session that this key is for. */
  readonly cancelElsewhere: (key: CancelKey) => Promise<void>
  /** Over all workers of the node. */
  readonly counts: Counts
  readonly login: Pick<LoginOptions, 'inForce' | 'databases' | 'databaseOf'>
  readonly recorder: Recorder
  readonly sessions: Sessions
  readonly holds: Holds
  readonly inlineSeconds: number
  readonly newSessionId: () => SessionId
  readonly now: () => string
  readonly clock: () => number
  readonly logger: Logger
  /** Who is told how the statements for a database have ended. */
  readonly observerOf: (target: Target) => StatementObserver | undefined
}

/** `before`: the one that it takes the place of, whose guests and offenders it has to know. */
export const entranceOf = (options: EntranceOptions, before?: Entrance): Entrance => {
  const { recorder, worker, now, clock } = options
  return {
    doorway: new Doorway(),
    places: new Places(options.counts),
    failedLogins: new FailedLogins(Date.now),
    failures: new FailureRecord((event) => void recorder.add(event), clock),
    ...before,
    ...options,
    // What an attacker can have said as often as it likes must not fill the log.
    logger: before?.logger ?? sparingly(options.logger, clock),
    login: { ...options.login, worker, now },
  }
}

export interface Entrance
  extends Omit<EntranceOptions, 'login'>, Pick<LoginOptions, 'places' | 'failedLogins' | 'failures'> {
  readonly doorway: Doorway
  readonly login: Pick<LoginOptions, 'inForce' | 'databases' | 'databaseOf' | 'worker' | 'now'>
}

interface Address {
  readonly address: string
  readonly port: number
}

/**
 * Takes a client in. One that is silent, slow or wrong costs the others nothing: each has its own deadline. `closed` is
 * called once, when the connection is no more.
 */
export const welcome = async (socket: Socket, entrance: Entrance, closed: () => void): Promise<void> => {
  const { logger, rules, doorway, places, failedLogins, failures } = entrance
  const client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  let turnedAway = false
  const drop = (why: string) => {
    turnedAway = true
    logger.warn(why, client)
    socket.destroy()
  }
  const waiting = { turnAway: () => drop('a client that had not logged in made room for another') }
  socket.on('error', () => socket.destroy())
  if (!doorway.enter(client.address, waiting, rules.limits)) {
    refuseEntry(socket, TOO_MANY_LOGINS, entrance)
    return closed()
  }

  const deadline = setTimeout(() => drop('a client did not log in in time'), rules.limits.startupTimeoutMs)
  const line: Line = { socket, duplex: socket }
  try {
    const sessionId = entrance.newSessionId()
    const asked = await entrance.speaker.greet(line, rules)
    if (asked.kind === 'cancel') {
      if (!(await entrance.sessions.cancel(asked))) await entrance.cancelElsewhere(asked)
      line.duplex.end() // Through TLS as well, where that says goodbye.
    } else {
      const options = { ...entrance.login, rules, places, failedLogins, failures, sessionId }
      const loggedIn = await login(line, asked, options)
      if (!socket.destroyed) return open(sessionId, asked, stillAllowed(loggedIn, entrance), client, entrance, closed)
      leaveAgain(loggedIn)
    }
  } catch (error) {
    if (!turnedAway) turnAway(line, error, client, entrance)
  } finally {
    clearTimeout(deadline)
    doorway.leave(client.address, waiting)
  }
  closed()
}

/** A credential may be revoked while the server is connected to. From here to the list of sessions nothing waits. */
const stillAllowed = (loggedIn: LoggedIn, { login }: Entrance): LoggedIn => {
  const { credential } = loggedIn
  if (login.inForce.stands(credential)) return loggedIn
  leaveAgain(loggedIn)
  const restriction = login.inForce.restrictionOf(credential.principal.id)
  if (restriction) throw new StartupRefusedError(...restrictedText(restriction))
  throw new StartupRefusedError('28000', 'access has been revoked')
}

const leaveAgain = ({ connected, leave }: LoggedIn): void => {
  connected.leave()
  leave()
}

/** Turns a client away before it has said anything. */
export const refuseEntry = (
  socket: Socket,
  refusal: RefusalText,
  { speaker, logger }: Pick<Entrance, 'logger'> & { readonly speaker: Pick<Speaker, 'lastWords'> },
): void => {
  const [sqlstate, reason] = refusal
  const client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  logger.warn('a client was turned away', { ...client, sqlstate, reason })
  socket.on('error', () => socket.destroy())
  sendAway({ socket, duplex: socket }, speaker.lastWords(refusal))
}

const TOO_MANY_LOGINS: RefusalText = [
  '53300',
  'too many connections that have not logged in',
  'Try again; or operators raise node.limits.loginsMax and loginsPerAddressMax.',
]

const turnAway = (line: Line, error: unknown, client: Address, { speaker, logger }: Entrance): void => {
  if (error instanceof StartupRefusedError) {
    const { sqlstate, message, hint } = error
    logger.warn('a client was turned away', { ...client, sqlstate, reason: message })
    sendAway(line, speaker.lastWords(hint === undefined ? [sqlstate, message] : [sqlstate, message, hint]))
    return
  }
  const breach = speaker.breachIn(error)
  if (breach) {
    logger.warn(`a client does not speak ${speaker.name}`, { ...client, ...faultOf(error) })
    sendAway(line, speaker.lastWords(breach))
    return
  }
  if (!(error instanceof PeerGoneError)) logger.error('a login failed', { ...client, ...faultOf(error) })
  line.socket.destroy()
}

/** As long as a client has to read why, before its connection is closed for it. */
const LINGER_MS = 1_000

/** Whatever it still says is not listened to: while that lies unread, closing would take the last words with it. */
const sendAway = ({ socket, duplex }: Line, lastWords: Buffer): void => {
  duplex.resume()
  duplex.end(lastWords)
  const close = () => {
    duplex.destroy()
    socket.destroy()
  }
  setTimeout(close, LINGER_MS).unref()
}

const open = (
  sessionId: SessionId,
  greeting: Greeting,
  loggedIn: LoggedIn,
  address: Address,
  entrance: Entrance,
  gone: () => void,
): void => {
  const { recorder, sessions, holds, rules, logger } = entrance
  const { database, connected, leave } = loggedIn
  const key = sessions.newKey(connected.processId, greeting.cancelKeyBytes)
  recordOpening(sessionId, greeting, loggedIn, address, entrance)
  const session: LiveSession = connected.begin({
    identity: identityOf(sessionId, greeting, loggedIn, entrance),
    recorder,
    holds,
    limits: rules.limits,
    closed: (because, error) => {
      sessions.remove(session)
      leave()
      gone()
      if (error !== undefined) logger.error('a session failed', { sessionId, because, ...faultOf(error) })
      else if (because === 'upstream-gone') {
        logger.warn('the database has ended a session', { sessionId, ...database.target })
      }
    },
  })
  sessions.add(session, key, database)
  connected.welcome(key)
}

const identityOf = (
  sessionId: SessionId,
  { application, holdSeconds }: Greeting,
  { credential, database, role, connected }: LoggedIn,
  { inlineSeconds, now, clock, observerOf }: Entrance,
): LiveSession['identity'] => {
  const { principal, credentialId } = credential
  const { target } = database
  return {
    sessionId,
    principal,
    credentialId,
    target,
    role,
    processId: connected.processId,
    application: application ?? '',
    holdSeconds: holdSecondsFor(principal, { application, holdSeconds }, inlineSeconds),
    now,
    clock,
    observer: observerOf(target),
  }
}

const recordOpening = (
  sessionId: SessionId,
  { application, tls, certificate }: Greeting,
  { credential, proof, database, role, connected }: LoggedIn,
  address: Address,
  { recorder, worker, now }: Entrance,
): void => {
  const { principal, credentialId } = credential
  recorder.add({
    type: 'session.opened',
    data: {
      sessionId,
      worker,
      principal,
      credentialId,
      client: { ...address, ...(application !== undefined && { application }), tls },
      target: database.target,
      upstream: { server: connected.server, role, processId: connected.processId },
      at: now(),
    },
  } as AccessEvent)
  recorder.add({
    type: 'credential.used',
    data: {
      credentialId,
      principalId: principal.id,
      sessionId,
      proof,
      ...(certificate && { certificate: recordOf(certificate) }),
      at: now(),
    },
  } as AccessEvent)
}
