import type { Topic } from '@countersign/contracts'

/** Where a record lies. Offsets rise within a partition; between partitions there is no order. */
export interface Position {
  readonly partition: number
  readonly offset: number
}

/** For each partition the offset to read next. A partition that is not named is read from its start. */
export type Cursor = Readonly<Record<number, number>>

export interface NewRecord {
  /** Records of one key keep their order. */
  readonly key: string
  readonly headers: Readonly<Record<string, string>>
  readonly value: Uint8Array
}

export interface LogRecord extends NewRecord, Position {
  readonly topic: Topic
}

export interface Subscription {
  /** Resolves when the handler has returned for the last time; so the handler itself must not wait for it. */
  close(): Promise<void>
}

/**
 * The record of everything, as a port: an ordered, durable, append-only log of topics.
 *
 * Two adapters keep this promise and pass one contract suite (`eventLogContract` in libs/testing): `embedded` for one machine,
 * `kafka` for everything beyond.
 */
export interface EventLog {
  /**
   * Resolves once the record is durable: from then on no crash loses it and every reader sees it, whole.
   *
   * Rejects with `LogUnavailableError` when it cannot be made durable within 700 ms, and with `RecordTooLargeError`.
   * A refused record may yet appear; whoever tries again with the same commit is safe, because the second copy is
   * void (`accepts`). The value's bytes are not to be changed before the promise has settled.
   */
  append(topic: Topic, record: NewRecord): Promise<Position>

  /** Up to `limit` records from the cursor on, in order within each partition. For few; to read much, subscribe. */
  read(topic: Topic, from: Cursor, limit: number): Promise<readonly LogRecord[]>

  /** The cursor behind the last record that is durable now. */
  end(topic: Topic): Promise<Cursor>

  /**
   * Calls the handler with every record from the cursor on, those to come included, one call at a time, in order
   * within each partition. While the handler's promise is pending nothing more is delivered. An unreachable log is
   * waited for. When the handler throws, or the cursor lies outside of the log (`CursorOutOfRangeError`), delivery
   * ends and `failed` is called: a reader that cannot read must stop, not skip.
   */
  subscribe(
    topic: Topic,
    from: Cursor,
    handler: (records: readonly LogRecord[]) => void | Promise<void>,
    failed: (error: unknown) => void,
  ): Subscription

  /** Resolves when an append would be tried now; rejects with `LogUnavailableError` and the reason when not. */
  check(): Promise<void>

  /** Lets appends under way end, stops subscriptions, frees everything. */
  close(): Promise<void>
}

/** The log cannot be used now. The caller refuses what depends on it. `reason` names the thing and the remedy. */
export class LogUnavailableError extends Error {
  readonly code = 'EVENTLOG_UNAVAILABLE'
  readonly reason: string

  constructor(reason: string, options?: ErrorOptions) {
    super(`the event log cannot be used: ${reason}`, options)
    this.name = 'LogUnavailableError'
    this.reason = reason
  }
}

/** The cursor does not lie within the log: records before it were dropped, or it comes from another log. */
export class CursorOutOfRangeError extends Error {
  readonly code = 'EVENTLOG_CURSOR_OUT_OF_RANGE'

  constructor(topic: Topic, { partition, offset }: Position, range: { readonly start: number; readonly end: number }) {
    super(
      `${topic}/${partition} cannot be read from ${offset}: it holds ${range.start} to ${range.end}; ` +
        'restore what is missing, or read it from the start',
    )
    this.name = 'CursorOutOfRangeError'
  }
}

/** More bytes than a record may have in any adapter, so that what one takes the other takes too. */
export class RecordTooLargeError extends Error {
  readonly code = 'EVENTLOG_RECORD_TOO_LARGE'

  constructor(topic: Topic, bytes: number) {
    super(`a record for ${topic} has ${bytes} bytes, and ${RECORD_BYTES_MAX} are allowed; split it`)
    this.name = 'RecordTooLargeError'
  }
}

/** A statement of the largest allowed size, sealed and in base 64, with room for its events. */
export const RECORD_BYTES_MAX = 32 * 1024 * 1024

/** The cursor behind a record, given the one before it. */
export const after = (cursor: Cursor, { partition, offset }: Position): Cursor => ({
  ...cursor,
  [partition]: offset + 1,
})
