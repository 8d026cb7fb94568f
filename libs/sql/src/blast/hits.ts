import { strongestLock, type LockLevel } from './lock-level.ts'
import { fullName, type Surroundings } from './surroundings.ts'

export type Effect =
  | 'inserts'
  | 'updates'
  | 'deletes'
  | 'merges'
  | 'truncates'
  | 'drops'
  | 'alters'
  | 'rebuilds'
  | 'locks'

/** A relation that is reached, and how. */
export interface Hit {
  readonly oid: number
  readonly effect: Effect
  /** Why, when the statement does not name it. */
  readonly through?: string
  readonly lock?: LockLevel
  readonly rewrites?: boolean
  readonly scans?: boolean
}

/** What is reached, each relation once for each thing that happens to it; named ones first. */
export class Hits {
  readonly #hits = new Map<string, Hit>()
  readonly #unknown = new Set<string>()
  readonly #stops = new Set<string>()

  add(hit: Hit): void {
    const own = `${hit.oid} ${hit.effect}`
    const known = this.#hits.get(own)
    this.#hits.set(own, known ? merged(known, hit) : hit)
  }

  unknown(what: string): void {
    this.#unknown.add(what)
  }

  stops(why: string): void {
    this.#stops.add(why)
  }

  get reasons(): { readonly unknown: readonly string[]; readonly stops: readonly string[] } {
    return { unknown: [...this.#unknown], stops: [...this.#stops] }
  }

  /** A relation that is only locked, beside something else that happens to it, is not listed for that. */
  all({ relations }: Surroundings): readonly Hit[] {
    const hits = [...this.#hits.values()].filter(({ oid }) => relations.has(oid))
    const doing = new Map<number, Hit>()
    for (const hit of hits) if (hit.effect !== 'locks') doing.set(hit.oid, hit)
    return hits
      .flatMap((hit) => {
        if (hit.effect === 'locks' && doing.has(hit.oid)) return []
        const locks = hits.filter(({ oid }) => oid === hit.oid).flatMap(({ lock }) => lock ?? [])
        const lock = strongestLock(locks)
        return [{ ...hit, ...(lock && { lock }) }]
      })
      .sort((a, b) => Number(a.through !== undefined) - Number(b.through !== undefined))
  }
}

const merged = (known: Hit, more: Hit): Hit => {
  const lock = strongestLock([known.lock, more.lock].flatMap((level) => level ?? []))
  const isNamed = known.through === undefined || more.through === undefined
  const { through: _, ...rest } = known
  return {
    ...rest,
    ...(!isNamed && { through: known.through }),
    ...(lock && { lock }),
    ...((known.rewrites || more.rewrites) && { rewrites: true }),
    ...((known.scans || more.scans) && { scans: true }),
  }
}

export const nameOfHit = ({ oid }: Pick<Hit, 'oid'>, { relations }: Surroundings): string => {
  const relation = relations.get(oid)
  return relation ? fullName(relation) : String(oid)
}
