import type { ColumnPlan } from '../column-plan.ts'
import { isSensitive, labelOf } from '../data-class.ts'
import type { Depth } from '../detect/scan.ts'
import type { PseudonymKey } from '../values/pseudonym.ts'
import { isPadded, lengthLimit, typeOf, type PgType } from '../values/types.ts'
import { arrayCell, emptyArrayCell } from './array-cell.ts'
import { bytesCell } from './bytes-cell.ts'
import { constantCell, nullCell, type CellMask } from './cell-mask.ts'
import { jsonCell, JsonMask, lazily, versionedCell, type JsonOptions } from './json-cell.ts'
import { LeafCells } from './leaf-cells.ts'
import { binaryRecordCell } from './record-binary-cell.ts'
import { RecordTextMask } from './record-text-cell.ts'
import { nullIfFoundCell, orElse, scanCell, textOrJsonCell } from './scan-cell.ts'
import { textCell } from './text-cells.ts'
import { typedCell } from './typed-cells.ts'
import { opaqueCell, unknownBinaryCell, unknownTextCell, unknownWholeCell } from './unknown-type-cell.ts'
import { XmlMask } from './xml-cell.ts'

type Key = PseudonymKey | undefined

/** The mask of one column's values, or undefined: they pass as they are. */
export const cellFor = (plan: ColumnPlan, key?: Key): CellMask | undefined => {
  if (plan.action === 'pass') return undefined
  if (plan.action === 'mask' && plan.kind === 'null') return nullCell
  const type = typeOf(plan.typeOid)
  return type ? knownCell(plan, type, key) : unknownCell(plan, key)
}

const knownCell = (plan: ColumnPlan, type: PgType, key: Key): CellMask | undefined => {
  switch (type.storage) {
    case 'text':
      return anyTextCell(plan, key)
    case 'json':
      return anyJsonCell(plan, key)
    case 'versioned-json':
      return plan.format === 'binary' ? versionedCell(anyJsonCell(plan, key)) : anyJsonCell(plan, key)
    case 'xml':
      return isWhole(plan) ? constantCell(Buffer.from(labelFor(plan))) : xmlCell(plan, key)
    case 'array':
      if (isWhole(plan)) return emptyArrayCell(plan.format)
      return arrayCell(type.element ?? 0, plan.format, (oid) => cellFor({ ...plan, typeOid: oid }, key))
    case 'record':
      return isWhole(plan) ? nullCell : recordCell(plan, key)
    case 'bytes':
      return plan.action === 'scan' ? bytesCell(depthOf(plan), plan.format) : maskTyped(plan, type, key)
    default:
      return plan.action === 'scan' ? scanOther(plan, type) : maskTyped(plan, type, key)
  }
}

const isWhole = (plan: ColumnPlan): boolean => plan.action === 'mask' && plan.whole

/** In a column that is taken to be clear only what is certain counts. */
const depthOf = (plan: ColumnPlan): Depth => (plan.class === 'clear' ? 'certain' : 'likely')

const labelFor = (plan: ColumnPlan): string => labelOf(isSensitive(plan.class) ? plan.class : 'unknown')

const maskTyped = (plan: ColumnPlan, type: PgType, key: Key): CellMask =>
  typedCell({
    class: plan.class,
    kind: plan.kind,
    whole: plan.whole,
    oid: plan.typeOid,
    type,
    format: plan.format,
    key,
  })

/** Types with texts of their own making: they are not edited, but they are looked through. */
const scanOther = (plan: ColumnPlan, type: PgType): CellMask | undefined =>
  type.name === 'tsvector' || type.name === 'tsquery' || type.name === 'jsonpath'
    ? nullIfFoundCell(depthOf(plan))
    : undefined

const anyTextCell = (plan: ColumnPlan, key: Key): CellMask => {
  const limit = lengthLimit(plan.typeOid, plan.typmod)
  if (plan.action === 'scan') return scanText(plan, key, limit !== Number.POSITIVE_INFINITY)
  const padded = isPadded(plan.typeOid, plan.typmod)
  return textCell({ class: plan.class, kind: plan.kind, whole: plan.whole, limit, padded, key })
}

const scanText = (plan: ColumnPlan, key: Key, limited = false): CellMask => {
  const text = scanCell(depthOf(plan), { kind: plan.kind, limited, key })
  return textOrJsonCell(
    text,
    lazily(() => new JsonMask(jsonOptions(plan, key))),
  )
}

const anyJsonCell = (plan: ColumnPlan, key: Key): CellMask =>
  isWhole(plan) ? constantCell(Buffer.from(`"${labelFor(plan)}"`)) : jsonCell(jsonOptions(plan, key))

const jsonOptions = (plan: ColumnPlan, key: Key): JsonOptions => ({
  depth: depthOf(plan),
  kind: plan.kind,
  key,
  ...(plan.action === 'mask' ? { class: plan.class } : {}),
})

const xmlCell = (plan: ColumnPlan, key: Key): CellMask =>
  new XmlMask(leavesOf(plan, key), scanText(plan, key), plan.action === 'mask' ? plan.class : undefined)

const leavesOf = (plan: ColumnPlan, key: Key): LeafCells => new LeafCells({ kind: plan.kind, key })

const recordCell = (plan: ColumnPlan, key: Key): CellMask =>
  plan.format === 'binary'
    ? binaryRecordCell(fieldCell(plan, key))
    : orElse(new RecordTextMask(partCell(plan, key)), nullCell)

/** The types of a composite's fields stand in its binary form; their modifiers nowhere. */
const fieldCell = (plan: ColumnPlan, key: Key) => (oid: number) => cellFor({ ...plan, typeOid: oid, typmod: -1 }, key)

const TEXT = 25

/** A part of a value of which nothing is known but that it is text. */
const partCell = (plan: ColumnPlan, key: Key): CellMask =>
  anyTextCell({ ...plan, typeOid: TEXT, typmod: -1, format: 'text' }, key)

const unknownCell = (plan: ColumnPlan, key: Key): CellMask => {
  const text = partCell(plan, key)
  if (isWhole(plan)) return unknownWholeCell(text)
  const leaves = leavesOf(plan, key)
  if (plan.format === 'text') return unknownTextCell(text, leaves)
  const opaque = opaqueCell(plan.action === 'mask' ? 'mask' : 'scan', depthOf(plan))
  return unknownBinaryCell({ text, leaves, cellOf: fieldCell(plan, key), opaque })
}
