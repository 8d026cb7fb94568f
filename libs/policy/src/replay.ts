import type { DecidedFacts, Instant, Principal, Replayed, Target, Verdict } from '@countersign/contracts'
import { EVERY_FACT } from './context-facts.ts'
import { decide, type Decision } from './decide.ts'
import { maskDecision } from './mask-decision.ts'
import type { PolicySet } from './policy-set.ts'
import { requestFromRecord } from './recorded-facts.ts'
import type { StatementFacts } from './request.ts'
import { momentOf, wallClock } from './wall-clock.ts'

/*
 * What another set of policies would have said of a statement that is on record.
 */

/** A statement as it was recorded, with whose it was. */
export interface Recorded {
  readonly principal: Principal
  readonly target: Target
  readonly verdict: Verdict
  readonly policies: readonly string[]
  readonly facts?: DecidedFacts | undefined
  readonly readOnly: boolean
  readonly transaction: StatementFacts['transaction']
  readonly reason?: string | undefined
  readonly ticket?: string | undefined
  /** When it was decided. */
  readonly at: Instant
  /** Of the environment that it was for; else UTC. */
  readonly timeZone?: string | undefined
}

export interface Replay {
  readonly outcome: 'unchanged' | 'stricter' | 'looser'
  readonly verdict: Verdict
  readonly policies: readonly string[]
  readonly because: string
}

/** Undefined when it cannot be told: what the answer would rest on was not recorded. */
export const replay = (set: PolicySet, recorded: Recorded): Replay | undefined => {
  const { principal, target, facts, readOnly, transaction, reason, ticket, at, timeZone, ...was } = recorded
  if (facts === undefined) return undefined
  if (facts.uses.length === 0) return { outcome: 'unchanged', because: 'policy is not asked', ...was }
  if (facts.notCounted && restsOnRows(set)) return undefined
  const said = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) }
  const time = clockOf(timeZone)(momentOf(at))
  const decision = decide(set, requestFromRecord(facts, { principal, target, readOnly, transaction, ...time, ...said }))
  const isClear = ({ column: name, class: held }: { column: string; class: string }) =>
    maskDecision(set, principal, target, { name, class: held }, { ...time, ...said }).clear
  const { policies, because } = decision
  const verdict = verdictOf(decision, facts.returned?.some((column) => !isClear(column)) ?? false)
  return { outcome: outcomeOf(was.verdict, verdict), verdict, policies, because }
}

const clocks = new Map<string | undefined, ReturnType<typeof wallClock>>()

const clockOf = (timeZone: string | undefined): ReturnType<typeof wallClock> => {
  const clock = clocks.get(timeZone) ?? wallClock(timeZone)
  clocks.set(timeZone, clock)
  return clock
}

const ROWS = [EVERY_FACT, 'rows', 'rowsShare', 'rowsExact', 'counted']

const restsOnRows = ({ factsUsed }: PolicySet): boolean => ROWS.some((fact) => factsUsed.has(fact))

const verdictOf = ({ verdict }: Decision, masked: boolean): Verdict =>
  verdict === 'allow' && masked ? 'mask' : verdict

const SEVERITY: readonly Verdict[] = ['allow', 'mask', 'hold', 'deny']

const outcomeOf = (was: Verdict, is: Verdict): Replay['outcome'] => {
  const by = SEVERITY.indexOf(is) - SEVERITY.indexOf(was)
  if (by === 0) return 'unchanged'
  return by > 0 ? 'stricter' : 'looser'
}

/**
 * What the answer of a set to a recorded statement can depend on, besides who asked where: of two statements that agree
 * in it, the answers agree. As text, for a cache.
 */
export const replayKey = ({ factsEver }: PolicySet, recorded: Omit<Recorded, 'principal' | 'target'>): string => {
  const { verdict, policies, facts, readOnly, transaction, reason, ticket, at } = recorded
  const uses = (fact: string) => factsEver.has(fact) || factsEver.has(EVERY_FACT)
  return JSON.stringify([
    verdict,
    policies,
    facts,
    readOnly,
    uses('transaction') && transaction,
    uses('reason') && reason,
    uses('ticket') && ticket,
    [...factsEver].every((fact) => TIMELESS.has(fact)) || at.slice(0, 16),
  ])
}

/** Whatever else a policy looks at may have to do with the time, to the minute. */
const TIMELESS: ReadonlySet<string> = new Set(
  (
    'statement environment transaction agent reason ticket readOnly unresolved fails dangers sensitiveClasses ' +
    'sensitiveStored sensitiveSteering through change unbounded tautological counted rows rowsExact rowsShare'
  ).split(' '),
)

type Count = Record<'stricter' | 'looser', number>

/** Counts what became of each statement. Grows with the number of policies and principals, not of statements. */
export class Tally {
  readonly #counts = { unchanged: 0, stricter: 0, looser: 0, untold: 0 }
  readonly #policies = new Map<string, Count>()
  readonly #principals = new Map<string, Count>()

  get statements(): number {
    const { unchanged, stricter, looser, untold } = this.#counts
    return unchanged + stricter + looser + untold
  }

  add(recorded: Pick<Recorded, 'principal' | 'policies'> | undefined, replayed: Replay | undefined): void {
    const outcome = replayed?.outcome ?? 'untold'
    this.#counts[outcome] += 1
    if (!recorded || !replayed || outcome === 'unchanged' || outcome === 'untold') return
    // Stricter by those that say so now; looser by those that said so, and no longer do.
    const policies = outcome === 'stricter' ? replayed.policies : recorded.policies
    for (const policy of policies.length > 0 ? policies : [NONE]) count(this.#policies, policy, outcome)
    count(this.#principals, recorded.principal.id, outcome)
  }

  summary(): Omit<Replayed, 'since' | 'until' | 'complete'> {
    return {
      statements: this.statements,
      ...this.#counts,
      policies: most(this.#policies).map(([policy, each]) => ({ policy, ...each })),
      principals: most(this.#principals).map(([principal, each]) => ({ principal, ...each })),
    }
  }
}

/** What no policy permits is denied, and by none of them. */
const NONE = 'no policy permits it'

const count = (counts: Map<string, Count>, name: string, outcome: keyof Count): void => {
  const each = counts.get(name) ?? { stricter: 0, looser: 0 }
  each[outcome] += 1
  counts.set(name, each)
}

const NAMED_MAX = 20

const most = (counts: ReadonlyMap<string, Count>): readonly [string, Count][] =>
  [...counts].sort(([a, x], [b, y]) => sum(y) - sum(x) || (a < b ? -1 : 1)).slice(0, NAMED_MAX)

const sum = ({ stricter, looser }: Count): number => stricter + looser
