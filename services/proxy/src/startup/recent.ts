/** How many of the oldest are looked at for one that may be forgotten. */
const LOOK_MAX = 32

/**
 * The entries that were set last, up to a number. A Map keeps its keys in the order in which they were set, so the
 * oldest is the first. Those that `hold` says must stay are passed over as long as there are others near.
 */
export class Recent<Value> {
  readonly #entries = new Map<string, Value>()
  readonly #entriesMax: number
  readonly #holds: (value: Value) => boolean

  constructor(entriesMax: number, holds: (value: Value) => boolean = () => false) {
    this.#entriesMax = entriesMax
    this.#holds = holds
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key)
    this.#entries.set(key, value)
    if (this.#entries.size > this.#entriesMax) this.#entries.delete(this.#oldest(key))
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }

  #oldest(newest: string): string {
    let first: string | undefined
    let looked = 0
    for (const [key, value] of this.#entries) {
      first ??= key
      if (key === newest || looked++ >= LOOK_MAX) break
      if (!this.#holds(value)) return key
      // It stays, and is not looked at again for as long as it takes to come round.
      this.#entries.delete(key)
      this.#entries.set(key, value)
    }
    return first ?? newest
  }
}
