import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ServedWorld } from '../testing/serve.ts'
import { settle, type WorldOptions } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

/*
 * CONTROL approved-is-executed: what runs is what was judged, whatever the client has said just before. Clients may
 * send without waiting, so what was said before may not have happened yet.
 */

let world: ServedWorld
const open = (options: WorldOptions = {}) => (world = new ServedWorld(memoryLog(), options))
beforeEach(() => void open())
afterEach(() => world.over())

/** Each statement that ran, and the names that it was judged by the last time before. */
const ranAsJudged = () =>
  world.model.ran.map(({ text, names }) => {
    const judged = world.judge.judged.findLast(({ sql }) => sql === text)
    return `${text}: ${judged?.names} = ${names}`
  })

const ran = () => world.model.ran.map(({ text }) => text)

describe('a prepared statement is judged by the text that the server has under its name', () => {
  it('when the name was taken, and the client did not wait to be told so', async () => {
    await world.client.says(wire.parse('s', 'deny write 5'), wire.sync)
    await world.client.says(wire.parse('s', 'read 1'), wire.sync, wire.bind('', 's'), wire.execute(), wire.sync)
    expect(ran()).not.toContain('deny write 5')
  })

  it('when a text that was undone as a whole has given the name away in between', async () => {
    await world.client.says(wire.parse('s', 'read 1'), wire.sync)
    await world.client.says(wire.query('deallocate s; prepare s as deny write 7; fail'))
    await world.client.says(wire.bind('', 's'), wire.execute(), wire.sync)
    expect(ran()).not.toContain('deny write 7')
  })

  it('when a group that was undone as a whole has given the name away in between', async () => {
    await world.client.says(wire.parse('s', 'read 1'), wire.sync)
    const [away, again, failing] = ['deallocate s', 'prepare s as deny write 7', 'fail'].map((text) =>
      wire.extended(text).subarray(0, -wire.sync.length),
    )
    await world.client.says(away!, again!, failing!, wire.sync)
    await world.client.says(wire.bind('', 's'), wire.execute(), wire.sync)
    expect(ran()).not.toContain('deny write 7')
  })

  it('when PREPARE has not been answered yet', async () => {
    await world.client.says(wire.query('prepare s as read 1'))
    await world.client.says(wire.query('deallocate s; prepare s as deny write 7'), wire.query('run s'))
    expect(ran()).not.toContain('run s')
  })

  it('when PREPARE has not been answered yet, and it is run by the extended protocol', async () => {
    await world.client.says(wire.query('prepare s as read 1'))
    await world.client.says(
      wire.query('deallocate s; prepare s as deny write 7'),
      wire.bind('', 's'),
      wire.execute(),
      wire.sync,
    )
    expect(ran()).not.toContain('deny write 7')
  })

  it('when it was closed and prepared anew without waiting', async () => {
    await world.client.says(wire.parse('s', 'read 1'), wire.sync)
    await world.client.says(
      wire.close('S', 's'),
      wire.parse('s', 'read 2'),
      wire.bind('', 's'),
      wire.execute(),
      wire.sync,
    )
    expect(ran()).toEqual(['read 2'])
  })

  it('when DEALLOCATE, sent without waiting, came before the name was used again', async () => {
    await world.client.says(wire.query('prepare s as read 1'))
    await world.client.says(wire.query('deallocate s'), wire.parse('s', 'read 2'), wire.sync)
    await world.client.says(wire.bind('', 's'), wire.execute(), wire.sync)
    expect(ran()).toContain('read 2')
  })
})

