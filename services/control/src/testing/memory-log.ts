import { setTimeout as sleep } from 'node:timers/promises'
import type { Topic } from '@countersign/contracts'
import {
  LogUnavailableError,
  type Cursor,
  type EventLog,
  type LogRecord,
  type NewRecord,
  type Position,
  type Subscription,
} from '@countersign/eventlog'

/** A log for specs: in memory, with partitions, and it can be taken away. */
export class MemoryLog implements EventLog {
  readonly #topics = new Map<Topic, LogRecord[][]>()
  readonly #bells = new Set<() => void>()
  readonly #partitions: number
  available = true
  /** Topics that take nothing, while the others do. */
  readonly closed = new Set<Topic>()

  constructor(partitions = 1) {
    this.#partitions = partitions
  }

  async append(topic: Topic, record: NewRecord): Promise<Position> {
    await this.check()
    if (this.closed.has(topic)) throw new LogUnavailableError(`${topic} is closed by the spec`)
    return this.put(topic, record, hashOf(record.key) % this.#partitions)
  }

  /** At once, into a partition of one's choice. */
  put(topic: Topic, record: NewRecord, partition = 0): Position {
    const records = this.#records(topic, partition)
    const position = { partition, offset: records.length }
    records.push({ ...record, topic, ...position })
    for (const ring of this.#bells) ring()
    return position
  }

  async read(topic: Topic, from: Cursor, limit: number): Promise<readonly LogRecord[]> {
    return this.all(topic)
      .filter(({ partition, offset }) => offset >= (from[partition] ?? 0))
      .slice(0, limit)
  }

  async end(topic: Topic): Promise<Cursor> {
    await this.check()
    return Object.fromEntries(this.#of(topic).map((records, partition) => [partition, records.length]))
  }

  subscribe(
    topic: Topic,
    from: Cursor,
    handler: (records: readonly LogRecord[]) => void | Promise<void>,
    failed: (error: unknown) => void,
  ): Subscription {
    const closing = new AbortController()
    const cursor: Record<number, number> = { ...from }
    const run = async () => {
      while (!closing.signal.aborted) {
        const records = await this.read(topic, cursor, 100)
        if (records.length === 0) {
          await this.#rung()
          continue
        }
        await handler(records)
        for (const { partition, offset } of records) cursor[partition] = offset + 1
      }
    }
    const running = run().catch(failed)
    return {
      close: async () => {
        closing.abort()
        for (const ring of this.#bells) ring()
        await running
      },
    }
  }

  async check(): Promise<void> {
    await sleep(0)
    if (!this.available) throw new LogUnavailableError('taken away by the spec')
  }

  async close(): Promise<void> {}

  all(topic: Topic): readonly LogRecord[] {
    return this.#of(topic).flat()
  }

  #of(topic: Topic): LogRecord[][] {
    return Array.from({ length: this.#partitions }, (_, partition) => this.#records(topic, partition))
  }

  #records(topic: Topic, partition: number): LogRecord[] {
    const partitions = this.#topics.get(topic) ?? Array.from({ length: this.#partitions }, () => [])
    this.#topics.set(topic, partitions)
    const records = partitions[partition]
    if (!records) throw new RangeError(`no partition ${partition}`)
    return records
  }

  #rung(): Promise<void> {
    return new Promise((resolve) => {
      const ring = () => {
        this.#bells.delete(ring)
        resolve()
      }
      this.#bells.add(ring)
    })
  }
}

const hashOf = (key: string): number => [...key].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) >>> 0, 7)
