import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

/*
 * If the log is down, statements are refused, never waved through (promise 1). And nobody is left waiting for an answer.
 */

let world: ServedWorld
beforeEach(() => {
  world = new ServedWorld(memoryLog())
})
afterEach(async () => {
  world.log.heal()
  await world.over()
})

const ran = () => world.model.ran.map(({ text }) => text)
const refused = /^Error ZA010 /
const isRefused = expect.stringMatching(refused)

/** The recorder tries again a little later. */
const untilHealed = async () => {
  world.log.heal()
  await expect.poll(() => world.recorder.available, { timeout: 3_000 }).toBe(true)
  await settle()
}

describe('while the log is down', () => {
  beforeEach(async () => {
    world.log.fail()
    await world.client.says(wire.query('write 0'))
    await settle()
    world.client.news()
    world.server.news()
  })

  it('a simple query is refused, and nothing of it reaches the server', async () => {
    await world.client.says(wire.query('write 1'))
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
    expect(ran()).toEqual([])
  })

  it('so is one that only reads', async () => {
    await world.client.says(wire.query('read 1'))
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
    expect(ran()).toEqual([])
  })

  it('so is a pipeline of the extended protocol, each group once', async () => {
    await world.client.says(wire.extended('write 1'), wire.extended('read 1'))
    expect(world.client.news()).toEqual([
      'ParseComplete',
      isRefused,
      'ReadyForQuery idle',
      'ParseComplete',
      isRefused,
      'ReadyForQuery idle',
    ])
    expect(ran()).toEqual([])
  })

  it('is let through again by itself when the log is back', async () => {
    await untilHealed()
    await world.client.says(wire.query('write 1'))
    expect(world.client.news()).toEqual(['CommandComplete UPDATE 1', 'ReadyForQuery idle'])
  })

  it('is counted, and the record says how many were refused', async () => {
    await world.client.says(wire.query('write 1'), wire.query('read 1'))
    await untilHealed()
    await world.recorder.flushed()
    expect(world.log.of('audit.recovered')).toMatchObject([{ refused: 2 }])
  })
})

