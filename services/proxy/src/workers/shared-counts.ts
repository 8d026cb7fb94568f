import type { Counts } from './front.ts'

/** Who has taken how many of what, over all workers of a node (`Counts`). */
export class SharedCounts {
  readonly #taken = new Map<string, Map<string, number>>()

  take(worker: string, name: string, max: number): boolean {
    const byWorker = this.#taken.get(name) ?? new Map<string, number>()
    if (sumOf(byWorker) >= max) return false
    this.#taken.set(name, byWorker.set(worker, (byWorker.get(worker) ?? 0) + 1))
    return true
  }

  giveBack(worker: string, name: string): void {
    const byWorker = this.#taken.get(name)
    const count = byWorker?.get(worker) ?? 0
    if (count > 1) byWorker?.set(worker, count - 1)
    else this.#drop(name, worker)
  }

  /** As this worker sees them. */
  of(worker: string): Counts {
    return {
      take: async (name, max) => this.take(worker, name, max),
      giveBack: (name) => this.giveBack(worker, name),
    }
  }

  /** The worker is no more, and holds nothing. */
  forget(worker: string): void {
    for (const name of this.#taken.keys()) this.#drop(name, worker)
  }

  #drop(name: string, worker: string): void {
    const byWorker = this.#taken.get(name)
    byWorker?.delete(worker)
    if (byWorker?.size === 0) this.#taken.delete(name)
  }
}

const sumOf = (byWorker: ReadonlyMap<string, number>): number =>
  [...byWorker.values()].reduce((sum, count) => sum + count, 0)
