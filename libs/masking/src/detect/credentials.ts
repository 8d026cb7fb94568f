import { byteAt, isAlnum, isDigit, isSpace } from './characters.ts'
import type { Hits } from './hits.ts'

const COLON = 0x3a
const SLASH = 0x2f
const USER_INFO_MAX = 256

/**
 * The password in `scheme://user:password@host`, when its first colon stands at `at`: the end of what the scan need
 * not look at again, or -1. Host and user stay readable.
 */
export const credentialsAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  if (byteAt(bytes, at) !== COLON || byteAt(bytes, at + 1) !== SLASH || byteAt(bytes, at + 2) !== SLASH) return -1
  const from = at + 3
  const limit = Math.min(end, from + USER_INFO_MAX)
  const colon = userEnd(bytes, from, limit)
  const sign = colon < 0 ? -1 : passwordEnd(bytes, colon + 1, limit)
  return sign < 0 ? -1 : hits.add(colon + 1, sign, 'secret') + 1
}

/** Where the colon after the user stands; -1 when a path or white space comes first. */
const userEnd = (bytes: Uint8Array, from: number, limit: number): number => {
  for (let i = from; i < limit; i++) {
    const byte = byteAt(bytes, i)
    if (byte === COLON) return i
    if (byte === SLASH || endsAddress(byte)) return -1
  }
  return -1
}

/** A password may hold `@` and `/` itself, for people forget to escape: it ends at the last `@` of the address. */
const passwordEnd = (bytes: Uint8Array, from: number, limit: number): number => {
  let sign = -1
  for (let i = from; i < limit; i++) {
    const byte = byteAt(bytes, i)
    if (endsAddress(byte) || (sign >= 0 && (byte === 0x3f || byte === 0x23))) break
    if (byte === SLASH && sign < 0 && isPort(bytes, from, i)) break
    if (byte === 0x40 && i > from) sign = i
  }
  return sign
}

/** Nothing or digits up to a slash: `file:///a@b`, `http://host:8080/a@b`. */
const isPort = (bytes: Uint8Array, from: number, end: number): boolean => {
  for (let i = from; i < end; i++) if (!isDigit(byteAt(bytes, i))) return false
  return true
}

/** White space, quotes, angle brackets. */
const endsAddress = (byte: number): boolean => isSpace(byte) || byte === 0x22 || byte === 0x3c || byte === 0x3e

/** Whatever is assigned to these is a password, however short. */
const PASSWORD_NAMES: ReadonlySet<string> = new Set([
  'password', 'passwd', 'pwd', 'passphrase', 'passwort', 'kennwort', 'motdepasse', 'contrasena', 'senha', 'wachtwoord',
  'pgpassword', 'mysqlpwd', 'mysqlpassword', 'dbpassword', 'userpassword', 'sslpassword', 'redispassword',
  'rootpassword', 'adminpassword', 'passwordhash', 'encryptedpassword',
]) // prettier-ignore

/** What is assigned to these is a secret if it looks like one: the words are used in sentences too. */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'secret', 'token', 'apikey', 'apitoken', 'apisecret', 'accesskey', 'accesstoken', 'secretkey', 'secretaccesskey',
  'awssecretaccesskey', 'clientsecret', 'privatekey', 'authtoken', 'refreshtoken', 'idtoken', 'sessiontoken',
  'signingkey', 'encryptionkey', 'webhooksecret', 'bearertoken', 'authorization', 'xapikey', 'accountkey',
  'sharedaccesskey', 'appsecret', 'consumersecret', 'jwtsecret', 'secretkeybase',
]) // prettier-ignore

/** The last two letters of all names above: most words are dismissed by one look at theirs. */
const ENDINGS: Uint8Array = (() => {
  const endings = new Uint8Array(32 * 32)
  for (const name of [...PASSWORD_NAMES, ...SECRET_NAMES]) {
    endings[endingOf(name.charCodeAt(name.length - 2), name.charCodeAt(name.length - 1))] = 1
  }
  return endings
})()

/** Of two letters, without regard to case. */
function endingOf(last2: number, last: number): number {
  return ((last2 & 31) << 5) | (last & 31)
}

const NAME_LENGTH_MAX = 40
const SECRET_LENGTH_MIN = 12

