import type { Counts } from '../workers/front.ts'

export interface PlaceLimits {
  readonly connectionsMax: number
  readonly connectionsPerPrincipalMax: number
}

/** Gives a place back. May be called twice. */
export type Leave = () => void

/**
 * The places that clients have who are logged in, or about to be: so many in all, and so many of one principal. Those
 * of a principal are counted over all workers of the node; of all, this worker's own, because whoever gives it clients
 * has counted them.
 */
export class Places {
  readonly #counts: Counts
  #size = 0

  constructor(counts: Counts) {
    this.#counts = counts
  }

  get size(): number {
    return this.#size
  }

  isFull({ connectionsMax }: PlaceLimits): boolean {
    return this.#size >= connectionsMax
  }

  /** A place of this principal's, or whose limit there is none under. */
  async take(principal: string, limits: PlaceLimits): Promise<Leave | 'all' | 'principal'> {
    if (this.isFull(limits)) return 'all'
    const name = `principal/${principal}`
    if (!(await this.#counts.take(name, limits.connectionsPerPrincipalMax))) return 'principal'
    if (this.isFull(limits)) {
      this.#counts.giveBack(name)
      return 'all'
    }
    this.#size += 1
    let left = false
    return () => {
      if (left) return
      left = true
      this.#size -= 1
      this.#counts.giveBack(name)
    }
  }
}
