import type { AccessEvent, WorkerId } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { closingEvents, follow, nothingUnfinished, type LifeEvent } from './unfinished.ts'

const worker = 'node-1/w0/a' as WorkerId
const sessionId = '0192f7a0-0000-7000-8000-000000000001'
const at = '2026-11-22T12:00:00.000Z'
const statement = (sequence: number) => `${sessionId}.${sequence}`
const event = (type: AccessEvent['type'], data: object) => ({ type, data }) as unknown as LifeEvent

const opened = [event('node.started', { worker }), event('session.opened', { sessionId, worker })]
const intended = (sequence: number) =>
  event('statement.intended', { statementId: statement(sequence), sessionId, sequence })
const settled = (sequence: number) => event('statement.settled', { statementId: statement(sequence) })
const held = event('statement.held', { requestId: 'rq_1', mode: 'inline', statement: { statementId: statement(2) } })

const endOf = (...past: LifeEvent[]) => {
  const unfinished = nothingUnfinished()
  for (const each of past) follow(unfinished, each)
  return closingEvents(unfinished, at).map(({ type, data }) => ({ type, data }))
}

describe('what a worker leaves behind when it is killed', () => {
  it('is nothing when it has ended everything', () =>
    expect(
      endOf(
        ...opened,
        intended(1),
        settled(1),
        event('session.closed', { sessionId }),
        event('node.stopped', { worker }),
      ),
    ).toEqual([]))

  it('is one settlement for each statement under way, and the end of its session', () =>
    expect(endOf(...opened, intended(1), intended(2), settled(1))).toMatchObject([
      { type: 'statement.settled', data: { statementId: statement(2), outcome: 'outcome_unknown' } },
      { type: 'session.closed', data: { sessionId, because: 'node-died', statements: 2 } },
      { type: 'node.stopped', data: { worker, because: 'found-dead' } },
    ]))

  it('is a request that nobody waits for any more', () => {
    expect(endOf(...opened, intended(2), held)[0]).toMatchObject({
      type: 'statement.withdrawn',
      data: { requestId: 'rq_1', because: 'node-died' },
    })
    expect(endOf(...opened, intended(2), held, settled(2)).map(({ type }) => type)).not.toContain('statement.withdrawn')
  })
})
