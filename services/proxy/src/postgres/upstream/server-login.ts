import type { Socket } from 'node:net'
import { serverTlsOf, type DatabaseConfig, type Secret, type ServerAddress } from '@countersign/platform'
import { Client, type ClientConfig } from 'pg'
import { checkMessages } from './checked-messages.ts'
import { upstreamErrorOf, upstreamFault, type UpstreamFault } from './upstream-error.ts'

type Upstream = DatabaseConfig['upstream']

export interface Login {
  readonly user: string
  readonly password: Secret
}

/** What `pg` keeps to itself and does not declare; checked by the live tests with each version that is pinned. */
export interface Inner {
  getStartupConf: () => Record<string, string>
  readonly connection: {
    readonly stream: Socket
    attachListeners(stream: Socket): void
    on(event: string, listener: (message: never) => void): void
    emit(event: 'error', error: Error): void
    removeAllListeners(): void
  }
  readonly processID: number
  readonly secretKey: number
}

export const innerOf = (client: Client): Inner => client as unknown as Inner

/**
 * A client of `pg` that will log in as the configuration asks: TLS that is verified, and over it SCRAM-SHA-256-PLUS
 * where the server offers it. Not connected yet. `settings` go with the start-up packet. Throws `UpstreamError` when the
 * files for TLS cannot be used.
 */
export const clientOf = (
  upstream: Upstream,
  { host, port }: ServerAddress,
  { user, password }: Login,
  more: ClientConfig = {},
  settings: Readonly<Record<string, string>> = {},
): Client => {
  const { database, channelBinding } = upstream
  const ssl = tlsFor(upstream, host)
  const client = new Client({
    ...more,
    host,
    port,
    database,
    user,
    password: password.reveal(),
    ssl,
    sslnegotiation: 'postgres', // Whatever PGSSLNEGOTIATION says; as with what is taken out below.
    enableChannelBinding: ssl !== false && channelBinding !== 'disable',
  })
  const inner = innerOf(client)
  const conf = inner.getStartupConf.bind(client)
  inner.getStartupConf = () => {
    const { options: _, replication: __, ...asked } = conf()
    return { ...asked, ...settings }
  }
  checkMessages(client)
  guard(inner.connection, { encrypted: ssl !== false, bound: channelBinding === 'require' })
  return client
}

export const tlsFor = (upstream: Upstream, host: string): ReturnType<typeof serverTlsOf> => {
  try {
    return serverTlsOf(upstream, host)
  } catch (error) {
    throw upstreamErrorOf(error)
  }
}

const PLUS = 'SCRAM-SHA-256-PLUS'

/**
 * What `pg` does not insist on. It hears each message before `pg` does, so that nothing is answered to a server that
 * asks for what it must not have.
 *
 * SPEC: RFC 5802, section 5: who skips the server's signature has not authenticated the server. `pg` checks the
 * signature when it comes, and not that it comes.
 */
const guard = (connection: Inner['connection'], { encrypted, bound }: { encrypted: boolean; bound: boolean }): void => {
  let asked = false
  let signed = false
  const refuse = (fault: UpstreamFault) => {
    connection.stream.destroy()
    connection.emit('error', upstreamFault(fault))
  }
  const attach = connection.attachListeners.bind(connection)
  connection.attachListeners = (stream) => {
    attach(stream)
    catchIn(stream, () => refuse('authentication-unsupported'))
  }
  connection.on('authenticationCleartextPassword', () => {
    if (bound) refuse('channel-binding-missing')
    else if (!encrypted) refuse('password-in-clear')
  })
  connection.on('authenticationMD5Password', () => {
    if (bound) refuse('channel-binding-missing')
  })
  connection.on('authenticationSASL', ({ mechanisms }: { readonly mechanisms: readonly string[] }) => {
    asked = true
    if (bound && !mechanisms.includes(PLUS)) refuse('channel-binding-missing')
  })
  connection.on('authenticationSASLFinal', () => (signed = true))
  connection.on('authenticationOk', () => {
    if (asked && !signed) refuse('server-not-proven')
    else if (bound && !asked) refuse('channel-binding-missing')
  })
}

/** `pg-protocol` throws where the data come in, so that one server with GSSAPI would end the whole node. */
const catchIn = (stream: Socket, failed: () => void): void => {
  const listeners = stream.listeners('data') as ((bytes: Buffer) => void)[]
  stream.removeAllListeners('data')
  stream.on('data', (bytes: Buffer) => {
    try {
      for (const listener of listeners) listener(bytes)
    } catch {
      failed()
    }
  })
}
