/**
 * The entries that came last, up to a number and a weight. A Map keeps its keys in the order in which they were set, so
 * the oldest is the first.
 */
export class BoundedCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly weight: number }>()
  readonly #countMax: number
  readonly #weightMax: number
  #weight = 0

  constructor(countMax: number, weightMax: number) {
    this.#countMax = countMax
    this.#weightMax = weightMax
  }

  get(key: string): Value | undefined {
    return this.#entries.get(key)?.value
  }

  /** `weight`: about how many bytes it keeps. What alone outweighs the cache is not kept. */
  set(key: string, value: Value, weight: number): void {
    this.#drop(key)
    if (weight > this.#weightMax / 8) return
    this.#entries.set(key, { value, weight })
    this.#weight += weight
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#countMax && this.#weight <= this.#weightMax) return
      this.#drop(oldest)
    }
  }

  clear(): void {
    this.#entries.clear()
    this.#weight = 0
  }

  get size(): number {
    return this.#entries.size
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key)
    if (!entry) return
    this.#entries.delete(key)
    this.#weight -= entry.weight
  }
}
