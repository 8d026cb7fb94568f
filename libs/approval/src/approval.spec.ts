import {
  Blast,
  Digest,
  Instant,
  PrincipalId,
  readApprovalEvent,
  RequestId,
  SessionId,
  StatementId,
  writeApprovalEvent,
  type ApprovalEvent,
} from '@countersign/contracts'
import { fold, type Decider } from '@countersign/kernel'
import { describe, expect, it } from 'vitest'
import { approval, inForce, type ApprovalCommand, type Asked, type CastVote, type Use } from './index.ts'

describe('an approval that one owner may give', () => {
  it('is opened with everything that an approver must see', () => given().when(ask()).yields(asked()))

  it('is opened once, however often it is told', () => given(asked()).when(ask()).yieldsNothing())

  it('is granted by an owner', () =>
    given(asked())
      .when(vote(bo))
      .yields(voted(bo), granted(['bo'])))

  it('is used at once when its client waits', () =>
    given(asked({ mode: 'inline' }))
      .when(vote(bo))
      .yields(voted(bo), granted(['bo'], soon), claimed(first)))

  it('never counts the vote of the person who asked', () =>
    given(asked()).when(vote(ana)).yields(voteRefused(ana, 'own-request')))

  it('never counts the vote of the human behind the agent, by whichever identity', () =>
    given(asked())
      .when(vote({ ...ana, id: id('ana-admin') }))
      .yields(voteRefused({ ...ana, id: id('ana-admin') }, 'own-request')))

  it('does not count who owns nothing of it', () =>
    given(asked()).when(vote(dee)).yields(voteRefused(dee, 'not-an-owner')))

  it.each(['agent', 'service'] as const)('lets no %s vote, even one that an owner answers for', (kind) =>
    given(asked())
      .when(vote({ ...bo, kind }))
      .yields(voteRefused({ ...bo, kind }, 'not-a-person')),
  )

  it('lets nobody vote whose human is not known', () =>
    given(asked())
      .when(vote({ id: id('bo'), kind: 'person' }))
      .yields(voteRefused({ id: id('bo'), kind: 'person' }, 'not-a-person')))

  it('is bound to the statement that the voter was shown', () =>
    given(asked())
      .when(vote(bo, { digest: otherDigest }))
      .yields(voteRefused(bo, 'other-statement')))

  it('is closed at the very moment it expires, not a moment after', () => {
    given(asked())
      .when(vote(bo, { at: beforeSoon }))
      .yields(voted(bo, { at: beforeSoon }), granted(['bo'], later, beforeSoon))
    given(asked())
      .when(vote(bo, { at: soon }))
      .yields(voteRefused(bo, 'expired', soon))
  })

  it('is expired for whoever comes later, too', () =>
    given(asked(), event('approval.expired', { ...at, at: soon }))
      .when(vote(bo, { at: later }))
      .yields(voteRefused(bo, 'expired', later)))

  it('is denied by an owner, with the reason', () =>
    given(asked())
      .when(vote(bo, { vote: 'deny', reason: 'not on a Friday' }))
      .yields(
        voted(bo, { vote: 'deny', reason: 'not on a Friday' }),
        event('approval.denied', { ...at, person: 'bo', because: 'owner', reason: 'not on a Friday' }),
      ))

  it('keeps refused votes on record when nothing of the kind was ever asked', () =>
    given().when(vote(bo)).yields(voteRefused(bo, 'unknown-request')))

  it('stays settled', () =>
    given(asked(), voted(bo), granted(['bo']))
      .when(vote(cy, { vote: 'deny' }))
      .yields(voteRefused(cy, 'not-open', now, 'deny')))

  it('takes a second click for the first', () => {
    given(asked({ quorum: 2 }), voted(bo))
      .when(vote(bo))
      .yieldsNothing()
    given(asked(), voted(bo), granted(['bo']))
      .when(vote(bo))
      .yieldsNothing()
  })
})

