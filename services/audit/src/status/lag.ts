import type { Topic } from '@countersign/contracts'
import type { Cursor, EventLog } from '@countersign/eventlog'

/** How far the projection of a topic is behind the log. */
export interface Lag {
  readonly records: number
  /** The age of the oldest record that has not been written; 0 when all have been. */
  readonly seconds: number
}

export const lagOf = async (log: EventLog, topic: Topic, written: Cursor, nowMs: number): Promise<Lag> => {
  const end = await log.end(topic)
  const behind = Object.entries(end).flatMap(([partition, next]) => {
    const from = written[Number(partition)] ?? 0
    return next > from ? [{ records: next - from, cursor: { ...end, [partition]: from } }] : []
  })
  const ages = behind.map(({ cursor }) => ageAt(log, topic, cursor, nowMs))
  return {
    records: behind.reduce((sum, { records }) => sum + records, 0),
    seconds: Math.max(0, ...(await Promise.all(ages))),
  }
}

/** The age in seconds of the first record from there on; 0 when it does not say when it was written. */
const ageAt = async (log: EventLog, topic: Topic, cursor: Cursor, nowMs: number): Promise<number> => {
  const [first] = await log.read(topic, cursor, 1)
  const writtenAt = Date.parse(first?.headers['ce_time'] ?? '')
  return isNaN(writtenAt) ? 0 : (nowMs - writtenAt) / 1000
}
