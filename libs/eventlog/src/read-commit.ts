import { createHash } from 'node:crypto'
import {
  decodeCommit,
  MalformedCommitError,
  MalformedEventError,
  UnknownEventError,
  type Commit,
  type StoredEvent,
  type Topic,
} from '@countersign/contracts'
import type { LogRecord, Position } from './event-log.ts'

/** What could not be read. The bytes stay where they are, in the log; this says where, and why. */
export interface Quarantined extends Position {
  readonly topic: Topic
  /** Which event of the record, counted from 0; absent when the record as a whole cannot be read. */
  readonly index?: number
  readonly type?: string
  readonly version?: number
  readonly because: string
  /** SHA-256 over the record's value, in hexadecimal. */
  readonly digest: string
  readonly bytes: number
}

export type Quarantine = (found: Quarantined) => void

/** The commit in a record, or undefined when there is none to be read. */
export const commitIn = (record: LogRecord, quarantine: Quarantine): Commit | undefined => {
  try {
    return decodeCommit(record.value)
  } catch (error) {
    quarantine({ ...described(record), because: reasonOf(error) })
    return undefined
  }
}

/** Those events of a commit that today's code can read. The others are told of, one by one. */
export const eventsIn = <Event>(
  { events }: Commit,
  record: LogRecord,
  read: (stored: StoredEvent) => Event,
  quarantine: Quarantine,
): readonly Event[] =>
  events.flatMap((stored, index) => {
    try {
      return [read(stored)]
    } catch (error) {
      const { type, version } = stored
      quarantine({ ...described(record), index, type, version, because: reasonOf(error) })
      return []
    }
  })

const described = ({ topic, partition, offset, value }: LogRecord) => ({
  topic,
  partition,
  offset,
  digest: createHash('sha256').update(value).digest('hex'),
  bytes: value.byteLength,
})

/** Only these errors are known to name fields and never values. */
const reasonOf = (error: unknown): string =>
  error instanceof MalformedCommitError || error instanceof MalformedEventError || error instanceof UnknownEventError
    ? error.message
    : `its reader failed with ${error instanceof Error ? error.name : typeof error}`
