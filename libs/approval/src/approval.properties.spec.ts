import {
  Digest,
  Instant,
  PrincipalId,
  readApprovalEvent,
  RequestId,
  SessionId,
  StatementId,
  writeApprovalEvent,
  type Action,
  type ApprovalEvent,
  type RelationUse,
} from '@countersign/contracts'
import { fold } from '@countersign/kernel'
import {
  array,
  assert,
  boolean,
  constant,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  subarray,
  type Arbitrary,
} from 'fast-check'
import { describe, expect, it } from 'vitest'
import { approval, groupsOf, inForce, type Approval, type ApprovalCommand } from './index.ts'

/*
 * What must hold whatever is asked, in whatever order, by whomever.
 */
describe('after any commands whatever', () => {
  it('a grant is used at most once', () =>
    always(({ events }) => expect(count(events, 'grant.claimed')).toBeLessThanOrEqual(1)))

  it('a grant is used only after it was given, and before its end', () =>
    always(({ events }) => {
      const used = find(events, 'grant.claimed')
      if (!used) return
      const given = find(events, 'approval.granted')
      expect(given).toBeDefined()
      expect(used.at < given!.usableUntil).toBe(true)
    }))

  it('it comes to one end at most', () =>
    always(({ events }) => {
      const ends = events.filter(({ type }) => ENDS.has(type))
      expect(ends.length).toBeLessThanOrEqual(1)
      const settledAt = events.findIndex(({ type }) => ENDS.has(type))
      const after = settledAt < 0 ? [] : events.slice(settledAt + 1)
      expect(after.filter(({ type }) => !REFUSALS.has(type))).toEqual([])
    }))

  it('nobody who is excluded ever signed, and who signed was asked', () =>
    always(({ events }) => {
      const asked = find(events, 'approval.requested')
      for (const { type, data } of events) {
        if (type !== 'approval.voted') continue
        expect(asked!.excluded).not.toContain(data.person)
        expect(data.groups).toEqual(groupsOf(asked!, data.person))
        expect(data.groups.length).toBeGreaterThan(0)
      }
    }))

  it('it is granted only by as many different people as asked, none of whom denied', () =>
    always(({ events }) => {
      const granted = find(events, 'approval.granted')
      if (!granted) return
      const asked = find(events, 'approval.requested')!
      expect(new Set(granted.people).size).toBe(granted.people.length)
      expect(granted.people.length).toBeGreaterThanOrEqual(Math.max(asked.quorum, asked.groups.length))
      expect(granted.at < asked.expiresAt).toBe(true)
      for (const { type, data } of events) if (type === 'approval.voted') expect(data.vote).toBe('grant')
    }))

  it('its phase only moves forward', () =>
    always(({ states }) => {
      for (const [i, state] of states.entries()) {
        expect(RANK[state.phase]).toBeGreaterThanOrEqual(RANK[states[i - 1]?.phase ?? 'not-asked'])
        if (RANK[state.phase] === LAST) expect(state.phase).toBe(states.at(-1)!.phase)
      }
    }))

  it('the same commands tell the same story', () =>
    assert(
      property(commands, (commands) => {
        expect(run(commands).events).toEqual(run(commands).events)
      }),
    ))

  it('telling every command twice changes nothing but what is refused', () =>
    assert(
      property(commands, (commands) => {
        const once = run(commands).events.filter(({ type }) => !REFUSALS.has(type))
        const twice = run(commands.flatMap((c) => [c, c])).events.filter(({ type }) => !REFUSALS.has(type))
        expect(twice).toEqual(once)
      }),
    ))

  it('what lies in the log gives the state back, and nodes are told the same whoever reads it', () =>
    always(({ events, states }) => {
      const reread = fold(approval, events.map(writeApprovalEvent).map(readApprovalEvent))
      expect(reread).toEqual(states.at(-1) ?? approval.initial)
      if (reread.phase !== 'not-asked') expect(inForce(reread)?.data.phase).toBe(reread.phase)
    }))

  it('an event out of its turn changes nothing that is settled', () =>
    assert(
      property(commands, commands, (mine, others) => {
        const { states } = run(mine)
        const state = states.at(-1)
        if (!state || RANK[state.phase] !== LAST) return
        for (const event of run(others).events) {
          expect({ ...approval.evolve(state, event), ...RECORDED }).toEqual({ ...state, ...RECORDED })
        }
      }),
    ))

  it('these commands do reach every end', () => {
    const reached = new Set<string>()
    assert(
      property(commands, (commands) => void run(commands).states.forEach(({ phase }) => reached.add(phase))),
      {
        numRuns: 3_000,
        seed: 1,
      },
    )
    reached.delete('not-asked')
    expect([...reached].sort()).toEqual(
      Object.keys(RANK)
        .filter((phase) => phase !== 'not-asked')
        .sort(),
    )
  })
})

interface Story {
  readonly events: readonly ApprovalEvent[]
  /** After each command. */
  readonly states: readonly Approval[]
}

