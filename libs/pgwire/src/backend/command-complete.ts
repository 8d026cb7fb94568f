import { HEADER_BYTES } from '../body.ts'
import { ProtocolError } from '../errors.ts'
import { BACKEND } from '../tags.ts'
import { cstring, message } from '../message.ts'

/*
 * CommandComplete => 'C' length tag
 *   tag => String: `SELECT 5`, `INSERT 0 3`, `DELETE 12`, `CREATE TABLE`
 */

export const readCommandTag = (bytes: Buffer, start: number, end: number): string => {
  const zero = bytes.indexOf(0, start + HEADER_BYTES)
  if (zero < 0 || zero >= end) throw new ProtocolError('PGWIRE_SHORT_BODY', 'a command tag without its zero byte')
  if (zero !== end - 1) throw new ProtocolError('PGWIRE_TRAILING_BYTES', `${end - 1 - zero} bytes behind a command tag`)
  return bytes.toString('latin1', start + HEADER_BYTES, zero)
}

/** The number at the end of a command tag, or 0 where there is none. */
export const rowsOf = (tag: string): number => {
  let at = tag.length
  while (at > 0 && isDigit(tag.charCodeAt(at - 1))) at--
  return at < tag.length && tag[at - 1] === ' ' ? Number(tag.slice(at)) : 0
}

const isDigit = (code: number) => code >= 48 && code <= 57

export const commandComplete = (tag: string): Buffer => message(BACKEND.commandComplete, cstring(tag))
