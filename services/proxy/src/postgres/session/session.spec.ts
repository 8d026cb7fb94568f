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
  // Whatever happens in a session, its fakes saw no write after the end, and no rows under another statement's mask.
  expect(world.server.stream.late).toEqual([])
  expect(world.client.stream.late).toEqual([])
  expect(world.judge.misattributed).toEqual([])
})

const bare = (message: Buffer) => message.subarray(0, -wire.sync.length)
const ran = () => world.model.ran.map(({ text }) => text)
const settlements = async () => {
  await world.recorder.flushed()
  return world.log.told.filter((text) => text.startsWith('settled'))
}

describe('a simple query', () => {
  it('is answered as the server answers it', async () => {
    await world.client.says(wire.query('read 2'))
    expect(world.server.news()).toEqual(['Query read 2'])
    expect(world.client.news()).toEqual([
      'RowDescription c',
      'DataRow read 2.1',
      'DataRow read 2.2',
      'CommandComplete SELECT 2',
      'ReadyForQuery idle',
    ])
  })

  it('of several commands is one intent and one settlement for each', async () => {
    await world.client.says(wire.query('read 1; write 2; read 3'))
    expect(await settlements()).toEqual([
      'settled 1 completed SELECT 1',
      'settled 2 completed UPDATE 2',
      'settled 3 completed SELECT 3',
    ])
  })

  it('that fails in the middle is undone as a whole, and the record says so of each', async () => {
    await world.client.says(wire.query('write 1; fail; write 2'))
    expect(await settlements()).toEqual(
      expect.arrayContaining(['settled 1 failed 22012', 'settled 2 failed 22012', 'settled 3 cancelled 22012']),
    )
  })

  it('keeps what a COMMIT in it has kept', async () => {
    await world.client.says(wire.query('begin; write 1; commit; write 2; fail'))
    expect(await settlements()).toEqual(
      expect.arrayContaining(['settled 2 completed UPDATE 1', 'settled 4 failed 22012', 'settled 5 failed 22012']),
    )
  })

  it('that ends an open transaction and fails afterwards is undone from there on', async () => {
    await world.client.says(wire.query('begin'), wire.query('commit; write 2; fail'))
    expect(await settlements()).toEqual(
      expect.arrayContaining(['settled 2 completed COMMIT', 'settled 3 failed 22012', 'settled 4 failed 22012']),
    )
  })

  it('whose commit fails has failed', async () => {
    await world.client.says(wire.query('defer 1'))
    expect(world.client.news()).toEqual(['Error 23503 no', 'ReadyForQuery idle'])
    expect(await settlements()).toEqual(['settled 1 failed 23503'])
  })

  it('without a command in it is no statement', async () => {
    await world.client.says(wire.query(' ; '))
    expect(world.client.news()).toEqual(['EmptyQueryResponse', 'ReadyForQuery idle'])
    expect(world.log.told).toEqual([])
  })

  it('is not waited for by the next one', async () => {
    await world.client.says(wire.query('read 1'), wire.query('write 1'), wire.query('read 2'))
    expect(world.client.news().filter((words) => !/^(Row|Data)/.test(words))).toEqual([
      'CommandComplete SELECT 1',
      'ReadyForQuery idle',
      'CommandComplete UPDATE 1',
      'ReadyForQuery idle',
      'CommandComplete SELECT 2',
      'ReadyForQuery idle',
    ])
  })
})

