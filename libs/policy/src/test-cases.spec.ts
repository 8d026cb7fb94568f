import { describe, expect, it } from 'vitest'
import { defaultPolicies } from './default-policies.ts'
import { compilePolicies } from './policy-set.ts'
import { readTestCases, runTestCase } from './test-cases.ts'

const shipped = compilePolicies(defaultPolicies())
const ana = { id: 'ana', kind: 'person', groups: ['developers'] }
const orders = { kind: 'relation', schema: 'public', name: 'orders' }
const base = { name: 'it', principal: ana, target: 'prod/shop' }
const deletion = {
  statement: 'DELETE',
  uses: [{ action: 'delete', ...orders, change: 'delete', unbounded: true, rows: 9 }],
}

const run = (given: object) => {
  const { cases, faults } = readTestCases({ cases: [{ ...base, ...given }] })
  const [test] = cases
  return test ? runTestCase(shipped, test).differences : faults.map(({ fault }) => fault)
}

describe('a case', () => {
  it.each<[string, object]>([
    ['of a statement, by its verdict', { facts: deletion, expect: 'hold' }],
    [
      'with all that can be expected',
      {
        facts: deletion,
        expect: {
          verdict: 'hold',
          policies: ['hold-every-row'],
          approvers: ['owners'],
          quorum: 1,
          because: 'every row',
        },
      },
    ],
    [
      'of a column that is masked',
      { column: { name: 'public.customers.email', class: 'email' }, expect: { verdict: 'mask' } },
    ],
    ['of one that is clear', { column: { name: 'public.orders.total', class: 'clear' }, expect: 'clear' }],
    [
      'of a result that is masked',
      {
        facts: {
          statement: 'SELECT',
          uses: [{ action: 'read', ...orders }],
          returned: [{ column: 'public.orders.note', class: 'email' }],
        },
        readOnly: true,
        expect: 'mask',
      },
    ],
    ['of who may connect', { connect: true, expect: 'allow' }],
  ])('%s, passes', (_, given) => expect(run(given)).toEqual([]))

  it.each<[string, object, RegExp]>([
    ['another verdict', { facts: deletion, expect: 'allow' }, /verdict: expected allow, got hold by hold-every-row/],
    [
      'another policy',
      { facts: deletion, expect: { verdict: 'hold', policies: ['x'] } },
      /policies: x is not among hold-every-row/,
    ],
    [
      'other approvers',
      { facts: deletion, expect: { verdict: 'hold', approvers: ['security'] } },
      /approvers: expected security, got owners/,
    ],
    ['another quorum', { facts: deletion, expect: { verdict: 'hold', quorum: 2 } }, /quorum: expected 2, got 1/],
    ['another reason', { facts: deletion, expect: { verdict: 'hold', because: 'moon' } }, /because: expected `moon`/],
    ['no session', { connect: true, expect: 'deny' }, /verdict: expected deny, got allow/],
  ])('fails for %s', (_, given, difference) => expect(run(given).join()).toMatch(difference))

  it.each<[string, object, RegExp]>([
    ['SQL', { sql: 'delete from orders', expect: 'hold' }, /give facts/],
    ['nothing to ask', { expect: 'hold' }, /expected one of facts, column, connect/],
    ['two things to ask', { facts: deletion, connect: true, expect: 'hold' }, /expected one of/],
    ['an unknown fact', { facts: { ...deletion, rowz: 1 }, expect: 'hold' }, /facts: .*rowz/],
    ['an unknown verdict', { facts: deletion, expect: 'maybe' }, /expect/],
    [
      'a target that is none',
      { facts: deletion, target: 'shop', expect: 'hold' },
      /target: expected environment\/database/,
    ],
  ])('is refused with %s', (_, given, fault) => expect(run(given).join()).toMatch(fault))
})

it('a file that holds no cases is refused', () => {
  expect(readTestCases({ cases: [] }).faults).toHaveLength(1)
  expect(readTestCases(null).faults).toHaveLength(1)
  expect(readTestCases({ cases: [{ ...base, connect: true, expect: 'allow' }], more: 1 }).faults).toHaveLength(1)
})
