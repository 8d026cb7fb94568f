import { AppendQueue } from '../append-queue.ts'
import { LogUnavailableError, RECORD_BYTES_MAX, RecordTooLargeError, type Position } from '../event-log.ts'
import type { Addressed, Sink } from './client.ts'
import type { Reconnecting } from './reconnecting.ts'

/** Beyond a try of the client's own, below the second within which callers must know. */
const DEADLINE_MS = 700

export interface Writer {
  append(record: Addressed): Promise<Position>
  /** Throws `LogUnavailableError` with the reason why an append would be refused. */
  check(): void
  close(): Promise<void>
}

/**
 * Appends to all topics, one request at a time, each with everything that waits. So records of one key keep their
 * order, and the client's cost per request is shared.
 */
export const openWriter = (sink: Reconnecting<Sink>, name: string): Writer => {
  const connected = (): Sink => {
    const open = sink.current()
    if (!open) throw new LogUnavailableError(`${name} does not answer: ${sink.reason()}`)
    return open
  }

  const commit = async (records: readonly Addressed[]): Promise<readonly Position[]> => {
    const open = connected()
    try {
      return await open.send(records)
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      sink.fail(open, reason)
      throw new LogUnavailableError(`${name} has not taken it: ${reason}`, { cause: error })
    }
  }

  const queue = new AppendQueue<Addressed>({
    commit,
    bytesOf: ({ value }) => value.byteLength,
    batchItemsMax: 500,
    // Below the limit that topics have when somebody else has made them.
    batchBytesMax: 900_000,
    deadlineMs: DEADLINE_MS,
    name,
    onLate: ({ reason }) => {
      const open = sink.current()
      if (open) sink.fail(open, reason)
    },
  })

  return {
    append: (record) => {
      const bytes = record.value.byteLength
      if (bytes > RECORD_BYTES_MAX) return Promise.reject(new RecordTooLargeError(record.topic, bytes))
      return queue.append(record)
    },
    check: () => {
      queue.check()
      connected()
    },
    close: () => queue.close(),
  }
}
