import { describe, expect, it } from 'vitest'
import { serverSentEvents, type ServerSentEvent } from './server-sent-events.ts'

describe('an event stream', () => {
  it('is read into events, however it is cut', async () => {
    const text = ': hello\n\nid: 7\nevent: x\ndata: {"a":1}\n\ndata:two\ndata: lines\r\n\r\nevent: none\n\ndata: ü\n\n'
    const expected = [
      { id: '7', event: 'x', data: '{"a":1}' },
      { id: undefined, event: 'message', data: 'two\nlines' },
      { id: undefined, event: 'message', data: 'ü' },
    ]
    const bytes = new TextEncoder().encode(text)
    for (const size of [1, 2, 3, 7, bytes.length]) expect(await read(cut(bytes, size))).toEqual(expected)
  })

  it('leaves out an event that was not finished', async () =>
    expect(await read([new TextEncoder().encode('data: whole\n\ndata: half')])).toMatchObject([{ data: 'whole' }]))
})

const cut = (bytes: Uint8Array, size: number): readonly Uint8Array[] =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

const read = async (chunks: readonly Uint8Array[]): Promise<readonly ServerSentEvent[]> => {
  const events: ServerSentEvent[] = []
  for await (const event of serverSentEvents(stream(chunks))) events.push(event)
  return events
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}
