import { describe, expect, it } from 'vitest'
import { handClock, newSession, opened, type Name } from '../testing/running-control.ts'
import { OpenSessions, type Session } from './open-sessions.ts'
import { WorkerId, type SessionId } from '@countersign/contracts'

describe('the open sessions', () => {
  it('are those that were opened and not closed', () => {
    const [a, b] = [session('ana'), session('bo')]
    const sessions = sessionsWith([a, 1], [b, 2])
    sessions.closed(a.sessionId)
    expect(sessions.all()).toEqual([b])
    expect(sessions.hasEnded(a.sessionId)).toBe(true)
    expect(sessions.recent(a.sessionId)).toEqual(a)
  })

  it('do not hold one whose end was told before its beginning', () => {
    const a = session('ana')
    const sessions = new OpenSessions()
    sessions.closed(a.sessionId)
    sessions.opened(a, {})
    expect(sessions.all()).toEqual([])
  })

  it('end with their worker, also those that are told of later', () => {
    const [a, b, late] = [session('ana', 'n/0/1'), session('bo', 'n/1/1'), session('cy', 'n/0/1')]
    const sessions = sessionsWith([a, 1], [b, 2])
    expect(sessions.stopped(a.worker)).toEqual([a.sessionId])
    sessions.opened(late, {})
    expect(sessions.all()).toEqual([b])
  })

  it('remember ends for a while only', () => {
    const sessions = new OpenSessions()
    const [first] = Array.from({ length: 10_001 }, () => {
      const { sessionId } = newSession()
      sessions.closed(sessionId)
      return sessionId
    }) as [SessionId]
    expect(sessions.hasEnded(first)).toBe(false)
  })

  it('are found again from where the oldest of them was opened', () => {
    const [a, b, c] = [session('ana'), session('bo'), session('cy')]
    const sessions = sessionsWith([a, 10], [b, 20], [c, 30])
    expect(sessions.resumeFrom({ 0: 99 })).toEqual({ 0: 10 })
    sessions.closed(a.sessionId)
    sessions.opened(b, { 0: 50 })
    expect(sessions.resumeFrom({ 0: 99 })).toEqual({ 0: 20 })
    sessions.closed(b.sessionId)
    sessions.closed(c.sessionId)
    expect(sessions.resumeFrom({ 0: 99 })).toEqual({ 0: 99 })
  })
})

const { clock } = handClock()

const session = (name: Name, worker = 'n/0/1'): Session => {
  const event = opened(newSession().sessionId, WorkerId.parse(worker), name, clock())
  if (event.type !== 'session.opened') throw new TypeError('not a session')
  return event.data
}

const sessionsWith = (...all: [Session, number][]) => {
  const sessions = new OpenSessions()
  for (const [one, offset] of all) sessions.opened(one, { 0: offset })
  return sessions
}
