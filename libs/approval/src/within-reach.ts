import { LockLevel, type Blast, type BlastRelation, type ClaimObjection, type RowCount } from '@countersign/contracts'

/** What it would reach, as far as it binds: sizes and samples do not. */
export type Reach = Pick<Blast, 'relations' | 'dependents' | 'unknown' | 'more'>

export interface Beyond {
  readonly because: Extract<ClaimObjection, 'more-rows' | 'wider-reach' | 'stronger-lock' | 'new-rewrite'>
  /** What is not covered: a relation, an object. */
  readonly what: string
}

/**
 * CONTROL drift: nothing may be reached that was not shown to those who signed, no more rows of it, under no stronger
 * lock, and none of it written or read whole that would not have been. Fails closed: what was known then must be known now.
 */
export const beyondReach = (now: Reach | undefined, approved: Reach | undefined): Beyond | undefined => {
  if (!approved) return undefined
  if (!now) return { because: 'wider-reach', what: 'what it reaches is not known any more' }
  return (
    now.relations.map((relation) => beyondRelation(relation, approved)).find((found) => found !== undefined) ??
    beyondDependents(now, approved) ??
    beyondLists(now, approved)
  )
}

const beyondRelation = (now: BlastRelation, { relations }: Reach): Beyond | undefined => {
  const shown = relations.filter(({ name }) => name === now.name)
  const same = shown.find(({ effect }) => effect === now.effect)
  if (!same) return lockedOnly(now, shown) ? undefined : { because: 'wider-reach', what: now.name }
  if (isStronger(now, shown)) return { because: 'stronger-lock', what: now.name }
  const worksMore = (now.rewrites && !same.rewrites) || (now.scans && !same.scans && !same.rewrites)
  if (worksMore) return { because: 'new-rewrite', what: now.name }
  return exceedsShown(now.rows, same.rows) ? { because: 'more-rows', what: now.name } : undefined
}

/** To be locked no more strongly than was shown, and nothing else, is less than what was shown. */
const lockedOnly = (now: BlastRelation, shown: readonly BlastRelation[]): boolean =>
  now.effect === 'locks' && shown.length > 0 && !isStronger(now, shown)

const LEVELS: readonly string[] = LockLevel.options

const isStronger = ({ lock }: BlastRelation, shown: readonly BlastRelation[]): boolean =>
  lock !== undefined && shown.every((each) => LEVELS.indexOf(lock) > LEVELS.indexOf(each.lock ?? ''))

const beyondDependents = ({ dependents }: Reach, approved: Reach): Beyond | undefined => {
  const known = new Set(approved.dependents.map(({ kind, name }) => `${kind} ${name}`))
  const other = dependents.find(({ kind, name }) => !known.has(`${kind} ${name}`))
  return other && { because: 'wider-reach', what: `${other.kind} ${other.name}` }
}

/** Of what is too much to be listed the digest stands for all of it. */
const beyondLists = (now: Reach, approved: Reach): Beyond | undefined => {
  const isSame = now.more === undefined || now.more.digest === approved.more?.digest
  if (!isSame) return { because: 'wider-reach', what: 'something beyond what is listed' }
  const why = now.unknown.find((line) => !approved.unknown.includes(line))
  return why === undefined ? undefined : { because: 'wider-reach', what: `not known: ${why}` }
}

/** Fails closed: a count that is missing now, or only estimated where it was exact, does not show that it is within. */
export const exceeds = (now: RowCount | undefined, approved: RowCount | undefined): boolean => {
  if (approved === undefined) return false
  if (now === undefined) return true
  return now.rows > approved.rows || (approved.exact && !now.exact)
}

/** The planner's estimate may change a little without anything having happened: it binds as an estimate. */
const ESTIMATE_ROOM = 1.1

const exceedsShown = (now: RowCount | undefined, approved: RowCount | undefined): boolean => {
  const areEstimates = now?.exact === false && approved?.exact === false
  return areEstimates ? now.rows > approved.rows * ESTIMATE_ROOM : exceeds(now, approved)
}