const run = (commands: readonly ApprovalCommand[]): Story => {
  const events: ApprovalEvent[] = []
  const states: Approval[] = []
  for (const command of commands) {
    events.push(...approval.decide(command, states.at(-1) ?? approval.initial))
    states.push(fold(approval, events))
  }
  return { events, states }
}

const always = (check: (story: Story) => void) =>
  assert(
    property(commands, (commands) => {
      check(run(commands))
    }),
    { numRuns: 1_000 },
  )

/** What refused claims may still add to, when all is over. */
const RECORDED = { refusedClaims: [], changedAt: '' }

const LAST = 3
const RANK = {
  'not-asked': 0,
  pending: 1,
  granted: 2,
  claimed: LAST,
  denied: LAST,
  expired: LAST,
  withdrawn: LAST,
  voided: LAST,
} as const

const REFUSALS: ReadonlySet<string> = new Set(['approval.vote-refused', 'grant.claim-refused'])
const ENDS: ReadonlySet<string> = new Set([
  'grant.claimed',
  'grant.expired',
  'approval.denied',
  'approval.expired',
  'approval.withdrawn',
  'approval.voided',
])

const count = (events: readonly ApprovalEvent[], type: string) => events.filter((event) => event.type === type).length

type Of<Type extends ApprovalEvent['type']> = Extract<ApprovalEvent, { type: Type }>

const find = <Type extends ApprovalEvent['type']>(events: readonly ApprovalEvent[], type: Type) =>
  events.find((event) => event.type === type)?.data as Of<Type>['data'] | undefined

// Few values of each kind, so that chance brings them together.
const PEOPLE = ['ana', 'bo', 'cy', 'dee']
const requestId = RequestId.parse('rq_0123456789')
const sessionId = SessionId.parse('01930000-0000-7000-8000-000000000000')
const digest = constantFrom(Digest.parse('a'.repeat(64)), Digest.parse('a'.repeat(64)), Digest.parse('b'.repeat(64)))
const at = nat(20).map((seconds) => Instant.parse(new Date(Date.UTC(2026, 10, 22) + seconds * 1_000).toISOString()))
const principalId = constantFrom(...['copilot', 'copilot', 'copilot', 'etl'].map((id) => PrincipalId.parse(id)))
const statementId = integer({ min: 1, max: 4 }).map((n) => StatementId.parse(`${sessionId}.${n}`))
const target = constant({ environment: 'demo', database: 'shop' })
const role = constant('shop_agent')
const policyVersion = constantFrom('p1', 'p1', 'p1', 'p2')
const rows = constantFrom(undefined, { rows: 5, exact: true }, { rows: 9, exact: true }, { rows: 9, exact: false })

const statement = record({
  statementId,
  sessionId: constant(sessionId),
  principal: constant({
    id: PrincipalId.parse('copilot'),
    kind: 'agent' as const,
    person: 'ana',
    groups: new Array<string>(),
  }),
  target,
  role,
  digest: constant(Digest.parse('a'.repeat(64))),
  text: constant('delete from orders'),
  actions: constant<Action[]>(['delete']),
  relations: constant<RelationUse[]>([]),
  rows,
  policies: constant<string[]>([]),
  policyVersion: constant('p1'),
  catalogueVersion: constant('c1'),
  because: constant('it deletes'),
})

const requests = record({
  type: constant('request' as const),
  requestId: constant(requestId),
  kind: constant('statement' as const),
  statement,
  mode: constantFrom('inline' as const, 'rerun' as const),
  groups: array(record({ name: constantFrom('a', 'b'), people: subarray(PEOPLE) }), { minLength: 1, maxLength: 2 }),
  quorum: integer({ min: 1, max: 2 }),
  excluded: constant<string[]>(['ana']),
  expiresAt: at,
  at,
})

const voter = record({
  person: constantFrom(...PEOPLE),
  kind: constantFrom('person', 'person', 'agent'),
  second: boolean(),
}).map(({ person, kind, second }) => ({
  id: PrincipalId.parse(second ? `${person}-admin` : person),
  kind: kind as 'person' | 'agent',
  person,
}))

const votes = record({
  type: constant('vote' as const),
  requestId: constant(requestId),
  voter,
  vote: constantFrom('grant' as const, 'grant' as const, 'grant' as const, 'deny' as const),
  digest,
  channel: constant('cli' as const),
  usableUntil: at,
  at,
})

const claims = record({
  type: constant('claim' as const),
  requestId: constant(requestId),
  statementId,
  sessionId: constant(sessionId),
  principalId,
  digest,
  target,
  role,
  policyVersion,
  rows,
  at,
})

const ends = oneof(
  record({ type: constantFrom('expire' as const, 'expireGrant' as const), requestId: constant(requestId), at }),
  record({
    type: constant('withdraw' as const),
    requestId: constant(requestId),
    because: constant('cancelled' as const),
    at,
  }),
  record({
    type: constant('void' as const),
    requestId: constant(requestId),
    because: constant('schema-changed' as const),
    at,
  }),
)

const often = (weight: number, arbitrary: Arbitrary<ApprovalCommand>) => ({ weight, arbitrary })

const commands = array(oneof(often(3, requests), often(5, votes), often(3, claims), often(1, ends)), { maxLength: 14 })