describe('names mean what they mean on the server when the statement runs', () => {
  it('when the server has never been asked', async () => {
    open({ names: undefined })
    await world.client.says(wire.query('read 1'))
    expect(ranAsJudged()).toEqual(['read 1: public = public'])
  })

  it('after a statement that changed them', async () => {
    await world.client.says(wire.query('path other'))
    await world.client.says(wire.query('read 1'))
    expect(ranAsJudged()).toContain('read 1: other = other')
  })

  it('after one that changed them, in the extended protocol', async () => {
    await world.client.says(wire.query('path other'))
    await world.client.says(wire.extended('read 1'))
    expect(ranAsJudged()).toContain('read 1: other = other')
  })

  it('in the extended protocol of a session that has just begun', async () => {
    open({ names: undefined })
    await world.client.says(wire.extended('read 1'))
    expect(ranAsJudged()).toEqual(['read 1: public = public'])
  })

  it('when the statement that changes them has not been answered yet', async () => {
    await world.client.says(wire.query('path other'), wire.query('read 1'))
    expect(ranAsJudged()).toContain('read 1: other = other')
  })

  it('when the statement that changes them is in the same group', async () => {
    const setting = wire.extended('path other').subarray(0, -wire.sync.length)
    await world.client.says(setting, wire.extended('read 1'))
    // Refused is as good: it must not run by the wrong names.
    for (const each of ranAsJudged().filter((text) => text.startsWith('read 1'))) {
      expect(each).toBe('read 1: other = other')
    }
  })

  it('when a change of theirs was rolled back', async () => {
    for (const text of ['begin', 'path other', 'rollback', 'read 1']) await world.client.says(wire.query(text))
    expect(ranAsJudged()).toContain('read 1: public = public')
  })

  it('while something that came before waits for its record', async () => {
    await world.client.says(wire.query('path other'))
    world.log.hold()
    await world.client.says(wire.query('write 1'), wire.query('read 1'))
    world.log.release()
    await settle()
    expect(ranAsJudged()).toContain('read 1: other = other')
  })

  it('or the statement is refused, when the server does not say what they mean', async () => {
    open({ names: undefined })
    world.server.stream.taken = () =>
      void world.server.stream.receive(wire.errorResponse(GONE_WRONG), wire.readyForQuery('idle'))
    await world.client.says(wire.query('read 1'))
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error /), 'ReadyForQuery idle'])
    expect(world.judge.judged).toEqual([])
  })
})

describe('a question of our own that is cancelled, or out of time,', () => {
  it.each([
    ['between two groups', [wire.query('path other'), wire.query('read 1')]],
    ['in the middle of one', [wire.extended('path other').subarray(0, -wire.sync.length), wire.extended('read 1')]],
  ])('costs the statement before which it was asked %s, and nothing else', async (_, messages) => {
    await world.client.says(wire.query('read 7'))
    world.client.news()
    world.model.cancelsQuestions = 1
    await world.client.says(...messages)
    expect(world.client.news().filter((line) => line.startsWith('Error'))).toEqual([
      expect.stringMatching(/^Error 57014 /),
    ])
    await world.client.says(wire.query('read 2'), wire.query('read 3'))
    expect(world.client.news().filter((line) => line.startsWith('Error'))).toEqual([])
    expect(ran().slice(-2)).toEqual(['read 2', 'read 3'])
  })
})

describe('a question of our own in the middle of a group', () => {
  it('does not make a pipeline of what the client executes alone', async () => {
    await world.client.says(wire.query('read 7'))
    await world.client.says(wire.parse('', 'write 1'), wire.flush)
    world.schema = 2 // Somebody has changed it meanwhile.
    await world.client.says(wire.bind('', ''), wire.describe('P'), wire.execute(), wire.sync)
    expect(ran()).toEqual(['read 7', 'write 1'])
    expect(world.model.pipelined).toEqual([])
  })

  it('leaves the portals of the group where they are', async () => {
    await world.client.says(wire.query('read 7'))
    await world.client.says(wire.parse('', 'read 1'), wire.bind('p', ''), wire.parse('s', 'write 2'), wire.flush)
    world.schema = 2
    await world.client.says(wire.bind('', 's'), wire.execute(), wire.execute('p'), wire.sync)
    expect(ran()).toEqual(['read 7', 'write 2', 'read 1'])
  })
})

const GONE_WRONG = {
  severity: 'ERROR',
  code: '57014',
  message: 'canceling statement due to statement timeout',
} as const

