import { Body } from '../body.ts'
import { ProtocolError } from '../errors.ts'

/*
 * First packet => length code rest          (the only messages without a tag)
 *   length => Int32, itself included
 *   code   => Int32
 *
 * StartupMessage => major 3, minor in the low 16 bits, then name and value Strings, ended by a zero byte
 * SSLRequest     => 80877103      GSSENCRequest => 80877104
 * CancelRequest  => 80877102 processId Int32, secret bytes (4 in protocol 3.0, up to 256 in 3.2)
 */
export type FirstPacket =
  | { readonly name: 'StartupMessage'; readonly minor: number; readonly parameters: ReadonlyMap<string, string> }
  | { readonly name: 'SSLRequest' }
  | { readonly name: 'GSSENCRequest' }
  | { readonly name: 'CancelRequest'; readonly processId: number; readonly secret: Buffer }

const CANCEL_REQUEST = 80_877_102
const SSL_REQUEST = 80_877_103
const GSSENC_REQUEST = 80_877_104

/** PostgreSQL's own bound (MAX_STARTUP_PACKET_LENGTH). */
export const FIRST_PACKET_BYTES_MAX = 10_000

/**
 * Reads the packet that lies at the start of `bytes`, or nothing while its end has not arrived. Throws
 * `ProtocolError` for a length or a version that nobody who speaks PostgreSQL would send.
 */
export const readFirstPacket = (bytes: Buffer): { packet: FirstPacket; length: number } | undefined => {
  if (bytes.length < 4) return undefined
  const length = bytes.readInt32BE(0)
  if (length < 8 || length > FIRST_PACKET_BYTES_MAX) {
    throw new ProtocolError('PGWIRE_BAD_LENGTH', `a first packet of length ${length}`)
  }
  if (bytes.length < length) return undefined
  return { packet: packetOf(new Body(bytes, 4, length)), length }
}

const packetOf = (body: Body): FirstPacket => {
  const code = body.int32()
  if (code === SSL_REQUEST) return ended(body, { name: 'SSLRequest' })
  if (code === GSSENC_REQUEST) return ended(body, { name: 'GSSENCRequest' })
  if (code === CANCEL_REQUEST) return cancelOf(body)
  if (code >> 16 !== 3) throw new ProtocolError('PGWIRE_UNEXPECTED', `protocol version ${code >> 16}.${code & 0xffff}`)
  return { name: 'StartupMessage', minor: code & 0xffff, parameters: parametersOf(body) }
}

const cancelOf = (body: Body): FirstPacket => {
  const processId = body.int32()
  if (body.left < 4 || body.left > 256)
    throw new ProtocolError('PGWIRE_BAD_LENGTH', `a cancel key of ${body.left} bytes`)
  return { name: 'CancelRequest', processId, secret: Buffer.from(body.take(body.left)) }
}

const parametersOf = (body: Body): ReadonlyMap<string, string> => {
  const parameters = new Map<string, string>()
  for (let name = body.cstring(); name !== ''; name = body.cstring()) parameters.set(name, body.cstring())
  return ended(body, parameters)
}

const ended = <T>(body: Body, value: T): T => {
  body.end()
  return value
}
