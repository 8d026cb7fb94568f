/** Records that are remembered: far more than become durable while an ordinary statement runs. */
const REMEMBERED = 1_024

/** When the latest records became durable, on the monotonic clock. */
export class RecordTimes {
  readonly #records = new Float64Array(REMEMBERED)
  readonly #times = new Float64Array(REMEMBERED)

  durable(record: number, at: number): void {
    const slot = record % REMEMBERED
    this.#records[slot] = record
    this.#times[slot] = at
  }

  /** Undefined for what is not durable yet, or was so long ago. */
  of(record: number): number | undefined {
    const slot = record % REMEMBERED
    return this.#records[slot] === record ? this.#times[slot] : undefined
  }
}
