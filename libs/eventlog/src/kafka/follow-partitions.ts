import { setTimeout as sleep } from 'node:timers/promises'
import type { Topic } from '@countersign/contracts'
import { CursorOutOfRangeError, type Cursor, type LogRecord } from '../event-log.ts'
import { orAborted } from '../or-aborted.ts'
import type { Follower } from '../subscription.ts'
import type { Fetched, KafkaClient, Source } from './client.ts'

/** Between two attempts to reach a broker that does not answer. */
const RETRY_MS = 200
/** How often to ask who leads which partition, and whether there are new ones. */
const LEADERS_HOLD_MS = 10_000
const DELIVERY_RECORDS_MAX = 512

interface Answer {
  readonly leader: string
  readonly fetched: readonly Fetched[]
}

/** Follows all partitions of a topic from a cursor on, for ever: one fetch at a time with each broker that leads some. */
export const followPartitions = (client: KafkaClient, topic: Topic, from: Cursor): Follower => {
  const reader = openReader(client, topic, new Map(Object.entries(from).map(([p, offset]) => [Number(p), offset])))
  let fetched: LogRecord[] = []

  const more = async (signal: AbortSignal): Promise<LogRecord[]> => {
    try {
      return await reader.more(signal)
    } catch (error) {
      if (error instanceof CursorOutOfRangeError) throw error
      reader.reset()
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      return []
    }
  }

  return {
    next: async (signal) => {
      if (fetched.length === 0) fetched = await more(signal)
      return fetched.splice(0, DELIVERY_RECORDS_MAX)
    },
    close: reader.reset,
  }
}

const openReader = (client: KafkaClient, topic: Topic, next: Map<number, number>) => {
  let source: Source | undefined
  let leaders: ReadonlyMap<string, readonly number[]> = new Map()
  let askedAt = -Infinity
  const underWay = new Map<string, Promise<Answer>>()

  const reset = () => {
    source?.close()
    source = undefined
    askedAt = -Infinity
    underWay.clear()
  }

  /** A partition that the cursor did not name is read from its start. */
  const askLeaders = async (source: Source) => {
    if (performance.now() - askedAt < LEADERS_HOLD_MS) return
    leaders = await source.leaders(topic)
    const unknown = Array.from(leaders.values())
      .flat()
      .some((partition) => !next.has(partition))
    if (unknown) {
      const starts = await source.offsets(topic, 'start')
      for (const [p, start] of Object.entries(starts)) if (!next.has(Number(p))) next.set(Number(p), start)
    }
    askedAt = performance.now()
  }

  const fetchFrom = async (source: Source, leader: string, partitions: readonly number[]): Promise<Answer> => {
    const cursor = Object.fromEntries(partitions.map((partition) => [partition, next.get(partition) ?? 0]))
    return { leader, fetched: await source.fetch(leader, topic, cursor) }
  }

  const take = async (source: Source, { partition, outOfRange, records, next: behind }: Fetched) => {
    const at = next.get(partition) ?? 0
    if (outOfRange) await checkRange(source, topic, partition, at)
    next.set(partition, Math.max(at, behind))
    // While a partition moves between brokers it may be fetched from both.
    return records.filter(({ offset }) => offset >= at)
  }

  const more = async (signal: AbortSignal): Promise<LogRecord[]> => {
    source ??= await client.openSource()
    const open = source
    await askLeaders(open)
    for (const [leader, partitions] of leaders) {
      if (!underWay.has(leader)) underWay.set(leader, fetchFrom(open, leader, partitions))
    }
    const answer = await orAborted(Promise.race(underWay.values()), signal)
    if (!answer) return []
    underWay.delete(answer.leader)
    return (await Promise.all(answer.fetched.map((fetched) => take(open, fetched)))).flat()
  }

  return { more, reset }
}

/** Throws `CursorOutOfRangeError` unless the partition holds the offset after all, as it may right after a failure. */
const checkRange = async (source: Source, topic: Topic, partition: number, offset: number): Promise<void> => {
  const [starts, ends] = await Promise.all([source.offsets(topic, 'start'), source.offsets(topic, 'end')])
  const [start = 0, end = 0] = [starts[partition], ends[partition]]
  if (offset < start || offset > end) throw new CursorOutOfRangeError(topic, { partition, offset }, { start, end })
  throw new Error(`${topic}/${partition} does not give ${offset} just now`)
}
