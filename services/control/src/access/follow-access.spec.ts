import { Digest, TOPICS, WorkerId } from '@countersign/contracts'
import { describe, expect, it } from 'vitest'
import { MemoryLog } from '../testing/memory-log.ts'
import { handClock, held, newRequestId, newSession, nodeOn, opened, silent, until } from '../testing/running-control.ts'
import type { Effect } from './effects-of.ts'
import { FollowAccess } from './follow-access.ts'
import { OpenSessions } from './open-sessions.ts'

describe('following what nodes write', () => {
  it('does what one request needs in its order, and different requests side by side', async () => {
    const { follow, write, performed } = story()
    const [slow, quick] = [newRequestId(), newRequestId()]
    const session = newSession()
    const gates = new Map([[slow, gate()]])
    await write(
      held(slow, session.statement(1), 'ana', { digest, at: clock() }),
      {
        type: 'statement.withdrawn',
        data: { requestId: slow, statementId: session.statement(1), because: 'cancelled', at: clock() },
      },
      held(quick, session.statement(2), 'ana', { digest, at: clock() }),
    )
    const following = follow(async (effect) => {
      if (effect.type === 'open') await gates.get(effect.requestId)?.passed
    })
    await until(() => performed.length === 1)
    expect(namesOf(performed)).toEqual([`open ${quick}`])
    gates.get(slow)!.open()
    await until(() => performed.length === 3)
    expect(namesOf(performed)).toEqual([`open ${quick}`, `open ${slow}`, `withdraw ${slow}`])
    await following.close()
  })

  it('ends a session only after what it asked for has been done', async () => {
    const { follow, write, performed } = story()
    const requestId = newRequestId()
    const { sessionId, statement } = newSession()
    await write(held(requestId, statement(1), 'ana', { digest, mode: 'inline', at: clock() }), {
      type: 'session.closed',
      data: { sessionId, because: 'client-gone', statements: 1, at: clock() },
    })
    const following = follow(async () => void (await new Promise((resolve) => setTimeout(resolve, 20))))
    await until(() => performed.length === 2)
    expect(performed.map(({ type }) => type)).toEqual(['open', 'abandon'])
    await following.close()
  })

  it('withdraws at once what is held by a session that is known to have ended', async () => {
    const { follow, write, performed } = story()
    const requestId = newRequestId()
    const { sessionId, statement } = newSession()
    await write({ type: 'session.closed', data: { sessionId, because: 'node-died', statements: 1, at: clock() } })
    await write(held(requestId, statement(1), 'ana', { digest, mode: 'inline', at: clock() }))
    const following = follow()
    await until(() => performed.length === 3)
    expect(namesOf(performed)).toEqual(['abandon', `open ${requestId}`, `withdraw ${requestId}`])
    await following.close()
  })

  it('tries again what failed, goes on from where it was, and counts nothing as done that is not', async () => {
    const { log, follow, write, performed } = story()
    const requestId = newRequestId()
    await write(held(requestId, newSession().statement(1), 'ana', { digest, at: clock() }))
    let failures = 2
    const following = follow(async () => {
      if (failures-- > 0) throw new Error('not now')
    })
    expect(following.cursor).toEqual({})
    await following.caughtUp()
    expect(namesOf(performed)).toEqual([`open ${requestId}`])
    expect(following.cursor).toEqual(await log.end(TOPICS.access))
    await following.close()
  })

  it('counts nothing as done when it is closed in between', async () => {
    const { follow, write } = story()
    await write(held(newRequestId(), newSession().statement(1), 'ana', { digest, at: clock() }))
    const following = follow(() => Promise.reject(new Error('never')))
    await new Promise((resolve) => setTimeout(resolve, 50))
    await following.close()
    expect(following.cursor).toEqual({})
  })

  it('keeps its resume point where the oldest open session began', async () => {
    const { follow, write } = story()
    const { sessionId } = newSession()
    await write({ type: 'node.started', data: { worker, version: '1', host: 'h', processId: 1, at: clock() } })
    const following = follow()
    await following.caughtUp()
    await write(opened(sessionId, worker, 'ana', clock()))
    await following.caughtUp()
    await write({ type: 'node.stopped', data: { worker: WorkerId.parse('n/9/9'), because: 'asked', at: clock() } })
    await following.caughtUp()
    expect(following.cursor).toEqual({ 0: 3 })
    expect(following.resumeFrom).toEqual({ 0: 1 })
    await write({ type: 'session.closed', data: { sessionId, because: 'client-gone', statements: 0, at: clock() } })
    await following.caughtUp()
    expect(following.resumeFrom).toEqual({ 0: 4 })
    await following.close()
  })
})

const { clock } = handClock()
const digest = Digest.parse('d'.repeat(64))
const worker = WorkerId.parse('node-1/0/boot-1')

const story = () => {
  const log = new MemoryLog()
  const performed: Effect[] = []
  const follow = (before: (effect: Effect) => Promise<unknown> = () => Promise.resolve()) =>
    new FollowAccess({
      log,
      from: {},
      sessions: new OpenSessions(),
      perform: async (effect) => {
        await before(effect)
        performed.push(effect)
      },
      quarantine: () => Promise.resolve(),
      logger: silent,
      failed: (error) => {
        throw error
      },
    })
  return { log, performed, follow, write: nodeOn(log, clock, worker).write }
}

const namesOf = (effects: readonly Effect[]) =>
  effects.map((effect) => ('requestId' in effect ? `${effect.type} ${effect.requestId}` : effect.type))

const gate = () => {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}
