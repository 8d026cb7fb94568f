import type { Topic } from '@countersign/contracts'
import { after, type Cursor, type EventLog, type LogRecord, type Subscription } from '@countersign/eventlog'

/** Reads a topic from a cursor on, for ever, and knows how far it has come. */
export class Follower {
  readonly #log: EventLog
  readonly #topic: Topic
  readonly #subscription: Subscription
  #cursor: Cursor
  #waiting: { readonly end: Cursor; readonly resolve: () => void }[] = []

  constructor(
    log: EventLog,
    topic: Topic,
    handle: (records: readonly LogRecord[]) => void | Promise<void>,
    failed: (error: unknown) => void,
    from: Cursor = {},
  ) {
    this.#log = log
    this.#topic = topic
    this.#cursor = from
    this.#subscription = log.subscribe(
      topic,
      from,
      async (records) => {
        await handle(records)
        this.#passed(records)
      },
      failed,
    )
  }

  /** Everything before it has been handled. */
  get cursor(): Cursor {
    return this.#cursor
  }

  /** Resolves when all that was in the topic when it was called has been handled. */
  async caughtUp(): Promise<void> {
    const end = await this.#log.end(this.#topic)
    if (reaches(this.#cursor, end)) return
    await new Promise<void>((resolve) => this.#waiting.push({ end, resolve }))
  }

  close(): Promise<void> {
    return this.#subscription.close()
  }

  #passed(records: readonly LogRecord[]): void {
    this.#cursor = records.reduce(after, this.#cursor)
    const reached = this.#waiting.filter(({ end }) => reaches(this.#cursor, end))
    this.#waiting = this.#waiting.filter((one) => !reached.includes(one))
    for (const { resolve } of reached) resolve()
  }
}

/** What both have passed. */
export const earlier = (a: Cursor, b: Cursor): Cursor =>
  Object.fromEntries(
    Object.entries(a).map(([partition, offset]) => [partition, Math.min(offset, b[Number(partition)] ?? 0)]),
  )

const reaches = (cursor: Cursor, end: Cursor): boolean =>
  Object.entries(end).every(([partition, offset]) => (cursor[Number(partition)] ?? 0) >= offset)
