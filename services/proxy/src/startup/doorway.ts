import { networkOf } from './network.ts'

/** A connection that has not logged in yet. */
export interface Waiting {
  /** Somebody else needs the room. */
  readonly turnAway: () => void
}

export interface DoorwayLimits {
  readonly loginsMax: number
  readonly loginsPerAddressMax: number
}

/**
 * Connections that have not logged in yet: so many in all, and so many of one address.
 *
 * When there are too many in all, the address with the most of them loses its oldest, so that one who opens connections
 * and says nothing is in nobody's way but its own.
 */
export class Doorway {
  readonly #waiting = new Map<string, Set<Waiting>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** False: there is no room. Who got in leaves by `leave`. */
  enter(address: string, waiting: Waiting, { loginsMax, loginsPerAddressMax }: DoorwayLimits): boolean {
    const network = networkOf(address)
    const others = this.#waiting.get(network)?.size ?? 0
    if (others >= loginsPerAddressMax) return false
    if (this.#size >= loginsMax && !this.#makeRoom(others)) return false
    const same = this.#waiting.get(network) ?? new Set()
    this.#waiting.set(network, same.add(waiting))
    this.#size += 1
    return true
  }

  /** It has logged in, or is gone. May be said twice. */
  leave(address: string, waiting: Waiting): void {
    const network = networkOf(address)
    const same = this.#waiting.get(network)
    if (!same?.delete(waiting)) return
    this.#size -= 1
    if (same.size === 0) this.#waiting.delete(network)
  }

  /** For one of an address that has `others` here already. */
  #makeRoom(others: number): boolean {
    let most: readonly [string, Set<Waiting>] | undefined
    for (const entry of this.#waiting) if (entry[1].size > (most?.[1].size ?? others)) most = entry
    const [oldest] = most?.[1] ?? []
    if (!most || !oldest) return false
    this.leave(most[0], oldest)
    oldest.turnAway()
    return true
  }
}
