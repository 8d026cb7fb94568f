/** Upper bounds in milliseconds: what takes microseconds and what takes minutes (a hold) is told apart alike. */
export const DURATION_BOUNDS_MS = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 60_000,
] as const

export const SIZE_BOUNDS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000] as const

/** Counts by size. Adding one costs some nanoseconds; everything else is left to whoever reads it. */
export class Histogram {
  readonly bounds: readonly number[]
  /** One more than there are bounds: what is above the last. Not cumulative. */
  readonly counts: Float64Array
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Float64Array(bounds.length + 1)
  }

  add(value: number): void {
    const { bounds, counts } = this
    let at = 0
    while (at < bounds.length && value > (bounds[at] ?? 0)) at++
    counts[at] = (counts[at] ?? 0) + 1
    this.sum += value
  }
}