describe('the extended protocol', () => {
  it('is answered as the server answers it', async () => {
    await world.client.says(wire.extended('read 1'))
    expect(world.client.news()).toEqual([
      'ParseComplete',
      'BindComplete',
      'RowDescription c',
      'DataRow read 1.1',
      'CommandComplete SELECT 1',
      'ReadyForQuery idle',
    ])
  })

  it('is asked, where the client does not ask, what rows look like, and the client does not hear of it', async () => {
    await world.client.says(wire.parse('', 'mask read 1'), wire.bind('', ''), wire.execute(), wire.sync)
    expect(world.server.news()).toContain('Describe portal ')
    expect(world.client.news()).toEqual([
      'ParseComplete',
      'BindComplete',
      'DataRow *mask read 1.1',
      'CommandComplete SELECT 1',
      'ReadyForQuery idle',
    ])
  })

  it('need not be asked twice, when the statement was described before', async () => {
    await world.client.says(wire.parse('s', 'read 1'), wire.describe('S', 's'), wire.sync)
    world.server.news()
    await world.client.says(wire.bind('', 's'), wire.execute(), wire.sync)
    expect(world.server.news()).toEqual(['Bind  s', 'Execute  0', 'Sync'])
  })

  it('passes over what follows an error, up to Sync, and goes on behind it', async () => {
    await world.client.says(bare(wire.extended('write 1')), bare(wire.extended('fail')), wire.extended('write 2'))
    await world.client.says(wire.extended('write 3'))
    expect(world.client.news().filter((words) => /^(Error|Command|Ready)/.test(words))).toEqual([
      'CommandComplete UPDATE 1',
      'Error 22012 no',
      'ReadyForQuery idle',
      'CommandComplete UPDATE 3',
      'ReadyForQuery idle',
    ])
    expect(await settlements()).toEqual(
      expect.arrayContaining(['settled 1 failed 22012', 'settled 2 failed 22012', 'settled 3 cancelled 22012']),
    )
  })

  it('passes over what follows an error even while that waits for its record', async () => {
    world.silence()
    await world.client.says(bare(wire.extended('fail')))
    world.log.hold()
    await world.client.says(wire.extended('write 2'))
    world.speak()
    await settle()
    world.log.release()
    await settle()
    await world.client.says(wire.query('read 1'))
    expect(world.closed).toBeUndefined()
    expect(world.client.news().filter((words) => /^(Error|Command|Ready)/.test(words))).toEqual([
      'Error 22012 no',
      'ReadyForQuery idle',
      'CommandComplete SELECT 1',
      'ReadyForQuery idle',
    ])
  })

  it('passes over a simple query as well, when that comes before the Sync of a group that has failed', async () => {
    await world.client.says(wire.parse('', 'syntax'), wire.query('write 1'), wire.sync, wire.query('read 1'))
    expect(ran()).toEqual(['read 1'])
    expect(world.client.news().filter((words) => words.startsWith('Ready'))).toHaveLength(2)
    expect(await settlements()).toEqual(['settled 1 completed SELECT 1'])
  })

  it('can be flushed without a Sync', async () => {
    await world.client.says(wire.parse('', 'read 1'), wire.bind('', ''), wire.execute(), wire.flush)
    expect(world.client.news()).toEqual([
      'ParseComplete',
      'BindComplete',
      'DataRow read 1.1',
      'CommandComplete SELECT 1',
    ])
    await world.client.says(wire.sync)
    expect(world.client.news()).toEqual(['ReadyForQuery idle'])
  })

  it('settles nothing before the Sync, which may yet undo it', async () => {
    await world.client.says(wire.parse('', 'write 1'), wire.bind('', ''), wire.execute(), wire.flush)
    expect(await settlements()).toEqual([])
    await world.client.says(wire.sync)
    expect(await settlements()).toEqual(['settled 1 completed UPDATE 1'])
  })

  it('whose Sync fails has failed', async () => {
    await world.client.says(wire.extended('defer 1'))
    expect(await settlements()).toEqual(['settled 1 failed 23503'])
  })

  it('of an empty text is no statement', async () => {
    await world.client.says(wire.extended(''))
    expect(world.client.news()).toContain('EmptyQueryResponse')
    expect(world.log.told).toEqual([])
  })

  it('says that a statement does not exist in the server’s place', async () => {
    await world.client.says(wire.bind('', 'nowhere'), wire.execute(), wire.sync)
    expect(world.client.news()).toEqual([
      'Error 26000 prepared statement "nowhere" does not exist',
      'ReadyForQuery idle',
    ])
  })

  it('describes and closes what is not there as the server does', async () => {
    await world.client.says(
      wire.close('S', 'nowhere'),
      wire.close('P', 'nowhere'),
      wire.describe('P', 'nowhere'),
      wire.sync,
    )
    expect(world.client.news()).toEqual(['CloseComplete', 'CloseComplete', 'Error 34000 no', 'ReadyForQuery idle'])
  })

  it('records a change before the server may plan it, and a read when it runs', async () => {
    await world.client.says(
      wire.parse('w', 'write 1'),
      wire.parse('r', 'read 1'),
      wire.bind('r', 'r'),
      wire.bind('w', 'w'),
      wire.flush,
    )
    await world.recorder.flushed()
    expect(world.log.told).toEqual(['intended write 1'])
    await world.client.says(wire.sync)
    expect(await settlements()).toEqual(['settled 1 cancelled '])
  })

  it('records a change that the server does not bind as failed', async () => {
    await world.client.says(wire.extended('badwrite 1'))
    expect(await settlements()).toEqual(['settled 1 failed 22P02'])
  })
})

