import type { DatabaseConfig, UpstreamConfig } from '@countersign/platform'
import type { ByteStream } from '../../stream/byte-stream.ts'
import { byteStreamOf } from '../../stream/socket-stream.ts'
import { sendCancel } from './cancel.ts'
import { clientOf, innerOf, type Inner } from './server-login.ts'
import { closeQuietly, parametersOf, toldBy } from './server-told.ts'
import { nameOf, type Open, type Servers } from './servers.ts'
import { roundsOf } from './session-attrs.ts'
import { upstreamFault } from './upstream-error.ts'

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

/**
 * Logs in to a server with `pg` (SCRAM and TLS are its business, see server-login.ts), then takes its socket over for
 * the relay. Which server it is: what the configuration says of the database, or a standby for the roles that are to
 * use one.
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
  const { processID: processId, secretKey } = inner
  const machine = inner.connection.stream.remoteAddress ?? address.host
  return {
    stream: takeOver(inner),
    server: nameOf(address),
    parameters,
    processId,
    cancel: () => sendCancel(upstream, { ...address, machine }, { processId, secretKey }),
  }
}

interface LoggedIn {
  readonly inner: Inner
  readonly parameters: ReadonlyMap<string, string>
}

const opener =
  (upstream: UpstreamConfig, role: string, settings: ReadonlyMap<string, string>): Open<LoggedIn> =>
  async (address, timeoutMs, asks) => {
    const password = upstream.roles[role]
    if (!password) throw upstreamFault('misconfigured')
    const more = { connectionTimeoutMillis: timeoutMs, keepAlive: true }
    const client = clientOf(upstream, address, { user: role, password }, more, Object.fromEntries(settings))
    const inner = innerOf(client)
    const parameters = parametersOf(client)
    // Between the end of the login and our taking over nobody else would hear of it, and that would end the process.
    client.on('error', () => undefined)
    try {
      await client.connect()
      const told = await toldBy(client, parameters, asks, settings.has('default_transaction_read_only'))
      if (inner.connection.stream.destroyed) throw new Error('Connection terminated')
      return { connection: { inner, parameters }, told, close: () => closeQuietly(client) }
    } catch (error) {
      inner.connection.stream.destroy()
      throw error
    }
  }

const takeOver = ({ connection }: Inner): ByteStream => {
  connection.removeAllListeners()
  // Under TLS the plain socket beneath still tells `pg` of its errors, and an error that nobody hears ends the node.
  connection.on('error', () => {})
  connection.stream.removeAllListeners()
  return byteStreamOf(connection.stream)
}
