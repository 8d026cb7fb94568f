import type { DecisionEvent, GovernanceEvent, Instant, PrincipalId, StatementId } from '@countersign/contracts'
import type { Record } from '../governance/governance.ts'

/*
 * The rule of a restriction, over what cs.governance holds of one principal. The same events give the same answer,
 * whichever replica asks and how often.
 */

/** A statement that was denied. */
export interface Attempt {
  readonly statementId: StatementId
  readonly at: Instant
}

export interface Restricted {
  readonly principalId: PrincipalId
  readonly because: string
  readonly attempts: readonly StatementId[]
  readonly until: Instant
  readonly at: Instant
}

/** Whether the principal is restricted now, by what was written down; an end that has come is written down as well. */
export const restrictionIn = (past: readonly GovernanceEvent[]): Restricted | undefined => {
  const last = past.at(-1)
  return last?.type === 'principal.restricted' ? last.data : undefined
}

export interface Restrict {
  readonly principalId: PrincipalId
  readonly because: string
  readonly attempts: readonly Attempt[]
  readonly attemptsNeeded: number
  readonly until: Instant
  readonly at: Instant
}

/**
 * CONTROL restricted-once: an attempt counts once, and none counts that was made before somebody lifted what came of
 * others. What was found out so late that it would be over counts for nothing.
 */
export const restrict =
  ({ attempts, attemptsNeeded, ...rest }: Restrict): Record =>
  (past) => {
    const counted = attempts.filter(countsAfter(past)).map(({ statementId }) => statementId)
    if (restrictionIn(past) || counted.length < attemptsNeeded || rest.until <= rest.at) return []
    return [{ type: 'principal.restricted', data: { ...rest, attempts: counted } }]
  }

const countsAfter = (past: readonly GovernanceEvent[]): ((attempt: Attempt) => boolean) => {
  const used = new Set(past.flatMap(({ type, data }) => (type === 'principal.restricted' ? data.attempts : [])))
  const freed = past.findLast(({ type }) => type === 'principal.released')?.data.at ?? ''
  return ({ statementId, at }) => !used.has(statementId) && at > freed
}

export interface Release {
  readonly principalId: PrincipalId
  readonly because: 'expired' | 'lifted'
  readonly by?: PrincipalId
  readonly reason?: string
  readonly at: Instant
}

/** Ends a restriction, once. One that goes on has not expired, whoever says so. */
export const release =
  (release: Release): Record =>
  (past) => {
    const restricted = restrictionIn(past)
    if (!restricted || (release.because === 'expired' && release.at < restricted.until)) return []
    return [{ type: 'principal.released', data: release }]
  }

/** What nodes are told of a principal; nothing when it never was restricted. A function of what was written down alone. */
export const restrictionInForce = (past: readonly GovernanceEvent[]): DecisionEvent | undefined => {
  const last = past.at(-1)
  if (last?.type === 'principal.restricted') {
    const { principalId, because, until, at } = last.data
    return { type: 'restriction.in-force', data: { principalId, restricted: true, because, until, at } }
  }
  if (last?.type !== 'principal.released') return undefined
  const { principalId, because, by, at } = last.data
  const told = because === 'expired' ? 'the time is up' : `lifted by ${by ?? 'somebody'}`
  return { type: 'restriction.in-force', data: { principalId, restricted: false, because: told, at } }
}
