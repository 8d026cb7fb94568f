import type { ByteWriter } from '../byte-writer.ts'
import { checkedKey, pseudonymDigest, pseudonymNumber, type PseudonymKey } from '../values/pseudonym.ts'
import { yearOfText } from '../values/year.ts'
import { NULLED, REPLACED, type CellMask } from './cell-mask.ts'
import type { TypedMaskOptions } from './typed-cells.ts'

const DIGITS_MIN = 8
const DIGITS_KEPT = 4

/** The last four digits of at least eight as a number, else 0: what `keepTail` does to a text. */
export const partialInteger = (digits: string): number => {
  const plain = /^-?(\d+)$/.exec(digits)?.[1] ?? ''
  return plain.length >= DIGITS_MIN ? Number(plain.slice(-DIGITS_KEPT)) : 0
}

/** `19850704` → 19850101; 0 for what is no date. */
export const yearInteger = (digits: string): number =>
  Number(digits.length === DIGITS_MIN ? (yearOfText(digits) ?? 0) : 0)

/** int2, int4, int8. */
export const integerCell = ({ class: dataClass, kind, type, format }: TypedMaskOptions): CellMask => {
  const isDate = kind === 'year' || dataClass === 'birth-date'
  const size = type.zeroBinary?.length ?? 0
  return {
    apply: (bytes, start, end, out) => {
      const digits = format === 'text' ? bytes.toString('latin1', start, end) : readInteger(bytes, start, end)
      const masked = isDate ? yearInteger(digits) : partialInteger(digits)
      writeNumber(out, size === 2 ? 0 : masked, size, format === 'text')
      return REPLACED
    },
  }
}

const readInteger = (bytes: Buffer, start: number, end: number): string => {
  const size = end - start
  if (size === 8) return bytes.readBigInt64BE(start).toString()
  return size === 2 || size === 4 ? bytes.readIntBE(start, size).toString() : ''
}

const writeNumber = (out: ByteWriter, value: number, size: number, isText: boolean): void => {
  if (isText) return out.ascii(value.toString())
  if (size === 2) return out.int16(value)
  if (size === 8) out.int32(Math.floor(value / 2 ** 32))
  out.int32(value | 0)
}

/**
 * SPEC: PostgreSQL numeric_send: count of digits, weight of the first, sign, scale (Int16 each), digits to base 10,000.
 */
const NUMERIC_HEADER = 8
const BASE_DIGITS = 4

export const numericCell = ({ format }: TypedMaskOptions): CellMask => (format === 'text' ? numericText : numericBinary)

const numericText: CellMask = {
  apply: (bytes, start, end, out) => {
    const whole = bytes.toString('latin1', start, end).split('.', 1)[0] ?? ''
    out.ascii(partialInteger(whole).toString())
    return REPLACED
  },
}

const numericBinary: CellMask = {
  apply: (bytes, start, end, out) => {
    if (!isNumeric(bytes, start, end)) return NULLED
    const count = bytes.readUInt16BE(start)
    const weight = bytes.readInt16BE(start + 2)
    const digitAt = (i: number) => bytes.readUInt16BE(start + NUMERIC_HEADER + i * 2)
    const isLong = count > 0 && weight >= 1 && wholeDigits(digitAt(0), weight) >= DIGITS_MIN
    // The digit of weight 0 is what stands in the last four places before the point.
    writeNumeric(out, isLong && weight < count ? digitAt(weight) : 0)
    return REPLACED
  },
}

const isNumeric = (bytes: Buffer, start: number, end: number): boolean =>
  end - start >= NUMERIC_HEADER && end - start === NUMERIC_HEADER + bytes.readUInt16BE(start) * 2

const wholeDigits = (first: number, weight: number): number => first.toString().length + weight * BASE_DIGITS

/** A whole number that is not negative. */
const writeNumeric = (out: ByteWriter, value: number): void => {
  const digits: number[] = []
  for (let rest = value; rest > 0; rest = Math.floor(rest / 10_000)) digits.unshift(rest % 10_000)
  out.int16(digits.length)
  out.int16(Math.max(digits.length - 1, 0))
  out.int32(0)
  for (const digit of digits) out.int16(digit)
}

/** Equal numbers stay equal: whatever their type, they are told apart by their decimal digits. */
export const pseudonymNumberCell = ({ class: dataClass, type, format, key }: TypedMaskOptions): CellMask => {
  const checked: PseudonymKey = checkedKey(key)
  const isNumeric = type.storage === 'numeric'
  const size = isNumeric ? 8 : (type.zeroBinary?.length ?? 8)
  return {
    apply: (bytes, start, end, out) => {
      const digits =
        format === 'text'
          ? bytes.toString('latin1', start, end)
          : isNumeric
            ? readNumeric(bytes, start, end)
            : readInteger(bytes, start, end)
      const value = pseudonymNumber(pseudonymDigest(checked, dataClass, Buffer.from(canonical(digits))), size)
      if (isNumeric && format === 'binary') writeNumeric(out, value)
      else writeNumber(out, value, size, format === 'text')
      return REPLACED
    },
  }
}

/** Without zeros behind the point, which depend on the scale of the column. */
const canonical = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits)

const NUMERIC_NEGATIVE = 0x4000
/** What is no number has no digits, and says in its sign what it is. */
const NUMERIC_SPECIALS: ReadonlyMap<number, string> = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
])

/** As numeric_out writes it, except for the zeros that the scale demands. */
const readNumeric = (bytes: Buffer, start: number, end: number): string => {
  if (!isNumeric(bytes, start, end)) return ''
  const count = bytes.readUInt16BE(start)
  const weight = bytes.readInt16BE(start + 2)
  const sign = bytes.readUInt16BE(start + 4)
  const special = NUMERIC_SPECIALS.get(sign)
  if (special) return special
  const digitAt = (i: number) => (i >= 0 && i < count ? bytes.readUInt16BE(start + NUMERIC_HEADER + i * 2) : 0)
  const group = (i: number) => digitAt(i).toString().padStart(BASE_DIGITS, '0')
  const whole = Array.from({ length: Math.max(weight + 1, 1) }, (_, i) => (weight < 0 ? '0000' : group(i))).join('')
  const fraction = Array.from({ length: Math.max(count - weight - 1, 0) }, (_, i) => group(weight + 1 + i)).join('')
  const text = `${whole.replace(/^0+(?=\d)/, '')}.${fraction}`
  return `${sign === NUMERIC_NEGATIVE ? '-' : ''}${text.replace(/\.?0*$/, '') || '0'}`
}
