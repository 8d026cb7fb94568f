import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

let world: ServedWorld
beforeEach(() => {
  world = new ServedWorld(memoryLog())
})
afterEach(() => world.over())

const bare = (message: Buffer) => message.subarray(0, -wire.sync.length)
const settlements = async () => {
  await world.recorder.flushed()
  return world.log.told.filter((text) => text.startsWith('settled'))
}
/** Whatever went before, the session is where the client thinks it is. */
const expectStillInStep = async () => {
  world.client.news()
  await world.client.says(wire.query('read 1 last'))
  expect(world.client.news()).toEqual([
    'RowDescription c',
    'DataRow read 1 last.1',
    'CommandComplete SELECT 1',
    'ReadyForQuery idle',
  ])
}

describe('COPY FROM STDIN', () => {
  it('takes data, in the simple protocol', async () => {
    await world.client.says(wire.query('copyin'))
    await world.client.says(wire.copyData('a'), wire.copyData('b'), wire.copyDone)
    expect(world.client.news()).toEqual(['CopyInResponse', 'CommandComplete COPY 2', 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 completed COPY 2'])
    await expectStillInStep()
  })

  it('is recorded with the rows that it brought', async () => {
    await world.client.says(wire.query('copyin'), wire.copyData('a'), wire.copyData('b'), wire.copyDone)
    await world.recorder.flushed()
    expect(world.log.of('statement.settled')).toMatchObject([{ rowsAffected: 2, rowsReturned: 0 }])
  })

  it('takes data that is sent without waiting', async () => {
    await world.client.says(wire.query('copyin'), wire.copyData('a'), wire.copyDone)
    expect(world.client.news()).toEqual(['CopyInResponse', 'CommandComplete COPY 1', 'ReadyForQuery idle'])
    await expectStillInStep()
  })

  it('can be given up by the client', async () => {
    await world.client.says(wire.query('copyin'), wire.copyData('a'), wire.copyFail('no more'))
    expect(world.client.news()).toEqual(['CopyInResponse', 'Error 57014 no', 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 cancelled 57014'])
    await expectStillInStep()
  })

  it('can fail in the middle, while the client goes on sending', async () => {
    await world.client.says(wire.query('copyin'))
    await world.client.says(wire.copyData('bad'))
    await world.client.says(wire.copyData('b'), wire.copyDone)
    expect(world.client.news()).toEqual(['CopyInResponse', 'Error 22P04 no', 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 failed 22P04'])
    await expectStillInStep()
  })

  it('can be one of several commands', async () => {
    await world.client.says(wire.query('write 1; copyin; write 2'), wire.copyData('a'), wire.copyDone)
    expect(await settlements()).toEqual([
      'settled 1 completed UPDATE 1',
      'settled 2 completed COPY 1',
      'settled 3 completed UPDATE 2',
    ])
    await expectStillInStep()
  })

  it('takes data in the extended protocol, with a Sync behind it', async () => {
    await world.client.says(bare(wire.extended('copyin')), wire.copyData('a'), wire.copyDone, wire.sync)
    expect(await settlements()).toEqual(['settled 1 completed COPY 1'])
    await expectStillInStep()
  })

  // libpq and tokio-postgres send Sync right behind Execute; the server passes over it while it takes data.
  it('takes data in the extended protocol, with a Sync before it as well', async () => {
    await world.client.says(wire.extended('copyin'))
    await world.client.says(wire.copyData('a'), wire.copyDone, wire.sync)
    expect(world.closed).toBeUndefined()
    expect(await settlements()).toEqual(['settled 1 completed COPY 1'])
    await expectStillInStep()
  })

  it('can fail in the middle in the extended protocol, with a Sync before the data as well', async () => {
    await world.client.says(wire.extended('copyin'))
    await world.client.says(wire.copyData('bad'))
    await world.client.says(wire.copyData('b'), wire.copyDone, wire.sync)
    expect(world.closed).toBeUndefined()
    await expectStillInStep()
  })

  it('can be refused before it begins in the extended protocol, with a Sync before the data as well', async () => {
    await world.client.says(wire.extended('deny copyin'))
    expect(world.client.news().filter((words) => /^(Error|Ready)/.test(words))).toEqual([
      expect.stringMatching(/^Error 42501 /),
      'ReadyForQuery idle',
    ])
    await expectStillInStep()
  })

  it('takes flushes and syncs in the middle as the server does: it passes over them', async () => {
    await world.client.says(wire.query('copyin'))
    await world.client.says(wire.copyData('a'), wire.flush, wire.sync, wire.copyData('b'), wire.copyDone)
    expect(world.client.news()).toEqual(['CopyInResponse', 'CommandComplete COPY 2', 'ReadyForQuery idle'])
    await expectStillInStep()
  })

  it('takes no other statement in the middle: the server would end the session', async () => {
    await world.client.says(wire.query('copyin'))
    await world.client.says(wire.query('read 1'))
    world.server.stream.hangUp()
    await settle()
    expect(world.closed).toBeDefined()
    expect(world.client.news().at(-1)).toMatch(/^Error (08P01|57014)/)
    expect(await settlements()).not.toContain('settled 2 completed SELECT 1')
  })

  it('streams data of any length, and nothing comes in between', async () => {
    const long = Buffer.from(wire.copyData('x'.repeat(300_000)))
    await world.client.says(wire.query('copyin'))
    world.server.news()
    await world.client.saysInPieces([
      long.subarray(0, 100_000),
      long.subarray(100_000, 100_001),
      long.subarray(100_001),
    ])
    await world.client.says(wire.copyDone)
    expect(world.server.news().map((words) => words.length)).toEqual(['CopyData '.length + 300_000, 'CopyDone'.length])
    await expectStillInStep()
  })

  it('which policy denies takes no data, though that has been sent', async () => {
    await world.client.says(wire.query('deny copyin'), wire.copyData('a'), wire.copyDone)
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error 42501 /), 'ReadyForQuery idle'])
    await expectStillInStep()
  })
})

describe('COPY TO STDOUT', () => {
  it.each(['simple', 'extended'])('gives data in the %s protocol', async (protocol) => {
    await world.client.says(protocol === 'simple' ? wire.query('copyout 2') : wire.extended('copyout 2'))
    expect(world.client.news().filter((words) => words.startsWith('Copy'))).toEqual([
      'CopyOutResponse',
      'CopyData copyout 2.1',
      'CopyData copyout 2.2',
      'CopyDone',
    ])
    await world.recorder.flushed()
    expect(world.log.of('statement.settled')).toMatchObject([
      { outcome: 'completed', command: 'COPY 2', rowsReturned: 2, rowsAffected: 0 },
    ])
  })

  it('is masked', async () => {
    await world.client.says(wire.query('mask copyout 1'))
    expect(world.client.news()).toContain('CopyData *mask copyout 1.1')
  })

  it('gives no byte before its intent is durable', async () => {
    world.log.hold()
    await world.client.says(wire.query('copyout 2'))
    expect(world.client.news()).toEqual([])
    world.log.release()
    await settle()
    expect(world.client.news()).toContain('CopyData copyout 2.1')
  })
})
