import type { Context } from '@cedar-policy/cedar-wasm/nodejs'
import { authorize, type Question } from './authorize.ts'
import { actionEntity, principalEntity, resourceEntity } from './entities.ts'
import type { Policy, PolicySet } from './policy-set.ts'
import type { Request, RequestedUse, StatementFacts } from './request.ts'
import type { Wanted } from './said.ts'

export interface Decision {
  readonly verdict: 'allow' | 'hold' | 'deny'
  /** The policies that said so; of an `allow`, those that permit it. */
  readonly policies: readonly string[]
  /** Of a hold: groups that each have to sign. */
  readonly approvers: readonly string[]
  readonly quorum: number
  /** The strictest bound on rows that policy sets, and the policies that set it. */
  readonly guard?: PolicyGuard
  /** For so many hours what it changes must be possible to undo: the longest that a policy asks for that holds it. */
  readonly undoHours?: number
  /** One clause for people: why. */
  readonly because: string
  readonly advice?: string
  /** Of a hold or a denial: with these said beforehand it would come off better. */
  readonly wanted?: readonly Wanted[]
  /** Of a denial: the session that tried it ends. */
  readonly endsSession?: true
}

export interface PolicyGuard {
  readonly rowsMax: number
  readonly policies: readonly string[]
}

/**
 * What policy says of a statement. Each use of it is asked about; the worst answer is the answer. What no policy
 * permits, and what a policy fails to answer, is denied.
 */
export const decide = (set: PolicySet, request: Request): Decision => {
  const decision = decided(set, request)
  const wanted = decision.verdict === 'allow' ? [] : helpful(set, request, decision.verdict)
  return wanted.length > 0 ? { ...decision, wanted } : decision
}

const decided = (set: PolicySet, request: Request): Decision => {
  const answers = request.uses.map((use) => ask(set, request, use))
  const worst = VERDICTS.find((verdict) => answers.some((answer) => answer.verdict === verdict)) ?? 'deny'
  const deciding = answers.filter(({ verdict }) => verdict === worst)
  const decision = decisionOf(worst, distinct(deciding.flatMap(({ policies }) => policies)), set)
  const guard = worst === 'deny' || !set.guards ? undefined : strictestGuard(answers, set)
  const undoHours = worst === 'hold' ? longestUndo(deciding, set) : 0
  return { ...decision, ...(guard && { guard }), ...(undoHours > 0 && { undoHours }) }
}

const longestUndo = (deciding: readonly Answer[], set: PolicySet): number =>
  Math.max(
    0,
    ...deciding.flatMap(({ concerned }) => concerned.map((id) => set.policies.get(id)?.obligations.undoHours ?? 0)),
  )

/** Of every policy that lets a change of rows through, or holds it. */
const strictestGuard = (answers: readonly Answer[], set: PolicySet): PolicyGuard | undefined => {
  const bounds = distinct(answers.flatMap(({ concerned }) => concerned)).flatMap((id) => {
    const rowsMax = set.policies.get(id)?.obligations.guard
    return rowsMax === undefined ? [] : [{ id, rowsMax }]
  })
  if (bounds.length === 0) return undefined
  const rowsMax = Math.min(...bounds.map((bound) => bound.rowsMax))
  return { rowsMax, policies: bounds.filter((bound) => bound.rowsMax === rowsMax).map(({ id }) => id) }
}

/**
 * What policies ask for is tried, so that nobody is told to name a ticket where that would change nothing: each alone,
 * and then one of each together.
 */
const helpful = (set: PolicySet, request: Request, verdict: Decision['verdict']): readonly Wanted[] => {
  const tickets = set.wanted.filter(({ saying }) => saying === 'ticket')
  const reasons = set.wanted.filter(({ saying }) => saying === 'reason')
  const both = tickets.flatMap((ticket) => reasons.map((reason) => [ticket, reason]))
  const tries = [...set.wanted.map((each) => [each]), ...both].slice(0, ASKED_MAX / request.uses.length)
  return tries.find((each) => isBetter(decided(set, saying(request, each)).verdict, verdict)) ?? []
}

/** So many questions more than one decision has, at most: a statement can use thousands of things. */
const ASKED_MAX = 200

