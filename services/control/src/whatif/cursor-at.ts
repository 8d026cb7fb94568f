import type { Topic } from '@countersign/contracts'
import { CursorOutOfRangeError, type Cursor, type EventLog } from '@countersign/eventlog'

/**
 * A cursor before all that was recorded from this moment on, and not much before: found by halving, because the log
 * has no index of times. Writers' clocks may differ, so callers take an earlier moment than they mean.
 */
export const cursorAt = async (log: EventLog, topic: Topic, time: string): Promise<Cursor> => {
  const end = await log.end(topic)
  const cursor: Record<number, number> = {}
  for (const partition of Object.keys(end).map(Number))
    cursor[partition] = await firstSince(log, topic, end, partition, time)
  return cursor
}

const firstSince = async (log: EventLog, topic: Topic, end: Cursor, partition: number, time: string) => {
  let [low, high] = [0, end[partition] ?? 0]
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    if (await isBefore(log, topic, { ...end, [partition]: middle }, time)) low = middle + 1
    else high = middle
  }
  return low
}

/** What was dropped because it is old is before. */
const isBefore = async (log: EventLog, topic: Topic, at: Cursor, time: string): Promise<boolean> => {
  try {
    const [record] = await log.read(topic, at, 1)
    return record !== undefined && (record.headers['ce_time'] ?? '') < time
  } catch (error) {
    if (error instanceof CursorOutOfRangeError) return true
    throw error
  }
}
