import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

let world: ServedWorld
beforeEach(() => {
  world = new ServedWorld(memoryLog())
})
afterEach(async () => {
  await world.over()
  expect(world.server.stream.late).toEqual([])
  expect(world.client.stream.late).toEqual([])
})

const settlements = async () => {
  await world.recorder.flushed()
  return world.log.told.filter((text) => text.startsWith('settled'))
}

/** Each `guarded` statement may change one row. */
describe('a simple query under a guard', () => {
  it('stands in a transaction of its own, as it was sent, and is committed when it is within its bound', async () => {
    await world.client.says(wire.query('guarded write 1'))
    expect(world.server.news()).toEqual(['Query BEGIN', 'Query guarded write 1', 'Query COMMIT'])
    expect(world.client.news()).toEqual(['CommandComplete UPDATE 1', 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 completed UPDATE 1'])
  })

  it('is rolled back when it is not, and its client never hears that it is done', async () => {
    await world.client.says(wire.query('write 1; guarded returning 2; write 3'))
    expect(world.server.news().at(-1)).toBe('Query ROLLBACK')
    expect(world.client.news()).toEqual([
      'CommandComplete UPDATE 1',
      'RowDescription c',
      'DataRow guarded returning 2.1',
      expect.stringMatching(/^Error ZA003 it changed 2 rows, at most 1 are allowed: rolled back/),
      'ReadyForQuery idle',
    ])
    expect(world.model.durable).toEqual([])
    expect(await settlements()).toEqual(['settled 1 failed ZA003', 'settled 2 failed ZA003', 'settled 3 failed ZA003'])
  })

  it('within a transaction makes that fail, and needs no other when it does not', async () => {
    await world.client.says(wire.query('begin'), wire.query('guarded write 1'))
    expect(world.server.news()).toEqual(['Query begin', 'Query guarded write 1'])
    await world.client.says(wire.query('guarded write 2'))
    expect(world.server.news()).toEqual(['Query guarded write 2', expect.stringMatching(/^Describe/), 'Sync'])
    expect(world.client.news().slice(-2)).toEqual([expect.stringMatching(/^Error ZA003/), 'ReadyForQuery failed'])
  })

  it('tells the error at the end of its transaction in place of its completion', async () => {
    await world.client.says(wire.query('guarded defer 1'))
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error 23503/), 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 failed 23503'])
  })

  it('does not begin before its intent is durable', async () => {
    world.log.hold()
    await world.client.says(wire.query('guarded write 1'))
    expect(world.server.news()).toEqual([])
    world.log.release()
    await settle(30)
    expect(world.server.news()).toEqual(['Query BEGIN', 'Query guarded write 1', 'Query COMMIT'])
  })

  it('does not begin at all when the log is down', async () => {
    world.log.fail()
    await world.client.says(wire.query('guarded write 1'))
    expect(world.server.news()).toEqual([])
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error ZA010/), 'ReadyForQuery idle'])
    world.log.heal()
    expect(await settlements()).toEqual(['settled 1 refused ZA010'])
  })

  it('is not committed for a client that is gone', async () => {
    world.silence()
    await world.client.says(wire.query('guarded write 1'))
    await world.speakOnly(2)
    world.client.stream.hangUp()
    await settle()
    expect(world.server.news()).toEqual(['Query BEGIN', 'Query guarded write 1', 'Terminate'])
    expect(world.model.durable).toEqual([])
  })

  it('can be cancelled while it runs', async () => {
    world.silence()
    await world.client.says(wire.query('guarded write 1'))
    await world.session.cancel()
    expect(world.cancels).toBe(1)
    world.speak()
    await settle(30)
  })

  it('is recorded with its bound, before it can have an effect', async () => {
    await world.client.says(wire.query('guarded write 2; read 1'))
    await settlements()
    expect(world.log.of('statement.guarded')).toMatchObject([{ rowsMax: 1, by: 'policy', kept: true }])
    expect(world.log.of('statement.settled').map(({ rowsAffected }) => rowsAffected)).toEqual([2, 0])
  })
})

describe('a prepared statement under a guard', () => {
  it('has told how much it changed before anything behind it is sent', async () => {
    await world.client.says(wire.extended('guarded write 1'))
    const heard = world.server.news()
    expect(heard.slice(heard.findIndex((words) => words.startsWith('Execute')))).toEqual([
      expect.stringMatching(/^Execute/),
      'Flush',
      'Sync',
    ])
    expect(world.client.news().slice(-2)).toEqual(['CommandComplete UPDATE 1', 'ReadyForQuery idle'])
  })

  it('is made to fail before its Sync', async () => {
    await world.client.says(wire.extended('guarded write 2'))
    expect(world.server.news().slice(-3)).toEqual(['Flush', expect.stringMatching(/^Describe/), 'Sync'])
    expect(world.client.news().slice(-2)).toEqual([expect.stringMatching(/^Error ZA003/), 'ReadyForQuery idle'])
    expect(world.model.durable).toEqual([])
    expect(await settlements()).toEqual(['settled 1 failed ZA003'])
  })

  it('is settled as rolled back when the session ends before anybody could make it fail', async () => {
    world.silence()
    await world.client.says(wire.parse('', 'guarded write 2'), wire.bind('', ''), wire.execute())
    world.speak()
    await settle(30)
    world.client.stream.hangUp()
    expect(await settlements()).toEqual(['settled 1 failed ZA003'])
  })
})
