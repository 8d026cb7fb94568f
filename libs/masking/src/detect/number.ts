import type { DataClass } from '../data-class.ts'
import { birthDateAt } from './birth-date.ts'
import { cardGroups, isShortCard } from './card.ts'
import { byteAt, isAlnum, isDigit } from './characters.ts'
import { DigitGroups } from './digit-groups.ts'
import type { Hits } from './hits.ts'
import { internationalGroups, nationalGroups, northAmericanGroups } from './phone.ts'
import { socialSecurityClass, socialSecurityOf } from './social-security.ts'
import { wordBefore } from './word-before.ts'

const groups = new DigitGroups()

/** Fewer digits are no number that is looked for. */
const DIGITS_MIN = 8

/** The end of the card, social security or phone number, or of the date of birth, that begins at `at`, or -1. */
export const numberAt = (
  bytes: Uint8Array,
  floor: number,
  at: number,
  end: number,
  likely: boolean,
  hits: Hits,
): number => {
  if (!opensNumber(bytes, floor, at)) return -1
  if (likely) {
    const birthDate = birthDateAt(bytes, floor, at, end, hits)
    if (birthDate > 0) return birthDate
  }
  const hasPlus = at > floor && byteAt(bytes, at - 1) === 0x2b
  if (!hasPlus && !canBegin(bytes, at, end, likely)) return -1
  if (!groups.read(bytes, at, end, DIGITS_MIN)) return -1
  if (hasPlus) return add(bytes, at - 1, end, internationalGroups(groups), 'phone', hits)

  const found = certainNumberAt(bytes, at, end, hits)
  return found > 0 || !likely ? found : likelyNumberAt(bytes, floor, at, end, hits)
}

/** The first group says of most numbers (years, counts, times of day) that they are none of those looked for. */
const canBegin = (bytes: Uint8Array, at: number, end: number, likely: boolean): boolean => {
  let i = at + 1
  while (i < end && isDigit(byteAt(bytes, i))) i++
  switch (i - at) {
    case 1:
      return byteAt(bytes, at) === 0x31
    case 3:
      return true
    case 4:
      // Four and two, as in a date, or four and a letter. Behind a sign of several bytes anything may follow.
      if (byteAt(bytes, i) >= 0x80) return true
      if (isDigit(byteAt(bytes, i + 3))) return true
      break
    default:
      if (i - at >= 13) return true
  }
  return likely && (i - at >= 9 || byteAt(bytes, at) === 0x30)
}

/** The length of the first group leaves few possibilities. */
const certainNumberAt = (bytes: Uint8Array, at: number, end: number, hits: Hits): number => {
  const first = groups.length(0)
  if (first === 3) {
    const social = socialSecurityClass(groups)
    if (social) return add(bytes, at, end, 3, social, hits)
  }
  if (first === 3 || first === 1) return add(bytes, at, end, northAmericanGroups(groups), 'phone', hits)
  return first === 4 || first >= 13 ? add(bytes, at, end, cardGroups(groups), 'card', hits) : -1
}

const likelyNumberAt = (bytes: Uint8Array, floor: number, at: number, end: number, hits: Hits): number => {
  const national = add(bytes, at, end, nationalGroups(groups), 'phone', hits)
  if (national > 0 || groups.length(0) < 9 || groups.length(0) > 15) return national
  const { word } = wordBefore(bytes, floor, at)
  if (SOCIAL_WORDS.has(word) && groups.length(0) === 9 && socialSecurityOf(groups)) {
    return add(bytes, at, end, 1, 'ssn', hits)
  }
  if (CARD_WORDS.has(word) && isShortCard(groups)) return add(bytes, at, end, 1, 'card', hits)
  return PHONE_WORDS.has(word) ? add(bytes, at, end, 1, 'phone', hits) : -1
}

const SOCIAL_WORDS: ReadonlySet<string> = new Set(['ssn', 'security', 'socialsecurity'])
const CARD_WORDS: ReadonlySet<string> = new Set(['card', 'visa', 'karte', 'carte', 'tarjeta', 'carta'])
const PHONE_WORDS: ReadonlySet<string> = new Set(
  'phone tel telephone mobile cell cellphone call fax whatsapp sms telefon handy mobil telefono movil telefoon'.split(
    ' ',
  ),
)

/** Adds the first `used` groups if they end where a number can end. */
const add = (bytes: Uint8Array, start: number, end: number, used: number, dataClass: DataClass, hits: Hits): number => {
  if (used === 0) return -1
  const numberEnd = groups.end(used - 1)
  return closesNumber(bytes, numberEnd, end) ? hits.add(start, numberEnd, dataClass) : -1
}

/** Not in the middle of something longer: `1.234`, `2024-01-02`, `a1`. */
const opensNumber = (bytes: Uint8Array, floor: number, at: number): boolean => {
  if (at === floor) return true
  const before = byteAt(bytes, at - 1)
  if (isAlnum(before)) return false
  return !(isTight(before) && at - 2 >= floor && isDigit(byteAt(bytes, at - 2)))
}

/** An `@` makes it part of an e-mail address, which is found by its `@`. */
const closesNumber = (bytes: Uint8Array, at: number, end: number): boolean => {
  if (at >= end) return true
  const after = byteAt(bytes, at)
  if (isAlnum(after) || after === 0x5f || after === 0x40) return false
  return !(isTight(after) && at + 1 < end && isDigit(byteAt(bytes, at + 1)))
}

const isTight = (byte: number): boolean => byte === 0x2d || byte === 0x2e || byte === 0x2f
