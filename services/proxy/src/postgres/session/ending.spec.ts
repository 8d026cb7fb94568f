import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

let world: ServedWorld
beforeEach(() => {
  world = new ServedWorld(memoryLog(), { holdSeconds: 30 })
})
afterEach(async () => {
  vi.useRealTimers()
  await world.over()
  expect(world.server.stream.late).toEqual([])
  expect(world.client.stream.late).toEqual([])
})

const STOPS = wire.errorResponse({ severity: 'FATAL', code: '57P01', message: 'the node stops' })
const CANCELED = wire.errorResponse({ severity: 'ERROR', code: '57014', message: 'canceled' })
const settlements = async () => {
  await world.recorder.flushed()
  return world.log.told.filter((text) => text.startsWith('settled'))
}
const ends = () => world.log.told.filter((text) => text.startsWith('session.closed'))

describe('a session is interrupted', () => {
  it('at once when nothing is under way', async () => {
    world.session.interrupt('node-stopping', STOPS)
    expect(world.client.news()).toEqual(['Error 57P01 the node stops'])
    expect(world.cancels).toBe(0)
    expect(world.closed?.because).toBe('node-stopping')
  })

  it('in a statement: the client is told, the server cancels, and the record knows what became of it', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'))
    world.session.interrupt('revoked', STOPS)
    expect(world.client.news()).toEqual(['Error 57P01 the node stops'])
    expect([world.cancels, world.client.stream.ended, world.closed]).toEqual([1, true, undefined])

    await world.server.says(CANCELED, wire.readyForQuery('idle'))
    expect(await settlements()).toEqual(['settled 1 cancelled 57014'])
    expect(ends()).toEqual(['session.closed revoked'])
    expect(world.server.news().at(-1)).toBe('Terminate')
  })

  it('in a statement that has ended nevertheless: then it is recorded as done', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'))
    world.session.interrupt('revoked', STOPS)
    world.speak()
    await settle()
    expect(await settlements()).toEqual(['settled 1 completed UPDATE 1'])
    expect(world.client.news()).toEqual(['Error 57P01 the node stops'])
  })

  it('and does not wait for ever for a server that says nothing', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'))
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    world.session.interrupt('revoked', STOPS)
    vi.advanceTimersByTime(1_000)
    vi.useRealTimers()
    expect(await settlements()).toEqual(['settled 1 outcome_unknown '])
    expect(ends()).toEqual(['session.closed revoked'])
  })

  it('and nothing that the client had sent or sends goes to the server any more', async () => {
    world.silence()
    await world.client.says(wire.query('read 1'))
    world.log.hold()
    await world.client.says(wire.query('write 2'))
    world.session.interrupt('revoked', STOPS)
    world.log.release()
    world.client.stream.receive(wire.query('write 3'))
    await settle()
    world.speak()
    await settle()
    expect(world.model.ran.map(({ text }) => text)).toEqual(['read 1'])
    expect(await settlements()).toEqual(expect.arrayContaining(['settled 2 withdrawn ']))
    expect(ends()).toEqual(['session.closed revoked'])
  })

  it('twice, and when the server goes away meanwhile, ends once and for the first reason', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'))
    world.session.interrupt('revoked', STOPS)
    world.session.interrupt('node-stopping', STOPS)
    world.server.stream.hangUp()
    await settle()
    expect(await settlements()).toEqual(['settled 1 outcome_unknown '])
    expect(ends()).toEqual(['session.closed revoked'])
    expect(world.client.news()).toEqual(['Error 57P01 the node stops'])
  })
})

describe('a session is idle', () => {
  it('from its start on, and after each answer', async () => {
    expect(world.session.idle).toBe(true)
    await world.client.says(wire.query('read 1'))
    expect(world.session.idle).toBe(true)
  })

  it.each([
    ['while the server works', [wire.query('read 1')], true],
    ['in a transaction', [wire.query('begin')], false],
    ['in a failed transaction', [wire.query('begin'), wire.query('fail')], false],
    ['in the middle of a group', [wire.parse('', 'read 1'), wire.flush], false],
  ])('not %s', async (_, messages, silent) => {
    if (silent) world.silence()
    for (const message of messages) await world.client.says(message)
    expect(world.session.idle).toBe(false)
  })

  it('not while a result waits for its record', async () => {
    world.log.hold()
    await world.client.says(wire.query('read 1'))
    expect(world.session.idle).toBe(false)
    world.log.release()
    await settle()
    expect(world.session.idle).toBe(true)
  })
})

describe('a hold is left', () => {
  it('with an answer that says why, settled once, and then the session is idle', async () => {
    await world.client.says(wire.query('hold write 1'))
    expect(world.session.idle).toBe(false)
    world.session.leaveHold('node-stopping')
    world.session.leaveHold('node-stopping')
    await settle()
    expect(world.client.news().slice(-2)).toEqual([
      expect.stringMatching(/^Error 57014 the node stops: the approval request is withdrawn/),
      'ReadyForQuery idle',
    ])
    expect(world.session.idle).toBe(true)
    expect(await settlements()).toEqual(['settled 1 withdrawn 57014'])
    expect(world.log.told.filter((text) => text.startsWith('statement.withdrawn'))).toEqual([
      'statement.withdrawn node-stopping',
    ])
  })

  it('but what only waits to be understood goes on', async () => {
    world.judge.knows = () => false
    world.judge.hold()
    await world.client.says(wire.query('read 1'))
    world.session.leaveHold('node-stopping')
    world.judge.release()
    await settle()
    expect(world.client.news().at(-2)).toBe('CommandComplete SELECT 1')
  })
})