describe('what the session has said of itself holds from the next statement on', () => {
  it('even when that is sent without waiting', async () => {
    await world.client.says(wire.query('say because'), wire.query('read 1'))
    expect(world.log.of('statement.intended').at(-1)).toMatchObject({ text: 'read 1', reason: 'because' })
  })

  it('and not when it was undone', async () => {
    await world.client.says(wire.query('say because; fail'))
    await world.client.says(wire.query('read 1'))
    expect(world.log.of('statement.intended').at(-1)).not.toHaveProperty('reason')
  })
})

/*
 * Cursors and portals share their names: one that is gone must not be taken for another that has its name since.
 */
describe('a cursor', () => {
  const declared = async (...texts: readonly string[]) => {
    for (const text of ['begin', 'declare c as read 1', ...texts]) await world.client.says(wire.query(text))
  }

  it('is known by what it was declared for', async () => {
    await declared('fetch c')
    expect(ran()).toContain('fetch c')
  })

  it.each([['close c'], ['rollback'], ['commit'], ['commit; begin'], ['close c; begin']])(
    'is not known any more after %s',
    async (text) => {
      await declared(text, 'fetch c')
      expect(ran()).not.toContain('fetch c')
    },
  )

  it('that was declared and gone within one text is not known', async () => {
    await world.client.says(wire.query('begin; declare c as read 1; commit; begin'))
    await world.client.says(wire.query('fetch c'))
    expect(ran()).not.toContain('fetch c')
  })

  it('is not known any more when it was closed as a portal, or a portal has its name', async () => {
    await declared()
    await world.client.says(wire.close('P', 'c'), wire.sync, wire.query('fetch c'))
    await declared()
    await world.client.says(wire.parse('', 'read 2'), wire.bind('c', ''), wire.sync, wire.query('fetch c'))
    expect(ran()).not.toContain('fetch c')
  })

  it('takes the name of a portal, which is then executed as nothing that it was', async () => {
    await world.client.says(wire.query('begin'), wire.parse('s', 'read 1'), wire.bind('p', 's'), wire.sync)
    await world.client.says(wire.query('close p'), wire.query('declare p as deny write 1'))
    await world.client.says(wire.execute('p'), wire.sync)
    expect(world.client.news().at(-2)).toMatch(/^Error 42501 /)
    expect(ran()).not.toContain('read 1')
  })

  it('that is executed by message is judged as what was declared', async () => {
    await declared()
    await world.client.says(wire.execute('c'), wire.sync)
    expect(world.judge.judged.at(-1)).toMatchObject({ sql: 'FETCH ALL FROM "c"' })
    expect(world.log.of('statement.intended').at(-1)).toMatchObject({ text: 'FETCH ALL FROM "c"' })
  })
})

describe('a portal', () => {
  it('does not outlive its transaction, though another has begun in the same text', async () => {
    await world.client.says(wire.query('begin'), wire.parse('s', 'read 1'), wire.bind('p', 's'), wire.sync)
    await world.client.says(wire.query('commit; begin'))
    await world.client.says(wire.execute('p'), wire.sync)
    expect(world.client.news().at(-2)).toMatch(/^Error 34000 portal /)
  })

  it('is judged by the policy that is in force when it runs', async () => {
    await world.client.says(wire.query('begin'))
    await world.client.says(wire.parse('s', 'read 1'), wire.bind('p', 's'), wire.sync)
    world.judge.policyVersion = 'v2'
    await world.client.says(wire.execute('p'), wire.sync)
    expect(world.log.of('statement.intended').at(-1)).toMatchObject({ text: 'read 1', policyVersion: 'v2' })
  })

  it('is not forgotten when another could not be bound under its name', async () => {
    await world.client.says(wire.query('begin'))
    await world.client.says(wire.parse('a', 'write 1'), wire.parse('b', 'read 1'), wire.bind('p', 'a'), wire.sync)
    await world.client.says(wire.bind('p', 'b'), wire.sync, wire.query('rollback'), wire.query('read 2'))
    await world.over()
    expect(world.client.news().at(-1)).toBe('ReadyForQuery idle')
    expect(world.log.told.filter((text) => text.startsWith('settled 2'))).toHaveLength(1)
  })
})
