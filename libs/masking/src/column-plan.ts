import { CLASS_TRAITS, isSensitive, type DataClass, type MaskKind } from './data-class.ts'
import type { WireFormat } from './values/types.ts'

/** What becomes of one column of a result. Made once, from the catalogue, the lineage and policy. */
export interface ColumnPlan {
  /** `pass`: not looked at. `scan`: values found in it are masked. `mask`: every value is masked. */
  readonly action: 'pass' | 'scan' | 'mask'
  /**
   * For `scan` how much a find is trusted: in `clear` columns only what is certain counts, else also what is likely.
   */
  readonly class: DataClass
  readonly kind: MaskKind
  /** Of a value that is derived from a sensitive one, or of unknown origin, nothing is kept. */
  readonly whole: boolean
  /** As RowDescription says them. */
  readonly typeOid: number
  readonly typmod: number
  readonly format: WireFormat
}

export interface ColumnFacts {
  readonly class: DataClass
  readonly typeOid: number
  readonly typmod: number
  readonly format: WireFormat
  readonly whole?: boolean
}

/** What policy says of a column: shown as it is, or masked, in a certain way or as is usual for its class. */
export type MaskDecision = { readonly clear: true } | { readonly clear: false; readonly kind?: MaskKind }

/**
 * The plan that follows from a column's class and policy's decision on it. Types in which nothing can stand pass by
 * themselves.
 */
export const planColumn = (facts: ColumnFacts, decision: MaskDecision): ColumnPlan => {
  const { class: dataClass, typeOid, typmod, format, whole = false } = facts
  const base = { class: dataClass, typeOid, typmod, format, whole }
  if (decision.clear) return { ...base, action: 'pass', kind: 'partial' }
  if (isSensitive(dataClass) || whole)
    return { ...base, action: 'mask', kind: decision.kind ?? CLASS_TRAITS[dataClass].defaultMask }
  return { ...base, action: 'scan', kind: decision.kind ?? 'partial' }
}
