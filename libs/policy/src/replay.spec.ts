import { Instant, Principal, Target, type DecidedFacts } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { defaultPolicies } from './default-policies.ts'
import { compilePolicies } from './policy-set.ts'
import { replay, replayKey, Tally, type Recorded } from './replay.ts'

const ana = Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] })
const target = Target.parse({ environment: 'prod', database: 'shop' })
const shipped = compilePolicies(defaultPolicies())
const ALL = '@id("all") permit (principal, action, resource);'
const made = (...texts: readonly string[]) => compilePolicies([{ name: 'x.cedar', text: [ALL, ...texts].join('\n') }])

const reading: DecidedFacts = {
  statement: 'SELECT',
  uses: [{ action: 'read', kind: 'relation', schema: 'public', name: 'customers' }],
  sensitiveClasses: ['email'],
  returned: [{ column: 'public.customers.email', class: 'email' }],
}
const deleting = (rows: Partial<DecidedFacts['uses'][number]>): DecidedFacts => ({
  statement: 'DELETE',
  uses: [{ action: 'delete', kind: 'relation', schema: 'public', name: 'orders', change: 'delete', ...rows }],
})
const recorded = (facts: DecidedFacts | undefined, more: Partial<Recorded> = {}): Recorded => ({
  principal: ana,
  target,
  verdict: 'allow',
  policies: ['write'],
  facts,
  readOnly: false,
  transaction: 'idle',
  at: Instant.parse('2026-11-20T14:59:59.999Z'),
  ...more,
})

describe('a recorded statement, under other policies', () => {
  it('stays as it was', () => {
    expect(replay(shipped, recorded(reading, { verdict: 'mask', readOnly: true }))).toMatchObject({
      outcome: 'unchanged',
      verdict: 'mask',
    })
    expect(replay(shipped, recorded(deleting({ rows: 3, rowsExact: true })))).toMatchObject({ outcome: 'unchanged' })
  })

  it('becomes stricter, or looser', () => {
    const strict = made('@id("no-deletes") @because("no") forbid (principal, action == Action::"delete", resource);')
    expect(replay(strict, recorded(deleting({ rows: 3 })))).toEqual({
      outcome: 'stricter',
      verdict: 'deny',
      policies: ['no-deletes'],
      because: 'no',
    })
    expect(replay(made(), recorded(deleting({ rows: 900 }), { verdict: 'hold' }))).toMatchObject({
      outcome: 'looser',
      verdict: 'allow',
      policies: ['all'],
    })
  })

  it('is masked no longer, or from now on', () => {
    expect(replay(made(), recorded(reading, { verdict: 'mask' }))).toMatchObject({
      outcome: 'looser',
      verdict: 'allow',
    })
    expect(replay(shipped, recorded(reading))).toMatchObject({ outcome: 'stricter', verdict: 'mask' })
  })

  it('is asked about at its own hour, with its own reason', () => {
    const set = made(
      '@id("late") forbid (principal, action, resource) when { context has hour && context.hour >= 15 };',
      '@id("say-why") forbid (principal, action == Action::"delete", resource) unless { context has reason };',
    )
    expect(replay(set, recorded(reading))?.verdict).toBe('allow')
    expect(replay(set, recorded(reading, { at: Instant.parse('2026-11-20T15:00:00.000Z') }))?.policies).toEqual([
      'late',
    ])
    expect(replay(set, recorded(deleting({})))?.policies).toEqual(['say-why'])
    expect(replay(set, recorded(deleting({}), { reason: 'SHOP-1' }))?.verdict).toBe('allow')
  })

  it('cannot be told without facts, nor by rows that nobody counted', () => {
    expect(replay(shipped, recorded(undefined))).toBeUndefined()
    const uncounted = { ...deleting({ uncounted: true }), notCounted: true as const }
    expect(replay(shipped, recorded(uncounted))).toBeUndefined()
    expect(replay(made(), recorded(uncounted))).toMatchObject({ outcome: 'unchanged' })
  })

  it('that policy was not asked about stays as it was', () =>
    expect(replay(shipped, recorded({ statement: '', uses: [] }, { verdict: 'deny', policies: [] }))).toMatchObject({
      outcome: 'unchanged',
      verdict: 'deny',
    }))
})

it('agrees with another in its key, if nothing that policies look at tells them apart', () => {
  const one = recorded(reading, { ticket: 'A', transaction: 'idle' })
  const other = recorded(reading, {
    ticket: 'B',
    transaction: 'open',
    at: Instant.parse('2026-11-20T15:00:00.000Z'),
  })
  expect(replayKey(made(), one)).toBe(replayKey(made(), other))
  for (const condition of ['context.hour > 14', 'context has ticket', 'context.transaction == "idle"']) {
    const set = made(`@id("x") forbid (principal, action == Action::"read", resource) when { ${condition} };`)
    expect(replayKey(set, one)).not.toBe(replayKey(set, other))
  }
  const masking = made('@id("m") forbid (principal, action == Action::"unmask", resource) when { context.hour > 14 };')
  expect(replayKey(masking, one)).not.toBe(replayKey(masking, other))
  expect(replayKey(made(), one)).not.toBe(replayKey(made(), { ...one, readOnly: true }))
})

it('a tally adds up, and names those that changed most', () => {
  const tally = new Tally()
  const say = (facts: DecidedFacts | undefined, more: Partial<Recorded> = {}) => {
    const one = recorded(facts, more)
    tally.add(one, replay(shipped, one))
  }
  say(reading, { verdict: 'mask' })
  say(reading, { verdict: 'deny', policies: ['old-denial'] })
  say(reading, { verdict: 'deny', policies: [] })
  say(deleting({ rows: 500 }))
  say(deleting({ rows: 500 }), { principal: { ...ana, id: Principal.shape.id.parse('bo') } })
  say(undefined)
  tally.add(undefined, undefined)
  expect(tally.summary()).toEqual({
    statements: 7,
    unchanged: 1,
    stricter: 2,
    looser: 2,
    untold: 2,
    policies: [
      { policy: 'hold-many-rows', stricter: 2, looser: 0 },
      { policy: 'no policy permits it', stricter: 0, looser: 1 },
      { policy: 'old-denial', stricter: 0, looser: 1 },
    ],
    principals: [
      { principal: 'ana', stricter: 1, looser: 2 },
      { principal: 'bo', stricter: 1, looser: 0 },
    ],
  })
})
