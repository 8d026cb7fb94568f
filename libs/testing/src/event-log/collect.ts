import type { Topic } from '@countersign/contracts'
import type { Cursor, EventLog, LogRecord } from '@countersign/eventlog'

/** Everything that a subscription delivers. */
export interface Collected {
  readonly records: readonly LogRecord[]
  /** The sizes of the deliveries, in order. */
  readonly deliveries: readonly number[]
  /** Resolves when what has come satisfies the condition; rejects when the subscription fails. */
  until(done: (records: readonly LogRecord[]) => boolean): Promise<readonly LogRecord[]>
  close(): Promise<void>
}

export const collect = (log: EventLog, topic: Topic, from: Cursor, key?: string): Collected => {
  const records: LogRecord[] = []
  const deliveries: number[] = []
  let failure: { readonly error: unknown } | undefined
  const waiting = new Set<() => void>()
  const tell = () => waiting.forEach((look) => look())

  const subscription = log.subscribe(
    topic,
    from,
    (delivered) => {
      deliveries.push(delivered.length)
      records.push(...delivered.filter((record) => key === undefined || record.key === key))
      tell()
    },
    (error) => {
      failure = { error }
      tell()
    },
  )

  const until = (done: (records: readonly LogRecord[]) => boolean) =>
    new Promise<readonly LogRecord[]>((resolve, reject) => {
      const look = () => {
        if (!failure && !done(records)) return
        waiting.delete(look)
        if (failure) reject(failure.error)
        else resolve(records)
      }
      waiting.add(look)
      look()
    })

  return { records, deliveries, until, close: () => subscription.close() }
}
