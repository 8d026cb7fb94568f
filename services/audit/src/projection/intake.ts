import type { Topic } from '@countersign/contracts'
import { after, type Cursor, type EventLog, type LogRecord, type Subscription } from '@countersign/eventlog'
import type { Positions } from '../store/positions.ts'

const RECORDS_MAX = 2_000
const BYTES_MAX = 3 * 1024 * 1024
const RESUBSCRIBE_MS = 1_000

export interface Intake {
  /** Resolves when there is something to take, or when the signal says to stop waiting. */
  ready(signal: AbortSignal): Promise<void>
  /** What has arrived, up to what makes a good batch. */
  take(): readonly LogRecord[]
  close(): Promise<void>
}

/**
 * Follows topics from the given positions and holds what arrives until it is taken. It holds about one batch more than
 * is being worked on and then lets the log wait, so that memory stays bounded however far behind we are.
 *
 * `told` hears when a topic cannot be read, with the error, and when it can be again, without.
 */
export const openIntake = (
  log: EventLog,
  topics: readonly Topic[],
  from: Positions,
  told: (topic: Topic, error?: unknown) => void,
): Intake => {
  const held: LogRecord[] = []
  const arrived = signalling()
  const taken = signalling()
  const closed = new AbortController()

  const keep = async (records: readonly LogRecord[]): Promise<void> => {
    for (const record of records) held.push(record)
    arrived.wake()
    while (isFull(held) && !closed.signal.aborted) await taken.next(closed.signal)
  }
  const followers = topics.map((topic) => follow(log, topic, from[topic] ?? {}, keep, told, closed.signal))

  return {
    ready: async (signal) => {
      while (held.length === 0 && !signal.aborted) await arrived.next(signal)
    },
    take: () => {
      const records = held.splice(0, batchLength(held))
      taken.wake()
      return records
    },
    close: async () => {
      closed.abort()
      await Promise.all(followers.map((follower) => follower()))
    },
  }
}

/** Subscribes, and when the subscription fails, again after a while from where it had got to. Returns how to stop. */
const follow = (
  log: EventLog,
  topic: Topic,
  from: Cursor,
  keep: (records: readonly LogRecord[]) => Promise<void>,
  told: (topic: Topic, error?: unknown) => void,
  closed: AbortSignal,
): (() => Promise<void>) => {
  let cursor = from
  let subscription: Subscription
  let again: NodeJS.Timeout | undefined
  const handle = async (records: readonly LogRecord[]): Promise<void> => {
    cursor = records.reduce(after, cursor)
    told(topic)
    await keep(records)
  }
  const failed = (error: unknown): void => {
    told(topic, error)
    if (!closed.aborted) again = setTimeout(subscribe, RESUBSCRIBE_MS)
  }
  const subscribe = (): void => {
    subscription = log.subscribe(topic, cursor, handle, failed)
  }
  subscribe()
  return () => {
    clearTimeout(again)
    return subscription.close()
  }
}

const isFull = (held: readonly LogRecord[]): boolean => held.length > batchLength(held)

const batchLength = (held: readonly LogRecord[]): number => {
  let bytes = 0
  for (const [i, { value }] of held.entries()) {
    bytes += value.byteLength
    // One record at least, however large it is.
    if (i === RECORDS_MAX || (i > 0 && bytes > BYTES_MAX)) return i
  }
  return held.length
}

/** Something to wait for that happens again and again. */
const signalling = () => {
  let waiting: (() => void)[] = []
  return {
    wake: () => {
      for (const resolve of waiting.splice(0)) resolve()
    },
    next: (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        if (signal.aborted) return resolve()
        const wake = () => {
          signal.removeEventListener('abort', wake)
          resolve()
        }
        signal.addEventListener('abort', wake, { once: true })
        waiting = [...waiting, wake]
      }),
  }
}
