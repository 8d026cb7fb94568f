import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import { ACTIONS, DANGERS, type SqlObject } from '@countersign/sql'
import { compilePolicies, decide, defaultPolicies, maskDecision, type Request, type RequestedUse } from './index.ts'

/*
 * Whatever a statement is, and whatever groups they are in: by the shipped set no agent may do what a person may not.
 */

const shipped = compilePolicies(defaultPolicies())
const SEVERITY = { allow: 0, hold: 1, deny: 2 } as const

const KINDS = `relation routine role schema database extension server setting statement file program type trigger rule
  language publication subscription prepared cursor transaction tablespace policy other`.split(/\s+/)

const few = fc.oneof(fc.nat(12), fc.nat(120), fc.nat(20_000))
const rows = fc.option(few, { nil: undefined })

/** Most of what makes a statement special is rare: where everything is held anyhow, nothing tells agents from people. */
const seldom = fc.oneof({ weight: 15, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.boolean() })
const mostly = fc.oneof({ weight: 15, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.boolean() })
const seldomSome = (values: readonly string[]) =>
  fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.uniqueArray(fc.constantFrom(...values), { maxLength: 2 }))

const use: fc.Arbitrary<RequestedUse> = fc
  .record({
    action: fc.constantFrom(...ACTIONS),
    kind: fc.oneof(fc.constant('relation'), fc.constantFrom(...KINDS)),
    temporary: seldom,
    system: seldom,
    through: fc.constantFrom('statement', 'function', 'trigger', 'rule', 'cascade'),
    change: fc.constantFrom('', 'insert', 'update', 'delete', 'merge', 'truncate', 'drop'),
    unbounded: seldom,
    tautological: seldom,
    counted: mostly,
    rowsExact: fc.boolean(),
    rows,
    share: fc.option(fc.nat(100), { nil: undefined }),
  })
  .map(({ kind, temporary, system, rows: found, share, ...rest }) => ({
    ...rest,
    resource: { kind: kind as SqlObject['kind'], schema: 'public', name: 'thing', temporary, system },
    ...(found === undefined ? {} : { rows: found }),
    ...(share === undefined ? {} : { rowsShare: share }),
  })) as fc.Arbitrary<RequestedUse>

const statement: fc.Arbitrary<Request['statement']> = fc.record(
  {
    statement: fc.constantFrom('SELECT', 'DELETE', 'DO', 'CALL', 'DROP TABLE', 'COPY'),
    transaction: fc.constantFrom('idle', 'open', 'failed'),
    hour: fc.nat(23),
    weekday: fc.integer({ min: 1, max: 7 }),
    minuteOfDay: fc.nat(1439),
    readOnly: seldom,
    unresolved: seldom,
    fails: seldom,
    dangers: seldomSome(Object.keys(DANGERS)),
    sensitiveClasses: fc.uniqueArray(fc.constantFrom('email', 'card', 'unknown'), { maxLength: 2 }),
    sensitiveStored: seldom,
    sensitiveSteering: seldom,
    reason: fc.constant('why'),
    ticket: fc.constant('OPS-1'),
  },
  {
    requiredKeys: [
      'statement',
      'transaction',
      'hour',
      'weekday',
      'minuteOfDay',
      'readOnly',
      'unresolved',
      'fails',
      'dangers',
      'sensitiveClasses',
      'sensitiveStored',
      'sensitiveSteering',
    ],
  },
)

const groups = fc.uniqueArray(fc.constantFrom('developers', 'auditors', 'security', 'sre', 'agents', 'shop-owners'), {
  maxLength: 3,
})

it('by the shipped set an agent is never let further than a person', () =>
  fc.assert(
    fc.property(statement, fc.array(use, { minLength: 1, maxLength: 3 }), groups, (facts, uses, of) => {
      const target = Target.parse({ environment: 'prod', database: 'shop' })
      const verdict = (principal: Principal) => decide(shipped, { principal, target, statement: facts, uses }).verdict
      const person = verdict(Principal.parse({ id: 'ana', kind: 'person', groups: of }))
      const agent = verdict(Principal.parse({ id: 'copilot', kind: 'agent', onBehalfOf: 'ana', groups: of }))
      expect(SEVERITY[agent]).toBeGreaterThanOrEqual(SEVERITY[person])
    }),
    { numRuns: 3_000 },
  ))

it('nor does it see more', () =>
  fc.assert(
    fc.property(fc.constantFrom('clear', 'email', 'card', 'secret', 'unknown'), groups, (found, of) => {
      const target = Target.parse({ environment: 'prod', database: 'shop' })
      const column = { name: 'public.thing.what', class: found }
      const clear = (principal: Principal) =>
        maskDecision(shipped, principal, target, column, { hour: 1, weekday: 1, minuteOfDay: 61 }).clear
      const person = clear(Principal.parse({ id: 'ana', kind: 'person', groups: of }))
      expect(person || !clear(Principal.parse({ id: 'copilot', kind: 'agent', groups: of }))).toBe(true)
    }),
    { numRuns: 100 },
  ))
