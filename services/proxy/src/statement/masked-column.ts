import { CLASS_TRAITS, isSensitive, type DataClass, type MaskDecision, type MaskKind } from '@countersign/masking'

/*
 * What becomes of a result column, by what its values come from (DESIGN.md, section 7). In which bytes they lie is the
 * protocol's business.
 */

/** A column where a result may say that it comes from. */
export interface KnownColumn {
  /** `schema.relation.column` */
  readonly name: string
  readonly class: DataClass
}

/** May the values of this column be seen as they are; and if not, how are they masked? */
export type MaskRule = (column: KnownColumn) => { readonly clear: boolean; readonly kind: MaskKind | undefined }

/** What a column holds, by the strictest of everything that it may come from. */
export interface Found {
  readonly name: string | undefined
  readonly sensitive: readonly KnownColumn[]
  readonly clear: boolean
  /** Values are computed from what they come from: pieces of them can be put together again. */
  readonly derived: boolean
  readonly unknown: boolean
}

/** Nobody knows what it holds. */
export const UNKNOWN: Found = { name: undefined, sensitive: [], clear: false, derived: true, unknown: true }

/** It holds what the session itself has made, and nothing sensitive went into that. */
export const OWN: Found = { name: undefined, sensitive: [], clear: false, derived: false, unknown: false }

/** What comes from these columns. */
export const foundIn = (
  columns: readonly KnownColumn[],
  maskRule: MaskRule,
  { derived, unknown }: Pick<Found, 'derived' | 'unknown'>,
): Found => {
  const [only] = columns
  return {
    name: columns.length === 1 ? only?.name : undefined,
    sensitive: columns.filter((column) => column.class !== 'clear' && !maskRule(column).clear),
    clear: columns.length > 0 && columns.every((column) => column.class !== 'clear' && maskRule(column).clear),
    derived,
    unknown,
  }
}

/** What a column is said to hold, and what its values come from: what a view calls them hides nothing. */
export const strictestOf = (own: Found, traced: Found): Found => ({
  name: own.name,
  sensitive: [...traced.sensitive, ...own.sensitive.filter((column) => addsTo(traced.sensitive, column))],
  clear: own.clear && (traced.clear || traced.sensitive.length === 0),
  derived: traced.derived,
  unknown: false,
})

const addsTo = (known: readonly KnownColumn[], { class: other }: KnownColumn): boolean =>
  known.every((column) => column.class !== other) && (isSensitive(other) || !known.some(isSensitiveColumn))

const isSensitiveColumn = (column: KnownColumn): boolean => isSensitive(column.class)

/** As what its values are treated, and whether anything of them is kept. */
export interface MaskedColumn {
  readonly class: DataClass
  readonly whole: boolean
  readonly decision: MaskDecision
}

/** `mayBeSensitive`: asked of what is unknown, which may hold anything that its statement reads. */
export const maskedColumn = (found: Found, maskRule: MaskRule, mayBeSensitive: () => boolean): MaskedColumn => {
  const { sensitive, unknown, derived, clear } = found
  const worst = sensitive.toSorted(byHarm)[0]
  if (unknown && (worst || mayBeSensitive())) return { class: 'unknown', whole: true, decision: MASKED }
  if (unknown) return { class: 'clear', whole: false, decision: MASKED }
  if (!worst) return { class: 'clear', whole: false, decision: clear ? { clear: true } : MASKED }
  const { kind } = maskRule(worst)
  const decision = kind ? { ...MASKED, kind } : MASKED
  return { class: worst.class, whole: derived || sensitive.length > 1, decision }
}

const MASKED = { clear: false } as const

const HARM = ['secret', 'special', 'personal', 'none']

const byHarm = (a: KnownColumn, b: KnownColumn): number => harmOf(a) - harmOf(b)

const harmOf = (column: KnownColumn): number => HARM.indexOf(CLASS_TRAITS[column.class].sensitivity)
