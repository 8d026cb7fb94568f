import { readFileSync } from 'node:fs'
import { createConnection, type Socket } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { DatabaseConfig, ServerAddress, UpstreamConfig } from '@countersign/platform'
import { cancelRequest } from '@countersign/pgwire'
import { Client } from 'pg'
import { byteStreamOf } from '../stream/socket-stream.ts'
import type { ByteStream } from '../stream/byte-stream.ts'
import { nameOf, type Open, type Servers } from './servers.ts'
import { roundsOf, type ServerTold } from './session-attrs.ts'

/** A server connection that is logged in and idle, with what the server said of itself on the way. */
export interface Upstream {
  readonly stream: ByteStream
  /** `host:port` */
  readonly server: string
  /** ParameterStatus messages, in the order in which they came; the last of a name counts. */
  readonly parameters: ReadonlyMap<string, string>
  readonly processId: number
  /** Asks the server to cancel what this connection is running. The key never leaves the node. */
  cancel(): void
}

const CANCEL_TIMEOUT_MS = 8_000

/**
 * Logs in to a server with `pg` (SCRAM and TLS are its business), then takes its socket over for the relay. Which
 * server it is: what the configuration says of the database, or a standby for the roles that are to use one.
 *
 * `settings` go with the start-up packet, as if the client had connected itself. Throws `NoServerError`, at the latest
 * after `withinMs`.
 */
export const connectUpstream = async (
  { upstream }: DatabaseConfig,
  servers: Servers,
  role: string,
  settings: ReadonlyMap<string, string>,
  withinMs?: number,
): Promise<Upstream> => {
  const wanted = upstream.standbyRoles?.includes(role) ? 'prefer-standby' : upstream.targetSessionAttrs
  const { connection, address } = await servers.reach(roundsOf(wanted), opener(upstream, role, settings), withinMs)
  const { inner, parameters } = connection
  // The very machine that this session is on: the name may lead to another one next time.
  const host = inner.connection.stream.remoteAddress ?? address.host
  return {
    stream: takeOver(inner),
    server: nameOf(address),
    parameters,
    processId: inner.processID,
    cancel: () => sendCancel({ host, port: address.port }, inner.processID, inner.secretKey),
  }
}

interface LoggedIn {
  readonly inner: Inner
  readonly parameters: ReadonlyMap<string, string>
}

const opener =
  (upstream: UpstreamConfig, role: string, settings: ReadonlyMap<string, string>): Open<LoggedIn> =>
  async ({ host, port }, timeoutMs) => {
    const client = new Client({
      host,
      port,
      user: role,
      password: upstream.roles[role],
      database: upstream.database,
      ssl: tlsOf(upstream, host),
      connectionTimeoutMillis: timeoutMs,
      keepAlive: true,
    })
    const inner = innerOf(client)
    const conf = inner.getStartupConf.bind(client)
    inner.getStartupConf = () => ({ ...conf(), ...Object.fromEntries(settings) })
    const parameters = parametersOf(client)
    try {
      await client.connect()
      const told = await toldBy(client, parameters, settings.has('default_transaction_read_only'))
      return { connection: { inner, parameters }, told, close: () => closeQuietly(client) }
    } catch (error) {
      inner.connection.stream.destroy()
      throw error
    }
  }

/** Collects what the server says of its settings, from before the login on. */
export const parametersOf = (client: Client): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>()
  innerOf(client).connection.on('parameterStatus', ({ parameterName, parameterValue }) =>
    parameters.set(parameterName, parameterValue),
  )
  return parameters
}

/**
 * Whether it is a standby, and read-only. From PostgreSQL 14 on it says so by itself; before that it is asked. A client
 * that wants its own session read-only says nothing about the server by that (`own`).
 */
export const toldBy = async (
  client: Client,
  parameters: ReadonlyMap<string, string>,
  own = false,
): Promise<ServerTold> => {
  const hot = parameters.get('in_hot_standby')
  if (hot !== undefined) {
    const standby = hot === 'on'
    return { standby, readOnly: standby || (!own && parameters.get('default_transaction_read_only') === 'on') }
  }
  const { rows } = await client.query<[boolean, boolean]>({ text: RECOVERY_QUERY, rowMode: 'array' })
  const [standby, readOnly] = rows[0] ?? []
  return { standby, readOnly: own ? standby : readOnly }
}

const RECOVERY_QUERY = `SELECT pg_catalog.pg_is_in_recovery(),
  pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('default_transaction_read_only') = 'on'`

export const closeQuietly = (client: Client): void => {
  client.on('error', () => {})
  client.end().catch(() => {})
}

/** What `pg` keeps to itself and does not declare; checked by the live tests with each version that is pinned. */
interface Inner {
  getStartupConf: () => Record<string, string>
  readonly connection: {
    readonly stream: Socket
    on(event: 'parameterStatus', listener: (status: { parameterName: string; parameterValue: string }) => void): void
    removeAllListeners(): void
  }
  readonly processID: number
  readonly secretKey: number
}

const innerOf = (client: Client): Inner => client as unknown as Inner

const takeOver = ({ connection }: Inner): ByteStream => {
  connection.removeAllListeners()
  connection.stream.removeAllListeners()
  return byteStreamOf(connection.stream)
}

export const tlsOf = ({ tls, ca }: UpstreamConfig, host: string): ConnectionOptions | false => {
  if (tls === 'disable') return false
  return { minVersion: 'TLSv1.2', host, ...(ca !== undefined && { ca: readFileSync(ca) }) }
}

/** A connection of its own, as the protocol asks. Nobody waits for it, and its failure is the client's to repeat. */
const sendCancel = ({ host, port }: ServerAddress, processId: number, secretKey: number): void => {
  const secret = Buffer.alloc(4)
  secret.writeInt32BE(secretKey)
  const socket = createConnection({ host, port }, () => socket.end(cancelRequest(processId, secret)))
  socket.on('error', () => socket.destroy())
  socket.setTimeout(CANCEL_TIMEOUT_MS, () => socket.destroy())
}
