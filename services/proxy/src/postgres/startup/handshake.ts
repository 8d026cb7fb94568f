import {
  authenticationCleartextPassword,
  HEADER_BYTES,
  FIRST_PACKET_BYTES_MAX,
  FRONTEND,
  ProtocolError,
  readFirstPacket,
  readPassword,
  type FirstPacket,
} from '@countersign/pgwire'
import type { CancelAsked } from '../../protocol.ts'
import { TlsFailedError, type ClientTls, type Secured, type ShownCertificate } from '../../startup/client-tls.ts'
import type { GateRules } from '../../startup/gate-rules.ts'
import type { Line } from '../../startup/line.ts'
import { readClientSettings, type ClientSettings } from './client-settings.ts'
import { HandshakeReader } from './handshake-reader.ts'
import { spokenWith } from './protocol-version.ts'

/** How a client has begun: what it asks for, and what it has shown. */
export interface Hello {
  readonly kind: 'hello'
  readonly settings: ClientSettings
  readonly tls: string | null
  readonly certificate: ShownCertificate | undefined
  /** The name under which the client came to this node, as TLS tells it (SNI). */
  readonly serverName: string | undefined
  /** Asks for the token. Wipe it when it has been looked at. */
  askToken(): Promise<Buffer>
  /** Nothing more is read: the connection belongs to the session now. */
  done(): void
  /** The minor version of the protocol that was agreed on. */
  readonly minor: number
}

const PASSWORD_BYTES_MAX = 4_096
const TLS_HANDSHAKE = 0x16
const YES = Buffer.from('S')
const NO = Buffer.from('N')

/**
 * Everything up to the name. Throws `ProtocolError` for what is no PostgreSQL client, `PeerGoneError`,
 * `StartupRefusedError` for what a client may not ask for.
 */
export const greet = async (line: Line, rules: GateRules): Promise<Hello | CancelAsked> => {
  const first = await openingOf(line, rules)
  const { packet, reader, secured } = first
  if (packet.name === 'CancelRequest') return { kind: 'cancel', processId: packet.processId, secret: packet.secret }
  const settings = readClientSettings(packet.parameters)
  const { minor, correction } = spokenWith(packet)
  if (correction) line.duplex.write(correction)
  return {
    kind: 'hello',
    settings,
    tls: secured?.version ?? null,
    certificate: secured?.certificate,
    minor,
    serverName: secured?.serverName,
    askToken: () => tokenOf(line, reader),
    done: () => reader.release(),
  }
}

type Wanted = Extract<FirstPacket, { name: 'StartupMessage' | 'CancelRequest' }>

interface Opening {
  readonly packet: Wanted
  readonly reader: HandshakeReader
  readonly secured: Secured | undefined
}

/**
 * What a connection may begin with: TLS at once, or each kind of encryption asked for once; then the first packet.
 *
 * SPEC: PostgreSQL, "Message Flow", SSL Session Encryption and GSSAPI Session Encryption.
 */
const openingOf = async (line: Line, { limits, tls }: GateRules): Promise<Opening> => {
  const reader = new HandshakeReader(line.duplex, FIRST_PACKET_BYTES_MAX)
  const firstPacket = packetUpTo(limits.startupBytesMax)
  if (await beginsWithTls(reader)) return direct(line, reader, { limits, tls })
  const asked = new Set<string>()
  for (;;) {
    const { packet } = await reader.next(firstPacket)
    if (packet.name === 'StartupMessage' || packet.name === 'CancelRequest') {
      return { packet, reader, secured: undefined }
    }
    if (asked.has(packet.name)) throw unexpected(`a second ${packet.name}`)
    asked.add(packet.name)
    // Bytes behind the request would be read as if they had come encrypted (CVE-2021-23214).
    if (reader.unread > 0) throw unexpected(`clear bytes behind ${article(packet.name)}`)
    if (packet.name === 'GSSENCRequest' || !tls) {
      line.duplex.write(NO)
      continue
    }
    reader.release()
    line.duplex.write(YES)
    const secured = await securedOn(tls, line)
    return within(line, secured, limits)
  }
}

const beginsWithTls = async (reader: HandshakeReader): Promise<boolean> => {
  const { byte } = await reader.next((bytes) => (bytes.length === 0 ? undefined : { length: 0, byte: bytes[0] }))
  return byte === TLS_HANDSHAKE
}

/** PostgreSQL 17 and later, `sslnegotiation=direct`: the name of the protocol stands in for the request. */
const direct = async (
  line: Line,
  reader: HandshakeReader,
  { limits, tls }: Pick<GateRules, 'limits' | 'tls'>,
): Promise<Opening> => {
  if (!tls) throw unexpected('TLS at once, and this node has no certificate')
  reader.release()
  const secured = await securedOn(tls, line)
  line.duplex = secured.duplex
  if (!secured.alpn) throw unexpected('TLS at once, without the protocol `postgresql` (ALPN)')
  return within(line, secured, limits)
}

const securedOn = (tls: ClientTls, { socket }: Line): Promise<Secured> =>
  tls.secure(socket).catch((error: unknown) => {
    throw error instanceof TlsFailedError ? unexpected(error.message) : error
  })

const within = async (line: Line, secured: Secured, limits: GateRules['limits']): Promise<Opening> => {
  line.duplex = secured.duplex
  const reader = new HandshakeReader(secured.duplex, FIRST_PACKET_BYTES_MAX)
  const { packet } = await reader.next(packetUpTo(limits.startupBytesMax))
  if (packet.name === 'StartupMessage' || packet.name === 'CancelRequest') return { packet, reader, secured }
  throw unexpected(`${article(packet.name)} through TLS`)
}

const article = (name: string) => (name.startsWith('S') ? `an ${name}` : `a ${name}`)

const unexpected = (what: string) => new ProtocolError('PGWIRE_UNEXPECTED', what)

const packetUpTo = (bytesMax: number) => (bytes: Buffer) => {
  const length = bytes.length < 4 ? 0 : bytes.readInt32BE(0)
  if (length > bytesMax) throw new ProtocolError('PGWIRE_BAD_LENGTH', `a first packet of length ${length}`)
  return readFirstPacket(bytes)
}

const tokenOf = async ({ duplex }: Line, reader: HandshakeReader): Promise<Buffer> => {
  duplex.write(authenticationCleartextPassword())
  const { password } = await reader.next(passwordMessage)
  return password
}

const passwordMessage = (bytes: Buffer): { length: number; password: Buffer } | undefined => {
  if (bytes.length < HEADER_BYTES) return undefined
  const length = 1 + bytes.readInt32BE(1)
  if (bytes[0] !== FRONTEND.password) throw unexpected('something else than a password')
  if (length < HEADER_BYTES || length > PASSWORD_BYTES_MAX) {
    throw new ProtocolError('PGWIRE_BAD_LENGTH', `a password message of ${length} bytes`)
  }
  if (bytes.length < length) return undefined
  const password = Buffer.from(readPassword(bytes, 0, length))
  bytes.fill(0, 0, length)
  return { length, password }
}
