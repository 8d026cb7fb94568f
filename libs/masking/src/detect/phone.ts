import type { DigitGroups } from './digit-groups.ts'

const SLASH = 0x2f
const DOT = 0x2e

/**
 * How many leading groups are an international number, its `+` already read, or 0.
 * SPEC: ITU-T E.164: a country code that does not begin with 0, 15 digits at most.
 */
export const internationalGroups = (groups: DigitGroups): number => {
  if (groups.digit(0) === 0) return 0
  const longest = groups.digit(0) === 1 ? 11 : 15
  let used = 0
  let digits = 0
  while (used < groups.count && digits + groups.length(used) <= longest) {
    digits += groups.length(used)
    used += 1
  }
  // What is left over inside one unbroken group means that it was no number of this kind.
  if (used === 0 || (digits < longest && used < groups.count && groups.separator(used - 1) === DOT)) return 0
  return digits >= 8 && (longest !== 11 || digits === 11) ? used : 0
}

/** How many leading groups are a number of the North American plan: `415-555-1234`, `1 (415) 555-1234`. */
export const northAmericanGroups = (groups: DigitGroups): number => {
  const trunk = groups.length(0) === 1 && groups.digit(0) === 1 ? 1 : 0
  const hasForm = groups.length(trunk) === 3 && groups.length(trunk + 1) === 3 && groups.length(trunk + 2) === 4
  if (!hasForm || groups.separator(trunk) === SLASH || groups.separator(trunk + 1) === SLASH) return 0
  return isCode(groups.value(trunk, 3)) && isCode(groups.value(trunk + 3, 3)) ? trunk + 3 : 0
}

/** Both parts begin with 2 or more. Service codes (N11) are let in: made-up numbers use them, and they look the same. */
const isCode = (code: number): boolean => code >= 200

/**
 * How many leading groups are a national number with its trunk 0, or 0: `030 1234567`, `0171/1234567`, `01 23 45 67
 * 89`,
 * `020 7946 0958`. Dates and reference numbers look alike, so this is asked only where a false mask costs little.
 */
export const nationalGroups = (groups: DigitGroups): number => {
  if (groups.digit(0) !== 0) return 0
  const international = groups.length(0) >= 4 && groups.digit(1) === 0
  if (!international && (groups.digit(1) === 0 || groups.length(0) < 2 || groups.length(0) > 6)) return 0
  if (isDate(groups)) return 0
  return groupsUpTo(groups, international ? 10 : 9, international ? 17 : 12)
}

const groupsUpTo = (groups: DigitGroups, shortest: number, longest: number): number => {
  let digits = groups.length(0)
  let used = 1
  while (used < groups.count && groups.length(used) >= 2 && digits + groups.length(used) <= longest) {
    // A dot is a decimal point or part of a date unless all groups are pairs, as in France.
    if (groups.separator(used - 1) === DOT && groups.length(used) !== 2) break
    digits += groups.length(used)
    used += 1
  }
  return used > 1 && digits >= shortest ? used : 0
}

const isDate = (groups: DigitGroups): boolean =>
  groups.length(0) <= 2 && groups.length(1) <= 2 && groups.length(2) === 4 && groups.value(0, 2) <= 31
