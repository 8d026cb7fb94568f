import { TOPICS } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'

/** FORMAT resume/1: a header of records in cs.approvals, a cursor of cs.access as JSON. */
const HEADER = 'cs-access-cursor'

/**
 * How far cs.access has been dealt with, kept in cs.approvals itself: every commit there says from where on reading
 * cs.access again would yield something new. So it is as durable as what it speaks of, no file can be lost or go
 * stale, and a replica that starts anew profits from what the others did.
 */
export class ResumePoint {
  #cursor: Record<number, number> = {}

  /** Where to start. Complete once cs.approvals has been read to its end through `through`. */
  get cursor(): Cursor {
    return this.#cursor
  }

  /** The log, with the resume point written into and read from each record of cs.approvals that passes. */
  through(log: EventLog, current: () => Cursor): EventLog {
    return {
      append: (topic, record) =>
        log.append(
          topic,
          topic === TOPICS.approvals
            ? { ...record, headers: { ...record.headers, [HEADER]: JSON.stringify(current()) } }
            : record,
        ),
      read: (topic, from, limit) => log.read(topic, from, limit),
      end: (topic) => log.end(topic),
      subscribe: (topic, from, handler, failed) =>
        log.subscribe(
          topic,
          from,
          (records) => {
            if (topic === TOPICS.approvals) for (const record of records) this.#note(record)
            return handler(records)
          },
          failed,
        ),
      check: () => log.check(),
      close: () => log.close(),
    }
  }

  /** Each is true for itself, so of several the furthest holds for each partition. */
  #note({ headers }: LogRecord): void {
    for (const [partition, offset] of entriesOf(headers[HEADER])) {
      this.#cursor[partition] = Math.max(this.#cursor[partition] ?? 0, offset)
    }
  }
}

/** Whatever is not a cursor counts for nothing: reading from further back is slower and never wrong. */
const entriesOf = (header: string | undefined): readonly (readonly [number, number])[] => {
  if (header === undefined) return []
  try {
    const parsed: unknown = JSON.parse(header)
    const entries = typeof parsed === 'object' && parsed !== null ? Object.entries(parsed) : []
    return entries.map(([partition, offset]) => [Number(partition), Number(offset)] as const).filter(isPosition)
  } catch {
    return []
  }
}

const isPosition = ([partition, offset]: readonly [number, number]) =>
  Number.isSafeInteger(partition) && partition >= 0 && Number.isSafeInteger(offset) && offset >= 0
