import type { DigitGroups } from './digit-groups.ts'

/**
 * How many leading groups are a payment card's number, or 0: issuer, length, grouping and the check digit must fit.
 * SPEC: ISO/IEC 7812-1, Annex B (the Luhn formula).
 */
export const cardGroups = (groups: DigitGroups): number => {
  const used = groupsOfCard(groups)
  if (used === 0) return 0
  const length = groups.digitsIn(used)
  return isIssued(groups, length) && hasLuhn(groups, length) ? used : 0
}

/**
 * A Visa card of 13 digits, as there were before 2000. Every tenth bar code that begins with 4 looks the same, so that
 * a word beside it must say that it is one.
 */
export const isShortCard = (groups: DigitGroups): boolean =>
  groups.length(0) === 13 && groups.digit(0) === 4 && hasLuhn(groups, 13)

/** One group of 13 to 19; 4-4-4-4 with up to three more; 4-6-5 and 4-6-4. One and the same separator throughout. */
const groupsOfCard = (groups: DigitGroups): number => {
  const first = groups.length(0)
  if (first >= 13 && first <= 19) return 1
  if (first !== 4) return 0
  const separator = groups.separator(0)
  if (separator === 0x2f || groups.separator(1) !== separator) return 0
  if (groups.length(1) === 6) return groups.length(2) === 5 || groups.length(2) === 4 ? 3 : 0
  if (groups.length(1) !== 4 || groups.length(2) !== 4 || groups.separator(2) !== separator) return 0
  return groupsOfSixteen(groups, separator)
}

const groupsOfSixteen = (groups: DigitGroups, separator: number): number => {
  const last = groups.length(3)
  if (last !== 4) return last >= 1 && last <= 3 ? 4 : 0
  const extra = groups.separator(3) === separator ? groups.length(4) : 0
  return extra >= 1 && extra <= 3 ? 5 : 4
}

/** First and last of the leading digits, and the shortest and longest number, of each issuer that is in use. */
const ISSUERS: readonly (readonly [first: number, last: number, shortest: number, longest: number])[] = [
  [300, 305, 14, 19], // Diners Club
  [340, 349, 15, 15], // American Express
  [352, 358, 16, 19], // JCB
  [360, 369, 14, 19], // Diners Club
  [370, 379, 15, 15], // American Express
  [380, 399, 14, 19], // Diners Club, Discover
  [400, 499, 16, 16], // Visa
  [400, 499, 19, 19], // Visa
  [501, 509, 16, 19], // Maestro, Elo, RuPay, Verve
  [510, 559, 16, 16], // Mastercard
  [560, 589, 16, 19], // Maestro
  [220, 220, 16, 19], // Mir
  [222, 272, 16, 16], // Mastercard
  [600, 609, 16, 19], // Discover, RuPay, Hipercard
  [620, 629, 16, 19], // UnionPay, Discover
  [630, 639, 16, 19], // Maestro
  [644, 659, 16, 19], // Discover, RuPay
  [670, 679, 16, 19], // Maestro
  [810, 829, 16, 19], // UnionPay, RuPay
  [979, 979, 16, 16], // Troy
]

const isIssued = (groups: DigitGroups, length: number): boolean => {
  const leading = groups.value(0, 3)
  return ISSUERS.some(
    ([first, last, min, max]) => leading >= first && leading <= last && length >= min && length <= max,
  )
}

const hasLuhn = (groups: DigitGroups, length: number): boolean => {
  let sum = 0
  for (let i = 0; i < length; i++) {
    const digit = groups.digit(length - 1 - i)
    const doubled = i % 2 === 1 ? digit * 2 : digit
    sum += doubled > 9 ? doubled - 9 : doubled
  }
  return sum % 10 === 0
}
