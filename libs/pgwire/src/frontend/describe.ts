import { Body, HEADER_BYTES } from '../body.ts'
import { ProtocolError } from '../errors.ts'
import { cstring, message } from '../message.ts'
import { FRONTEND } from '../tags.ts'

/*
 * Describe => 'D' length kind name        Close => 'C' length kind name
 *   kind => Byte1 ('S' a prepared statement, 'P' a portal)
 *   name => String
 */
export interface Named {
  readonly kind: 'statement' | 'portal'
  readonly name: string
}

const STATEMENT = 0x53
const PORTAL = 0x50

/** Reads Describe and Close, which differ in nothing but their tag. */
export const readNamed = (bytes: Buffer, start: number, end: number): Named => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const kind = body.byte()
  if (kind !== STATEMENT && kind !== PORTAL) throw new ProtocolError('PGWIRE_UNEXPECTED', `kind ${kind} of a name`)
  const name = body.name()
  body.end()
  return { kind: kind === STATEMENT ? 'statement' : 'portal', name }
}

export const describePortal = (name: string): Buffer => message(FRONTEND.describe, Uint8Array.of(PORTAL), cstring(name))
