import { TOPICS, type Topic } from '@countersign/contracts'
import { CursorOutOfRangeError, LogUnavailableError, type Cursor, type LogRecord } from '../event-log.ts'
import type { KafkaClient, Source } from './client.ts'

/** Questions to the cluster that are answered once. Each rejects with `LogUnavailableError` when no broker answers. */
export interface Lookups {
  end(topic: Topic): Promise<Cursor>
  read(topic: Topic, from: Cursor, limit: number): Promise<readonly LogRecord[]>
  /** Resolves when the cluster answers at all. */
  probe(): Promise<void>
  close(): void
}

/** `brokers`: so many there are to be asked, one after the other, before the cluster counts as not answering. */
export const openLookups = (client: KafkaClient, name: string, brokers: number): Lookups => {
  let opened: Promise<Source> | undefined

  const ask = async <T>(question: (source: Source) => Promise<T>, left = brokers): Promise<T> => {
    const asked = (opened ??= client.openSource())
    try {
      return await question(await asked)
    } catch (error) {
      if (error instanceof CursorOutOfRangeError) throw error
      if (opened === asked) opened = undefined
      asked.then((source) => source.close()).catch(() => {})
      // The next source begins with another broker.
      if (left > 1) return ask(question, left - 1)
      throw new LogUnavailableError(`${name} does not answer: ${String(error)}`, { cause: error })
    }
  }

  return {
    end: (topic) => ask((source) => source.offsets(topic, 'end')),
    read: (topic, from, limit) => ask((source) => readUpTo(source, topic, from, limit)),
    probe: () => ask(async (source) => void (await source.leaders(TOPICS.access))),
    close: () => void opened?.then((source) => source.close()).catch(() => {}),
  }
}

/** What is there now, from the cursor on: one round of fetches after the other, until the end or the limit. */
const readUpTo = async (source: Source, topic: Topic, from: Cursor, limit: number): Promise<readonly LogRecord[]> => {
  const leaders = await source.leaders(topic)
  const [starts, ends] = await Promise.all([source.offsets(topic, 'start'), source.offsets(topic, 'end')])
  const next = new Map(
    Object.entries(ends).map(([p, end]) => [Number(p), startOf(topic, Number(p), from, starts, end)]),
  )
  const found: LogRecord[] = []

  const unread = (partitions: readonly number[]) =>
    Object.fromEntries(partitions.map((p) => [p, next.get(p) ?? 0] as const).filter(([p, at]) => at < (ends[p] ?? 0)))

  const round = async () => {
    const cursors = Array.from(leaders, ([leader, partitions]) => ({ leader, cursor: unread(partitions) }))
    const asked = cursors.filter(({ cursor }) => Object.keys(cursor).length > 0)
    const answers = await Promise.all(asked.map(({ leader, cursor }) => source.fetch(leader, topic, cursor)))
    for (const { partition, records, next: behind } of answers.flat()) {
      found.push(...records)
      next.set(partition, behind)
    }
    return asked.length > 0
  }

  while (found.length < limit && (await round()));
  return found.slice(0, limit)
}

const startOf = (topic: Topic, partition: number, from: Cursor, starts: Cursor, end: number): number => {
  const start = starts[partition] ?? 0
  const offset = from[partition] ?? start
  if (offset >= start && offset <= end) return offset
  throw new CursorOutOfRangeError(topic, { partition, offset }, { start, end })
}
