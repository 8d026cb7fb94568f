import type { DataClass, MaskKind } from '../data-class.ts'
import { keepsTail } from '../values/partial.ts'
import type { PseudonymKey } from '../values/pseudonym.ts'
import type { PgType, WireFormat } from '../values/types.ts'
import { constantCell, nullCell, REPLACED, type CellMask } from './cell-mask.ts'
import { binaryDateCell, binaryTimestampCell, textDateCell, zeroTextDateCell } from './date-cells.ts'
import { binaryInetCell, textInetCell, zeroInetCell } from './inet-cells.ts'
import { integerCell, numericCell, pseudonymNumberCell } from './number-cells.ts'
import { pseudonymUuidCell } from './uuid-cell.ts'

export interface TypedMaskOptions {
  readonly class: DataClass
  readonly kind: MaskKind
  readonly whole: boolean
  readonly oid: number
  readonly type: PgType
  readonly format: WireFormat
  readonly key?: PseudonymKey | undefined
}

/**
 * Masks a value of a type that has no room for a label: by another value of the same type, so that every client can
 * read it, or by NULL.
 */
export const typedCell = (options: TypedMaskOptions): CellMask => {
  switch (options.kind) {
    case 'null':
    case 'redact':
      return nullCell
    case 'pseudonym':
      return options.whole ? nullCell : pseudonymOf(options)
    case 'year':
    case 'partial':
      return options.whole ? zeroCell(options) : partialOf(options)
  }
}

const pseudonymOf = (options: TypedMaskOptions): CellMask => {
  switch (options.type.storage) {
    case 'integer':
    case 'numeric':
      return pseudonymNumberCell(options)
    case 'uuid':
      return pseudonymUuidCell(options)
    default:
      return nullCell
  }
}

/**
 * What may be kept of a value is decided by its class: the last digits of an unknown number might be all that matters.
 */
const partialOf = (options: TypedMaskOptions): CellMask => {
  const isText = options.format === 'text'
  const keepsYear = options.kind === 'year' || options.class === 'birth-date'
  switch (options.type.storage) {
    case 'integer':
      return keepsYear || keepsTail(options.class) ? integerCell(options) : zeroCell(options)
    case 'numeric':
      return keepsTail(options.class) ? numericCell(options) : zeroCell(options)
    case 'date':
      if (!keepsYear) return zeroCell(options)
      return isText ? textDateCell : binaryDateCell
    case 'timestamp':
    case 'timestamp-tz':
      if (!keepsYear) return zeroCell(options)
      return isText ? textDateCell : binaryTimestampCell
    case 'inet':
      if (options.class !== 'ip-address') return zeroCell(options)
      return isText ? textInetCell(options.oid) : binaryInetCell(options.oid)
    default:
      return zeroCell(options)
  }
}

/** The zero of the type, in the style of the session where the text shows it. */
const zeroCell = ({ oid, type, format }: TypedMaskOptions): CellMask => {
  const isText = format === 'text'
  switch (type.storage) {
    case 'bits':
      return isText ? zeroBitsText : zeroBitsBinary
    case 'inet':
      return zeroInetCell(oid, format)
    case 'date':
    case 'timestamp':
    case 'timestamp-tz':
      if (isText) return zeroTextDateCell(type.zeroText ?? '')
      break
    case 'bytes':
      if (isText) return zeroBytesText
      break
    default:
      if (isText && type.name === 'interval') return zeroIntervalText
  }
  const zero = isText ? type.zeroText : type.zeroBinary
  return zero === undefined ? nullCell : constantCell(Buffer.from(zero))
}

const zeroBitsText: CellMask = {
  apply: (_bytes, start, end, out) => {
    out.fill(0x30, end - start)
    return REPLACED
  },
}

/** The number of bits stays: `bit(n)` has no other. */
const zeroBitsBinary: CellMask = {
  apply: (bytes, start, end, out) => {
    if (end - start < 4) return nullCell.apply(bytes, start, end, out)
    out.range(bytes, start, start + 4)
    out.fill(0, end - start - 4)
    return REPLACED
  },
}

/** `bytea_output` is `hex` or `escape`. */
const zeroBytesText: CellMask = {
  apply: (bytes, start, end, out) => {
    if (end - start >= 2 && bytes[start] === 0x5c && bytes[start + 1] === 0x78) out.ascii('\\x')
    return REPLACED
  },
}

/** `IntervalStyle` is `iso_8601`, `postgres_verbose`, `postgres` or `sql_standard`. */
const zeroIntervalText: CellMask = {
  apply: (bytes, start, _end, out) => {
    const first = bytes[start]
    out.ascii(first === 0x50 ? 'PT0S' : first === 0x40 ? '@ 0' : '00:00:00')
    return REPLACED
  },
}