const saying = (request: Request, wanted: readonly Wanted[]): Request => ({
  ...request,
  statement: { ...request.statement, ...Object.fromEntries(wanted.map(({ saying: what, sample }) => [what, sample])) },
})

const isBetter = (a: Decision['verdict'], b: Decision['verdict']): boolean => VERDICTS.indexOf(a) > VERDICTS.indexOf(b)

const VERDICTS = ['deny', 'hold', 'allow'] as const

interface Answer {
  readonly verdict: Decision['verdict']
  readonly policies: readonly string[]
  /** Policies whose guard bears on it: those that hold it, and those that would let it through. */
  readonly concerned: readonly string[]
}

const ask = (set: PolicySet, request: Request, use: RequestedUse): Answer => {
  const question: Question = {
    principal: principalEntity(request.principal),
    action: actionEntity(use.action),
    resource: resourceEntity(use.resource, request.target),
    context: contextOf(request, use),
  }
  const answer = authorize(set.stored.all, question)
  const concerning = (ids: readonly string[]) => (use.change === '' ? NONE : ids)
  if (answer.allowed || answer.failed) {
    const verdict = answer.allowed ? 'allow' : 'deny'
    return { verdict, policies: answer.reasons, concerned: concerning(answer.reasons) }
  }
  const isHeld = answer.reasons.length > 0 && answer.reasons.every((id) => isHold(set.policies.get(id)))
  // A hold alone does not say whether it would be permitted without it.
  const unheld = isHeld ? authorize(set.stored.unheld, question) : undefined
  const isPermitted = unheld?.allowed === true
  return {
    verdict: isPermitted ? 'hold' : 'deny',
    policies: isHeld && !isPermitted ? [] : denying(answer.reasons, set, isPermitted),
    concerned: concerning([...answer.reasons, ...(unheld?.reasons ?? [])]),
  }
}

const NONE: readonly string[] = []

const isHold = (policy: Policy | undefined): boolean => policy?.obligations.effect === 'hold'

/** When it is denied, what would only have held it does not matter any more. */
const denying = (reasons: readonly string[], set: PolicySet, isHeld: boolean): readonly string[] =>
  isHeld ? reasons : reasons.filter((id) => !isHold(set.policies.get(id)))

const contextOf = ({ principal, target, statement }: Request, use: RequestedUse): Context => {
  const { through, change, unbounded, tautological, counted, rows, rowsExact, rowsShare } = use
  const { dangers, sensitiveClasses, ...facts } = statement satisfies StatementFacts
  return {
    ...facts,
    dangers: [...dangers],
    sensitiveClasses: [...sensitiveClasses],
    environment: target.environment,
    agent: principal.kind === 'agent',
    through,
    change,
    unbounded,
    tautological,
    counted,
    rowsExact,
    ...(rows === undefined ? {} : { rows }),
    ...(rowsShare === undefined ? {} : { rowsShare }),
  }
}

const decisionOf = (verdict: Decision['verdict'], ids: readonly string[], set: PolicySet): Decision => {
  const policies = ids.flatMap((id) => set.policies.get(id) ?? [])
  const holds = verdict === 'hold' ? policies : []
  const advice = policies.map(({ obligations }) => obligations.advice).find((text) => text !== undefined)
  return {
    verdict,
    policies: ids,
    approvers: distinct(holds.flatMap(({ obligations }) => obligations.approvers)),
    quorum: Math.max(1, ...holds.map(({ obligations }) => obligations.quorum)),
    because: becauseOf(verdict, policies),
    ...(verdict === 'allow' || advice === undefined ? {} : { advice }),
    ...(verdict === 'deny' && policies.some(endsSession) ? { endsSession: true } : {}),
  }
}

const endsSession = ({ obligations }: Policy): boolean => obligations.effect === 'end-session'

const becauseOf = (verdict: Decision['verdict'], policies: readonly Policy[]): string => {
  const reasons = distinct(policies.flatMap(({ id, obligations }) => obligations.because ?? `policy ${id}`))
  if (verdict === 'allow') return 'permitted'
  return reasons.length > 0 ? reasons.join('; ') : 'no policy permits it'
}

const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort()
