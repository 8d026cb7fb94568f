import { writeField, type CellOfType } from './array-binary-cell.ts'
import { KEPT, NULLED, REPLACED, together, type CellMask, type Outcome } from './cell-mask.ts'

const COUNT = 4
const FIELD_HEAD = 8
const FIELDS_MAX = 1664

/**
 * Whether the bytes are a composite value in the binary format, from its first byte to its last.
 * SPEC: PostgreSQL record_send: count of fields, then for each its type, its length (-1: NULL) and its bytes.
 */
export const isBinaryRecord = (bytes: Buffer, start: number, end: number): boolean => {
  if (end - start < COUNT) return false
  const count = bytes.readInt32BE(start)
  if (count < 0 || count > FIELDS_MAX) return false
  let at = start + COUNT
  for (let i = 0; i < count; i++) {
    const length = at + FIELD_HEAD <= end ? bytes.readInt32BE(at + 4) : -2
    if (length < -1) return false
    at += FIELD_HEAD + Math.max(length, 0)
  }
  return at === end
}

/** Masks each field by its own type; what is no composite becomes NULL. */
export const binaryRecordCell = (cellOf: CellOfType): CellMask => {
  const cells = new Map<number, CellMask | undefined>()
  const known = (oid: number): CellMask | undefined => {
    if (!cells.has(oid)) cells.set(oid, cellOf(oid))
    return cells.get(oid)
  }
  return {
    apply: (bytes, start, end, out) => {
      if (!isBinaryRecord(bytes, start, end)) return NULLED
      const from = out.length
      out.range(bytes, start, start + COUNT)
      let changed: Outcome = KEPT
      for (let at = start + COUNT; at < end;) {
        out.range(bytes, at, at + 4)
        const length = bytes.readInt32BE(at + 4)
        const outcome = writeField(bytes, at + FIELD_HEAD, length, known(bytes.readUInt32BE(at)), out)
        changed = together(changed, outcome)
        at += FIELD_HEAD + Math.max(length, 0)
      }
      if (changed !== REPLACED) out.length = from
      return changed
    },
  }
}
