import { isIP, type Socket } from 'node:net'
import { TLSSocket, type SecureContext } from 'node:tls'
import {
  authenticationCleartextPassword,
  HEADER_BYTES,
  FIRST_PACKET_BYTES_MAX,
  FRONTEND,
  negotiateProtocolVersion,
  ProtocolError,
  readFirstPacket,
  readPassword,
  type FirstPacket,
} from '@countersign/pgwire'
import { readClientSettings, StartupRefusedError, type ClientSettings } from './client-settings.ts'
import { HandshakeReader } from './handshake-reader.ts'
import type { Line } from './line.ts'

/** A client that has said who it claims to be, and what its password is. Nothing of it has been believed yet. */
export interface Greeting {
  readonly kind: 'greeting'
  readonly settings: ClientSettings
  readonly password: Buffer
  readonly tls: string | null
  /** The name under which the client came to this node, as TLS tells it (SNI). */
  readonly serverName: string | undefined
}

export interface CancelAsked {
  readonly kind: 'cancel'
  readonly processId: number
  readonly secret: Buffer
}

const PASSWORD_BYTES_MAX = 4_096
const YES = Buffer.from('S')
const NO = Buffer.from('N')

/**
 * Everything up to the password. Throws `ProtocolError` for what is no PostgreSQL client, `PeerGoneError`,
 * `StartupRefusedError` for what a client may not ask for.
 */
export const greet = async (line: Line, secure: SecureContext | undefined): Promise<Greeting | CancelAsked> => {
  const { socket } = line
  let tls: string | null = null
  let serverName: string | undefined
  let reader = new HandshakeReader(line.duplex, FIRST_PACKET_BYTES_MAX)
  for (;;) {
    const { packet } = await reader.next(readFirstPacket)
    if (packet.name === 'CancelRequest') return { kind: 'cancel', processId: packet.processId, secret: packet.secret }
    if (packet.name === 'StartupMessage') return { ...(await passwordOf(line, reader, packet, tls)), serverName }
    if (packet.name === 'GSSENCRequest' || !secure || tls) {
      line.duplex.write(NO)
      continue
    }
    // Bytes behind the request would be read as if they had come encrypted (CVE-2021-23214).
    if (reader.unread > 0) throw new ProtocolError('PGWIRE_UNEXPECTED', 'clear bytes behind an SSLRequest')
    reader.release()
    socket.write(YES)
    const secured = await securedSocket(socket, secure)
    tls = secured.getProtocol() ?? 'TLS'
    serverName = serverNameOf(secured)
    line.duplex = secured
    reader = new HandshakeReader(secured, FIRST_PACKET_BYTES_MAX)
  }
}

const securedSocket = (socket: Socket, secureContext: SecureContext): Promise<TLSSocket> =>
  new Promise((resolve, reject) => {
    const secured = new TLSSocket(socket, { isServer: true, secureContext })
    secured.once('secure', () => {
      secured.off('error', reject)
      resolve(secured)
    })
    secured.once('error', reject)
    socket.once('close', () => reject(new ProtocolError('PGWIRE_UNEXPECTED', 'closed during the TLS handshake')))
  })

/** Node.js tells it on the server's side as well, but declares it for the client's only. */
const serverNameOf = (secured: TLSSocket): string | undefined => {
  const { servername } = secured as { servername?: unknown }
  return typeof servername === 'string' && servername !== '' ? servername : undefined
}

const passwordOf = async (
  { socket, duplex }: Line,
  reader: HandshakeReader,
  startup: Extract<FirstPacket, { name: 'StartupMessage' }>,
  tls: string | null,
): Promise<Omit<Greeting, 'serverName'>> => {
  const settings = readClientSettings(startup.parameters)
  if (!tls && !isLoopback(socket.remoteAddress)) {
    throw new StartupRefusedError('28000', 'TLS is required from other machines', 'connect with sslmode=require')
  }
  const unknown = [...startup.parameters.keys()].filter((name) => name.startsWith('_pq_.'))
  if (startup.minor > 0 || unknown.length > 0) duplex.write(negotiateProtocolVersion(0, unknown))
  duplex.write(authenticationCleartextPassword())
  const { password } = await reader.next(passwordMessage)
  reader.release()
  return { kind: 'greeting', settings, password, tls }
}

const passwordMessage = (bytes: Buffer): { length: number; password: Buffer } | undefined => {
  if (bytes.length < HEADER_BYTES) return undefined
  const length = 1 + bytes.readInt32BE(1)
  if (bytes[0] !== FRONTEND.password) throw new ProtocolError('PGWIRE_UNEXPECTED', 'something else than a password')
  if (length < HEADER_BYTES || length > PASSWORD_BYTES_MAX) {
    throw new ProtocolError('PGWIRE_BAD_LENGTH', `a password message of ${length} bytes`)
  }
  return bytes.length < length ? undefined : { length, password: Buffer.from(readPassword(bytes, 0, length)) }
}

const isLoopback = (address: string | undefined): boolean => {
  const plain = address?.replace(/^::ffff:/, '') ?? ''
  return plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'))
}
