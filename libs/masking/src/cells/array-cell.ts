import type { WireFormat } from '../values/types.ts'
import { binaryArrayCell, isBinaryArray, type CellOfType } from './array-binary-cell.ts'
import { ArrayTextMask, BOX_SEPARATOR } from './array-text-cell.ts'
import { constantCell, nullCell, NULLED, REPLACED, type CellMask } from './cell-mask.ts'
import { orElse } from './scan-cell.ts'

const BOX = 603

/** Masks the elements of an array whose elements are of type `element`. What is no array becomes NULL. */
export const arrayCell = (element: number, format: WireFormat, cellOf: CellOfType): CellMask | undefined => {
  const cell = cellOf(element)
  // Only of `anyarray` the elements' type is not known before a value comes.
  if (format === 'binary') return cell || element === 0 ? binaryArrayCell(cellOf) : undefined
  return cell && orElse(new ArrayTextMask(cell, element === BOX ? BOX_SEPARATOR : undefined), nullCell)
}

/** An array without elements: not even their number is kept. */
export const emptyArrayCell = (format: WireFormat): CellMask => (format === 'text' ? emptyText : emptyBinary)

const emptyText = constantCell(Buffer.from('{}'))

/** No dimensions, no nulls, and the type of the elements as it was. */
const emptyBinary: CellMask = {
  apply: (bytes, start, end, out) => {
    if (!isBinaryArray(bytes, start, end)) return NULLED
    out.fill(0, 8)
    out.range(bytes, start + 8, start + 12)
    return REPLACED
  },
}
