export interface PlaceLimits {
  readonly connectionsMax: number
  readonly connectionsPerPrincipalMax: number
}

/** Gives a place back. May be called twice. */
export type Leave = () => void

/** The places that clients have who are logged in, or about to be: so many in all, and so many of one principal. */
export class Places {
  readonly #taken = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  isFull({ connectionsMax }: PlaceLimits): boolean {
    return this.#size >= connectionsMax
  }

  /** A place of this principal's, or whose limit there is none under. */
  take(principal: string, limits: PlaceLimits): Leave | 'all' | 'principal' {
    if (this.isFull(limits)) return 'all'
    const own = this.#taken.get(principal) ?? 0
    if (own >= limits.connectionsPerPrincipalMax) return 'principal'
    this.#taken.set(principal, own + 1)
    this.#size += 1
    let left = false
    return () => {
      if (left) return
      left = true
      this.#leave(principal)
    }
  }

  #leave(principal: string): void {
    const own = (this.#taken.get(principal) ?? 1) - 1
    if (own === 0) this.#taken.delete(principal)
    else this.#taken.set(principal, own)
    this.#size -= 1
  }
}
