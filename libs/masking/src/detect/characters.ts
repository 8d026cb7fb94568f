/*
 * What each byte can be part of. UTF-8 needs no decoding here: everything looked for is ASCII, and no byte of a
 * longer character is.
 */

/** Ends a run: no value that is looked for goes on through it (numbers in groups are followed by their own rule). */
export const SEPARATOR = 0
export const PLAIN = 1
export const DIGIT = 2
export const AT = 4
/** `:` and `=`: a name may stand before it and a secret after it. */
export const ASSIGN = 8
export const DOLLAR = 16

const tableOf = (characters: string, value = 1): Uint8Array => {
  const table = new Uint8Array(256)
  for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = value
  return table
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const DIGITS = '0123456789'
const ALNUMS = LOWER + UPPER + DIGITS

const withHighBytes = (table: Uint8Array): Uint8Array => table.fill(PLAIN, 128)

/** The kind of each byte for the run that the scanner is in. */
export const KINDS: Uint8Array = (() => {
  const kinds = withHighBytes(tableOf(`${LOWER}${UPPER}._-+/%`, PLAIN))
  for (const digit of DIGITS) kinds[digit.charCodeAt(0)] = DIGIT
  kinds[0x40] = AT
  kinds[0x3a] = ASSIGN
  kinds[0x3d] = ASSIGN
  kinds[0x24] = DOLLAR
  return kinds
})()

export const ALNUM = tableOf(ALNUMS)
export const HEX = tableOf(`${DIGITS}abcdefABCDEF`)
export const BASE32_UPPER = tableOf(`${UPPER}234567`)
export const BASE62 = tableOf(ALNUMS)
export const WORD = tableOf(`${ALNUMS}_`)
export const BASE64_URL = tableOf(`${ALNUMS}_-`)
/** Base 64 with its padding, and what vendors put between the parts of a token. */
export const TOKEN = tableOf(`${ALNUMS}_-.+/=`)
/** Modular crypt format: `$argon2id$v=19$m=65536,t=3,p=4$…`. */
export const CRYPT = tableOf(`${ALNUMS}./+=,-_$`)
export const EMAIL_LOCAL = withHighBytes(tableOf(`${ALNUMS}._%+-'`))
export const EMAIL_DOMAIN = withHighBytes(tableOf(`${ALNUMS}.-`))

export const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39

export const isAlnum = (byte: number): boolean => ALNUM[byte] === 1

/** An ASCII letter, or part of a letter beyond ASCII. */
export const isLetter = (byte: number): boolean => ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a) || byte >= 0x80

/** A byte of UTF-8 that goes on with a character. */
export const isContinuation = (byte: number): boolean => (byte & 0xc0) === 0x80

export const isSpace = (byte: number): boolean => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)

/** The byte at `index`, 0 outside: no text holds a NUL, so that 0 is never mistaken for one of its bytes. */
export const byteAt = (bytes: Uint8Array, index: number): number => bytes[index] ?? 0

/** Where the bytes of `table` that begin at `from` end. */
export const spanOf = (table: Uint8Array, bytes: Uint8Array, from: number, end: number): number => {
  let i = from
  while (i < end && table[byteAt(bytes, i)] !== 0) i++
  return i
}

export const startsWith = (bytes: Uint8Array, at: number, end: number, prefix: Uint8Array): boolean => {
  if (end - at < prefix.length) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false
  return true
}
