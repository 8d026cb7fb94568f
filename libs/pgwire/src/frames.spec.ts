import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Frames, ProtocolError, type FrameReader, type RunReader } from './index.ts'

type Mode = 'whole' | 'stream' | 'skip'

/** Collects what a reader is told, as text: `Q:body` for each whole message, `d(body)` for each streamed one. */
const collector = (modeOf: (tag: string) => Mode, pauseAfter = Number.POSITIVE_INFINITY) => {
  const seen: string[] = []
  let streamed = Buffer.alloc(0)
  const reader: FrameReader = {
    begin: (tag) => modeOf(String.fromCharCode(tag)),
    message: (tag, bytes, start, end) => {
      seen.push(`${String.fromCharCode(tag)}:${bytes.toString('latin1', start + 5, end)}`)
      return seen.length < pauseAfter
    },
    piece: (tag, bytes, start, end, first, last) => {
      streamed = Buffer.concat([first ? Buffer.alloc(0) : streamed, bytes.subarray(start, end)])
      if (last) seen.push(`${String.fromCharCode(tag)}(${streamed.toString('latin1', 5)})`)
    },
  }
  return { seen, reader }
}

const frame = (tag: string, body: string): Buffer => {
  const bytes = Buffer.alloc(5 + body.length)
  bytes.write(tag)
  bytes.writeInt32BE(4 + body.length, 1)
  bytes.write(body, 5, 'latin1')
  return bytes
}

const R = 'R'.charCodeAt(0)
const modes: Record<string, Mode> = { d: 'stream', X: 'skip' }
const modeOf = (tag: string): Mode => modes[tag] ?? 'whole'
const told = (tag: string, body: string) => (modeOf(tag) === 'stream' ? `${tag}(${body})` : `${tag}:${body}`)

describe('messages cut out of a byte stream', () => {
  it('are the same however the bytes are cut', () =>
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.constantFrom('Q', 'P', 'd', 'X', 'S'), fc.string({ unit: 'binary-ascii', maxLength: 40 })),
        ),
        fc.infiniteStream(fc.integer({ min: 1, max: 23 })),
        (messages, sizes) => {
          const wire = Buffer.concat(messages.map(([tag, body]) => frame(tag, body)))
          const { seen, reader } = collector(modeOf)
          const frames = new Frames(reader)
          for (let at = 0; at < wire.length;) {
            const next = at + (sizes.next().value as number)
            const chunk = Buffer.from(wire.subarray(at, next))
            expect(frames.read(chunk, 0, chunk.length)).toBe(chunk.length)
            at = next
          }
          expect(seen).toEqual(messages.filter(([tag]) => tag !== 'X').map(([tag, body]) => told(tag, body)))
        },
      ),
    ))

  it('are the same when those of one kind are taken several at a time', () =>
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom('R', 'R', 'R', 'Q'), fc.string({ unit: 'binary-ascii', maxLength: 40 }))),
        fc.infiniteStream(fc.integer({ min: 1, max: 200 })),
        fc.infiniteStream(fc.boolean()),
        (messages, sizes, takings) => {
          const wire = Buffer.concat(messages.map(([tag, body]) => frame(tag, body)))
          const { seen, reader } = collector(modeOf)
          const one = new Frames(reader)
          const runs: RunReader = {
            takes: (tag) => tag === R && (takings.next().value as boolean),
            run: (tag, bytes, start, end, count, longest) => {
              expect(tag).toBe(R)
              const before = seen.length
              expect(one.read(bytes, start, end)).toBe(end)
              expect(seen.length - before).toBe(count)
              expect(Math.max(...seen.slice(before).map((text) => text.length - 2 + 5))).toBe(longest)
            },
          }
          const frames = new Frames(reader, undefined, runs)
          for (let at = 0; at < wire.length;) {
            const next = at + (sizes.next().value as number)
            const chunk = Buffer.from(wire.subarray(at, next))
            expect(frames.read(chunk, 0, chunk.length)).toBe(chunk.length)
            at = next
          }
          expect(seen).toEqual(messages.map(([tag, body]) => told(tag, body)))
        },
      ),
    ))

  it('leave to the other way what of a run is wrong, or longer than may be believed', () => {
    const run = vi.fn()
    const runs = { takes: (tag: number) => tag === R, run }
    const wrong = frame('R', '')
    wrong.writeInt32BE(3, 1)
    const wire = Buffer.concat([frame('R', 'a'), frame('R', 'b'), wrong])
    expect(() => new Frames(collector(modeOf).reader, undefined, runs).read(wire, 0, wire.length)).toThrow(
      ProtocolError,
    )
    expect(run).toHaveBeenCalledExactlyOnceWith(R, wire, 0, 12, 2, 6)
    const long = Buffer.concat([frame('R', 'a'), frame('R', 'too long')])
    expect(() => new Frames(collector(modeOf).reader, 8, runs).read(long, 0, long.length)).toThrow(/length/)
  })

  it('stop where the reader pauses, and go on from there', () => {
    const wire = Buffer.concat([frame('Q', 'one'), frame('Q', 'two')])
    const { seen, reader } = collector(modeOf, 1)
    const frames = new Frames(reader)
    const read = frames.read(wire, 0, wire.length)
    expect([read, seen]).toEqual([8, ['Q:one']])
    frames.read(wire, read, wire.length)
    expect(seen).toEqual(['Q:one', 'Q:two'])
  })

  it('pause also behind a message that came in pieces', () => {
    const wire = Buffer.concat([frame('Q', 'one'), frame('Q', 'two')])
    const { seen, reader } = collector(modeOf, 1)
    const frames = new Frames(reader)
    expect(frames.read(wire, 0, 6)).toBe(6)
    expect(frames.read(wire, 6, wire.length)).toBe(8)
    expect(seen).toEqual(['Q:one'])
  })

  it('tell while one is being streamed, because nothing may come in between', () => {
    const wire = frame('d', 'a long row')
    const frames = new Frames(collector(modeOf).reader)
    frames.read(wire, 0, 8)
    expect(frames.inside).toBe(true)
    frames.read(wire, 8, wire.length)
    expect(frames.inside).toBe(false)
  })
})

describe('a length that nobody should believe', () => {
  const read = (hex: string, lengthMax?: number) => () => {
    const bytes = Buffer.from(hex, 'hex')
    new Frames(collector(modeOf).reader, lengthMax).read(bytes, 0, bytes.length)
  }

  it.each([
    ['negative', '51ffffffff'],
    ['shorter than itself', '5100000003'],
  ])('is refused when it is %s', (_, hex) => expect(read(hex)).toThrow(ProtocolError))

  it('is refused before anything is kept for it when it is longer than the bound', () =>
    expect(read('517fffffff', 1024)).toThrow(/2147483647/))

  it('is refused in a header that came byte by byte as well', () => {
    const frames = new Frames(collector(modeOf).reader, 1024)
    const bytes = Buffer.from('517fffffff', 'hex')
    expect(() => {
      for (let at = 0; at < bytes.length; at++) frames.read(bytes, at, at + 1)
    }).toThrow(ProtocolError)
  })
})
