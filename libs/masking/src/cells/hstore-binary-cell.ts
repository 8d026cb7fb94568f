import { writeField } from './array-binary-cell.ts'
import { KEPT, NULLED, REPLACED, together, type CellMask, type Outcome } from './cell-mask.ts'
import { KeyClasses } from './key-classes.ts'
import type { LeafCells } from './leaf-cells.ts'

const PAIRS_MAX = 65_536

/**
 * Whether the bytes are an hstore in the binary format, from its first byte to its last.
 * SPEC: hstore_send: count of pairs, then for each the length and bytes of its key, and of its value (-1: NULL).
 */
export const isBinaryHstore = (bytes: Buffer, start: number, end: number): boolean => {
  if (end - start < 4) return false
  const count = bytes.readInt32BE(start)
  if (count < 1 || count > PAIRS_MAX) return false
  let at = start + 4
  for (let i = 0; i < count * 2; i++) {
    const length = at + 4 <= end ? bytes.readInt32BE(at) : -2
    if (length < (i % 2 === 0 ? 0 : -1)) return false
    at += 4 + Math.max(length, 0)
  }
  return at === end
}

/** Masks values by their keys and by what they are. */
export const binaryHstoreCell = (cells: LeafCells, otherwise: CellMask): CellMask => {
  const keys = new KeyClasses()
  return {
    apply: (bytes, start, end, out) => {
      if (!isBinaryHstore(bytes, start, end)) return NULLED
      const from = out.length
      out.range(bytes, start, start + 4)
      let changed: Outcome = KEPT
      for (let at = start + 4; at < end;) {
        const keyEnd = at + 4 + bytes.readInt32BE(at)
        const verdict = keys.verdictOf(bytes, at + 4, keyEnd)
        changed = together(
          changed,
          writeField(bytes, at + 4, keyEnd - at - 4, verdict.holdsValue ? otherwise : undefined, out),
        )
        const length = bytes.readInt32BE(keyEnd)
        const cell = verdict.class ? cells.text(verdict.class) : otherwise
        changed = together(changed, writeField(bytes, keyEnd + 4, length, cell, out))
        at = keyEnd + 4 + Math.max(length, 0)
      }
      if (changed !== REPLACED) out.length = from
      return changed
    },
  }
}
