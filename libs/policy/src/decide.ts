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
  /** One clause for people: why. */
  readonly because: string
  readonly advice?: string
  /** Of a hold or a denial: with these said beforehand it would come off better. */
  readonly wanted?: readonly Wanted[]
  /** Of a denial: the session that tried it ends. */
  readonly endsSession?: true
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
  return decisionOf(worst, distinct(deciding.flatMap(({ policies }) => policies)), set)
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
}

const ask = (set: PolicySet, request: Request, use: RequestedUse): Answer => {
  const question: Question = {
    principal: principalEntity(request.principal),
    action: actionEntity(use.action),
    resource: resourceEntity(use.resource, request.target),
    context: contextOf(request, use),
  }
  const answer = authorize(set.stored.all, question)
  if (answer.allowed || answer.failed) return { verdict: answer.allowed ? 'allow' : 'deny', policies: answer.reasons }
  const isHeld = answer.reasons.length > 0 && answer.reasons.every((id) => isHold(set.policies.get(id)))
  // A hold alone does not say whether it would be permitted without it.
  const isPermitted = isHeld && authorize(set.stored.unheld, question).allowed
  return {
    verdict: isPermitted ? 'hold' : 'deny',
    policies: isHeld && !isPermitted ? [] : denying(answer.reasons, set, isPermitted),
  }
}

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