describe('a portal that is run in portions', () => {
  const portions = [wire.parse('', 'read 5'), wire.bind('p', ''), wire.execute('p', 2), wire.execute('p', 2)]

  it('is one statement, settled when it is over', async () => {
    await world.client.says(wire.query('begin'), ...portions, wire.sync)
    expect(world.client.news().filter((words) => words.startsWith('Portal'))).toHaveLength(2)
    expect(await settlements()).toEqual(['settled 1 completed BEGIN'])
    await world.client.says(wire.execute('p', 2), wire.sync)
    await world.recorder.flushed()
    expect(world.log.of('statement.settled').at(-1)).toMatchObject({ outcome: 'completed', rowsReturned: 5 })
  })

  it('is over when it is closed', async () => {
    await world.client.says(wire.query('begin'), ...portions, wire.sync)
    await world.client.says(wire.close('P', 'p'), wire.sync)
    await world.recorder.flushed()
    expect(world.log.of('statement.settled').at(-1)).toMatchObject({
      sequence: 2,
      outcome: 'completed',
      rowsReturned: 4,
    })
  })

  it('is over when its transaction is', async () => {
    await world.client.says(...portions, wire.sync)
    await world.recorder.flushed()
    expect(world.log.of('statement.settled')).toMatchObject([{ outcome: 'completed', rowsReturned: 4 }])
  })

  it('is counted to its end, though it is closed in the same packet', async () => {
    await world.client.says(
      wire.parse('', 'read 5'),
      wire.bind('p', ''),
      wire.execute('p', 1),
      wire.execute('p', 0),
      wire.close('P', 'p'),
      wire.sync,
    )
    await world.recorder.flushed()
    expect(world.log.of('statement.settled')).toMatchObject([{ outcome: 'completed', rowsReturned: 5 }])
  })

  it('is counted to its end, though another takes its name in the same packet', async () => {
    const bind = wire.bind('', '')
    await world.client.says(
      wire.parse('', 'read 5'),
      bind,
      wire.execute('', 1),
      wire.execute('', 3),
      bind,
      wire.execute('', 2),
      wire.sync,
    )
    await world.recorder.flushed()
    expect(
      world.log
        .of('statement.settled')
        .map(({ rowsReturned }) => rowsReturned)
        .toSorted(),
    ).toEqual([2, 4])
  })

  it('is undone with what fails behind it, outside a transaction', async () => {
    await world.client.says(
      wire.parse('', 'returning 3'),
      wire.bind('p', ''),
      wire.execute('p', 1),
      wire.parse('', 'syntax'),
      wire.sync,
    )
    expect(await settlements()).toEqual(['settled 1 failed 42601'])
  })

  it('gives, asked once more when it is over, what the server gives', async () => {
    await world.client.says(wire.parse('', 'read 1'), wire.bind('', ''), wire.execute(), wire.execute(), wire.sync)
    expect(world.client.news().filter((words) => words.startsWith('Command'))).toEqual([
      'CommandComplete SELECT 1',
      'CommandComplete SELECT 0',
    ])
    await world.recorder.flushed()
    expect(world.log.of('statement.settled').every(({ outcome }) => outcome === 'completed')).toBe(true)
  })
})

