import type { ByteWriter } from '../byte-writer.ts'
import { isSensitive, labelOf, type DataClass, type MaskKind } from '../data-class.ts'
import { byteAt, isContinuation } from '../detect/characters.ts'
import {
  keepsTail,
  keepTail,
  partialAddress,
  trimmedEnd,
  writeEmail,
  writeInitials,
  writeTail,
} from '../values/partial.ts'
import { checkedKey, pseudonymDigest, pseudonymText, type PseudonymKey } from '../values/pseudonym.ts'
import { yearOfText } from '../values/year.ts'
import { EDITED, KEPT, nullCell, REPLACED, type CellMask } from './cell-mask.ts'

export interface TextMaskOptions {
  readonly class: DataClass
  readonly kind: MaskKind
  /** Nothing of it may be kept: it is derived from something sensitive, and pieces can be put together again. */
  readonly whole: boolean
  /** In characters; Infinity for none. */
  readonly limit: number
  readonly padded: boolean
  readonly key?: PseudonymKey | undefined
}

/** Masks a text that is one value of a class. */
export const textCell = (options: TextMaskOptions): CellMask => {
  if (options.kind === 'null') return nullCell
  if (options.whole || options.kind === 'redact') return labelCell(options)
  const cell = options.kind === 'pseudonym' ? pseudonymCell(options) : readableCell(options)
  return options.limit === Number.POSITIVE_INFINITY ? cell : fitting(cell, options)
}

const readableCell = (options: TextMaskOptions): CellMask => {
  if (options.kind === 'year') return yearCell(options)
  switch (options.class) {
    case 'email':
      return written(writeEmail)
    case 'person-name':
      return written(writeInitials)
    case 'ip-address':
      return written((bytes, start, end, out) => out.ascii(partialAddress(bytes.toString('latin1', start, end).trim())))
    case 'birth-date':
      return yearCell(options)
    default:
      return keepsTail(options.class) ? tailCell : labelCell(options)
  }
}

/** An empty text shows nothing but that it is empty. */
const written = (write: (bytes: Buffer, start: number, end: number, out: ByteWriter) => void): CellMask => ({
  apply: (bytes, start, end, out) => {
    if (start === end) return KEPT
    write(bytes, start, end, out)
    return REPLACED
  },
})

const tailCell: CellMask = {
  apply: (bytes, start, end, out) => {
    if (start === end) return KEPT
    if (isAscii(bytes, start, end)) {
      keepTail(bytes, start, end)
      return EDITED
    }
    writeTail(bytes, start, end, out)
    return REPLACED
  },
}

const isAscii = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) if (byteAt(bytes, i) >= 0x80) return false
  return true
}

const yearCell = (options: TextMaskOptions): CellMask => {
  const label = labelText(options)
  return written((bytes, start, end, out) =>
    out.ascii(yearOfText(bytes.toString('latin1', start, end).trim()) ?? label),
  )
}

const labelCell = (options: TextMaskOptions): CellMask => {
  const label = labelText(options)
  const value = Buffer.from(options.padded ? label.padEnd(options.limit) : label)
  return {
    apply: (_bytes, _start, _end, out) => {
      out.range(value, 0, value.length)
      return REPLACED
    },
  }
}

const STARS = '***'

/** The class in brackets, or as many stars as there is room for. */
const labelText = ({ class: dataClass, limit }: TextMaskOptions): string => {
  const label = labelOf(isSensitive(dataClass) ? dataClass : 'unknown')
  return label.length <= limit ? label : STARS.slice(0, limit)
}

const pseudonymCell = ({ class: dataClass, key, limit }: TextMaskOptions): CellMask => {
  const checked = checkedKey(key)
  return {
    apply: (bytes, start, end, out) => {
      // Spaces at the end are `char(n)`'s padding: the same value in a `text` column must give the same pseudonym.
      const digest = pseudonymDigest(checked, dataClass, bytes.subarray(start, trimmedEnd(bytes, start, end)))
      out.ascii(pseudonymText(digest, dataClass, limit))
      return REPLACED
    },
  }
}

/** Cuts what a mask wrote down to the column's length, and fills it up where the type does. */
const fitting = (cell: CellMask, { limit, padded }: TextMaskOptions): CellMask => ({
  apply: (bytes, start, end, out) => {
    const from = out.length
    const outcome = cell.apply(bytes, start, end, out)
    if (outcome !== REPLACED) return outcome
    const characters = cutTo(out, from, limit)
    if (padded) out.fill(0x20, limit - characters)
    return outcome
  },
})

/** Drops all characters after the `limit`-th that were written from `from` on; answers how many are left. */
const cutTo = (out: ByteWriter, from: number, limit: number): number => {
  let characters = 0
  for (let i = from; i < out.length; i++) {
    if (isContinuation(byteAt(out.bytes, i))) continue
    if (characters === limit) {
      out.length = i
      break
    }
    characters += 1
  }
  return characters
}
