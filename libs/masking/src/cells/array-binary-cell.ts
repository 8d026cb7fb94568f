import type { ByteWriter } from '../byte-writer.ts'
import { EDITED, KEPT, NULLED, REPLACED, together, type CellMask, type Outcome } from './cell-mask.ts'

/** How values of a type are masked, known only when the type has been read; undefined: they are left. */
export type CellOfType = (oid: number) => CellMask | undefined

const HEADER = 12
const DIMENSION = 8
const DIMENSIONS_MAX = 6

/**
 * Whether the bytes are an array in the binary format, from its first byte to its last.
 * SPEC: PostgreSQL array_send: dimensions, has nulls, type of the elements (Int32 each), then for each dimension its
 * length and lower bound, then for each element its length (-1: NULL) and bytes.
 */
export const isBinaryArray = (bytes: Buffer, start: number, end: number): boolean => {
  if (end - start < HEADER) return false
  const dimensions = bytes.readInt32BE(start)
  if (dimensions < 0 || dimensions > DIMENSIONS_MAX || bytes.readUInt32BE(start + 4) > 1) return false
  const elements = start + HEADER + dimensions * DIMENSION
  if (elements > end) return false
  let at = elements
  for (let count = elementCount(bytes, start, dimensions); count > 0; count--) {
    const length = at + 4 <= end ? bytes.readInt32BE(at) : -2
    if (length < -1) return false
    at += 4 + Math.max(length, 0)
  }
  return at === end
}

const elementCount = (bytes: Buffer, start: number, dimensions: number): number => {
  let count = dimensions === 0 ? 0 : 1
  for (let i = 0; i < dimensions; i++) count *= bytes.readUInt32BE(start + HEADER + i * DIMENSION)
  return count
}

/** Masks each element by the type that the array says; what is no array becomes NULL. */
export const binaryArrayCell = (cellOf: CellOfType): CellMask => {
  let oid = -1
  let element: CellMask | undefined
  return {
    apply: (bytes, start, end, out) => {
      if (!isBinaryArray(bytes, start, end)) return NULLED
      const found = bytes.readUInt32BE(start + 8)
      if (found !== oid) {
        oid = found
        element = cellOf(found)
      }
      const elements = start + HEADER + bytes.readInt32BE(start) * DIMENSION
      return element ? maskFields(bytes, start, elements, end, out, element) : KEPT
    },
  }
}

/** Lengths and values one after another, as in arrays; `head` stands before them and says whether there are NULLs. */
const maskFields = (
  bytes: Buffer,
  start: number,
  elements: number,
  end: number,
  out: ByteWriter,
  cell: CellMask,
): Outcome => {
  const head = out.length
  out.range(bytes, start, elements)
  let changed: Outcome = KEPT
  for (let at = elements; at < end;) {
    const length = bytes.readInt32BE(at)
    at += 4
    const outcome = writeField(bytes, at, length, cell, out)
    if (outcome === NULLED) out.bytes[head + 7] = 1
    changed = together(changed, outcome)
    at += Math.max(length, 0)
  }
  if (changed !== REPLACED) out.length = head
  return changed
}

/** Appends the length and the masked bytes of one value. */
export const writeField = (
  bytes: Buffer,
  at: number,
  length: number,
  cell: CellMask | undefined,
  out: ByteWriter,
): Outcome => {
  const slot = out.length
  out.int32(length)
  if (length < 0) return KEPT
  const outcome = cell ? cell.apply(bytes, at, at + length, out) : KEPT
  if (outcome !== REPLACED) out.length = slot + 4
  if (outcome === KEPT || outcome === EDITED) out.range(bytes, at, at + length)
  out.bytes.writeInt32BE(outcome === NULLED ? -1 : out.length - slot - 4, slot)
  return outcome
}
