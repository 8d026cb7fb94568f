import type { ByteWriter } from '../byte-writer.ts'

/** Nothing to hide: the value is right as it lies. */
export const KEPT = 0
/** Masked where it lies, in the same length. */
export const EDITED = 1
/** The masked value has been appended to the writer. */
export const REPLACED = 2
/** The masked value is NULL. */
export const NULLED = 3

export type Outcome = typeof KEPT | typeof EDITED | typeof REPLACED | typeof NULLED

/**
 * Masks one value, `bytes[start, end)`, which is never NULL. It may write into that range, whatever it answers;
 * what it appends to `out` counts only if it answers REPLACED, and then `out` holds nothing else that was appended.
 *
 * Cells are made once per result and hold their own scratch space, so that masking a value allocates nothing.
 */
export interface CellMask {
  apply(bytes: Buffer, start: number, end: number, out: ByteWriter): Outcome
}

export const nullCell: CellMask = { apply: () => NULLED }

/** The same value, whatever was there. */
export const constantCell = (value: Uint8Array): CellMask => ({
  apply: (_bytes, _start, _end, out) => {
    out.range(value, 0, value.length)
    return REPLACED
  },
})

/** What became of a whole, part by part: a part that is NULL or of another length makes it another value. */
export const together = (whole: Outcome, part: Outcome): Outcome => {
  if (part === KEPT || whole === REPLACED) return whole
  return part === EDITED ? EDITED : REPLACED
}
