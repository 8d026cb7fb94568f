/**
 * How long to leave alone what has failed: twice as long after each failure in a row, up to a bound, and each time
 * somewhere in the upper half of that, so that many who lost the same thing do not all come back at once.
 */
export class BackOff {
  readonly #firstMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #failures = 0

  constructor(firstMs: number, maxMs: number, random: () => number = Math.random) {
    this.#firstMs = firstMs
    this.#maxMs = maxMs
    this.#random = random
  }

  /** The time to wait after one more failure. */
  failed(): number {
    const bound = Math.min(this.#firstMs * 2 ** this.#failures, this.#maxMs)
    this.#failures = Math.min(this.#failures + 1, 30)
    return (bound / 2) * (1 + this.#random())
  }

  succeeded(): void {
    this.#failures = 0
  }
}
