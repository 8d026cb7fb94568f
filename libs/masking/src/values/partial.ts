import type { ByteWriter } from '../byte-writer.ts'
import type { DataClass } from '../data-class.ts'
import { byteAt, isAlnum, isContinuation, isSpace } from '../detect/characters.ts'

/*
 * What support work may see of a value. All of these work on the bytes of UTF-8 text.
 */

const STAR = 0x2a
const AT = 0x40
const DOT = 0x2e

const KEPT_CHARACTERS = 4

/** Numbers by whose last four characters people find each other's records. */
const TAIL_CLASSES: ReadonlySet<DataClass> = new Set<DataClass>([
  'phone',
  'ssn',
  'national-id',
  'card',
  'bank-account',
  'tax-id',
  'passport',
  'driving-licence',
  'medical-record',
])

export const keepsTail = (dataClass: DataClass): boolean => TAIL_CLASSES.has(dataClass)

/** Of a shorter number four characters would be half. */
const LENGTH_MIN = 8

/**
 * `078-05-1120` → `***-**-1120`, in place: letters and digits go, save the last four of at least eight; what separates
 * them stays, so that the form can still be seen. For ASCII; beyond it there are only separators.
 */
export const keepTail = (bytes: Uint8Array, start: number, end: number): void => {
  let hidden = hiddenOf(countCharacters(bytes, start, end, isAlnum))
  for (let i = start; i < end && hidden > 0; i++) {
    if (!isAlnum(byteAt(bytes, i))) continue
    bytes[i] = STAR
    hidden--
  }
}

/** The same for a text with characters beyond ASCII: one star for each. */
export const writeTail = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  let hidden = hiddenOf(countCharacters(bytes, start, end, isCharacter))
  for (let i = start; i < end;) {
    const next = characterEnd(bytes, i, end)
    if (hidden > 0 && isCharacter(byteAt(bytes, i))) {
      out.byte(STAR)
      hidden--
    } else out.range(bytes, i, next)
    i = next
  }
}

const hiddenOf = (count: number): number => (count >= LENGTH_MIN ? count - KEPT_CHARACTERS : count)

/** The first byte of a letter or digit, or of whatever is not ASCII. */
const isCharacter = (byte: number): boolean => isAlnum(byte) || byte >= 0xc0

const countCharacters = (bytes: Uint8Array, start: number, end: number, isOne: (byte: number) => boolean): number => {
  let count = 0
  for (let i = start; i < end; i++) if (isOne(byteAt(bytes, i))) count++
  return count
}

/** `ana@example.com` → `a**@e******.com`, in place and so in the same length: for addresses inside a text. */
export const starEmail = (bytes: Uint8Array, start: number, end: number): void => {
  const at = lastIndexOf(bytes, AT, start, end)
  const dot = lastIndexOf(bytes, DOT, at + 1, end)
  const isShort = at - start < 2
  for (let i = start; i < dot; i++) {
    const isFirst = (i === start && !isShort) || i === at + 1
    if (i !== at && (!isFirst || byteAt(bytes, i) >= 0x80)) bytes[i] = STAR
  }
}

/** `ana@example.com` → `a***@e***.com`, which also hides how long it was: for values of a column. */
export const writeEmail = (bytes: Uint8Array, start: number, limit: number, out: ByteWriter): void => {
  const end = trimmedEnd(bytes, start, limit)
  const at = lastIndexOf(bytes, AT, start, end)
  const dot = lastIndexOf(bytes, DOT, at + 1, end)
  if (at <= start || dot <= at + 1 || !isTopLabel(bytes, dot + 1, end)) return out.ascii('***')
  if (at - start > 1) writeInitial(bytes, start, out)
  out.ascii('***@')
  if (dot - at > 2) writeInitial(bytes, at + 1, out)
  out.ascii('***')
  out.range(bytes, dot, end)
}

/** Without white space at its end: `char(n)` is filled up with it. */
export const trimmedEnd = (bytes: Uint8Array, start: number, end: number): number => {
  let i = end
  while (i > start && isSpace(byteAt(bytes, i - 1))) i--
  return i
}

/** The last label of a domain tells nobody apart, if it is one: `a@b.c 078-05-1120` must not end in its number. */
const isTopLabel = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if (!isAsciiLetter(byteAt(bytes, i))) return false
  return end - start >= 2 && end - start <= 24
}

const isAsciiLetter = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a

const writeInitial = (bytes: Uint8Array, at: number, out: ByteWriter): void => {
  const first = byteAt(bytes, at)
  if (isAlnum(first)) out.byte(first)
}

/** The end of the character that begins at `at`. */
const characterEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at + 1
  while (i < end && isContinuation(byteAt(bytes, i))) i++
  return i
}

const NAME_PARTS_MAX = 4

/** `Ana María Ruiz` → `A*** M*** R***`. A part of one letter is hidden whole. */
export const writeInitials = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  let parts = 0
  for (let i = start; i < end && parts < NAME_PARTS_MAX;) {
    if (isSpace(byteAt(bytes, i))) {
      i++
      continue
    }
    const from = i
    while (i < end && !isSpace(byteAt(bytes, i))) i++
    if (parts > 0) out.byte(0x20)
    writePart(bytes, from, i, out)
    parts++
  }
  if (parts === 0) out.ascii('***')
}

const writePart = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  const initialEnd = characterEnd(bytes, start, end)
  const isLetter = isCharacter(byteAt(bytes, start)) && byteAt(bytes, start) > 0x39
  if (isLetter && initialEnd < end) out.range(bytes, start, initialEnd)
  out.ascii('***')
}

const IPV4 = /^(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}$/
const IPV6_START = /^([0-9a-f]{1,4}):([0-9a-f]{0,4}):/i

/** `203.0.113.7` → `203.0.0.0`, `2001:db8:1::5` → `2001:db8::`: a network, in the form of an address. */
export const partialAddress = (address: string): string => {
  const host = address.split('/', 1)[0] ?? ''
  const v4 = IPV4.exec(host)
  if (v4) return `${v4[1]}.0.0`
  const v6 = IPV6_START.exec(host)
  if (v6) return v6[2] ? `${v6[1]}:${v6[2]}::` : `${v6[1]}::`
  return host.includes(':') ? '::' : '0.0.0.0'
}

/** -1 + `start` when there is none. */
const lastIndexOf = (bytes: Uint8Array, byte: number, start: number, end: number): number => {
  let i = end - 1
  while (i >= start && byteAt(bytes, i) !== byte) i--
  return i
}
