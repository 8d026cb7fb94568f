import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

/* A policy with @effect("end-session"): the statement is denied, the client hears why, and its session is over. */

let world: ServedWorld
beforeEach(() => {
  world = new ServedWorld(memoryLog(), { holdSeconds: 30 })
})
afterEach(async () => {
  await world.over()
  expect(world.server.stream.late).toEqual([])
  expect(world.client.stream.late).toEqual([])
})

const EXPELLED = 'Error 42501 session ended, denied by policy: the rule says so'

const recorded = async () => {
  await world.recorder.flushed()
  return world.log.told.filter((text) => /^(settled|session.closed)/.test(text))
}
const expectEnd = () => {
  expect(world.client.stream.ended).toBe(true)
  expect(world.closed?.because).toBe('policy')
  expect(world.server.news().at(-1)).toBe('Terminate')
}
const execute = (sql: string) => [wire.parse('', sql), wire.bind('', ''), wire.execute('')]

describe('a statement that is worth the session', () => {
  it('ends it with one fatal error and no ReadyForQuery behind', async () => {
    const heard: string[] = []
    world.client.heard = (_, bytes) => heard.push(bytes.toString('latin1'))
    await world.client.says(wire.query('deny expel'))
    await settle()
    expect(world.client.news()).toEqual([EXPELLED])
    expect(heard[0]).toContain('SFATAL')
    expect(await recorded()).toEqual(['settled 1 refused 42501', 'session.closed policy'])
    expectEnd()
    expect(world.model.ran).toEqual([])
  })

  it('does so in a transaction, which is never committed', async () => {
    await world.client.says(wire.query('begin'))
    await world.client.says(wire.query('write 1'))
    world.client.news()
    await world.client.says(Buffer.concat([wire.query('deny expel'), wire.query('commit')]))
    await settle()
    expect(world.client.news()).toEqual([EXPELLED])
    expectEnd()
    expect(world.model.ran.map(({ text }) => text)).toEqual(['begin', 'write 1'])
    expect(await recorded()).toEqual(expect.arrayContaining(['settled 3 refused 42501', 'session.closed policy']))
  })

  it('does so among other statements of one text, none of which runs', async () => {
    await world.client.says(wire.query('write 1; deny write 2; deny expel; write 3'))
    await settle()
    expect(world.client.news()).toEqual([EXPELLED])
    expectEnd()
    expect(world.model.ran).toEqual([])
    expect(await recorded()).toEqual(
      [1, 2, 3, 4].map((n) => `settled ${n} refused 42501`).concat('session.closed policy'),
    )
  })

  it('does so in the extended protocol, and nothing behind it is looked at', async () => {
    await world.client.says(Buffer.concat([...execute('deny expel'), wire.sync, wire.query('write 2')]))
    await settle()
    expect(world.client.news().at(-1)).toBe(EXPELLED)
    expectEnd()
    expect(world.model.ran).toEqual([])
    expect(await recorded()).toEqual(['settled 1 refused 42501', 'session.closed policy'])
  })

  it('in a pipeline answers first what came before', async () => {
    await world.client.says(
      Buffer.concat([...execute('read 1'), wire.sync, ...execute('read 2'), ...execute('deny expel'), wire.sync]),
    )
    await settle()
    const news = world.client.news()
    expect(news.at(-1)).toBe(EXPELLED)
    expect(news.filter((text) => text.startsWith('CommandComplete'))).toHaveLength(2)
    expectEnd()
    expect((await recorded()).at(-1)).toBe('session.closed policy')
    expect(world.model.ran.map(({ text }) => text)).toEqual(['read 1', 'read 2'])
  })

  it('lets out what came before only when that is on record', async () => {
    world.log.hold()
    await world.client.says(Buffer.concat([wire.query('read 1'), wire.query('deny expel')]))
    await settle()
    expect(world.client.news()).toEqual([])
    world.log.release()
    await expect.poll(() => world.closed?.because).toBe('policy')
    const news = world.client.news()
    expect([news[0]?.startsWith('RowDescription'), news.at(-1)]).toEqual([true, EXPELLED])
  })

  it('ends it as a function that is called by number, too', async () => {
    await world.client.says(wire.functionCall(5))
    await settle()
    expect(world.client.news()).toEqual([EXPELLED])
    expectEnd()
  })

  it('is another one than one that is merely denied', async () => {
    await world.client.says(wire.query('deny write 1'))
    expect(world.client.news()).toEqual(['Error 42501 denied by policy: the rule says so', 'ReadyForQuery idle'])
    expect(world.client.stream.ended).toBe(false)
  })
})