describe('an approval that two people must give', () => {
  it('waits for the second', () =>
    given(asked({ quorum: 2 }))
      .when(vote(bo))
      .yields(voted(bo)))

  it('is granted by the vote that completes the quorum', () =>
    given(asked({ quorum: 2 }), voted(bo))
      .when(vote(cy))
      .yields(voted(cy), granted(['bo', 'cy'])))

  it('counts one human once, under whichever identity', () =>
    given(asked({ quorum: 2 }), voted(bo))
      .when(vote({ ...bo, id: id('bo-admin') }))
      .yields(voteRefused({ ...bo, id: id('bo-admin') }, 'already-voted')))

  it('is over with one denial, though the other signed', () =>
    given(asked({ quorum: 2 }), voted(bo))
      .when(vote(cy, { vote: 'deny' }))
      .yields(voted(cy, { vote: 'deny' }), event('approval.denied', { ...at, person: 'cy', because: 'owner' })))

  it('lets one who signed think better of it', () =>
    given(asked({ quorum: 2 }), voted(bo))
      .when(vote(bo, { vote: 'deny' }))
      .yields(voted(bo, { vote: 'deny' }), event('approval.denied', { ...at, person: 'bo', because: 'owner' })))
})

describe('an approval of several groups', () => {
  const owners = { name: 'owners', people: ['bo', 'cy'] }
  const security = { name: 'security', people: ['cy'] }
  const both = asked({ groups: [owners, security] })
  const cySigns = voted(cy, { groups: ['owners', 'security'] })

  it('is not given by one person who is in both', () => given(both).when(vote(cy)).yields(cySigns))

  it('is given once each group has a person of its own', () =>
    given(both, cySigns)
      .when(vote(bo))
      .yields(voted(bo, { groups: ['owners'] }), granted(['cy', 'bo'])))

  it('is not given by two people of the same group', () =>
    given(asked({ groups: [owners, { name: 'security', people: ['dee'] }] }), voted(bo))
      .when(vote(cy))
      .yields(voted(cy)))

  it('is denied at once when one person would have to sign twice', () =>
    given()
      .when(ask({ groups: [{ name: 'owners', people: ['cy'] }, security] }))
      .yields(asked({ groups: [{ name: 'owners', people: ['cy'] }, security] }), nobody))
})

describe('an approval that nobody can give is denied in the breath in which it is opened', () => {
  it.each([
    ['a group has no people', { groups: [{ name: 'owners', people: [] }] }],
    ['its only owner asked for it', { groups: [{ name: 'owners', people: ['ana'] }] }],
    ['fewer may sign than must', { quorum: 3 }],
  ])('because %s', (_, change) => given().when(ask(change)).yields(asked(change), nobody))
})

describe('time', () => {
  it('closes what nobody decided', () => {
    given(asked())
      .when({ type: 'expire', ...at, at: beforeSoon })
      .yieldsNothing()
    given(asked())
      .when({ type: 'expire', ...at, at: soon })
      .yields(event('approval.expired', { ...at, at: soon }))
    given(asked(), voted(bo), granted(['bo']))
      .when({ type: 'expire', ...at, at: soon })
      .yieldsNothing()
  })

  it('takes back a grant that nobody used', () => {
    const past = [asked(), voted(bo), granted(['bo'])]
    given(...past)
      .when({ type: 'expireGrant', ...at, at: soon })
      .yieldsNothing()
    given(...past)
      .when({ type: 'expireGrant', ...at, at: later })
      .yields(event('grant.expired', { ...at, at: later }))
    given(...past, claimed(second))
      .when({ type: 'expireGrant', ...at, at: later })
      .yieldsNothing()
  })
})

