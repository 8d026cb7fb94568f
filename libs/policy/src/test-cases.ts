import { DecidedFacts, Principal, Target } from '@countersign/contracts'
import { z } from 'zod'
import { decide } from './decide.ts'
import { maskDecision, mayConnect } from './mask-decision.ts'
import { MASKS } from './obligations.ts'
import type { PolicySet } from './policy-set.ts'
import { requestFromRecord } from './recorded-facts.ts'

/*
 * Tests of policies: cases in files beside them (FORMAT.md). A case gives facts, not SQL: what a text means is known
 * only where its names are, and a case that guessed it would claim more than it knows.
 */

const TargetText = z
  .string()
  .regex(/^[^/\s]+\/[^/\s]+$/, 'expected environment/database')
  .transform((text) => {
    const [environment = '', database = ''] = text.split('/')
    return Target.parse({ environment, database })
  })

const Names = z.array(z.string().min(1))

const Expectation = z.strictObject({
  verdict: z.enum(['allow', 'mask', 'hold', 'deny', 'clear']),
  policies: Names.describe('Each of these is among those that say so.').optional(),
  approvers: Names.describe('Of a hold: exactly these groups.').optional(),
  quorum: z.int().positive().optional(),
  mask: z.enum(MASKS).optional(),
  because: z.string().describe('A part of the reason.').optional(),
})
type Expectation = z.output<typeof Expectation>

const shared = {
  name: z.string().min(1).describe('What it says, in a sentence.'),
  principal: z.strictObject(Principal.shape),
  target: TargetText.describe('`environment/database`'),
  hour: z.int().min(0).max(23).default(12),
  weekday: z.int().min(1).max(7).describe('1 is Monday, 7 Sunday.').default(3),
  minuteOfDay: z.int().min(0).max(1_439).describe('Else the beginning of the hour.').optional(),
  reason: z.string().optional(),
  ticket: z.string().optional(),
  expect: z.union([Expectation.shape.verdict.transform((verdict): Expectation => ({ verdict })), Expectation]),
}

const StatementCase = z.strictObject({
  ...shared,
  facts: z
    .strictObject({ ...DecidedFacts.shape, uses: DecidedFacts.shape.uses.min(1) })
    .describe('What the statement is: as in `facts` of a recorded `statement.intended`.'),
  readOnly: z.boolean().default(false),
  transaction: z.enum(['idle', 'open', 'failed']).default('idle'),
})

const ColumnCase = z.strictObject({
  ...shared,
  column: z
    .strictObject({
      name: z.string().regex(/^[^.]+\.[^.]+\.[^.]+$/, 'expected schema.relation.column'),
      class: z.string(),
    })
    .describe('Whether its values may be seen.'),
})

const ConnectCase = z.strictObject({ ...shared, connect: z.literal(true) })

export const TestCase = z.union([StatementCase, ColumnCase, ConnectCase])
export type TestCase = z.output<typeof TestCase>

export interface Misread {
  readonly index: number
  readonly fault: string
}

/** The cases of a file that has been parsed, and what is wrong with those that are none. */
export const readTestCases = (
  file: unknown,
): { cases: readonly (TestCase | undefined)[]; faults: readonly Misread[] } => {
  const whole = z.strictObject({ cases: z.array(z.unknown()).min(1) }).safeParse(file)
  if (!whole.success) return { cases: [], faults: [{ index: -1, fault: faultOf(whole.error) }] }
  const read = whole.data.cases.map(readOne)
  return {
    cases: read.map((one) => (typeof one === 'string' ? undefined : one)),
    faults: read.flatMap((one, index) => (typeof one === 'string' ? [{ index, fault: one }] : [])),
  }
}

/** By what it gives: so that a fault is told of the one form that is meant. */
const readOne = (given: unknown): TestCase | string => {
  const keys = typeof given === 'object' && given !== null ? Object.keys(given) : []
  if (keys.includes('sql')) return `sql: ${NO_SQL}`
  const forms = { facts: StatementCase, column: ColumnCase, connect: ConnectCase } as const
  const [form, another] = (['facts', 'column', 'connect'] as const).filter((key) => keys.includes(key))
  if (form === undefined || another !== undefined) return 'expected one of facts, column, connect'
  const parsed = forms[form].safeParse(given)
  return parsed.success ? parsed.data : faultOf(parsed.error)
}

const NO_SQL =
  'a text is understood only where its names are: give facts, as a recorded statement has them ' +
  '(`countersign whatif --json` shows them)'

const faultOf = ({ issues }: z.ZodError): string =>
  issues.map(({ path, message }) => [...(path.length > 0 ? [path.join('.')] : []), message].join(': ')).join('; ')

export interface Tested {
  /** What policy says in the end, as in `expect`. */
  readonly actual: z.input<typeof Expectation>
  /** What differs from what was expected; empty when it is as it should be. */
  readonly differences: readonly string[]
}

export const runTestCase = (set: PolicySet, test: TestCase): Tested => {
  const actual = answerTo(set, test)
  return { actual, differences: differencesBetween(test.expect, actual) }
}

const answerTo = (set: PolicySet, test: TestCase): z.input<typeof Expectation> => {
  const { principal, target, hour, weekday, minuteOfDay = 60 * hour, reason, ticket } = test
  const said = {
    hour,
    weekday,
    minuteOfDay,
    ...(reason !== undefined && { reason }),
    ...(ticket !== undefined && { ticket }),
  }
  if ('connect' in test) return { verdict: mayConnect(set, principal, target, said) ? 'allow' : 'deny' }
  if ('column' in test) {
    const { clear, kind, policies } = maskDecision(set, principal, target, test.column, said)
    return { verdict: clear ? 'clear' : 'mask', policies: [...policies], ...(kind !== undefined && { mask: kind }) }
  }
  const { facts, readOnly, transaction } = test
  const decision = decide(set, requestFromRecord(facts, { principal, target, readOnly, transaction, ...said }))
  const { verdict, policies, approvers, quorum, because } = decision
  const held = verdict === 'hold' && { approvers: [...approvers], quorum }
  const isClear = ({ column: name, class: holds }: { column: string; class: string }) =>
    maskDecision(set, principal, target, { name, class: holds }, said).clear
  const isMasked = verdict === 'allow' && facts.returned?.some((column) => !isClear(column))
  return { verdict: isMasked ? 'mask' : verdict, policies: [...policies], because, ...held }
}

const differencesBetween = (expected: Expectation, actual: z.input<typeof Expectation>): readonly string[] => {
  const { verdict, policies = [], approvers, quorum, mask, because } = expected
  const missing = policies.filter((policy) => !actual.policies?.includes(policy))
  return [
    ...(verdict === actual.verdict ? [] : [`verdict: expected ${verdict}, got ${actual.verdict}${why(actual)}`]),
    ...missing.map((policy) => `policies: ${policy} is not among ${actual.policies?.join(', ') || 'any'}`),
    ...different('approvers', approvers?.toSorted().join(), actual.approvers?.join()),
    ...different('quorum', quorum, actual.quorum),
    ...different('mask', mask, actual.mask),
    ...(because === undefined || actual.because?.includes(because)
      ? []
      : [`because: expected \`${because}\` in \`${actual.because ?? ''}\``]),
  ]
}

const why = ({ policies = [], because }: z.input<typeof Expectation>): string =>
  policies.length > 0 ? ` by ${policies.join(', ')}` : because === undefined ? '' : `: ${because}`

const different = (what: string, expected: unknown, actual: unknown): readonly string[] =>
  expected === undefined || expected === actual
    ? []
    : [`${what}: expected ${String(expected)}, got ${String(actual ?? 'none')}`]
