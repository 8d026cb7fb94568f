import { byteAt } from '../detect/characters.ts'
import type { Depth } from '../detect/scan.ts'
import { binaryArrayCell, isBinaryArray, type CellOfType } from './array-binary-cell.ts'
import { ArrayTextMask } from './array-text-cell.ts'
import { nullCell, type CellMask } from './cell-mask.ts'
import { binaryHstoreCell, isBinaryHstore } from './hstore-binary-cell.ts'
import { HstoreTextMask } from './hstore-text-cell.ts'
import type { LeafCells } from './leaf-cells.ts'
import { looksLikeText } from './looks-like-text.ts'
import { binaryRecordCell, isBinaryRecord } from './record-binary-cell.ts'
import { RecordTextMask } from './record-text-cell.ts'
import { nullIfFoundCell, type TryMask } from './scan-cell.ts'

/*
 * Types that a database defines itself (enumerations, citext, hstore, composites, and arrays of them) have OIDs of its
 * own. What a value is shows in the value: its structure must account for it from the first byte to the last.
 */

export const unknownTextCell = (text: CellMask, leaves: LeafCells): CellMask => {
  const array = new ArrayTextMask(text)
  const record = new RecordTextMask(text)
  const hstore = new HstoreTextMask(leaves, text)
  const structureOf = (first: number): TryMask | undefined => {
    if (first === 0x7b || first === 0x5b) return array
    if (first === 0x28) return record
    return first === 0x22 ? hstore : undefined
  }
  return {
    apply: (bytes, start, end, out) =>
      structureOf(byteAt(bytes, start))?.tryApply(bytes, start, end, out) ?? text.apply(bytes, start, end, out),
  }
}

export interface UnknownBinary {
  readonly text: CellMask
  readonly leaves: LeafCells
  readonly cellOf: CellOfType
  /** For what shows no structure. */
  readonly opaque: CellMask
}

export const unknownBinaryCell = ({ text, leaves, cellOf, opaque }: UnknownBinary): CellMask => {
  const array = binaryArrayCell(cellOf)
  const record = binaryRecordCell(cellOf)
  const hstore = binaryHstoreCell(leaves, text)
  const cellFor = (bytes: Buffer, start: number, end: number): CellMask => {
    if (looksLikeText(bytes, start, end)) return text
    if (isBinaryArray(bytes, start, end)) return array
    if (isBinaryRecord(bytes, start, end)) return record
    return isBinaryHstore(bytes, start, end) ? hstore : opaque
  }
  return { apply: (bytes, start, end, out) => cellFor(bytes, start, end).apply(bytes, start, end, out) }
}

/** Nothing of the value is kept, so that all that has to be known is whether a label can stand for it. */
export const unknownWholeCell = (text: CellMask): CellMask => ({
  apply: (bytes, start, end, out) => (looksLikeText(bytes, start, end) ? text : nullCell).apply(bytes, start, end, out),
})

export const opaqueCell = (action: 'scan' | 'mask', depth: Depth): CellMask =>
  action === 'mask' ? nullCell : nullIfFoundCell(depth)