describe('taking it back', () => {
  const because = { ...at, because: 'cancelled' } as const

  it('is possible until the grant is used', () => {
    given(asked())
      .when({ type: 'withdraw', ...because })
      .yields(event('approval.withdrawn', because))
    given(asked(), voted(bo), granted(['bo']))
      .when({ type: 'withdraw', ...because })
      .yields(event('approval.withdrawn', because))
    given(asked(), voted(bo), granted(['bo']), claimed(second))
      .when({ type: 'withdraw', ...because })
      .yieldsNothing()
  })

  it('ends it for good', () =>
    given(asked(), event('approval.withdrawn', because)).when(vote(bo)).yields(voteRefused(bo, 'not-open')))

  it('happens by itself when what was approved has changed', () => {
    const voided = { ...at, because: 'schema-changed' } as const
    given(asked())
      .when({ type: 'void', ...voided })
      .yields(event('approval.voided', voided))
    given(asked(), event('approval.voided', voided))
      .when({ type: 'void', ...voided })
      .yieldsNothing()
  })
})

describe('using a grant', () => {
  const past = [asked(), voted(bo), granted(['bo'])]

  it('is for the statement that was approved', () =>
    given(...past)
      .when(claim())
      .yields(claimed(second)))

  it('works once', () =>
    given(...past, claimed(second))
      .when(claim({ statementId: third }))
      .yields(claimRefused('spent', { statementId: third })))

  it('is the same use when it is told twice', () => {
    given(...past, claimed(second))
      .when(claim())
      .yieldsNothing()
    given(...past, claimRefused('other-target'))
      .when(claim())
      .yieldsNothing()
  })

  it('needs the grant first', () => given(asked()).when(claim()).yields(claimRefused('not-granted')))

  it.each<[string, Partial<Use>, Extract<ApprovalEvent, { type: 'grant.claim-refused' }>['data']['because']]>([
    ['another principal', { principalId: id('etl') }, 'other-principal'],
    ['another statement', { digest: otherDigest }, 'other-statement'],
    ['another database', { target: { environment: 'demo', database: 'bank' } }, 'other-target'],
    ['another environment', { target: { environment: 'prod', database: 'shop' } }, 'other-target'],
    ['another role', { role: 'superuser' }, 'other-target'],
    ['a moment too late', { at: later }, 'expired'],
  ])('is not for %s', (_, change, because) =>
    given(...past)
      .when(claim(change))
      .yields(claimRefused(because, { at: change.at ?? now })),
  )

  it('ends with the policy that it was given under', () =>
    given(...past)
      .when(claim({ policyVersion: 'p2' }))
      .yields(claimRefused('policy-changed'), event('approval.voided', { ...at, because: 'policy-changed' })))

  it.each([
    ['more rows than were approved', { rows: 13, exact: true }],
    ['rows that are no longer counted exactly', { rows: 12, exact: false }],
    ['rows that were not counted', undefined],
  ])('ends with %s', (_, rows) =>
    given(...past)
      .when(claim({ rows }))
      .yields(claimRefused('more-rows'), event('approval.voided', { ...at, because: 'more-rows' })),
  )

  it('may change fewer rows than were approved', () =>
    given(...past)
      .when(claim({ rows: { rows: 3, exact: true } }))
      .yields(claimed(second)))

  it.each<[string, object, 'more-rows' | 'wider-reach' | 'stronger-lock' | 'new-rewrite']>([
    ['more rows that go with it', { rows: { rows: 42, exact: true } }, 'more-rows'],
    ['another relation', { name: 'public.payments' }, 'wider-reach'],
    ['a stronger lock', { lock: 'ACCESS EXCLUSIVE' }, 'stronger-lock'],
    ['a rewrite', { rewrites: true }, 'new-rewrite'],
  ])('ends with %s than was shown', (_, change, because) => {
    const shown = { name: 'public.orders', effect: 'deletes', rows: { rows: 41, exact: true }, lock: 'ROW EXCLUSIVE' }
    const blast = (relation: object) =>
      Blast.parse({ summary: '', relations: [relation], dependents: [], stops: [], unknown: [] })
    const statement = { ...request.statement, blast: blast(shown) }
    given(asked({ statement }), voted(bo), granted(['bo']))
      .when(claim({ blast: blast({ ...shown, ...change }) }))
      .yields(claimRefused(because), event('approval.voided', { ...at, because }))
    given(asked({ statement }), voted(bo), granted(['bo']))
      .when(claim({ blast: blast(shown) }))
      .yields(claimed(second))
    given(asked({ statement }), voted(bo), granted(['bo']))
      .when(claim())
      .yields(claimRefused('wider-reach'), event('approval.voided', { ...at, because: 'wider-reach' }))
  })

  it('tells a stranger nothing about how it stands', () =>
    given(asked())
      .when(claim({ principalId: id('etl') }))
      .yields(claimRefused('other-principal')))

  it('is refused and recorded when nothing of the kind was ever asked', () =>
    given().when(claim()).yields(claimRefused('unknown-request')))
})

