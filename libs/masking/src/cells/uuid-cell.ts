import { checkedKey, pseudonymDigest, pseudonymUuid } from '../values/pseudonym.ts'
import { NULLED, REPLACED, type CellMask } from './cell-mask.ts'
import type { TypedMaskOptions } from './typed-cells.ts'

const SIZE = 16

/** The same UUID for the same value, in both formats. */
export const pseudonymUuidCell = ({ class: dataClass, format, key }: TypedMaskOptions): CellMask => {
  const checked = checkedKey(key)
  return {
    apply: (bytes, start, end, out) => {
      const value = format === 'binary' ? bytes.subarray(start, end) : fromText(bytes.toString('latin1', start, end))
      if (value.length !== SIZE) return NULLED
      const uuid = pseudonymUuid(pseudonymDigest(checked, dataClass, value))
      if (format === 'binary') out.range(uuid, 0, SIZE)
      else out.ascii(toText(uuid))
      return REPLACED
    },
  }
}

const fromText = (text: string): Buffer => Buffer.from(text.replaceAll('-', ''), 'hex')

const toText = (uuid: Buffer): string => uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
