import { Digest, Instant, type ApprovalEvent, type RequestId } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { handClock, held, newRequestId, newSession } from '../testing/running-control.ts'
import { ApprovalsBook } from './approvals-book.ts'
import { dueOf } from './due.ts'

describe('the book of approvals', () => {
  it('keeps what is open, however much has ended, and of that the latest', () => {
    const book = new ApprovalsBook(3)
    const [open, ...over] = Array.from({ length: 6 }, () => newRequestId()) as [RequestId, ...RequestId[]]
    book.take(open, [requested(open)])
    for (const id of over) book.take(id, [requested(id), withdrawn(id)])
    expect(book.live().map(({ request }) => request.requestId)).toEqual([open])
    expect(book.get(over[0]!)).toBeUndefined()
    expect(book.get(over[4]!)?.phase).toBe('withdrawn')
    expect(book.all()).toHaveLength(4)
  })

  it('knows who waits on a session', () => {
    const book = new ApprovalsBook()
    const [waits, runsAgain, gone] = [newRequestId(), newRequestId(), newRequestId()]
    book.take(waits, [requested(waits, 'inline')])
    book.take(runsAgain, [requested(runsAgain, 'rerun')])
    book.take(gone, [requested(gone, 'inline'), withdrawn(gone)])
    expect(book.waitingOn(session.sessionId)).toEqual([waits])
  })

  it('takes refusals of what was never asked for', () => {
    const book = new ApprovalsBook()
    const id = newRequestId()
    const refusal: ApprovalEvent = {
      type: 'grant.claim-refused',
      data: {
        requestId: id,
        statementId: session.statement(2),
        sessionId: session.sessionId,
        because: 'unknown-request',
        at: now,
      },
    }
    book.take(id, [refusal])
    expect(book.get(id)).toBeUndefined()
    book.take(id, [requested(id)])
    expect(book.get(id)?.refusedClaims).toEqual([{ statementId: session.statement(2), because: 'unknown-request' }])
  })
})

describe('what is due', () => {
  const idle = { now, isSuperseded: () => false, isRevoked: () => false, isPublished: () => false }
  const state = () => {
    const book = new ApprovalsBook()
    const id = newRequestId()
    book.take(id, [requested(id)])
    return { state: book.live()[0]!, id, book }
  }

  it('is nothing while its time runs', () => expect(dueOf(state().state, idle)).toBeUndefined())

  it('is the end of its time, to the millisecond', () => {
    const { state: pending } = state()
    const end = pending.request.expiresAt
    expect(dueOf(pending, { ...idle, now: end })?.type).toBe('expire')
    expect(dueOf(pending, { ...idle, now: Instant.parse(new Date(Date.parse(end) - 1).toISOString()) })).toBeUndefined()
  })

  it('is the end of a grant that nobody used', () => {
    const { book, id } = state()
    book.take(id, [{ type: 'approval.granted', data: { requestId: id, people: ['bo'], usableUntil: now, at: now } }])
    expect(dueOf(book.live()[0]!, idle)?.type).toBe('expireGrant')
  })

  it('is what it rests on', () => {
    expect(dueOf(state().state, { ...idle, isSuperseded: (version) => version === 'p1' })).toMatchObject({
      type: 'void',
      because: 'policy-changed',
    })
    expect(dueOf(state().state, { ...idle, isRevoked: (id) => id === 'ana' })).toMatchObject({
      type: 'withdraw',
      because: 'revoked',
    })
  })
})

const { clock } = handClock()
const now = clock()
const session = newSession()

const requested = (requestId: RequestId, mode: 'inline' | 'rerun' = 'rerun'): ApprovalEvent => {
  const event = held(requestId, session.statement(1), 'ana', { mode, digest: Digest.parse('d'.repeat(64)), at: now })
  if (event.type !== 'statement.held') throw new TypeError('not held')
  const { statement, quorum, expiresAt } = event.data
  const groups = [{ name: 'shop-owners', people: ['bo'] }]
  return {
    type: 'approval.requested',
    data: { requestId, kind: 'statement', statement, mode, groups, quorum, excluded: ['ana'], expiresAt, at: now },
  }
}

const withdrawn = (requestId: RequestId): ApprovalEvent => ({
  type: 'approval.withdrawn',
  data: { requestId, because: 'cancelled', at: now },
})