/** The end of a secret after `name=` or `name: `, whose sign stands at `at`, or -1. */
export const assignedSecretAt = (bytes: Uint8Array, floor: number, at: number, end: number, hits: Hits): number => {
  const name = nameBefore(bytes, floor, at)
  const isPassword = PASSWORD_NAMES.has(name)
  if (!isPassword && !SECRET_NAMES.has(name)) return -1
  const from = valueStart(bytes, at + 1, end)
  const beginning = valueEndOf(bytes, from, Math.min(end, from + JUDGED_LENGTH))
  if (beginning === from || isPlaceholder(bytes, from, beginning)) return -1
  if (!isPassword && !looksSecret(bytes, from, beginning)) return -1
  return hits.add(from, valueEndOf(bytes, from, end), isPassword ? 'password' : 'secret')
}

/**
 * The name before a sign, lower case, without its own punctuation: `"AWS_SECRET_ACCESS_KEY" : ` is
 * `awssecretaccesskey`.
 */
const nameBefore = (bytes: Uint8Array, floor: number, at: number): string => {
  let nameEnd = at
  while (nameEnd > floor && at - nameEnd < 3 && isQuoteOrSpace(byteAt(bytes, nameEnd - 1))) nameEnd--
  if (nameEnd - floor < 3 || ENDINGS[endingOf(byteAt(bytes, nameEnd - 2), byteAt(bytes, nameEnd - 1))] === 0) return ''
  let name = ''
  for (let i = nameEnd - 1; i >= floor && nameEnd - i < NAME_LENGTH_MAX; i--) {
    const byte = byteAt(bytes, i)
    if (isAlnum(byte)) name = String.fromCharCode(byte) + name
    else if (byte !== 0x5f && byte !== 0x2d) break
  }
  return name.toLowerCase()
}

const isQuoteOrSpace = (byte: number): boolean => byte === 0x22 || byte === 0x27 || byte === 0x20 || byte === 0x5c

/** Past what may stand between the sign and the value: a space, a quote, the name of an HTTP scheme. */
const valueStart = (bytes: Uint8Array, at: number, end: number): number => {
  let i = at
  while (i < end && i - at < 4 && (isQuoteOrSpace(byteAt(bytes, i)) || byteAt(bytes, i) === 0x3e)) i++
  const word = String.fromCharCode(...bytes.subarray(i, Math.min(end, i + 7))).toLowerCase()
  if (word === 'bearer ') return i + 7
  return word.startsWith('basic ') ? i + 6 : i
}

/** So much of a value shows whether it is a secret. Only when it is one the rest is read. */
const JUDGED_LENGTH = 64

const valueEndOf = (bytes: Uint8Array, from: number, limit: number): number => {
  const quote = byteAt(bytes, from - 1)
  const isQuoted = quote === 0x22 || quote === 0x27
  // Inside a string of JSON or of a program the quotes themselves have a backslash before them.
  const last = isQuoted && byteAt(bytes, from - 2) === BACKSLASH ? BACKSLASH : quote
  let i = from
  while (i < limit && !(isQuoted ? byteAt(bytes, i) === last : endsValue(byteAt(bytes, i)))) i++
  return i
}

const BACKSLASH = 0x5c

/** White space, `&`, `;`, `,`, quotes and closing brackets end a bare value. */
const endsValue = (byte: number): boolean =>
  isSpace(byte) ||
  byte === 0x26 ||
  byte === 0x3b ||
  byte === 0x2c ||
  byte === 0x22 ||
  byte === 0x27 ||
  byte === 0x29 ||
  byte === 0x7d ||
  byte === 0x5d

/** Already masked, or a name in place of a value: `***`, `[secret]`, `$1`, `${PASSWORD}`, `null`. */
const isPlaceholder = (bytes: Uint8Array, from: number, end: number): boolean => {
  const first = byteAt(bytes, from)
  if (first === 0x2a || first === 0x5b || first === 0x24 || first === 0x3c || first === 0x25) return true
  const word = end - from <= 5 ? String.fromCharCode(...bytes.subarray(from, end)).toLowerCase() : ''
  return word === 'null' || word === 'none' || word === 'true' || word === 'false' || word === 'nil'
}

/** Long, and not a word: letters and digits, or both cases. */
const looksSecret = (bytes: Uint8Array, from: number, end: number): boolean => {
  if (end - from < SECRET_LENGTH_MIN) return false
  let seen = 0
  for (let i = from; i < end; i++) {
    const byte = byteAt(bytes, i)
    if (byte >= 0x30 && byte <= 0x39) seen |= 1
    else if (byte >= 0x41 && byte <= 0x5a) seen |= 2
    else if (byte >= 0x61 && byte <= 0x7a) seen |= 4
  }
  return (seen & (seen - 1)) !== 0
}
