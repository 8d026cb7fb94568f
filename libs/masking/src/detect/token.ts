import { BASE64_URL, byteAt, CRYPT, isAlnum, isDigit, spanOf, startsWith } from './characters.ts'
import type { Hits } from './hits.ts'
import { TOKEN_RULES, type TokenRule } from './token-rules.ts'

type Compiled = TokenRule & { readonly start: Uint8Array }

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

/** The shortest token that any rule describes. */
export const TOKEN_LENGTH_MIN = Math.min(...TOKEN_RULES.map((rule) => rule.prefix.length + rule.min))

/** Rules that begin with the same two bytes, and for each pair of ASCII bytes which of these lists is its own. */
const LISTS: Compiled[][] = [[]]
const LIST_BY_PAIR: Uint8Array = (() => {
  const byPair = new Uint8Array(128 * 128)
  for (const rule of TOKEN_RULES) {
    const start = bytesOf(rule.prefix)
    const pair = pairOf(byteAt(start, 0), byteAt(start, 1))
    if (byPair[pair] === 0) byPair[pair] = LISTS.push([]) - 1
    LISTS[byPair[pair] ?? 0]?.push({ ...rule, start })
  }
  return byPair
})()

function pairOf(first: number, second: number): number {
  return (first << 7) | second
}

/** The end of the vendor's token or JSON web token that begins at `at`, or -1. */
export const tokenAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  const first = byteAt(bytes, at)
  const second = byteAt(bytes, at + 1)
  if (first === 0x65 && second === 0x79) return webTokenAt(bytes, at, end, hits)
  const list = second < 128 ? (LIST_BY_PAIR[pairOf(first, second)] ?? 0) : 0
  if (list === 0) return -1
  for (const rule of LISTS[list] ?? []) {
    const tokenEnd = startsWith(bytes, at, end, rule.start) ? tokenEndOf(rule, bytes, at, end) : -1
    if (tokenEnd > 0) return hits.add(at, tokenEnd, rule.class)
  }
  return -1
}

/** SPEC: RFC 7519, 7515, 7516: base 64 URL parts with dots between them, the first a JSON object (`{"` is `eyJ`). */
const webTokenAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  if (!startsWith(bytes, at, end, WEB_TOKEN_START)) return -1
  const header = spanOf(BASE64_URL, bytes, at, end)
  if (header - at < PART_MIN || byteAt(bytes, header) !== DOT || header >= end) return -1
  const payload = spanOf(BASE64_URL, bytes, header + 1, end)
  if (payload - header <= 1 || byteAt(bytes, payload) !== DOT || payload >= end) return -1
  let tokenEnd = payload
  for (let part = 0; part < PARTS_MORE && tokenEnd < end && byteAt(bytes, tokenEnd) === DOT; part++) {
    tokenEnd = spanOf(BASE64_URL, bytes, tokenEnd + 1, end)
  }
  return hits.add(at, tokenEnd, 'secret')
}

const WEB_TOKEN_START = bytesOf('eyJ')
const DOT = 0x2e
const PART_MIN = 12
/** A signed token has three parts, an encrypted one five. */
const PARTS_MORE = 3

const tokenEndOf = (rule: Compiled, bytes: Uint8Array, at: number, end: number): number => {
  const from = at + rule.start.length
  const tokenEnd = spanOf(rule.alphabet, bytes, from, end)
  const length = tokenEnd - from
  if (length < rule.min || length > rule.max) return -1
  return tokenEnd < end && isAlnum(byteAt(bytes, tokenEnd)) ? -1 : tokenEnd
}

/** Names of hash functions in the modular crypt format, and the least length of what follows. */
const CRYPT_NAMES: readonly Uint8Array[] = [
  '$2a$', '$2b$', '$2x$', '$2y$', '$2$', '$1$', '$5$', '$6$', '$y$', '$7$', '$gy$', '$P$', '$H$', '$S$', '$sha1$',
  '$apr1$', '$argon2', '$scrypt$', '$pbkdf2', '$bcrypt-sha256$',
].map(bytesOf) // prettier-ignore
const CRYPT_LENGTH_MIN = 24

/** The end of the password hash that begins with the `$` at `at`, or -1. */
export const cryptAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  if (!CRYPT_NAMES.some((name) => startsWith(bytes, at, end, name))) return -1
  const hashEnd = spanOf(CRYPT, bytes, at, end)
  return hashEnd - at >= CRYPT_LENGTH_MIN && !isNumber(bytes, at + 1, hashEnd) ? hits.add(at, hashEnd, 'password') : -1
}

const isNumber = (bytes: Uint8Array, from: number, end: number): boolean => {
  for (let i = from; i < end; i++) if (!isDigit(byteAt(bytes, i)) && byteAt(bytes, i) !== 0x24) return false
  return true
}

const PEM_START = bytesOf('-----BEGIN ')
const PEM_END = Buffer.from('-----END ')
const PRIVATE = 'PRIVATE KEY'
const PEM_TITLE_MAX = 48
const PEM_LAST_LINE_MAX = 64

/**
 * The end of the private key that begins at `at` (RFC 7468, OpenSSH, PGP), or -1. Without a last line all that is left
 * belongs to it: a key that was cut off is still a key.
 */
export const pemAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  if (!startsWith(bytes, at, end, PEM_START)) return -1
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const title = buffer.toString('latin1', at, Math.min(end, at + PEM_TITLE_MAX))
  if (!title.includes(PRIVATE)) return -1
  const last = buffer.subarray(0, end).indexOf(PEM_END, at)
  if (last < 0) return hits.add(at, end, 'secret')
  return hits.add(at, lineEnd(bytes, last, Math.min(end, last + PEM_LAST_LINE_MAX)), 'secret')
}

/** To the closing dashes of a PEM line. */
const lineEnd = (bytes: Uint8Array, from: number, limit: number): number => {
  let i = from + PEM_END.length
  while (i < limit && byteAt(bytes, i) !== 0x2d) i++
  while (i < limit && byteAt(bytes, i) === 0x2d) i++
  return i
}
