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
  /** Resolves when the handler has returned for the last time. */
  close(): Promise<void>
}

/**
 * The record of everything, as a port: an ordered, durable, append-only log of topics.
 *
 * Two adapters keep this promise and pass one contract suite (`contract-suite.ts`): `embedded` for one machine,
 * `kafka` for everything beyond.
 */
export interface EventLog {
  /**
   * Resolves once the record is durable: from then on no crash loses it and every reader sees it, whole.
   *
   * Rejects with `LogUnavailableError` when it cannot be made durable within the adapter's deadline. The record may
   * yet appear; whoever tries again with the same commit is safe, because the second copy is void (`accepts`).
   */
  append(topic: Topic, record: NewRecord): Promise<Position>

  /** Up to `limit` records from the cursor on, in order within each partition. */
  read(topic: Topic, from: Cursor, limit: number): Promise<readonly LogRecord[]>

  /** The cursor behind the last record that is durable now. */
  end(topic: Topic): Promise<Cursor>

  /**
   * Calls the handler with every record from the cursor on, those to come included, one call at a time, in order
   * within each partition. While the handler's promise is pending nothing more is delivered. An unreachable log is
   * waited for. When the handler throws, delivery ends and `failed` is called: a reader that cannot read must stop,
   * not skip.
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

/** The log cannot take a record now. The caller refuses what depends on it. */
export class LogUnavailableError extends Error {
  readonly code = 'EVENTLOG_UNAVAILABLE'

  constructor(reason: string, options?: ErrorOptions) {
    super(`the event log cannot be written: ${reason}`, options)
    this.name = 'LogUnavailableError'
  }
}

/** The cursor behind a record, given the one before it. */
export const after = (cursor: Cursor, { partition, offset }: Position): Cursor => ({
  ...cursor,
  [partition]: offset + 1,
})
