import { memoryLog } from '@countersign/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SessionWorld } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

let world: SessionWorld
beforeEach(() => {
  world = new SessionWorld(memoryLog())
})
afterEach(() => world.over())

const answer = (text: string | null) => [
  wire.functionCallResponse(text === null ? null : Buffer.from(text)),
  wire.readyForQuery('idle'),
]

describe('a function called by its number', () => {
  it('is recorded as the statement that calls it, and its result passes', async () => {
    await world.client.says(wire.functionCall(1))
    expect(world.server.news()).toEqual(['FunctionCall 1'])
    await world.server.says(...answer('read one.1'))
    expect(world.client.news()).toEqual(['FunctionCallResponse read one.1', 'ReadyForQuery idle'])
    await world.recorder.flushed()
    expect(world.log.of('statement.intended')).toMatchObject([{ text: 'read one' }])
    expect(world.log.told).toContain('settled 1 completed SELECT 1')
  })

  it('has its result masked like a row of one column', async () => {
    await world.client.says(wire.functionCall(2))
    await world.server.says(...answer('mask read two.1'))
    expect(world.client.news()).toEqual(['FunctionCallResponse *mask read two.1', 'ReadyForQuery idle'])
  })

  it('may give nothing', async () => {
    await world.client.says(wire.functionCall(1))
    await world.server.says(...answer(null))
    expect(world.client.news()).toEqual(['FunctionCallResponse null', 'ReadyForQuery idle'])
  })

  it('is denied, and never reaches the server', async () => {
    await world.client.says(wire.functionCall(3))
    expect(world.server.news()).toEqual([])
    expect(world.client.news()).toEqual([expect.stringMatching(/^Error 42501 /), 'ReadyForQuery idle'])
  })

  it('that has an effect waits for its record', async () => {
    world.log.hold()
    await world.client.says(wire.functionCall(4))
    expect(world.server.news()).toEqual([])
    world.log.release()
    await world.recorder.flushed()
    await world.client.says()
    expect(world.server.news()).toEqual(['FunctionCall 4'])
    await world.server.says(...answer('done'))
  })

  it('that nobody knows is refused, also in a transaction, which fails by it', async () => {
    await world.client.says(wire.functionCall(99))
    expect(world.client.news()).toEqual(['Error 42883 function with OID 99 does not exist', 'ReadyForQuery idle'])
    await world.client.says(wire.query('begin'))
    await world.server.says(wire.commandComplete('BEGIN'), wire.readyForQuery('open'))
    await world.client.says(wire.functionCall(99))
    expect(world.server.news()).toEqual(['Query begin', 'Describe portal countersign: refused', 'Sync'])
  })

  it('waits for what was sent before it', async () => {
    await world.client.says(wire.query('read 1'), wire.functionCall(1))
    expect(world.server.news()).toEqual(['Query read 1'])
  })

  it('is a fault of the server when nobody asked for it', async () => {
    await world.client.says(wire.query('read 1'))
    await world.server.says(...answer('x'))
    expect(world.closed?.because).toBe('protocol-error')
  })
})
