import {
  LogUnavailableError,
  RECORD_BYTES_MAX,
  RecordTooLargeError,
  type LogRecord,
  type NewRecord,
  type Position,
  type Subscription,
} from '../event-log.ts'
import { subscriptionOver, type Handler } from '../subscription.ts'
import { followTopic } from './follow-topic.ts'
import { placeOf } from './place.ts'
import type { TopicFile } from './topic-file.ts'
import { openTopicReader } from './topic-reader.ts'
import { openTopicWriter } from './topic-writer.ts'

/** One topic of the embedded log, as one process uses it. The writing thread starts with the first append. */
export interface OpenTopic {
  append(record: NewRecord): Promise<Position>
  read(from: number, limit: number): readonly LogRecord[]
  end(): number
  subscribe(from: number, handler: Handler, failed: (error: unknown) => void): Subscription
  /** Throws `LogUnavailableError` with the reason why an append would be refused. */
  check(): void
  close(): Promise<void>
}

/** Of one `read`, which is meant for few records: whoever wants them all subscribes. */
const READ_BYTES_MAX = 64 * 1024 * 1024

export const openTopic = (file: TopicFile): OpenTopic => {
  const sleepers = new Set<() => void>()
  const reader = openTopicReader(file)
  const writer = openTopicWriter(file, () => sleepers.forEach((wake) => wake()))
  const subscriptions = new Set<Subscription>()

  const append = (record: NewRecord): Promise<Position> => {
    const bytes = record.value.byteLength
    if (bytes > RECORD_BYTES_MAX) return Promise.reject(new RecordTooLargeError(file.topic, bytes))
    return writer.append(record)
  }

  const subscribe = (from: number, handler: Handler, failed: (error: unknown) => void): Subscription => {
    const subscription = subscriptionOver(followTopic(file, from, sleepers), handler, failed)
    subscriptions.add(subscription)
    return subscription
  }

  const check = () => {
    writer.check()
    placeOf(file)
    if (reader.end() < writer.end())
      throw new LogUnavailableError(`${file.path} is older than it was; restore the rest`)
  }

  const close = async () => {
    await Promise.all([writer.close(), ...Array.from(subscriptions, (subscription) => subscription.close())])
    reader.close()
  }

  const read = (from: number, limit: number) => reader.read(from, limit, READ_BYTES_MAX)
  return { append, read, end: reader.end, subscribe, check, close }
}
