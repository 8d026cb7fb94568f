import { createServer, type Server, type Socket } from 'node:net'
import type { AccessEvent, SessionId, WorkerId } from '@countersign/contracts'
import { authenticationOk, backendKeyData, parameterStatus, ProtocolError, readyForQuery } from '@countersign/pgwire'
import { faultOf, type Logger, type NodeConfig } from '@countersign/platform'
import type { Gate } from './gate.ts'
import type { Recorder } from './record/recorder.ts'
import { markedName } from './session/application-name.ts'
import { Session, type SessionOptions } from './session/session.ts'
import { fatal } from './session/say.ts'
import type { Sessions } from './sessions.ts'
import { recordOf } from './startup/client-certificate.ts'
import { StartupRefusedError, type ClientSettings } from './startup/client-settings.ts'
import { Doorway } from './startup/doorway.ts'
import { FailedLogins } from './startup/failed-logins.ts'
import { FailureRecord } from './startup/failure-record.ts'
import { PeerGoneError } from './startup/handshake-reader.ts'
import type { Line } from './startup/line.ts'
import { login, type LoggedIn, type LoginOptions } from './startup/login.ts'
import { Places } from './startup/places.ts'
import { sparingly } from './startup/sparingly.ts'
import { holdSecondsFor } from './statement/interactive.ts'
import { byteStreamOf } from './stream/socket-stream.ts'
import type { StatementObserver } from './telemetry/statement-observer.ts'

export interface ListenerOptions {
  readonly config: Pick<NodeConfig, 'listen'>
  readonly gate: Gate
  readonly worker: WorkerId
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

/** Accepts clients. One that is silent, slow or wrong costs the others nothing: each has its own deadline. */
export const listen = async (options: ListenerOptions): Promise<Server> => {
  const { host, port } = options.config.listen
  const { recorder, worker, now } = options
  const entrance: Entrance = {
    ...options,
    // What an attacker can have said as often as it likes must not fill the log.
    logger: sparingly(options.logger, options.clock),
    doorway: new Doorway(),
    places: new Places(),
    failedLogins: new FailedLogins(Date.now),
    failures: new FailureRecord((event) => void recorder.add(event), options.clock),
    login: { ...options.login, worker, now },
  }
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => void welcome(socket, entrance))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, 511, resolve)
  })
  return server
}

interface Entrance extends Omit<ListenerOptions, 'login'>, Pick<LoginOptions, 'places' | 'failedLogins' | 'failures'> {
  readonly doorway: Doorway
  readonly login: Pick<LoginOptions, 'inForce' | 'databases' | 'serversOf' | 'worker' | 'now'>
}

interface Address {
  readonly address: string
  readonly port: number
}

const welcome = async (socket: Socket, entrance: Entrance): Promise<void> => {
  const { logger, gate, doorway, places, failedLogins, failures } = entrance
  const { rules } = gate
  const client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  let turnedAway = false
  const drop = (why: string) => {
    turnedAway = true
    logger.warn(why, client)
    socket.destroy()
  }
  const waiting = { turnAway: () => drop('a client that had not logged in made room for another') }
  socket.on('error', () => socket.destroy())
  if (!doorway.enter(client.address, waiting, rules.limits)) return refuseEntry(socket, client, logger)

  const deadline = setTimeout(() => drop('a client did not log in in time'), rules.limits.startupTimeoutMs)
  const line: Line = { socket, duplex: socket }
  try {
    const sessionId = entrance.newSessionId()
    const marks = ({ application = '' }: ClientSettings) => marksOf(sessionId, application)
    const asked = await login(line, { ...entrance.login, rules, places, failedLogins, failures, marks })
    if (asked.kind === 'cancel') {
      entrance.sessions.cancel(asked)
      line.duplex.end() // Through TLS as well, where that says goodbye.
    } else if (socket.destroyed) leaveAgain(asked)
    else open(sessionId, line, asked, client, { ...entrance, rules })
  } catch (error) {
    if (!turnedAway) turnAway(line, error, client, logger)
  } finally {
    clearTimeout(deadline)
    doorway.leave(client.address, waiting)
  }
}

const leaveAgain = ({ upstream, leave }: LoggedIn): void => {
  upstream.stream.destroy()
  leave()
}

const refuseEntry = (socket: Socket, client: Address, logger: Logger): void => {
  logger.warn('a client was turned away', { ...client, sqlstate: '53300', reason: 'too many logins at once' })
  sendAway({ socket, duplex: socket }, fatal('53300', 'too many connections that have not logged in', 'Try again.'))
}

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
  options: Entrance & { readonly rules: Gate['rules'] },
): void => {
  const { recorder, sessions, rules, worker, now, clock, logger } = options
  const { greeting, credential, proof, target, role, upstream, leave } = loggedIn
  const { settings, tls, certificate } = greeting
  const { principal, credentialId } = credential
  const key = sessions.newKey(upstream.processId)
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
