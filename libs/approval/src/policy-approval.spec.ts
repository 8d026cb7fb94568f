import {
  Digest,
  Instant,
  PrincipalId,
  RequestId,
  SessionId,
  StatementId,
  type ApprovalEvent,
} from '@countersign/contracts'
import { fold } from '@countersign/kernel'
import { describe, expect, it } from 'vitest'
import { approval, inForce, type ApprovalCommand, type Asked, type OpenPolicy } from './index.ts'

/*
 * What differs where policies are to change, and no statement waits: the votes are those of approval.spec.ts.
 */

const now = Instant.parse('2026-11-22T12:00:00.000Z')
const later = Instant.parse('2026-11-22T12:15:00.000Z')
const end = Instant.parse('2026-11-25T12:00:00.000Z')
const requestId = RequestId.parse('rq_0000000001')
const digest = Digest.parse('a'.repeat(64))

const open: OpenPolicy = {
  type: 'request',
  requestId,
  kind: 'policy',
  proposal: {
    principal: { id: PrincipalId.parse('ana'), kind: 'person', person: 'ana', groups: ['developers'] },
    digest,
    version: 'aaaaaaaaaaaaaaaa',
    base: 'bbbbbbbbbbbbbbbb',
    reason: 'SEC-1',
    changes: [{ id: 'hold-drop', file: '20-holds.cedar', change: 'changed' }],
    owners: { added: [], removed: [] },
  },
  groups: [{ name: 'security', people: ['cy'] }],
  quorum: 1,
  excluded: ['ana'],
  expiresAt: end,
  at: now,
}

const vote = (name: string, more: { vote?: 'grant' | 'deny'; digest?: Digest; id?: string } = {}): ApprovalCommand => ({
  type: 'vote',
  requestId,
  voter: { id: PrincipalId.parse(more.id ?? name), kind: 'person', person: name },
  vote: more.vote ?? 'grant',
  digest: more.digest ?? digest,
  channel: 'cli',
  usableUntil: later,
  at: now,
})
const enforce: ApprovalCommand = { type: 'enforce', requestId, at: now }
const voidIt: ApprovalCommand = { type: 'void', requestId, because: 'policy-changed', at: now }

const run = (...commands: readonly ApprovalCommand[]) =>
  commands.reduce<{ events: ApprovalEvent[]; last: readonly ApprovalEvent[] }>(
    ({ events }, command) => {
      const last = approval.decide(command, fold(approval, events))
      return { events: [...events, ...last], last }
    },
    { events: [], last: [] },
  )
const types = (...commands: readonly ApprovalCommand[]) => run(...commands).last.map(({ type }) => type)
const refusal = (...commands: readonly ApprovalCommand[]) =>
  run(...commands).last.map(({ data }) => 'because' in data && data.because)
const phase = (...commands: readonly ApprovalCommand[]) => fold(approval, run(...commands).events).phase

describe('a change of policies', () => {
  it('is asked for once', () => {
    expect(types(open)).toEqual(['approval.policy-requested'])
    expect(types(open, open)).toEqual([])
  })

  it('is denied at once when nobody could sign for it', () =>
    expect(types({ ...open, groups: [{ name: 'security', people: ['ana'] }] })).toEqual([
      'approval.policy-requested',
      'approval.denied',
    ]))

  it('is never signed by who proposes it, by whichever identity', () => {
    expect(refusal(open, vote('ana'))).toEqual(['own-request'])
    expect(refusal(open, vote('ana', { id: 'ana-admin' }))).toEqual(['own-request'])
  })

  it('is signed as it was shown', () =>
    expect(refusal(open, vote('cy', { digest: Digest.parse('b'.repeat(64)) }))).toEqual(['other-statement']))

  it('waits to be put in force, and then is done', () => {
    expect(types(open, vote('cy'))).toEqual(['approval.voted', 'approval.granted'])
    expect(types(open, vote('cy'), enforce)).toEqual(['grant.used'])
    expect(phase(open, vote('cy'), enforce)).toBe('claimed')
    expect(types(open, vote('cy'), enforce, enforce)).toEqual([])
  })

  it('is not put in force before it is granted, nor after it is over', () => {
    expect(types(open, enforce)).toEqual([])
    expect(types(open, vote('cy', { vote: 'deny' }), enforce)).toEqual([])
    expect(types(open, vote('cy'), voidIt, enforce)).toEqual([])
    expect(phase(open, vote('cy'), voidIt)).toBe('voided')
  })

  it('lets no statement run', () => {
    const sessionId = SessionId.parse('01930000-0000-7000-8000-000000000000')
    const claim: ApprovalCommand = {
      type: 'claim',
      requestId,
      statementId: StatementId.parse(`${sessionId}.1`),
      sessionId,
      principalId: PrincipalId.parse('ana'),
      digest,
      target: { environment: 'demo', database: 'shop' },
      role: 'shop_app',
      policyVersion: 'bbbbbbbbbbbbbbbb',
      at: now,
    }
    expect(refusal(open, vote('cy'), claim)).toEqual(['other-statement'])
  })

  it('is nothing that nodes are told', () =>
    expect(inForce(fold(approval, run(open, vote('cy')).events) as Asked)).toBeUndefined())
})
