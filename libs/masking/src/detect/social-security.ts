import type { DataClass } from '../data-class.ts'
import type { DigitGroups } from './digit-groups.ts'

/** The class of `ddd-dd-dddd` (or with spaces, or dots): a US social security or taxpayer number, or neither. */
export const socialSecurityClass = (groups: DigitGroups): DataClass | undefined => {
  const hasForm = groups.length(0) === 3 && groups.length(1) === 2 && groups.length(2) === 4
  if (!hasForm || groups.separator(0) !== groups.separator(1) || groups.separator(0) === 0x2f) return undefined
  return socialSecurityOf(groups)
}

/**
 * SPEC: ssa.gov, "Social Security Number Randomization": areas 000, 666 and 900–999, groups 00, serials 0000 are never
 * issued.
 */
export const socialSecurityOf = (groups: DigitGroups): DataClass | undefined => {
  const area = groups.value(0, 3)
  const group = groups.value(3, 2)
  if (group === 0 || groups.value(5, 4) === 0) return undefined
  if (area >= 900) return isTaxpayerGroup(group) ? 'tax-id' : undefined
  return area === 0 || area === 666 ? undefined : 'ssn'
}

/** SPEC: irs.gov, ITIN: 9xx-50 to 65, 70 to 88, 90 to 92, 94 to 99. */
const isTaxpayerGroup = (group: number): boolean =>
  (group >= 50 && group <= 65) || (group >= 70 && group <= 88) || (group >= 90 && group !== 93)
