import type { Socket } from 'node:net'
import type { AccessEvent, SessionId, WorkerId } from '@countersign/contracts'
import { authenticationOk, backendKeyData, parameterStatus, ProtocolError, readyForQuery } from '@countersign/pgwire'
import { faultOf, type Logger, type NodeConfig } from '@countersign/platform'
import type { Recorder } from './record/recorder.ts'
import { Session, type SessionOptions } from './session/session.ts'
import { workerOf, type CancelKey, type Sessions } from './sessions.ts'
import { StartupRefusedError } from './startup/client-settings.ts'
import { PeerGoneError } from './startup/handshake-reader.ts'
import type { Line } from './startup/line.ts'
import { login, type LoggedIn, type LoginOptions } from './startup/login.ts'
import { fatal } from './statement/refusal.ts'
import { holdSecondsFor } from './statement/interactive.ts'
import { byteStreamOf } from './stream/socket-stream.ts'

/** What a client comes in by: fixed for as long as the configuration is. */
export interface Door {
  readonly config: NodeConfig
  readonly worker: WorkerId
  /** The worker's number in its node, which its cancel keys lead to. */
  readonly index: number
  /** Another worker of the node has the session that this key is for. */
  readonly cancelElsewhere: (key: CancelKey) => void
  readonly login: Omit<LoginOptions, 'marks' | 'record'>
  readonly recorder: Recorder
  readonly sessions: Sessions
  readonly inlineSeconds: number
  readonly newSessionId: () => SessionId
  readonly now: () => string
  readonly clock: () => number
  readonly logger: Logger
  /** What a session needs beside its own connection. */
  readonly sessionParts: (
    loggedIn: LoggedIn,
  ) => Pick<SessionOptions, 'judge' | 'holds' | 'redactor' | 'catalogueChanged' | 'firstTold'>
}

interface Address {
  readonly address: string
  readonly port: number
}

/**
 * Takes a client in. One that is silent, slow or wrong costs the others nothing: each has its own deadline. `closed` is
 * called once, when the connection is no more.
 */
export const welcome = async (socket: Socket, options: Door, closed: () => void): Promise<void> => {
  const { logger, config } = options
  const client = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  let late = false
  const deadline = setTimeout(() => {
    late = true
    logger.warn('a client did not log in in time', client)
    socket.destroy()
  }, config.limits.startupTimeoutMs)
  socket.on('error', () => socket.destroy())
  const line: Line = { socket, duplex: socket }
  try {
    const sessionId = options.newSessionId()
    const asked = await login(line, {
      ...options.login,
      record: (event) => void options.recorder.add(event),
      marks: () => marksOf(sessionId),
    })
    clearTimeout(deadline)
    if (asked.kind === 'cancel') {
      if (workerOf(asked) === options.index) options.sessions.cancel(asked)
      else options.cancelElsewhere(asked)
      line.duplex.end() // Through TLS as well, where that says goodbye.
    } else if (socket.destroyed) asked.upstream.stream.destroy()
    else return open(sessionId, line, stillAllowed(asked, options), client, options, closed)
  } catch (error) {
    clearTimeout(deadline)
    if (!late) turnAway(line, error, client, logger)
  }
  closed()
}

/** A credential may be revoked while the server is connected to. From here to the list of sessions nothing waits. */
const stillAllowed = (loggedIn: LoggedIn, { login }: Door): LoggedIn => {
  if (login.inForce.stands(loggedIn.credential)) return loggedIn
  loggedIn.upstream.stream.destroy()
  throw new StartupRefusedError('28000', 'access has been revoked')
}

/** What the server knows our sessions by: visible in pg_stat_activity, and to the client by SHOW. */
const marksOf = (sessionId: SessionId): ReadonlyMap<string, string> =>
  new Map([
    ['application_name', `countersign ${sessionId}`],
    ['countersign.session', sessionId],
  ])

const turnAway = ({ socket, duplex }: Line, error: unknown, client: Address, logger: Logger): void => {
  if (error instanceof StartupRefusedError) {
    logger.warn('a client was turned away', { ...client, sqlstate: error.sqlstate, reason: error.message })
    duplex.end(fatal(error.sqlstate, error.message, error.hint))
    return
  }
  if (error instanceof ProtocolError) {
    logger.warn('a client does not speak PostgreSQL', { ...client, ...faultOf(error) })
    duplex.end(fatal('08P01', error.message))
    return
  }
  if (!(error instanceof PeerGoneError)) logger.error('a login failed', { ...client, ...faultOf(error) })
  socket.destroy()
}

const open = (
  sessionId: SessionId,
  { duplex }: Line,
  loggedIn: LoggedIn,
  address: Address,
  options: Door,
  gone: () => void,
): void => {
  const { recorder, sessions, config, worker, now, clock, logger } = options
  const { greeting, credential, target, role, upstream } = loggedIn
  const { settings, tls } = greeting
  const { principal, credentialId } = credential
  const key = sessions.newKey()
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
    data: { credentialId, principalId: principal.id, sessionId, at: now() },
  } as AccessEvent)

  const client = byteStreamOf(duplex)
  const session = new Session({
    identity: {
      sessionId,
      principal,
      credentialId,
      target,
      role,
      holdSeconds: holdSecondsFor(principal, settings, options.inlineSeconds),
      now,
      clock,
    },
    client,
    upstream,
    recorder,
    limits: config.limits,
    ...options.sessionParts(loggedIn),
    closed: (because, error) => {
      sessions.remove(session)
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