describe('what nodes are told', () => {
  const told = (...past: ApprovalEvent[]) => inForce(fold(approval, past) as Asked)?.data

  it('names who granted it and until when', () =>
    expect(told(asked(), voted(bo, { reason: 'ok' }), granted(['bo']))).toMatchObject({
      phase: 'granted',
      principalId: 'copilot',
      people: ['bo'],
      reason: 'ok',
      usableUntil: later,
    }))

  it('names the one statement that may run', () =>
    expect(told(asked({ mode: 'inline' }), voted(bo), granted(['bo'], soon), claimed(first))).toMatchObject({
      phase: 'claimed',
      claimedBy: first,
      usableUntil: soon,
    }))

  it('stays with the first use, whatever a broken writer appends', () => {
    const past = [asked(), voted(bo), granted(['bo']), claimed(second), claimed(third)]
    expect(told(...past)).toMatchObject({ phase: 'claimed', claimedBy: second })
  })

  it('names who denied it and why, and not those who had signed', () => {
    const denial = event('approval.denied', { ...at, person: 'cy', because: 'owner', reason: 'no' })
    const past = [asked({ quorum: 2 }), voted(bo), voted(cy, { vote: 'deny', reason: 'no' }), denial]
    expect(told(...past)).toMatchObject({ phase: 'denied', people: ['cy'], reason: 'no' })
  })

  it('names the claim that was refused', () =>
    expect(told(asked(), claimRefused('not-granted'))?.refusedClaim).toEqual({
      statementId: second,
      because: 'not-granted',
    }))

  it('says when nobody could have approved', () =>
    expect(told(asked(), nobody)).toMatchObject({ phase: 'denied', people: [], reason: 'nobody may approve this' }))
})

it('writes nothing that its own contract refuses', () => {
  const all = [
    asked(),
    voted(bo),
    granted(['bo']),
    claimed(second),
    nobody,
    voteRefused(ana, 'own-request'),
    claimRefused('spent'),
  ]
  for (const one of all) expect(readApprovalEvent(writeApprovalEvent(one))).toEqual(one)
})

// The vocabulary of the stories above.

const specify = <State, Command, Event>(decider: Decider<State, Command, Event>) => ({
  given: (...past: Event[]) => ({
    when: (command: Command) => {
      const future = decider.decide(command, fold(decider, past))
      return {
        yields: (...expected: Event[]) => expect(future).toEqual(expected),
        yieldsNothing: () => expect(future).toEqual([]),
      }
    },
  }),
})

const { given } = specify(approval)

type Of<Type extends ApprovalEvent['type']> = Extract<ApprovalEvent, { type: Type }>['data']
type Voter = Extract<ApprovalCommand, { type: 'vote' }>['voter']

const id = (name: string) => PrincipalId.parse(name)
const instant = (time: string) => Instant.parse(`2026-11-22T${time}Z`)
const now = instant('12:00:00.000')
const beforeSoon = instant('12:00:29.999')
const soon = instant('12:00:30.000')
const later = instant('12:15:00.000')

