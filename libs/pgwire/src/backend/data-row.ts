import { Body, HEADER_BYTES } from '../body.ts'
import { BACKEND } from '../tags.ts'
import { int16, int32, message } from '../message.ts'

/*
 * DataRow => 'D' length [value]
 *   value => Int32 length (-1: NULL), then that many bytes; counted by the Int16 before them
 */

export const dataRow = (values: readonly (string | null)[]): Buffer =>
  message(BACKEND.dataRow, int16(values.length), Buffer.concat(values.flatMap(valueOf)))

const valueOf = (value: string | null): Buffer[] => {
  if (value === null) return [int32(-1)]
  const bytes = Buffer.from(value, 'utf8')
  return [int32(bytes.length), bytes]
}

/** The values of one row. They share memory with the message. */
export const readDataRow = (bytes: Buffer, start: number, end: number): readonly (Buffer | null)[] => {
  const body = new Body(bytes, start + HEADER_BYTES, end)
  const values = body.list(() => body.value())
  body.end()
  return values
}
