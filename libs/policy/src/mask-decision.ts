import type { EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { Principal, Target } from '@countersign/contracts'
import { authorize, type Question } from './authorize.ts'
import { columnEntity, databaseEntity, principalEntity } from './entities.ts'
import type { Mask } from './obligations.ts'
import type { PolicySet } from './policy-set.ts'
import type { ClockFacts } from './wall-clock.ts'

export interface MaskDecision {
  /** Its values may be seen as they are. */
  readonly clear: boolean
  /** How they are masked; undefined when no policy says: then the class decides. */
  readonly kind: Mask | undefined
  readonly policies: readonly string[]
}

export interface MaskContext extends ClockFacts {
  readonly reason?: string
  readonly ticket?: string
}

/** May this principal see the values of this column? Without a permit, or when in doubt, it is masked. */
export const maskDecision = (
  set: PolicySet,
  principal: Principal,
  target: Target,
  column: { readonly name: string; readonly class: string },
  context: MaskContext,
): MaskDecision => {
  const answer = authorize(set.stored.all, question('unmask', principal, target, columnEntity(column, target), context))
  const masks = answer.reasons.flatMap((id) => set.policies.get(id)?.obligations.mask ?? [])
  return { clear: answer.allowed, kind: answer.allowed ? undefined : strictest(masks), policies: answer.reasons }
}

/**
 * May this principal see every value there is, whichever column it comes from, or none that anybody knows? Then there
 * is nothing to be masked for it, in results or in what a server says beside them.
 */
export const seesEverything = (set: PolicySet, principal: Principal, target: Target, context: MaskContext): boolean => {
  const { anyColumn } = set.stored
  if (anyColumn === undefined) return false
  const resource = columnEntity({ name: '..', class: 'unknown' }, target)
  return authorize(anyColumn, question('unmask', principal, target, resource, context)).allowed
}

/** May this principal open a session on this database? */
export const mayConnect = (set: PolicySet, principal: Principal, target: Target, context: MaskContext): boolean =>
  authorize(set.stored.all, question('connect', principal, target, databaseEntity(target), context)).allowed

const question = (
  action: 'unmask' | 'connect',
  principal: Principal,
  target: Target,
  resource: EntityJson,
  context: MaskContext,
): Question => ({
  principal: principalEntity(principal),
  action: { uid: { type: 'Action', id: action }, attrs: {}, parents: [] },
  resource,
  context: { ...context, environment: target.environment, agent: principal.kind === 'agent' },
})

/** From the one that leaves nothing to the one that leaves most. */
const STRICTEST: readonly Mask[] = ['null', 'redact', 'pseudonym', 'year', 'partial']

const strictest = (masks: readonly Mask[]): Mask | undefined => STRICTEST.find((mask) => masks.includes(mask))
