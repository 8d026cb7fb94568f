import { setImmediate as yielded } from 'node:timers/promises'
import { LogUnavailableError, type LogRecord } from '../event-log.ts'
import type { Follower } from '../subscription.ts'
import { openAlarm } from './alarm.ts'
import type { TopicFile } from './topic-file.ts'
import { openTopicReader, type TopicReader } from './topic-reader.ts'

/** What one call of a handler gets at most: enough to be quick, little enough not to hold up the event loop. */
const DELIVERY_RECORDS_MAX = 512
const DELIVERY_BYTES_MAX = 1024 * 1024

/** Those of this process who wait for a topic, to be woken as soon as this process has written to it. */
export type Sleepers = Set<() => void>

/** Follows one topic from an offset on, for ever. */
export const followTopic = (file: TopicFile, from: number, sleepers: Sleepers): Follower => {
  const reader = openTopicReader(file)
  const alarm = openAlarm(file.bell)
  sleepers.add(alarm.ring)
  let next = from

  const nextRecords = async (signal: AbortSignal): Promise<readonly LogRecord[]> => {
    // The event loop gets its turn between two deliveries, however much there is to deliver.
    await yielded()
    while (!signal.aborted) {
      alarm.clear()
      const records = readFrom(reader, next)
      const last = records.at(-1)
      if (last) {
        next = last.offset + 1
        return records
      }
      await alarm.rung()
    }
    return []
  }

  return {
    next: (signal) => {
      signal.addEventListener('abort', alarm.ring, { once: true })
      return nextRecords(signal)
    },
    close: () => {
      sleepers.delete(alarm.ring)
      alarm.close()
      reader.close()
    },
  }
}

/** A log that cannot be reached is waited for; one that does not hold what the cursor says is an error. */
const readFrom = (reader: TopicReader, next: number): readonly LogRecord[] => {
  try {
    return reader.read(next, DELIVERY_RECORDS_MAX, DELIVERY_BYTES_MAX)
  } catch (error) {
    if (error instanceof LogUnavailableError) return []
    throw error
  }
}
