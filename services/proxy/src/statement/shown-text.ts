import { redactText } from '@countersign/masking'
import { BoundedCache } from '../bounded-cache.ts'
import type { Judgement } from './judgement.ts'

/**
 * A statement for people to read, in events and to approvers: shortened, without passwords, and with labels where
 * values are recognised. Its exact bytes are in the sealed part of the record.
 */
export const shownText = (
  { hidden, span }: Pick<Judgement, 'hidden' | 'span'>,
  { sql, text, protocol }: { sql: string; text: Buffer; protocol: 'simple' | 'extended' },
): string => {
  const own = hidden ?? (span ? text.toString('utf8', span.start, span.end) : sql)
  // In a simple query the values are part of the text, so it hardly comes twice.
  if (protocol === 'simple') return redactText(shortened(own)).text
  const known = shown.get(own)
  if (known !== undefined) return known
  const made = redactText(shortened(own)).text
  shown.set(own, made, 2 * (own.length + made.length))
  return made
}

/** Drivers send the same texts again and again, with the values beside them. */
const shown = new BoundedCache<string>(2_000, 4 * 1024 * 1024)

/** As many as of a text that holds a secret (displayText, libs/sql). */
const SHOWN_LENGTH_MAX = 4_000

const shortened = (text: string): string => {
  if (text.length <= SHOWN_LENGTH_MAX) return text
  return `${text.slice(0, SHOWN_LENGTH_MAX).toWellFormed()}… (${Buffer.byteLength(text)} bytes)`
}
