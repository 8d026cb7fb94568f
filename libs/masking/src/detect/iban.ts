import { byteAt, isAlnum, isDigit } from './characters.ts'
import type { Hits } from './hits.ts'

/** SPEC: SWIFT IBAN registry, release 99: the length of an account number in each country. */
const LENGTHS_BY_COUNTRY =
  'AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ' +
  'ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 ' +
  'LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 ' +
  'PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30'

const LETTERS = 26

/** Indexed by both letters of the country. */
const LENGTHS: Uint8Array = (() => {
  const lengths = new Uint8Array(LETTERS * LETTERS)
  for (const entry of LENGTHS_BY_COUNTRY.split(' ')) {
    lengths[countryIndex(entry.charCodeAt(0), entry.charCodeAt(1))] = Number(entry.slice(2))
  }
  return lengths
})()

/** Both letters without regard to case, or out of range. */
function countryIndex(first: number, second: number): number {
  const a = (first | 0x20) - 0x61
  const b = (second | 0x20) - 0x61
  return a >= 0 && a < LETTERS && b >= 0 && b < LETTERS ? a * LETTERS + b : -1
}

const LENGTH_MAX = 34
const account = new Uint8Array(LENGTH_MAX)

/** The end of the IBAN that begins at `at`, or -1: its country's length, and 1 as the remainder of its check. */
export const ibanAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  const length = LENGTHS[countryIndex(byteAt(bytes, at), byteAt(bytes, at + 1))] ?? 0
  if (length === 0 || !isDigit(byteAt(bytes, at + 3))) return -1
  const accountEnd = readAccount(bytes, at, end, length)
  if (accountEnd < 0 || (accountEnd < end && isAlnum(byteAt(bytes, accountEnd)))) return -1
  return remainderOf(length) === 1 ? hits.add(at, accountEnd, 'bank-account') : -1
}

/** Reads `length` letters and digits, with single spaces or hyphens between them. */
const readAccount = (bytes: Uint8Array, at: number, end: number, length: number): number => {
  let i = at
  for (let count = 0; count < length; i++) {
    if (i >= end) return -1
    const byte = byteAt(bytes, i)
    if (isAlnum(byte)) account[count++] = byte
    else if ((byte !== 0x20 && byte !== 0x2d) || !isAlnum(byteAt(bytes, i - 1))) return -1
  }
  return i
}

/** SPEC: ISO 7064, MOD 97-10, over the account with its first four characters moved to its end. */
const remainderOf = (length: number): number => {
  let remainder = 0
  for (let i = 0; i < length; i++) {
    const byte = byteAt(account, (i + 4) % length)
    remainder = isDigit(byte) ? remainder * 10 + byte - 0x30 : remainder * 100 + (byte | 0x20) - 0x61 + 10
    remainder %= 97
  }
  return remainder
}
