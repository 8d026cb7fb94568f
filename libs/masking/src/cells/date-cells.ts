import { yearOfDays, yearOfMicroseconds, yearOfText } from '../values/year.ts'
import { NULLED, REPLACED, type CellMask } from './cell-mask.ts'

/**
 * A date or a time in text, in any of the server's styles, as the first of January of its year. What cannot be read
 * (infinity, the wordy `Postgres` style of timestamps) becomes NULL.
 */
export const textDateCell: CellMask = {
  apply: (bytes, start, end, out) => {
    const year = yearOfText(bytes.toString('latin1', start, end))
    if (year === undefined) return NULLED
    out.ascii(year)
    return REPLACED
  },
}

/** The zero of the type, in the style of the value: clients read dates in the style that the session is set to. */
export const zeroTextDateCell = (zero: string): CellMask => ({
  apply: (bytes, start, end, out) => {
    const text = bytes.toString('latin1', start, end)
    const year = text.endsWith('infinity') ? zero : yearOfText(text)
    if (year === undefined) return NULLED
    out.ascii(year.replace(/\d{4,6}/, '2000').replace(' BC', ''))
    return REPLACED
  },
})

/** SPEC: PostgreSQL date_send: days since 2000-01-01, Int32. */
export const binaryDateCell: CellMask = {
  apply: (bytes, start, end, out) => {
    const year = end - start === 4 ? yearOfDays(bytes.readInt32BE(start)) : undefined
    if (year === undefined) return NULLED
    out.int32(year)
    return REPLACED
  },
}

/** SPEC: PostgreSQL timestamp_send, timestamptz_send: microseconds since 2000-01-01 (UTC), Int64. */
export const binaryTimestampCell: CellMask = {
  apply: (bytes, start, end, out) => {
    const year = end - start === 8 ? yearOfMicroseconds(bytes.readBigInt64BE(start)) : undefined
    if (year === undefined) return NULLED
    out.int32(Number(BigInt.asIntN(32, year >> 32n)))
    out.int32(Number(BigInt.asIntN(32, year)))
    return REPLACED
  },
}
