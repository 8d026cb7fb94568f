import { byteAt, EMAIL_DOMAIN, EMAIL_LOCAL, isAlnum, isContinuation, isLetter, spanOf } from './characters.ts'
import type { Hits } from './hits.ts'

const LOCAL_LENGTH_MAX = 64
const DOMAIN_LENGTH_MAX = 255

/** Not domains: `logo@2x.png`. All of them end in one of three letters. */
const FILE_ENDINGS: ReadonlySet<string> = new Set(['png', 'jpg', 'jpeg', 'gif', 'svg', 'webp'])

/** SPEC: RFC 5321, as far as addresses are in use: unquoted local part, dotted domain whose last label has letters. */
export const emailAt = (bytes: Uint8Array, floor: number, at: number, end: number, hits: Hits): number => {
  const start = localStart(bytes, floor, at)
  if (start === at) return -1
  const limit = at + 1 + DOMAIN_LENGTH_MAX
  const domainEnd =
    limit < end ? domainEndOf(bytes, at + 1, characterStart(bytes, limit)) : domainEndOf(bytes, at + 1, end)
  return domainEnd < 0 ? -1 : hits.add(start, domainEnd, 'email')
}

/** Back from the `@`, without the punctuation that may stand before an address; `"a b"@c.de` is taken whole. */
const localStart = (bytes: Uint8Array, floor: number, at: number): number => {
  const lowest = Math.max(floor, at - LOCAL_LENGTH_MAX)
  if (byteAt(bytes, at - 1) === 0x22) return quotedStart(bytes, lowest, at)
  let start = at
  while (start > lowest && EMAIL_LOCAL[byteAt(bytes, start - 1)] !== 0) start--
  while (start < at && !beginsLocal(byteAt(bytes, start))) start++
  return start
}

/** Where the character begins that `at` may be in the middle of. */
const characterStart = (bytes: Uint8Array, at: number): number => {
  let i = at
  while (isContinuation(byteAt(bytes, i))) i--
  return i
}

/** A letter or a digit. The limit may have cut a character in two: its rest begins nothing. */
const beginsLocal = (byte: number): boolean => isAlnum(byte) || (isLetter(byte) && !isContinuation(byte))

const quotedStart = (bytes: Uint8Array, lowest: number, at: number): number => {
  for (let i = at - 2; i >= lowest; i--) if (byteAt(bytes, i) === 0x22) return i
  return at
}

/** The longest part of `bytes[from, limit)` that ends in a dot and a label of at least two letters, or -1. */
const domainEndOf = (bytes: Uint8Array, from: number, limit: number): number => {
  let last = spanOf(EMAIL_DOMAIN, bytes, from, limit)
  while (last > from) {
    const dot = lastDot(bytes, from, last)
    if (dot <= from) return -1
    const labelEnd = topLabelEnd(bytes, dot + 1, last)
    if (labelEnd - dot > 2) return isFileName(bytes, dot + 1, labelEnd) ? -1 : labelEnd
    last = dot
  }
  return -1
}

const lastDot = (bytes: Uint8Array, from: number, end: number): number => {
  let i = end - 1
  while (i >= from && byteAt(bytes, i) !== 0x2e) i--
  return i
}

/** Letters only, except for the form in which internationalised labels travel: `xn--p1ai`. */
const topLabelEnd = (bytes: Uint8Array, from: number, end: number): number => {
  const isPunycode = (byteAt(bytes, from) | 0x20) === 0x78 && byteAt(bytes, from + 2) === 0x2d
  let i = from
  while (i < end && (isPunycode ? EMAIL_DOMAIN[byteAt(bytes, i)] !== 0 : isLetter(byteAt(bytes, i)))) i++
  return i
}

const isFileName = (bytes: Uint8Array, from: number, end: number): boolean => {
  const last = byteAt(bytes, end - 1) | 0x20
  if (end - from > 4 || (last !== 0x67 && last !== 0x66 && last !== 0x70)) return false
  return FILE_ENDINGS.has(String.fromCharCode(...bytes.subarray(from, end)).toLowerCase())
}
