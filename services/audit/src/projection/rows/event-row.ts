import type { Commit, StoredEvent } from '@countersign/contracts'
import type { LogRecord } from '@countersign/eventlog'
import { createHash } from 'node:crypto'
import { clickhouseTime } from '../place.ts'

export type EventRow = Readonly<ReturnType<typeof eventRow>>
export type QuarantineRow = Readonly<ReturnType<typeof quarantineRow>>

export interface Flags {
  readonly void: boolean
  readonly quarantined: boolean
}

/** An event as it lies in the log. */
export const eventRow = (record: LogRecord, commit: Commit, index: number, event: StoredEvent, flags: Flags) => ({
  ...placeColumns(record, index),
  source: record.headers['ce_source'] ?? '',
  stream: commit.stream,
  revision: commit.revision,
  commit_id: commit.commitId as string,
  type: event.type,
  version: event.version,
  data: JSON.stringify(event.data) ?? 'null',
  ...flags,
})

/** A record that could not be read still takes its place, so that no offset is missing. */
export const unreadableRow = (record: LogRecord): EventRow => ({
  ...placeColumns(record, 0),
  source: record.headers['ce_source'] ?? '',
  stream: '',
  revision: 0,
  commit_id: '',
  type: '',
  version: 0,
  data: '',
  void: false,
  quarantined: true,
})

/** What nobody can read, and where it lies: one event, or the whole record (index -1). */
export interface Unreadable {
  readonly index: number
  readonly stream: string
  readonly type: string
  readonly version: number
  readonly because: string
}

export const quarantineRow = (record: LogRecord, { index, stream, type, version, because }: Unreadable) => ({
  ...placeColumns(record, index),
  stream,
  type,
  version,
  because,
  record_key: record.key,
  headers: record.headers,
  digest: createHash('sha256').update(record.value).digest('hex'),
  bytes: record.value.byteLength,
  _value_base64: Buffer.from(record.value).toString('base64'),
})

const placeColumns = (record: LogRecord, index: number) => ({
  topic: record.topic as string,
  partition: record.partition,
  offset: record.offset,
  event_index: index,
  time: timeOf(record),
})

const EPOCH = '1970-01-01T00:00:00.000Z'

/** What the record's header says, if it says a time: its writer's clock, not ours. */
const timeOf = ({ headers }: LogRecord): string => {
  const time = headers['ce_time'] ?? ''
  return clickhouseTime(
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(time) && !isNaN(Date.parse(time)) ? time : EPOCH,
  )
}
