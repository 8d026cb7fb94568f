import { assignedSecretAt, credentialsAt } from './credentials.ts'
import { AT, byteAt, DIGIT, DOLLAR, isAlnum, isDigit, KINDS, PLAIN, SEPARATOR, spanOf, ALNUM } from './characters.ts'
import { emailAt } from './email.ts'
import type { Hits } from './hits.ts'
import { ibanAt } from './iban.ts'
import { numberAt } from './number.ts'
import { cryptAt, pemAt, TOKEN_LENGTH_MIN, tokenAt } from './token.ts'

/**
 * How sure a value must be. `certain`: a checksum or a form that nothing else has. `likely`: also national phone
 * numbers and bare digits beside a word such as `ssn`: for free text, where a false mask costs little.
 */
export type Depth = 'certain' | 'likely'

/** Shorter runs of letters hold nothing. It is the length of `-----BEGIN`; tokens are longer still. */
const RUN_LENGTH_MIN = 10

/**
 * Finds the sensitive values in `bytes[start, end)` and puts them into `hits`, in order.
 *
 * Invariant: linear time. The text is cut into runs by one table look-up per byte; only runs that hold a digit, an
 * `@`, an assignment or a dollar sign, or are long, are looked at again, and every look-ahead is bounded.
 */
export const scan = (bytes: Uint8Array, start: number, end: number, depth: Depth, hits: Hits): void => {
  hits.clear()
  const likely = depth === 'likely'
  let i = start
  while (i < end) {
    let kind = KINDS[byteAt(bytes, i)] ?? SEPARATOR
    if (kind === SEPARATOR) {
      i++
      continue
    }
    const run = i
    let seen = 0
    do {
      seen |= kind
      i++
      kind = i < end ? (KINDS[byteAt(bytes, i)] ?? SEPARATOR) : SEPARATOR
    } while (kind !== SEPARATOR)
    if (seen !== PLAIN || i - run >= RUN_LENGTH_MIN) i = examine(bytes, start, run, i, end, likely, hits)
  }
}

/** Looks at each place of a run where a value could begin. Answers where the scan goes on, at least at its end. */
const examine = (
  bytes: Uint8Array,
  start: number,
  run: number,
  runEnd: number,
  end: number,
  likely: boolean,
  hits: Hits,
): number => {
  let floor = hits.count > 0 ? hits.end(hits.count - 1) : start
  let at = run
  while (at < runEnd) {
    const byte = byteAt(bytes, at)
    const isWord = isAlnum(byte)
    if (isWord || IS_MARK[byte] === 1) {
      const found = valueAt(bytes, byte, floor, at, runEnd, end, likely, hits)
      if (found > at) {
        at = found
        floor = found
        continue
      }
    }
    at = isWord ? spanOf(ALNUM, bytes, at, runEnd) : at + 1
  }
  return at
}

/** Signs at which a value is known by what stands around them. */
const IS_MARK: Uint8Array = (() => {
  const marks = new Uint8Array(256)
  for (const mark of '@$:=-') marks[mark.charCodeAt(0)] = 1
  return marks
})()

/**
 * The end of the value that begins at `at` or has its mark there (the `@` of an address, the `:` before a password),
 * or -1. Nothing before `floor` may become part of it: that much is already decided.
 */
const valueAt = (
  bytes: Uint8Array,
  byte: number,
  floor: number,
  at: number,
  runEnd: number,
  end: number,
  likely: boolean,
  hits: Hits,
): number => {
  switch (KINDS[byte]) {
    case DIGIT:
      return numberAt(bytes, floor, at, end, likely, hits)
    case AT:
      return emailAt(bytes, floor, at, end, hits)
    case DOLLAR:
      return cryptAt(bytes, at, end, hits)
    case PLAIN:
      if (byte !== DASH) return wordAt(bytes, at, runEnd, end, hits)
      return byteAt(bytes, at + 1) === DASH ? pemAt(bytes, at, end, hits) : -1
    default:
      return afterName(bytes, floor, at, end, hits)
  }
}

const DASH = 0x2d

const wordAt = (bytes: Uint8Array, at: number, runEnd: number, end: number, hits: Hits): number => {
  const token = runEnd - at >= TOKEN_LENGTH_MIN ? tokenAt(bytes, at, end, hits) : -1
  return token < 0 && isDigit(byteAt(bytes, at + 2)) ? ibanAt(bytes, at, end, hits) : token
}

const afterName = (bytes: Uint8Array, floor: number, at: number, end: number, hits: Hits): number => {
  // A time of day, a port.
  if (at > floor && isDigit(byteAt(bytes, at - 1))) return -1
  const credentials = credentialsAt(bytes, at, end, hits)
  return credentials < 0 ? assignedSecretAt(bytes, floor, at, end, hits) : credentials
}
