import { ByteWriter } from './byte-writer.ts'
import { cellFor } from './cells/cell-for.ts'
import { NULLED, REPLACED } from './cells/cell-mask.ts'
import type { DataClass, MaskKind } from './data-class.ts'
import type { PseudonymKey } from './values/pseudonym.ts'
import type { WireFormat } from './values/types.ts'

export interface ValueType {
  readonly typeOid: number
  readonly typmod: number
  readonly format: WireFormat
}

export interface MaskValueOptions {
  readonly whole?: boolean
  readonly pseudonymKey?: PseudonymKey | undefined
}

/** One value by itself, for what is not a row: a parameter, a sample, the result of a function call. Null is NULL. */
export const maskValue = (
  dataClass: DataClass,
  kind: MaskKind,
  type: ValueType,
  value: Uint8Array,
  { whole = false, pseudonymKey }: MaskValueOptions = {},
): Buffer | null => {
  const cell = cellFor({ action: 'mask', class: dataClass, kind, whole, ...type }, pseudonymKey)
  const copy = Buffer.from(value)
  const out = new ByteWriter()
  const outcome = cell?.apply(copy, 0, copy.length, out)
  if (outcome === NULLED) return null
  return outcome === REPLACED ? out.copy() : copy
}
