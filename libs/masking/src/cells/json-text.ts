import type { ByteWriter } from '../byte-writer.ts'
import { byteAt, isDigit, startsWith } from '../detect/characters.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c

/** Where the string that begins at `at`, after its quote, ends; -1 when it does not. */
export const jsonStringEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (i < end) {
    const byte = byteAt(bytes, i)
    if (byte === QUOTE) return i
    i += byte === BACKSLASH ? 2 : 1
  }
  return -1
}

/** Where the string that begins at `at` has its first quote or backslash: its end, if it holds no escape. */
export const plainStringEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (i < end && byteAt(bytes, i) !== QUOTE && byteAt(bytes, i) !== BACKSLASH) i++
  return i
}

const SHORT_ESCAPES: Readonly<Record<number, number>> = { 0x62: 0x08, 0x66: 0x0c, 0x6e: 0x0a, 0x72: 0x0d, 0x74: 0x09 }
const LETTER_U = 0x75

/** SPEC: RFC 8259, section 7. */
export const unescapeJson = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  let i = start
  while (i < end) {
    const byte = byteAt(bytes, i)
    if (byte !== BACKSLASH) {
      out.byte(byte)
      i++
      continue
    }
    const code = byteAt(bytes, i + 1)
    if (code === LETTER_U) i = unescapeUnicode(bytes, i, end, out)
    else {
      out.byte(SHORT_ESCAPES[code] ?? code)
      i += 2
    }
  }
}

/** A pair of surrogates is one character. Half a pair is none and becomes U+FFFD. */
const unescapeUnicode = (bytes: Uint8Array, at: number, end: number, out: ByteWriter): number => {
  const first = hexAt(bytes, at + 2)
  const isPair =
    first >= 0xd800 && first < 0xdc00 && byteAt(bytes, at + 6) === BACKSLASH && byteAt(bytes, at + 7) === LETTER_U
  const second = isPair && at + 12 <= end ? hexAt(bytes, at + 8) : 0
  if (second >= 0xdc00 && second < 0xe000) {
    out.text(String.fromCharCode(first, second))
    return at + 12
  }
  out.text(first >= 0xd800 && first < 0xe000 ? '\ufffd' : String.fromCharCode(first))
  return at + 6
}

const HEX = /^[0-9a-f]{4}$/i

const hexAt = (bytes: Uint8Array, at: number): number => {
  const digits = String.fromCharCode(...bytes.subarray(at, at + 4))
  return HEX.test(digits) ? Number.parseInt(digits, 16) : 0xfffd
}

/** With its quotes. */
export const writeJsonString = (bytes: Uint8Array, start: number, end: number, out: ByteWriter): void => {
  out.byte(QUOTE)
  for (let i = start; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte < 0x20) out.ascii(`\\u${byte.toString(16).padStart(4, '0')}`)
    else {
      if (byte === QUOTE || byte === BACKSLASH) out.byte(BACKSLASH)
      out.byte(byte)
    }
  }
  out.byte(QUOTE)
}

const WORDS: readonly Uint8Array[] = ['true', 'false', 'null'].map((word) => Buffer.from(word))

/** The end of the number, `true`, `false` or `null` at `at`; -1 when there is none. */
export const literalEnd = (bytes: Uint8Array, at: number, end: number): number => {
  const word = WORDS.find((candidate) => startsWith(bytes, at, end, candidate))
  return word ? at + word.length : numberEnd(bytes, at, end)
}

/** SPEC: RFC 8259, section 6. */
const numberEnd = (bytes: Uint8Array, at: number, end: number): number => {
  const whole = digitsEnd(bytes, byteAt(bytes, at) === MINUS ? at + 1 : at, end)
  const fraction = whole > 0 && whole < end && byteAt(bytes, whole) === POINT ? digitsEnd(bytes, whole + 1, end) : whole
  if (fraction < 0 || fraction >= end || (byteAt(bytes, fraction) | 0x20) !== LETTER_E) return fraction
  const sign = byteAt(bytes, fraction + 1)
  return digitsEnd(bytes, fraction + (sign === MINUS || sign === PLUS ? 2 : 1), end)
}

const MINUS = 0x2d
const PLUS = 0x2b
const POINT = 0x2e
const LETTER_E = 0x65

/** -1 when there is no digit. */
const digitsEnd = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (i < end && isDigit(byteAt(bytes, i))) i++
  return i === at ? -1 : i
}
