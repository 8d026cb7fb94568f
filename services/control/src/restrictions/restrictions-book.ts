import type { GovernanceEvent, PrincipalId } from '@countersign/contracts'
import { restrictionIn, type Restricted } from './restriction.ts'

/** FORMAT governance/1: the stream of what is said of a principal's restrictions. */
const PREFIX = 'restriction/'

export const restrictionStream = (principalId: PrincipalId): string => `${PREFIX}${principalId}`

/** Who is restricted and who was, as cs.governance tells. */
export class RestrictionsBook {
  readonly #past = new Map<PrincipalId, readonly GovernanceEvent[]>()
  readonly #changed = new Set<PrincipalId>()

  /** Of whom something was said since this was last asked. */
  changed(): readonly PrincipalId[] {
    const changed = [...this.#changed]
    this.#changed.clear()
    return changed
  }

  take(stream: string, events: readonly GovernanceEvent[]): void {
    if (!stream.startsWith(PREFIX)) return
    const principalId = stream.slice(PREFIX.length) as PrincipalId
    this.#changed.add(principalId)
    this.#past.set(principalId, [...(this.#past.get(principalId) ?? []), ...events])
  }

  past(principalId: PrincipalId): readonly GovernanceEvent[] {
    return this.#past.get(principalId) ?? []
  }

  /** Everybody of whom anything was ever said. */
  principals(): readonly PrincipalId[] {
    return [...this.#past.keys()]
  }

  get(principalId: PrincipalId): Restricted | undefined {
    return restrictionIn(this.past(principalId))
  }

  restricted(): readonly Restricted[] {
    return this.principals().flatMap((principalId) => this.get(principalId) ?? [])
  }
}
