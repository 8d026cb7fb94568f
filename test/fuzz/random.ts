/**
 * Numbers that look random and are the same for the same seed on every machine (mulberry32). A conversation that has
 * found something is found again by its seed.
 */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  uint32(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }

  /** 0 up to, and without, `limit`. */
  below(limit: number): number {
    return this.uint32() % Math.max(1, limit)
  }

  /** Both ends included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  oneIn(many: number): boolean {
    return this.below(many) === 0
  }

  pick<T>(list: readonly T[]): T {
    const found = list[this.below(list.length)]
    if (found === undefined) throw new Error('nothing to pick from')
    return found
  }

  bytes(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    for (let at = 0; at < length; at++) bytes[at] = this.uint32()
    return bytes
  }
}

/** The seed of one conversation of a campaign: neighbours have nothing in common. */
export const seedOf = (campaign: number, index: number): number =>
  new Random((campaign ^ Math.imul(index, 0x9e3779b1)) >>> 0).uint32()
