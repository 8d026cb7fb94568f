import { authenticationOk, backendKeyData, parameterStatus, readyForQuery } from '@countersign/pgwire'
import type { Principal, SessionId } from '@countersign/contracts'
import type {
  CancelAsked,
  CancelKey,
  Connected,
  Database,
  Destination,
  Greeting,
  LiveSession,
  SessionParts,
} from '../../protocol.ts'
import type { GateRules } from '../../startup/gate-rules.ts'
import type { Line } from '../../startup/line.ts'
import { StartupRefusedError, type RefusalText } from '../../startup/startup-refused.ts'
import type { ByteStream } from '../../stream/byte-stream.ts'
import { byteStreamOf } from '../../stream/socket-stream.ts'
import { markedName } from '../session/application-name.ts'
import { Session, type SessionOptions } from '../session/session.ts'
import { misreadIn } from '../statement/reading.ts'
import { connectUpstream, type Upstream } from '../upstream/connect.ts'
import { NoServerError } from '../upstream/no-server-error.ts'
import type { Servers } from '../upstream/servers.ts'
import { greet, type Hello } from './handshake.ts'
import { cancelKeyBytes } from './protocol-version.ts'
import { upstreamRefusal } from './upstream-refusal.ts'

/** What of a database a session is made with. */
export interface SessionSource {
  readonly servers: Servers
  /** `settings`: what the client has set for the server at the start. */
  sessionParts(role: string, settings: ReadonlyMap<string, string>, principal: Principal): DatabaseParts
}

/** What a session gets from its database. */
export type DatabaseParts = Pick<
  SessionOptions,
  'judge' | 'redactor' | 'firstTold' | 'schema' | 'catalogueChanged' | 'undos'
>

/** From an accepted socket to a name that nobody has believed yet, with the way on from there. */
export const greetingOf = async (
  line: Line,
  rules: GateRules,
  sourceOf: (database: Database) => SessionSource,
): Promise<Greeting | CancelAsked> => {
  const hello = await greet(line, rules)
  if (hello.kind === 'cancel') return hello
  const { settings, tls, certificate, serverName, minor } = hello
  const { user, database, application, holdSeconds, replication } = settings
  return {
    kind: 'greeting',
    user,
    database,
    application,
    holdSeconds,
    tls,
    howToEncrypt: 'connect with sslmode=require, or verify-full',
    certificate,
    serverName,
    // What a replication stream holds cannot be understood, decided or masked row by row.
    neverAllowed: replication ? REPLICATION : undefined,
    cancelKeyBytes: cancelKeyBytes(minor),
    askToken: () => hello.askToken(),
    done: () => hello.done(),
    connect: (destination) => connect(line, hello, destination, sourceOf(destination.database)),
  }
}

const REPLICATION: RefusalText = [
  '0A000',
  'replication connections do not go through Countersign',
  'Nobody could say what a stream of all changes shows: let replicas and change capture connect to the server itself.',
]

const connect = async (
  line: Line,
  { settings }: Hello,
  { config, role, principal, sessionId, withinMs }: Destination,
  source: SessionSource,
): Promise<Connected> => {
  const { application = '', server } = settings
  const told = new Map([...server, ...marksOf(sessionId, application)])
  const upstream = await connectUpstream(config, source.servers, role, told, withinMs).catch(refusing)
  refuseMisread(upstream)
  const parts = source.sessionParts(role, server, principal)
  return new PostgresConnected(line, upstream, application, parts)
}

/** The two connections of a session that is about to begin. */
class PostgresConnected implements Connected {
  readonly #line: Line
  readonly #upstream: Upstream
  readonly #application: string
  readonly #parts: DatabaseParts
  #client: ByteStream | undefined

  constructor(line: Line, upstream: Upstream, application: string, parts: DatabaseParts) {
    this.#line = line
    this.#upstream = upstream
    this.#application = application
    this.#parts = parts
  }

  get server(): string {
    return this.#upstream.server
  }

  get processId(): number {
    return this.#upstream.processId
  }

  begin(parts: SessionParts): LiveSession {
    const client = byteStreamOf(this.#line.duplex)
    this.#client = client
    return new Session({ client, upstream: this.#upstream, ...parts, ...this.#parts })
  }

  /** The session has the client's connection by now, and what it writes comes behind this. */
  welcome({ processId, secret }: CancelKey): void {
    const parameters = new Map(this.#upstream.parameters).set('application_name', this.#application)
    this.#client?.write(
      Buffer.concat([
        authenticationOk(),
        ...[...parameters].map(([name, value]) => parameterStatus(name, value)),
        backendKeyData(processId, secret),
        readyForQuery('idle'),
      ]),
    )
  }

  leave(): void {
    this.#upstream.stream.destroy()
  }
}

const refusing = (error: unknown): never => {
  throw error instanceof NoServerError ? upstreamRefusal(error) : error
}

/** What the server knows our sessions by: visible in pg_stat_activity. */
const marksOf = (sessionId: SessionId, application: string): ReadonlyMap<string, string> =>
  new Map([
    ['application_name', markedName(sessionId, application)],
    ['countersign.session', sessionId],
  ])

/** A role or a database may have settings of its own, which nobody asked for. */
const refuseMisread = ({ parameters, stream }: Upstream): void => {
  const why = misreadIn(parameters)
  if (why === undefined) return
  stream.destroy()
  const hint = 'An administrator can take the setting back with ALTER ROLE or ALTER DATABASE.'
  throw new StartupRefusedError('22023', `the database behind this node cannot be used: ${why}`, hint)
}
