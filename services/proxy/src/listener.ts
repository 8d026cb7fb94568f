import type { Socket } from 'node:net'
import type { AccessEvent, SessionId, WorkerId } from '@countersign/contracts'
import { authenticationOk, backendKeyData, parameterStatus, ProtocolError, readyForQuery } from '@countersign/pgwire'
import { faultOf, type Logger } from '@countersign/platform'
import type { Recorder } from './record/recorder.ts'
import { markedName } from './postgres/session/application-name.ts'
import { Session, type SessionOptions } from './postgres/session/session.ts'
import { fatal } from './postgres/session/say.ts'
import type { CancelKey, Sessions } from './sessions.ts'
import { recordOf } from './startup/client-certificate.ts'
import { StartupRefusedError, type ClientSettings } from './postgres/startup/client-settings.ts'
import { Doorway } from './startup/doorway.ts'
import { FailedLogins } from './startup/failed-logins.ts'
import { FailureRecord } from './startup/failure-record.ts'
import { PeerGoneError } from './postgres/startup/handshake-reader.ts'
import type { Line } from './startup/line.ts'
import { cancelKeyBytes } from './postgres/startup/protocol-version.ts'
import { login, type LoggedIn, type LoginOptions, type RefusalText } from './startup/login.ts'
import type { GateRules } from './startup/gate-rules.ts'
import { Places } from './startup/places.ts'
import { sparingly } from './startup/sparingly.ts'
import { holdSecondsFor } from './statement/interactive.ts'
import { byteStreamOf } from './stream/socket-stream.ts'
import type { StatementObserver } from './telemetry/statement-observer.ts'
import type { Counts } from './workers/front.ts'

/** What clients come in by. Made anew with each configuration, around the same counts. */
export interface EntranceOptions {
  readonly rules: GateRules
  readonly worker: WorkerId
  /** Another worker of the node has the session that this key is for. */
  readonly cancelElsewhere: (key: CancelKey) => Promise<void>
  /** Over all workers of the node. */
  readonly counts: Counts
  readonly login: Pick<LoginOptions, 'inForce' | 'databases' | 'serversOf'>
  readonly recorder: Recorder
  readonly sessions: Sessions
  readonly inlineSeconds: number
  readonly newSessionId: () => SessionId
  readonly now: () => string
  readonly clock: () => number
  readonly logger: Logger
  /** What a session needs beside its own connection. */
  readonly sessionParts: (loggedIn: LoggedIn) => Pick<
    SessionOptions,
    'judge' | 'holds' | 'redactor' | 'catalogueChanged' | 'firstTold' | 'schema'
  > & {
    readonly observer?: StatementObserver
  }
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
  readonly login: Pick<LoginOptions, 'inForce' | 'databases' | 'serversOf' | 'worker' | 'now'>
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
    refuseEntry(socket, TOO_MANY_LOGINS, logger)
    return closed()
  }

  const deadline = setTimeout(() => drop('a client did not log in in time'), rules.limits.startupTimeoutMs)
  const line: Line = { socket, duplex: socket }
  try {
    const sessionId = entrance.newSessionId()
    const marks = ({ application = '' }: ClientSettings) => marksOf(sessionId, application)
    const asked = await login(line, { ...entrance.login, rules, places, failedLogins, failures, marks })
    if (asked.kind === 'cancel') {
      if (!(await entrance.sessions.cancel(asked))) await entrance.cancelElsewhere(asked)
      line.duplex.end() // Through TLS as well, where that says goodbye.
    } else if (socket.destroyed) leaveAgain(asked)
    else return open(sessionId, line, stillAllowed(asked, entrance), client, entrance, closed)
  } catch (error) {
    if (!turnedAway) turnAway(line, error, client, logger)
  } finally {
    clearTimeout(deadline)
    doorway.leave(client.address, waiting)
  }
  closed()
}

/** A credential may be revoked while the server is connected to. From here to the list of sessions nothing waits. */
const stillAllowed = (loggedIn: LoggedIn, { login }: Entrance): LoggedIn => {
  if (login.inForce.stands(loggedIn.credential)) return loggedIn
  leaveAgain(loggedIn)
  throw new StartupRefusedError('28000', 'access has been revoked')
}

const leaveAgain = ({ upstream, leave }: LoggedIn): void => {
  upstream.stream.destroy()
  leave()
}

/** Turns a client away before it has said anything. */
export const refuseEntry = (socket: Socket, [sqlstate, reason, hint]: RefusalText, logger: Logger): void => {
  const client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  logger.warn('a client was turned away', { ...client, sqlstate, reason })
  socket.on('error', () => socket.destroy())
  sendAway({ socket, duplex: socket }, fatal(sqlstate, reason, hint))
}

const TOO_MANY_LOGINS: RefusalText = [
  '53300',
  'too many connections that have not logged in',
  'Try again; or operators raise node.limits.loginsMax and loginsPerAddressMax.',
]

/** What the server knows our sessions by: visible in pg_stat_activity. */
const marksOf = (sessionId: SessionId, application: string): ReadonlyMap<string, string> =>
  new Map([
    ['application_name', markedName(sessionId, application)],
    ['countersign.session', sessionId],
  ])

const turnAway = (line: Line, error: unknown, client: Address, logger: Logger): void => {
  if (error instanceof StartupRefusedError) {
    logger.warn('a client was turned away', { ...client, sqlstate: error.sqlstate, reason: error.message })
    sendAway(line, fatal(error.sqlstate, error.message, error.hint))
    return
  }
  if (error instanceof ProtocolError) {
    logger.warn('a client does not speak PostgreSQL', { ...client, ...faultOf(error) })
    sendAway(line, fatal('08P01', error.message))
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
  { duplex }: Line,
  loggedIn: LoggedIn,
  address: Address,
  options: Entrance,
  gone: () => void,
): void => {
  const { recorder, sessions, rules, worker, now, clock, logger } = options
  const { greeting, credential, proof, target, role, upstream, leave } = loggedIn
  const { settings, tls, certificate } = greeting
  const { principal, credentialId } = credential
  const key = sessions.newKey(upstream.processId, cancelKeyBytes(greeting.minor))
  recorder.add({
    type: 'session.opened',
    data: {
      sessionId,
      worker,
      principal,
      credentialId,
      client: { ...address, ...(settings.application !== undefined && { application: settings.application }), tls },
      target,
      upstream: { server: upstream.server, role, processId: upstream.processId },
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

  const client = byteStreamOf(duplex)
  const { observer, ...parts } = options.sessionParts(loggedIn)
  const session = new Session({
    identity: {
      sessionId,
      principal,
      credentialId,
      target,
      role,
      processId: upstream.processId,
      application: settings.application ?? '',
      holdSeconds: holdSecondsFor(principal, settings, options.inlineSeconds),
      now,
      clock,
      observer,
    },
    client,
    upstream,
    recorder,
    limits: rules.limits,
    ...parts,
    closed: (because, error) => {
      sessions.remove(session)
      leave()
      gone()
      if (error !== undefined) logger.error('a session failed', { sessionId, because, ...faultOf(error) })
      else if (because === 'upstream-gone') logger.warn('the database has ended a session', { sessionId, ...target })
    },
  })
  sessions.add(session, key)
  const parameters = new Map(upstream.parameters).set('application_name', settings.application ?? '')
  client.write(
    Buffer.concat([
      authenticationOk(),
      ...[...parameters].map(([name, value]) => parameterStatus(name, value)),
      backendKeyData(key.processId, key.secret),
      readyForQuery('idle'),
    ]),
  )
}
