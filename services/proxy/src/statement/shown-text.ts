import { redactText } from '@countersign/masking'
import { DISPLAY_LENGTH_MAX } from '@countersign/sql'
import type { Judgement } from './judgement.ts'

/**
 * A statement for people to read, in events and to approvers: shortened, without passwords, and with labels where
 * values are recognised. Its exact bytes are in the sealed part of the record.
 */
export const shownText = ({ hidden, span }: Pick<Judgement, 'hidden' | 'span'>, sql: string, text: Buffer): string => {
  const own = hidden ?? (span ? text.toString('utf8', span.start, span.end) : sql)
  return redactText(shortened(own)).text
}

const shortened = (text: string): string => {
  if (text.length <= DISPLAY_LENGTH_MAX) return text
  return `${text.slice(0, DISPLAY_LENGTH_MAX).toWellFormed()}… (${Buffer.byteLength(text)} bytes)`
}
