import { readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import type { ConnectionOptions } from 'node:tls'
import type { Duplex } from 'node:stream'
import type { DatabaseConfig } from '@countersign/platform'
import { cancelRequest } from '@countersign/pgwire'
import { Client } from 'pg'
import { byteStreamOf } from '../stream/socket-stream.ts'
import type { ByteStream } from '../stream/byte-stream.ts'

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

/** The server refused, or could not be reached. `fields` is what it said, when it said something. */
export class UpstreamError extends Error {
  readonly code = 'PROXY_UPSTREAM'
  readonly fields: { readonly code: string; readonly message: string } | undefined

  constructor(message: string, fields: UpstreamError['fields'], options?: ErrorOptions) {
    super(message, options)
    this.name = 'UpstreamError'
    this.fields = fields
  }
}

const CONNECT_TIMEOUT_MS = 8_000

/**
 * Logs in to the server with `pg` (SCRAM and TLS are its business), then takes its socket over for the relay.
 *
 * `settings` go with the start-up packet, as if the client had connected itself. Throws `UpstreamError`.
 */
export const connectUpstream = async (
  { upstream }: DatabaseConfig,
  role: string,
  settings: ReadonlyMap<string, string>,
): Promise<Upstream> => {
  const client = new Client({
    host: upstream.host,
    port: upstream.port,
    user: role,
    password: upstream.roles[role],
    database: upstream.database,
    ssl: tlsOf(upstream),
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
  })
  const inner = innerOf(client)
  const conf = inner.getStartupConf.bind(client)
  inner.getStartupConf = () => ({ ...conf(), ...Object.fromEntries(settings) })
  const parameters = new Map<string, string>()
  inner.connection.on('parameterStatus', (status: { parameterName: string; parameterValue: string }) =>
    parameters.set(status.parameterName, status.parameterValue),
  )
  try {
    await client.connect()
  } catch (error) {
    inner.connection.stream.destroy()
    throw upstreamErrorOf(error)
  }
  return {
    stream: takeOver(inner),
    server: `${upstream.host}:${upstream.port}`,
    parameters,
    processId: inner.processID,
    cancel: () => sendCancel(upstream, inner.processID, inner.secretKey),
  }
}

/** What `pg` keeps to itself and does not declare; checked by the live tests with each version that is pinned. */
interface Inner {
  getStartupConf: () => Record<string, string>
  readonly connection: {
    readonly stream: Duplex
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

export const tlsOf = ({ host, tls, ca }: DatabaseConfig['upstream']): ConnectionOptions | false => {
  if (tls === 'disable') return false
  return { minVersion: 'TLSv1.2', host, ...(ca !== undefined && { ca: readFileSync(ca) }) }
}

const upstreamErrorOf = (error: unknown): UpstreamError => {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' && message !== '' ? message : String(code ?? error)
  const fromServer = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)
  return new UpstreamError(text, fromServer ? { code, message: text } : undefined, { cause: error })
}

/** A connection of its own, as the protocol asks. Nobody waits for it, and its failure is the client's to repeat. */
const sendCancel = ({ host, port }: DatabaseConfig['upstream'], processId: number, secretKey: number): void => {
  const secret = Buffer.alloc(4)
  secret.writeInt32BE(secretKey)
  const socket = createConnection({ host, port }, () => socket.end(cancelRequest(processId, secret)))
  socket.on('error', () => socket.destroy())
  socket.setTimeout(CONNECT_TIMEOUT_MS, () => socket.destroy())
}
