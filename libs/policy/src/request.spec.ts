import { describe, expect, it } from 'vitest'
import { Principal, Target } from '@countersign/contracts'
import type { Facts, Use } from '@countersign/sql'
import { requestFrom } from './index.ts'

const circumstances = {
  principal: Principal.parse({ id: 'ana', kind: 'person', groups: [] }),
  target: Target.parse({ environment: 'prod', database: 'shop' }),
  transaction: 'open',
  hour: 9,
  weekday: 5,
  minuteOfDay: 601,
  reason: 'because',
} as const

const facts = (more: Partial<Facts> = {}): Facts => ({
  tag: 'DELETE',
  actions: [],
  uses: [],
  relations: [],
  readOnly: false,
  unresolved: false,
  onlyTemporary: false,
  dangers: [],
  outputs: [],
  reads: [],
  mayRead: [],
  mayWrite: [],
  parts: [],
  writes: [],
  predicates: [],
  ordering: [],
  flows: [],
  steering: [],
  countable: true,
  behind: { names: false, handles: false },
  ...more,
})
const column = (name: string) => ({ name, relation: 1, column: 1 })
const classOf = (name: string) => (name.endsWith('.email') ? 'email' : name.endsWith('.new') ? 'unknown' : 'clear')
const use = (change: Partial<NonNullable<Use['change']>>, more: Partial<Use> = {}): Use => ({
  action: 'delete',
  object: { kind: 'relation', schema: 'public', name: 'orders' },
  temporary: false,
  system: false,
  through: 'statement',
  deferred: false,
  change: { kind: 'delete', unbounded: false, tautological: false, repeated: false, index: 0, ...change },
  ...more,
})
const asked = (one: Use, rows?: number) =>
  requestFrom(
    facts({ uses: [one] }),
    circumstances,
    classOf,
    rows === undefined ? [] : [{ index: 0, rows, exact: true }],
  ).uses[0]

describe('the rows of a change', () => {
  it('are those that were counted, or fewer when a key allows fewer', () => {
    expect(asked(use({}), 7)).toMatchObject({ rows: 7, rowsExact: true, counted: true })
    expect(asked(use({ rowsAtMost: 1 }), 7)).toMatchObject({ rows: 1, counted: true })
    expect(asked(use({ rowsAtMost: 3 }))).toMatchObject({ rows: 3, rowsExact: false, counted: true })
    expect(asked(use({}))).toMatchObject({ counted: false })
    expect(asked(use({}))).not.toHaveProperty('rows')
  })

  it('are compared with what the relation holds', () => {
    expect(asked(use({ rowEstimate: 20 }), 10)).toMatchObject({ rowsShare: 50 })
    expect(asked(use({ rowEstimate: 3 }), 10)).toMatchObject({ rowsShare: 100 })
    expect(asked(use({ rowEstimate: 0 }), 10)).not.toHaveProperty('rowsShare')
  })

  it('need not be counted when it is only prepared, or follows from another', () => {
    expect(asked(use({ rowsAtMost: 500 }, { deferred: true }))).toMatchObject({ counted: true })
    expect(asked(use({ rowsAtMost: 500 }, { deferred: true }))).not.toHaveProperty('rows')
    expect(asked(use({}, { through: 'trigger' }))).toMatchObject({ counted: true })
    expect(asked(use({}, { through: 'function' }))).toMatchObject({ counted: false })
  })
})

describe('what a statement does with sensitive columns', () => {
  const statement = (more: Partial<Facts>) => requestFrom(facts(more), circumstances, classOf).statement

  it('is told by their classes', () =>
    expect(
      statement({ reads: [column('a.email'), column('a.b')], writes: [column('a.new')] }).sensitiveClasses,
    ).toEqual(['email', 'unknown']))

  it.each<[string, boolean, Facts['flows'][number]]>([
    ['into a clear column', true, { into: column('a.b'), origins: [column('a.email')], opaque: false }],
    ['into a sensitive column', false, { into: column('b.email'), origins: [column('a.email')], opaque: false }],
    ['into nowhere that is known', true, { into: undefined, origins: [column('a.email')], opaque: false }],
    ['of clear values', false, { into: undefined, origins: [column('a.b')], opaque: false }],
    ['of what cannot be seen, while sensitive columns are read', true, { into: undefined, origins: [], opaque: true }],
  ])('a flow %s: %s', (_, expected, flow) =>
    expect(statement({ flows: [flow], mayRead: [column('a.email')] }).sensitiveStored).toBe(expected),
  )

  it('is no flow of what cannot be seen while nothing sensitive is read', () =>
    expect(
      statement({ flows: [{ into: undefined, origins: [], opaque: true }], reads: [column('a.b')] }).sensitiveStored,
    ).toBe(false))

  it('may be a question', () => {
    expect(statement({ steering: [column('a.email')] }).sensitiveSteering).toBe(true)
    expect(statement({ steering: [column('a.b')] }).sensitiveSteering).toBe(false)
  })
})

it('asks about a statement that uses nothing', () =>
  expect(requestFrom(facts({ tag: 'SELECT' }), circumstances, classOf)).toMatchObject({
    statement: { statement: 'SELECT', transaction: 'open', hour: 9, reason: 'because', fails: false },
    uses: [{ action: 'read', resource: { kind: 'statement', name: 'SELECT' } }],
  }))