describe('what comes between', () => {
  it('is the client’s, wherever it comes', async () => {
    const notification = wire.notificationResponse({ processId: 1, channel: 'news', payload: 'hello' })
    await world.server.says(notification)
    await world.client.says(wire.query('begin'))
    await world.server.says(notification, wire.parameterStatus('TimeZone', 'UTC'))
    expect(world.client.news()).toEqual([
      'Notification news hello',
      'CommandComplete BEGIN',
      'ReadyForQuery open',
      'Notification news hello',
      'Parameter TimeZone UTC',
    ])
  })

  it('is the client’s during a question of our own as well', async () => {
    world = new ServedWorld(memoryLog(), { names: undefined })
    world.silence()
    await world.client.says(wire.query('read 1'))
    await world.server.says(wire.noticeResponse({ severity: 'WARNING', code: '01000', message: 'going down soon' }))
    world.speak()
    await settle()
    expect(world.client.news()).toContain('Notice 01000 going down soon')
    expect(world.client.news()).not.toContain('DataRow  path,public')
  })
})

describe('the session ends', () => {
  const because = () => world.closed?.because

  it.each([
    ['client_encoding', 'LATIN1'],
    ['standard_conforming_strings', 'off'],
  ])('when %s becomes %s: statements would be read in another way', async (name, value) => {
    await world.server.says(wire.parameterStatus(name, value))
    expect(because()).toBe('protocol-error')
    expect(world.client.news().at(-1)).toMatch(/^Error 08P01 session ended/)
  })

  it('not when they are set to what they are', async () => {
    await world.server.says(
      wire.parameterStatus('client_encoding', 'UTF8'),
      wire.parameterStatus('client_encoding', 'unicode'),
      wire.parameterStatus('standard_conforming_strings', 'on'),
    )
    expect(world.closed).toBeUndefined()
  })

  it.each([
    ['an answer that nobody asked for', wire.commandComplete('SELECT 1')],
    ['a row that nobody asked for', wire.dataRow(['x'])],
    ['an unknown message', wire.lying('~', 4)],
    ['a message of negative length', wire.lying('C', -1)],
    ['a description of 2 GiB', wire.lying('T', 0x7fffffff)],
    ['ReadyForQuery out of turn', wire.readyForQuery('idle')],
  ])('when the server sends %s', async (_, bytes) => {
    await world.server.says(bytes)
    expect(because()).toMatch(/protocol-error|limit-exceeded/)
    expect(world.server.stream.ended && world.client.stream.ended).toBe(true)
  })

  it.each([
    ['an unknown message', wire.lying('~', 4)],
    ['an unknown message of 1 GiB', wire.lying('~', 1 << 30)],
    ['a message of negative length', wire.lying('Q', -1)],
    ['a length shorter than itself', wire.lying('Q', 3)],
    ['a password', wire.lying('p', 4)],
    ['a Sync with something in it', wire.lying('S', 8, Buffer.alloc(4))],
    ['text behind the end of a text', wire.lying('Q', 4 + 9 + 6, Buffer.from('read 1  \0write\0'))],
  ])('when the client sends %s', async (_, bytes) => {
    await world.client.says(bytes)
    expect(because()).toBe('protocol-error')
    expect(world.client.news().at(-1)).toMatch(/^Error 08P01 /)
    expect(world.server.news().filter((words) => words !== 'Terminate')).toEqual([])
  })

  it('when the client says so, behind what it has said before', async () => {
    world.log.hold()
    await world.client.says(wire.query('write 1'), wire.terminate)
    world.log.release()
    await settle()
    expect(ran()).toEqual(['write 1'])
    expect(world.server.news().at(-1)).toBe('Terminate')
    expect(because()).toBe('client-terminated')
  })

  it('when the client says so behind messages that no Sync follows: nobody will answer them', async () => {
    world.silence()
    await world.client.says(wire.parse('', 'write 1'), wire.bind('', ''), wire.execute(''), wire.terminate)
    expect(world.server.news().at(-1)).toBe('Terminate')
    world.server.stream.hangUp()
    await settle()
    expect(because()).toBe('client-terminated')
    expect(await settlements()).toEqual(['settled 1 outcome_unknown '])
  })

  it('when the client says so in the middle of COPY data, for which the server would wait', async () => {
    await world.client.says(wire.query('copyin'))
    expect(world.client.news()).toEqual(['CopyInResponse'])
    await world.client.says(wire.copyData('a row'), wire.terminate)
    expect(world.server.news().at(-1)).toBe('Terminate')
    expect(because()).toBe('client-terminated')
  })

  it('and what was under way is settled without a claim to know', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'), wire.query('read 1'))
    world.client.stream.hangUp()
    expect(await settlements()).toEqual(['settled 1 outcome_unknown ', 'settled 2 cancelled '])
    expect(world.log.told.at(-1)).toBe('session.closed client-gone')
  })

  it('and what had not been sent to the server was not run, and is not said to have been', async () => {
    world.log.hold()
    await world.client.says(wire.query('write 1'))
    world.client.stream.hangUp()
    world.log.release()
    expect(await settlements()).toEqual(['settled 1 withdrawn '])
    expect(ran()).toEqual([])
  })

  it('and what waits for the parser is never sent', async () => {
    world.judge.knows = () => false
    world.judge.hold()
    await world.client.says(wire.query('write 1'))
    world.client.stream.hangUp()
    world.judge.release()
    await settle()
    expect(ran()).toEqual([])
    expect(await settlements()).toEqual([])
  })

  it('when the server is gone, once', async () => {
    world.silence()
    await world.client.says(wire.query('write 1'))
    world.server.stream.hangUp()
    world.client.stream.hangUp()
    expect(await settlements()).toEqual(['settled 1 outcome_unknown '])
    expect(world.log.told.filter((text) => text.startsWith('session.closed'))).toEqual(['session.closed upstream-gone'])
  })

  it('with what the server has said last', async () => {
    await world.server.says(wire.errorResponse({ severity: 'FATAL', code: '57P01', message: 'terminating connection' }))
    world.server.stream.hangUp()
    expect(world.client.news()).toEqual(['Error 57P01 terminating connection'])
  })

  it('with our own last words', async () => {
    world.session.end('revoked', wire.errorResponse({ severity: 'FATAL', code: '28000', message: 'revoked' }))
    expect(world.client.news()).toEqual(['Error 28000 revoked'])
    expect(world.client.stream.ended).toBe(true)
    await world.recorder.flushed()
    expect(world.log.told).toEqual(['session.closed revoked'])
  })
})

describe('a cancel', () => {
  it('of what runs is for the server', async () => {
    world.silence()
    await world.client.says(wire.query('read 1'))
    await world.session.cancel()
    expect(world.cancels).toBe(1)
  })

  it('of nothing does nothing', async () => {
    await world.session.cancel()
    expect(world.cancels).toBe(0)
  })

  it.each([
    ['a statement', [wire.query('write 1')]],
    ['what is prepared', [wire.parse('s', 'write 1'), wire.sync]],
  ])('of %s that waits for the parser ends it with the code that cancelled statements have', async (_, messages) => {
    world.judge.knows = () => false
    world.judge.hold()
    await world.client.says(...messages)
    await world.session.cancel()
    world.judge.release()
    await settle()
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error 57014 /), 'ReadyForQuery idle'])
    expect([ran(), world.cancels]).toEqual([[], 0])
  })

  it('of what waits for its record is not lost', async () => {
    world.log.hold()
    await world.client.says(wire.query('write 1'))
    const cancelled = world.session.cancel()
    world.log.release()
    await settle()
    await cancelled
    const [answer] = world.client.news()
    expect(world.cancels === 1 || (answer ?? '').startsWith('Error 57014 ')).toBe(true)
  })
})
