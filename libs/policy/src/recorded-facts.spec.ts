import { Action, DecidedFacts, Principal, Target } from '@countersign/contracts'
import { OBJECT_KINDS } from '@countersign/sql'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { recordedFacts, requestFromRecord, USES_RECORDED_MAX } from './recorded-facts.ts'
import type { Request } from './request.ts'

const principal = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })

const optional = <T>(key: string, of: fc.Arbitrary<T>) =>
  fc.option(of, { nil: undefined }).map((value) => (value === undefined ? {} : { [key]: value }))

const anyUse = fc
  .record({
    action: fc.constantFrom(...Action.options),
    resource: fc
      .record({
        kind: fc.constantFrom(...OBJECT_KINDS),
        name: fc.string(),
        temporary: fc.boolean(),
        system: fc.boolean(),
        more: optional('schema', fc.string()),
      })
      .map(({ more, ...resource }) => ({ ...resource, ...more })),
    through: fc.constantFrom('statement', 'function', 'trigger', 'rule', 'cascade'),
    change: fc.constantFrom('', 'insert', 'update', 'delete', 'merge', 'truncate', 'drop'),
    unbounded: fc.boolean(),
    tautological: fc.boolean(),
    counted: fc.boolean(),
    rowsExact: fc.boolean(),
    rows: optional('rows', fc.nat()),
    rowsShare: optional('rowsShare', fc.nat(100)),
  })
  .map(({ rows, rowsShare, ...use }) => ({ ...use, ...rows, ...rowsShare }))

const anyRequest = fc
  .record({
    statement: fc
      .record({
        statement: fc.string(),
        transaction: fc.constantFrom('idle', 'open', 'failed'),
        hour: fc.nat(23),
        weekday: fc.integer({ min: 1, max: 7 }),
        minuteOfDay: fc.nat(1_439),
        readOnly: fc.boolean(),
        unresolved: fc.boolean(),
        fails: fc.boolean(),
        dangers: fc.array(fc.string()),
        sensitiveClasses: fc.array(fc.string()),
        sensitiveStored: fc.boolean(),
        sensitiveSteering: fc.boolean(),
        reason: optional('reason', fc.string()),
        ticket: optional('ticket', fc.string()),
      })
      .map(({ reason, ticket, ...statement }) => ({ ...statement, ...reason, ...ticket })),
    uses: fc.array(anyUse, { minLength: 1 }),
  })
  .map((request) => ({ principal, target, ...request }) as Request)

const NOTHING = { returned: [], notCounted: false }

describe('recorded facts', () => {
  it('make the question again that was asked, whatever it was', () =>
    fc.assert(
      fc.property(anyRequest, (request) => {
        const facts = recordedFacts(request, NOTHING)
        const { transaction, hour, weekday, minuteOfDay, readOnly, reason, ticket } = request.statement
        const said = { ...(reason !== undefined && { reason }), ...(ticket !== undefined && { ticket }) }
        const read = DecidedFacts.parse(JSON.parse(JSON.stringify(facts)))
        const time = { hour, weekday, minuteOfDay }
        const around = { principal, target, transaction, readOnly, ...time, ...said }
        expect(requestFromRecord(read, around)).toEqual(request)
      }),
    ))

  it('are small for what is usual', () => {
    const usual: Request = {
      principal,
      target,
      statement: {
        statement: 'SELECT',
        transaction: 'idle',
        hour: 12,
        weekday: 3,
        minuteOfDay: 720,
        readOnly: true,
        unresolved: false,
        fails: false,
        dangers: [],
        sensitiveClasses: [],
        sensitiveStored: false,
        sensitiveSteering: false,
      },
      uses: [
        {
          action: 'read',
          resource: { kind: 'relation', schema: 'public', name: 'orders', temporary: false, system: false },
          through: 'statement',
          change: '',
          unbounded: false,
          tautological: false,
          counted: true,
          rowsExact: false,
        },
      ],
    }
    expect(JSON.stringify(recordedFacts(usual, NOTHING)).length).toBeLessThan(110)
    const [use] = usual.uses
    const many = Array.from({ length: USES_RECORDED_MAX + 1 }, () => use).filter((one) => one !== undefined)
    expect(recordedFacts({ ...usual, uses: many }, NOTHING)).toBeUndefined()
  })
})