const requestId = RequestId.parse('rq_0123456789')
const at = { requestId, at: now }
const sessionId = SessionId.parse('01930000-0000-7000-8000-000000000000')
const [first, second, third] = [1, 2, 3].map((n) => StatementId.parse(`${sessionId}.${n}`)) as [
  StatementId,
  StatementId,
  StatementId,
]
const digest = Digest.parse('a'.repeat(64))
const otherDigest = Digest.parse('b'.repeat(64))

const person = (name: string): Voter => ({ id: id(name), kind: 'person', person: name })
const [ana, bo, cy, dee] = ['ana', 'bo', 'cy', 'dee'].map(person) as [Voter, Voter, Voter, Voter]

const request: Of<'approval.requested'> = {
  ...at,
  kind: 'statement',
  statement: {
    statementId: first,
    sessionId,
    principal: { id: id('copilot'), kind: 'agent', person: 'ana', onBehalfOf: id('ana'), groups: ['agents'] },
    target: { environment: 'demo', database: 'shop' },
    role: 'shop_agent',
    digest,
    text: 'delete from orders where total = 0',
    actions: ['delete'],
    relations: [{ name: 'public.orders', actions: ['delete'] }],
    rows: { rows: 12, exact: true },
    policies: ['mass-delete'],
    policyVersion: 'p1',
    catalogueVersion: 'c1',
    because: 'it would delete 12 rows',
  },
  mode: 'rerun',
  groups: [{ name: 'owners', people: ['bo', 'cy'] }],
  quorum: 1,
  excluded: ['ana'],
  expiresAt: soon,
}

const event = <Type extends ApprovalEvent['type']>(type: Type, data: Of<Type>) => ({ type, data }) as ApprovalEvent
const ask = (change: Partial<Of<'approval.requested'>> = {}): ApprovalCommand => ({
  type: 'request',
  ...request,
  ...change,
})
const asked = (change: Partial<Of<'approval.requested'>> = {}) => event('approval.requested', { ...request, ...change })
const nobody = event('approval.denied', { ...at, because: 'no-approver' })

const vote = (voter: Voter, change: Partial<CastVote> = {}): ApprovalCommand => ({
  type: 'vote',
  ...at,
  voter,
  vote: 'grant',
  digest,
  channel: 'cli',
  usableUntil: later,
  ...change,
})
const voted = ({ id: voter, person = '' }: Voter, change: Partial<Of<'approval.voted'>> = {}) =>
  event('approval.voted', { ...at, person, voter, vote: 'grant', groups: ['owners'], channel: 'cli', ...change })
const voteRefused = (
  { id: voter, person }: Voter,
  because: Of<'approval.vote-refused'>['because'],
  at = now,
  vote: Of<'approval.vote-refused'>['vote'] = 'grant',
) =>
  event('approval.vote-refused', {
    requestId,
    ...(person !== undefined && { person }),
    voter,
    vote,
    because,
    channel: 'cli',
    at,
  })
const granted = (people: string[], usableUntil = later, at = now) =>
  event('approval.granted', { requestId, people, usableUntil, at })

const claim = (change: Partial<Use> = {}): ApprovalCommand => ({
  type: 'claim',
  ...at,
  statementId: second,
  sessionId,
  principalId: id('copilot'),
  digest,
  target: { environment: 'demo', database: 'shop' },
  role: 'shop_agent',
  policyVersion: 'p1',
  rows: { rows: 12, exact: true },
  ...change,
})
const claimed = (statementId: StatementId) => event('grant.claimed', { ...at, statementId, sessionId })
const claimRefused = (because: Of<'grant.claim-refused'>['because'], change: Partial<Of<'grant.claim-refused'>> = {}) =>
  event('grant.claim-refused', { ...at, statementId: second, sessionId, because, ...change })
