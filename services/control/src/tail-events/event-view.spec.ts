import { Digest, TOPICS, type StoredEvent, type Topic } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { handClock, held, newRequestId, newSession, opened, recordOf } from '../testing/running-control.ts'
import { eventView } from './event-view.ts'
import { WorkerId } from '@countersign/contracts'

describe('an event as it is shown', () => {
  it('says where it lies, who, and what in a line', () => {
    const requestId = newRequestId()
    const event = held(requestId, session.statement(7), 'copilot', {
      digest: Digest.parse('d'.repeat(64)),
      at: clock(),
    })
    expect(view(TOPICS.access, { ...event, version: 1 })).toEqual({
      topic: TOPICS.access,
      partition: 2,
      offset: 5,
      index: 1,
      type: 'statement.held',
      at: clock(),
      principal: 'copilot',
      sessionId: session.sessionId,
      statementId: session.statement(7),
      requestId,
      text: 'drop table orders',
      summary: `copilot waits for owners (${requestId}): drop table orders`,
    })
  })

  it('names who the session belongs to', () => {
    const data = { sessionId: session.sessionId, because: 'client-gone', statements: 3, at: clock() }
    expect(view(TOPICS.access, { type: 'session.closed', version: 1, data })).toMatchObject({
      principal: 'ana',
      summary: 'ana left (client-gone) after 3 statements',
    })
  })

  it('shows of a credential neither the digest of its token nor its roles', () => {
    const principal = { id: 'ana', kind: 'person', groups: [] }
    const data = {
      credentialId: 'ana-1',
      principal,
      tokenDigest: 'e'.repeat(64),
      roles: { '*': 'superuser' },
      expiresAt: clock(),
      revoked: true,
      at: clock(),
    }
    const shown = view(TOPICS.decisions, { type: 'credential.in-force', version: 1, data })
    expect(shown.summary).toBe('credential ana-1 of ana is revoked')
    expect(JSON.stringify(shown)).not.toMatch(/eeee|superuser/)
  })

  it('shows of what no contract knows its type only', () => {
    for (const topic of [TOPICS.access, TOPICS.approvals, TOPICS.governance, TOPICS.decisions, TOPICS.seals]) {
      const shown = view(topic, { type: 'something.new', version: 1, data: { secret: 'hunter2' } })
      expect(shown.type).toBe('something.new')
      expect(JSON.stringify(shown)).not.toContain('hunter2')
    }
  })
})

const { clock } = handClock()
const session = newSession()
const open = opened(session.sessionId, WorkerId.parse('n/0/1'), 'ana', clock())

const view = (topic: Topic, stored: StoredEvent) =>
  eventView({ ...recordOf('x', 1, [stored]), topic, partition: 2, offset: 5 }, 1, stored, (sessionId) =>
    open.type === 'session.opened' && sessionId === session.sessionId ? open.data : undefined,
  )
