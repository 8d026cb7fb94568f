import { LogUnavailableError, type Position } from './event-log.ts'

export interface AppendQueueOptions<Item> {
  /** Makes the items durable, in order. Only one is under way at a time. Rejects with `LogUnavailableError`. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Position[]>
  readonly bytesOf: (item: Item) => number
  readonly batchItemsMax: number
  readonly batchBytesMax: number
  /**
   * No append is left without an answer for longer, from when it came. Time in which this process itself did not get to
   * hear anything does not count: it says nothing of the store.
   */
  readonly deadlineMs: number
  /** Named in the error of whoever was not answered in time. */
  readonly name: string
  /** When appends could be taken at all: none is late before that. */
  readonly readyAt?: () => number
  /** The commit under way has become late. */
  readonly onLate?: (error: LogUnavailableError) => void
}

/** A timer that fires this much late or more has found out that the process did not get to hear anything. */
const LOOK_MS = 50

interface Append<Item> {
  readonly item: Item
  /** By the clock that stands still while the process does. */
  readonly since: number
  readonly resolve: (position: Position) => void
  readonly reject: (error: unknown) => void
}

/** Group commit: whatever waits while a commit is under way goes into the next one, together. */
export class AppendQueue<Item> {
  readonly #options: AppendQueueOptions<Item>
  #waiting: Append<Item>[] = []
  /** With the commit that is under way. */
  #flying: readonly Append<Item>[] = []
  #late: LogUnavailableError | undefined
  #timer: NodeJS.Timeout | undefined
  #deafMs = 0
  #closed = false
  #onIdle: (() => void) | undefined

  constructor(options: AppendQueueOptions<Item>) {
    this.#options = options
  }

  append(item: Item): Promise<Position> {
    const refusal = this.#refusal()
    if (refusal) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, since: this.#clock(), resolve, reject })
      if (this.#waiting.length === 1 && this.#flying.length === 0) queueMicrotask(() => this.#send())
      if (!this.#timer) this.#lookIn(this.#options.deadlineMs)
    })
  }

  /** Throws `LogUnavailableError` while a commit has not come back in time. */
  check(): void {
    const refusal = this.#refusal()
    if (refusal) throw refusal
  }

  /** Refuses what comes, and resolves when what came before has ended. */
  async close(): Promise<void> {
    this.#closed = true
    await new Promise<void>((resolve) => {
      if (this.#late || (this.#flying.length === 0 && this.#waiting.length === 0)) resolve()
      else this.#onIdle = resolve
    })
    clearTimeout(this.#timer)
  }

  #refusal(): LogUnavailableError | undefined {
    return this.#late ?? (this.#closed ? new LogUnavailableError('it has been closed') : undefined)
  }

  #send(): void {
    if (this.#flying.length > 0) return
    if (this.#waiting.length === 0) return this.#onIdle?.()
    this.#flying = this.#waiting.splice(0, this.#batchLength())
    this.#options.commit(this.#flying.map(({ item }) => item)).then(
      (positions) => {
        const landed = this.#next()
        for (const [i, position] of positions.entries()) landed[i]?.resolve(position)
      },
      (error: unknown) => rejectAll(this.#next(), error),
    )
  }

  /** The next batch is on its way before anybody hears of this one. */
  #next(): readonly Append<Item>[] {
    const settled = this.#flying
    this.#flying = []
    this.#late = undefined
    this.#send()
    return settled
  }

  #batchLength(): number {
    const { bytesOf, batchItemsMax, batchBytesMax } = this.#options
    let bytes = 0
    const over = this.#waiting.findIndex(({ item }) => (bytes += bytesOf(item)) > batchBytesMax)
    return Math.max(1, Math.min(over === -1 ? this.#waiting.length : over, batchItemsMax))
  }

  #clock(): number {
    return performance.now() - this.#deafMs
  }

  #lookIn(ms: number): void {
    const dueAt = performance.now() + Math.min(ms, LOOK_MS)
    this.#timer = setTimeout(
      () => {
        this.#deafMs += Math.max(0, performance.now() - dueAt)
        this.#watchOldest()
      },
      Math.min(ms, LOOK_MS),
    )
  }

  /** One timer for all: it looks after the oldest append, and is set anew for the oldest that is left. */
  #watchOldest(): void {
    const { deadlineMs, readyAt = () => 0 } = this.#options
    this.#timer = undefined
    const oldest = this.#flying[0] ?? this.#waiting[0]
    if (!oldest || this.#late) return
    const left = deadlineMs - Math.min(this.#clock() - oldest.since, performance.now() - readyAt())
    if (left > 0) this.#lookIn(left)
    else this.#giveUp()
  }

  #giveUp(): void {
    const { name, deadlineMs, onLate } = this.#options
    this.#late = new LogUnavailableError(`${name} has not been written within ${deadlineMs} ms; it is slow, or hangs`)
    rejectAll([...this.#flying, ...this.#waiting], this.#late)
    this.#waiting = []
    onLate?.(this.#late)
    this.#onIdle?.()
  }
}

const rejectAll = <Item>(appends: readonly Append<Item>[], error: unknown) => {
  for (const { reject } of appends) reject(error)
}
