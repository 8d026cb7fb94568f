import { memoryLog } from '@countersign/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelServer } from '../testing/model-server.ts'
import { SessionWorld, settle } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'

/*
 * How bytes are cut on their way says nothing: whoever reads them must find the same messages. Small pieces find the
 * places where a header lies in two of them; a slow peer finds bytes that are overwritten before they are taken.
 */

const CONVERSATION = [
  wire.query('read 3; write 1'),
  wire.extended('mask read 2'),
  wire.query('copyout 3'),
  wire.query('mask copyout 2'),
  wire.query('copyin'),
  wire.copyData('one'),
  wire.copyData('two'),
  wire.copyDone,
  wire.extended('read 4', { rowsMax: 2 }),
  wire.query('deny write 1'),
  wire.query('notice 1; read 1'),
]

/** What a server says to the conversation, when it is asked without a node in between. */
const answersTo = (messages: readonly Buffer[]): readonly Buffer[] => {
  const answers: Buffer[] = []
  const model = new ModelServer({ say: (bytes) => void answers.push(bytes), withPolicy: false })
  for (const message of messages) model.hear(message)
  return answers
}

/** Cuts into pieces of these sizes, again and again. */
const cut = (bytes: Buffer, sizes: readonly number[]): Buffer[] => {
  const pieces: Buffer[] = []
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = sizes[n % sizes.length] ?? 1
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 })

/** Everything that the client and the server get to hear, when the bytes of both come in such pieces. */
const heard = async (clientSizes: readonly number[], serverSizes: readonly number[], slow: boolean) => {
  const world = new SessionWorld(memoryLog())
  const heard: { client: Buffer[]; server: Buffer[] } = { client: [], server: [] }
  const model = new ModelServer({
    say: (bytes) => setImmediate(() => world.server.stream.receive(...cut(bytes, serverSizes))),
  })
  world.client.stream.taken = (bytes) => void heard.client.push(bytes)
  world.server.stream.taken = (bytes) => {
    heard.server.push(bytes)
    model.hear(bytes)
  }
  world.client.stream.slow = slow
  for (const message of CONVERSATION) {
    world.client.stream.receive(...cut(message, clientSizes))
    await settle()
  }
  world.client.stream.slow = false
  await world.over()
  return {
    client: Buffer.concat(heard.client),
    server: Buffer.concat(heard.server),
    log: world.log.told,
    closed: world.closed,
  }
}

const WHOLE = [100_000]

describe('every way of cutting the bytes', () => {
  it('gives the same answers, the same requests and the same record', async () => {
    const whole = await heard(WHOLE, WHOLE, false)
    expect(whole.closed).toBeUndefined()
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.boolean(), async (clientSizes, serverSizes, slow) => {
        expect(await heard(clientSizes, serverSizes, slow)).toEqual(whole)
      }),
      { numRuns: 40 },
    )
  })

  it('is the same when all answers of the server come as one run of bytes, cut anywhere', async () => {
    const reads = ['read 1', 'copyout 2', 'mask read 2', 'read 2']
    const questions = reads.map((text) => wire.query(text))
    const bytes = Buffer.concat(answersTo(questions))
    const through = async (pieces: readonly Buffer[], slow: boolean) => {
      const world = new SessionWorld(memoryLog())
      const got: Buffer[] = []
      world.client.stream.taken = (each) => void got.push(each)
      await world.client.says(...questions)
      world.client.stream.slow = slow
      world.server.stream.receive(...pieces)
      world.client.stream.slow = false
      await world.over()
      return Buffer.concat(got)
    }
    const whole = await through([bytes], false)
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (at, slow) => {
        expect(await through(cut(bytes, at), slow)).toEqual(whole)
      }),
      { numRuns: 100 },
    )
  })
})