describe('when the log fails between a statement and its record', () => {
  beforeEach(() => world.log.hold())
  const fails = async () => {
    world.log.fail()
    await settle()
  }

  it('a change is refused, and settled as refused', async () => {
    await world.client.says(wire.query('write 1'))
    await fails()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
    expect(ran()).toEqual([])
    await untilHealed()
    await world.recorder.flushed()
    expect(world.log.told).toEqual(expect.arrayContaining(['intended write 1', 'settled 1 refused ZA010']))
  })

  it('the result of a read is withheld, and the session goes on', async () => {
    await world.client.says(wire.query('read 2'))
    expect(world.client.news()).toEqual([])
    await fails()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
    await untilHealed()
    await world.client.says(wire.query('read 3'))
    expect(world.client.news()).toContain('CommandComplete SELECT 3')
  })

  it('the result of a read is withheld while it is still coming', async () => {
    world.silence()
    await world.client.says(wire.query('read 3'))
    await world.speakOnly(2)
    await fails()
    world.speak()
    await settle()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
  })

  it('the result of a read is withheld in the middle of a row', async () => {
    world.silence()
    await world.client.says(wire.query('read 3'))
    await world.speakOnly(2, 9)
    await fails()
    world.speak()
    await settle()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
  })

  it('in a transaction, the transaction fails on the server as well', async () => {
    world.log.release()
    await world.client.says(wire.query('begin'))
    world.client.news()
    world.log.hold()
    await world.client.says(wire.query('read 2'))
    await fails()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery failed'])
    expect(world.model.status).toBe('failed')
  })

  // The server would read what we say as data, and the end of the data as messages that nobody has judged.
  it('in a transaction, in the middle of COPY data, the session ends', async () => {
    world.log.release()
    await world.client.says(wire.query('begin'))
    world.log.hold()
    await world.client.says(wire.query('read 2'))
    await world.client.says(wire.lying('d', 32, Buffer.from('a')))
    world.server.news()
    await fails()
    expect(world.closed?.because).toBe('limit-exceeded')
    await world.client.says(wire.query('drop table t'))
    expect(world.server.news()).toEqual([])
  })

  /** Everyone who asked is told; or all that are left are told that the session has ended. */
  const expectAnswered = (groups: number) => {
    const news = world.client.news()
    if (world.closed) expect(news.at(-1)).toMatch(/^Error ZA010 session ended/)
    else expect(news.filter((each) => each.startsWith('ReadyForQuery'))).toHaveLength(groups)
  }

  it('each of several groups is answered, whichever waits for what', async () => {
    await world.client.says(wire.query('read 1'), wire.query('write 1'))
    await fails()
    expectAnswered(2)
    expect(ran()).not.toContain('write 1')
  })

  it('a refusal that waits behind a withheld result is an answer too', async () => {
    await world.client.says(wire.query('read 1'))
    await world.client.says(wire.query('deny write 1'))
    await fails()
    expectAnswered(2)
  })

  it('a held statement that was settled as refused does not run later', async () => {
    const held = new ServedWorld(memoryLog(), { holdSeconds: 30 })
    held.log.hold()
    await held.client.says(wire.query('read 1'))
    await held.client.says(wire.query('hold write 1'))
    held.log.fail()
    await settle()
    held.log.heal()
    await expect.poll(() => held.log.of('statement.held').length + Number(held.closed !== undefined)).toBe(1)
    for (const { requestId, statement } of held.log.of('statement.held')) await held.grant(requestId, statement)
    await held.over()
    const outcome = held.log.of('statement.settled').find(({ sequence }) => sequence === 2)?.outcome
    expect([outcome, held.model.ran.map(({ text }) => text)]).toEqual(
      outcome === 'completed' ? ['completed', ['read 1', 'hold write 1']] : ['refused', ['read 1']],
    )
  })

  it('nothing of what a client sends on is taken for messages that it is not', async () => {
    const smuggled = wire.query('write 99')
    await world.client.says(wire.query('write 1'), wire.lying('d', 4 + smuggled.length))
    await fails()
    await world.client.says(smuggled)
    await untilHealed()
    expect(world.server.news().filter((words) => words.startsWith('Query'))).toEqual([])
    expect(ran()).toEqual([])
  })

  it('COPY data that came along is dropped, and the client is not left waiting', async () => {
    await world.client.says(wire.query('copyin'), wire.copyData('a'), wire.copyDone)
    await fails()
    expect(world.client.news()).toEqual([isRefused, 'ReadyForQuery idle'])
    await untilHealed()
    await world.client.says(wire.query('read 1'))
    expect(world.client.news()).toContain('ReadyForQuery idle')
  })

  it('names that were to be prepared are as they were before', async () => {
    world.log.release()
    await world.client.says(wire.parse('', 'deny write 7'), wire.sync)
    world.log.hold()
    await world.client.says(
      wire.parse('w', 'write 1'),
      wire.bind('', 'w'),
      wire.execute(),
      wire.parse('', 'read 1'),
      wire.bind('', ''),
      wire.execute(),
      wire.parse('', 'read 2'),
      wire.bind('', ''),
      wire.execute(),
      wire.sync,
    )
    await fails()
    await untilHealed()
    await world.client.says(wire.bind('', ''), wire.execute(), wire.sync)
    expect(ran()).not.toContain('deny write 7')
  })

  it('everything that was intended is settled once, as refused', async () => {
    await world.client.says(
      wire.parse('', 'write 1'),
      wire.bind('', ''),
      wire.execute(),
      wire.parse('', 'write 2'),
      wire.bind('p', ''),
      wire.sync,
    )
    await fails()
    await untilHealed()
    await world.recorder.flushed()
    expect(world.log.told.filter((text) => text.startsWith('settled'))).toEqual([
      'settled 1 refused ZA010',
      'settled 2 refused ZA010',
    ])
  })
})
