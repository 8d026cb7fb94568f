import type { DatabaseConfig } from '@countersign/platform'
import { byteStreamOf } from '../stream/socket-stream.ts'
import type { ByteStream } from '../stream/byte-stream.ts'
import { sendCancel } from './cancel.ts'
import { clientOf, innerOf, type Inner } from './server-login.ts'
import { upstreamErrorOf, upstreamFault } from './upstream-error.ts'

/** A server connection that is logged in and idle, with what the server said of itself on the way. */
export interface Upstream {
  readonly stream: ByteStream
  /** `host:port` */
  readonly server: string
  /** ParameterStatus messages, in the order in which they came; the last of a name counts. */
  readonly parameters: ReadonlyMap<string, string>
  readonly processId: number
  /**
   * Asks the server to cancel what this connection is running. The key never leaves the node. Resolves when the server
   * has done what it does about it, or cannot be asked: from then on nothing comes after a later statement.
   */
  cancel(): Promise<void>
}

const CONNECT_TIMEOUT_MS = 8_000

/**
 * Logs in to the server with `pg` (SCRAM and TLS are its business, see server-login.ts), then takes its socket over for
 * the relay.
 *
 * `settings` go with the start-up packet, as if the client had connected itself. Throws `UpstreamError`.
 */
export const connectUpstream = async (
  { upstream }: DatabaseConfig,
  role: string,
  settings: ReadonlyMap<string, string>,
): Promise<Upstream> => {
  const password = upstream.roles[role]
  if (!password) throw upstreamFault('misconfigured')
  const more = { connectionTimeoutMillis: CONNECT_TIMEOUT_MS, keepAlive: true }
  const client = clientOf(upstream, { user: role, password }, more)
  const inner = innerOf(client)
  const conf = inner.getStartupConf.bind(client)
  inner.getStartupConf = () => ({ ...conf(), ...Object.fromEntries(settings) })
  const parameters = new Map<string, string>()
  inner.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) =>
    parameters.set(parameterName, parameterValue),
  )
  // Between the end of the login and our taking over nobody else would hear of it, and that would end the process.
  client.on('error', () => undefined)
  try {
    await client.connect()
    if (inner.connection.stream.destroyed) throw new Error('the server has closed the connection')
  } catch (error) {
    inner.connection.stream.destroy()
    throw upstreamErrorOf(error)
  }
  return {
    stream: takeOver(inner),
    server: `${upstream.host}:${upstream.port}`,
    parameters,
    processId: inner.processID,
    cancel: () => sendCancel(upstream, { processId: inner.processID, secretKey: inner.secretKey }),
  }
}

interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

const takeOver = ({ connection }: Inner): ByteStream => {
  connection.removeAllListeners()
  // Under TLS the plain socket beneath still tells `pg` of its errors, and an error that nobody hears ends the node.
  connection.on('error', () => {})
  connection.stream.removeAllListeners()
  return byteStreamOf(connection.stream)
}
