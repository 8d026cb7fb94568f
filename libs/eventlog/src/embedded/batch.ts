import type { NewRecord } from '../event-log.ts'

/** A record as it is stored: with its headers as JSON. */
export interface Row {
  readonly key: string
  readonly headers: string
  readonly value: Uint8Array
}

/** Records that are committed together, on their way to the thread that does it. */
export type Batch = readonly Row[]

export const batchOf = (records: readonly NewRecord[]): Batch =>
  records.map(({ key, headers, value }) => ({ key, headers: JSON.stringify(headers), value: alone(value) }))

/** A view goes to another thread with all of the memory that it looks into, so one into a pool goes as a copy. */
const alone = (value: Uint8Array): Uint8Array =>
  value.byteLength === value.buffer.byteLength ? value : new Uint8Array(value)
