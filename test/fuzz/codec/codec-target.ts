import { isDeepStrictEqual } from 'node:util'
import {
  BACKEND,
  FRONTEND,
  Frames,
  notificationResponse,
  ProtocolError,
  query,
  readFirstPacket,
  readNotice,
  readNotification,
  readQuery,
  writeNotice,
} from '@countersign/pgwire'
import type { Target } from '../campaign.ts'
import { cut, mutated } from '../mutations.ts'
import type { Random } from '../random.ts'
import { framesOf, recordings } from '../recordings.ts'
import { readers } from './readers.ts'

/** Bytes of one direction, cut into pieces; how each tag is read, and after which messages the reader pauses. */
export interface CodecPlan {
  readonly from: 'client' | 'server'
  readonly pieces: readonly Buffer[]
  readonly lengthMax: number
  readonly streamed: readonly number[]
  readonly skipped: readonly number[]
  readonly pauses: readonly number[]
}

const said = recordings()
const bases = {
  client: said.map(({ fromClient }) => framesOf(fromClient)),
  server: said.map(({ fromServer }) => framesOf(fromServer)),
} as const
const starts = said.map(({ fromClient }) => fromClient.subarray(0, fromClient.readInt32BE(0)))

/** The codec alone: the same messages however bytes are cut, nothing but `ProtocolError` for what is none. */
export const codecTarget: Target<CodecPlan> = {
  name: 'codec',
  plan: (random) => {
    const from = random.pick(['client', 'server'] as const)
    const base = random.pick(bases[from])
    const at = random.below(base.length)
    const few = base.slice(at, at + random.between(1, 8))
    const frames = mutated(random, few, random.below(4))
    const first = random.oneIn(4) ? [firstPacket(random)] : []
    const tags = [...new Set(few.map((frame) => frame[0] ?? 0))]
    return {
      from,
      pieces: cut(random, Buffer.concat([...first, ...frames])),
      lengthMax: random.pick([0x7fffffff, 0x7fffffff, 1 << 20, 300]),
      streamed: random.oneIn(2) ? [random.pick(tags), FRONTEND.copyData] : [],
      skipped: random.oneIn(4) ? [random.pick(tags)] : [],
      pauses: random.oneIn(2) ? [random.between(1, 4), random.between(1, 9)] : [],
    }
  },
  play: (plan) => {
    const bytes = Buffer.concat(plan.pieces)
    const expected = cutByTheBook(bytes, plan)
    const found = cutByFrames(plan)
    mustEqual(found, expected, 'the messages depend on how the bytes are cut')
    for (const message of expected.messages) if (message.how === 'whole') readAlone(plan.from, message.bytes)
    readStart(bytes)
  },
  smaller: function* ({ pieces, ...plan }) {
    if (pieces.length > 1) yield { ...plan, pieces: [Buffer.concat(pieces)] }
    for (const index of pieces.keys()) yield { ...plan, pieces: pieces.toSpliced(index, 1) }
  },
}

const firstPacket = (random: Random): Buffer => {
  const packet = random.pick(starts)
  // To the mutations it looks like a message when a tag stands in front.
  const [changed = packet] = mutated(random, [Buffer.concat([Buffer.from('x'), packet])], random.below(3))
  return changed.subarray(1)
}

interface Told {
  readonly tag: number
  readonly how: 'whole' | 'streamed'
  readonly bytes: Buffer
}

interface Cutting {
  readonly messages: readonly Told[]
  readonly error: string | undefined
  /** Bytes at the end that are no whole message, unless they are streamed or skipped. */
  readonly left: number
}

const howOf = ({ streamed, skipped }: CodecPlan, tag: number): 'whole' | 'stream' | 'skip' => {
  if (streamed.includes(tag)) return 'stream'
  return skipped.includes(tag) ? 'skip' : 'whole'
}

/** As the manual says it, over all the bytes at once: the measure of what `Frames` does. */
const cutByTheBook = (bytes: Buffer, plan: CodecPlan): Cutting => {
  const messages: Told[] = []
  let at = 0
  while (bytes.length - at >= 5) {
    const length = bytes.readInt32BE(at + 1)
    if (length < 4) return { messages, error: 'PGWIRE_BAD_LENGTH', left: 0 }
    if (length > plan.lengthMax) return { messages, error: 'PGWIRE_TOO_LONG', left: 0 }
    const tag = bytes[at] ?? 0
    const how = howOf(plan, tag)
    const message = bytes.subarray(at, at + 1 + length)
    const isWhole = message.length === 1 + length
    if (how === 'stream') messages.push({ tag, how: 'streamed', bytes: message })
    if (how === 'whole' && isWhole) messages.push({ tag, how: 'whole', bytes: message })
    if (!isWhole) return { messages, error: undefined, left: how === 'whole' ? message.length : 0 }
    at += 1 + length
  }
  return { messages, error: undefined, left: bytes.length - at }
}

const SPOILT = 0xee

const cutByFrames = (plan: CodecPlan): Cutting => {
  const messages: { tag: number; how: 'whole' | 'streamed'; bytes: Buffer }[] = []
  let announced = 0
  let pauseAt = 0
  const frames = new Frames(
    {
      begin: (tag, length) => {
        announced = length
        return howOf(plan, tag)
      },
      message: (tag, bytes, start, end) => {
        must(end - start === announced, 'a message of another length than was announced')
        must(bytes[start] === tag, 'a message that does not begin with its tag')
        messages.push({ tag, how: 'whole', bytes: Buffer.from(bytes.subarray(start, end)) })
        pauseAt += 1
        return !plan.pauses.includes(pauseAt)
      },
      piece: (tag, bytes, start, end, first, last) => {
        must(start < end && end <= bytes.length, 'a piece of nothing')
        if (first) messages.push({ tag, how: 'streamed', bytes: Buffer.alloc(0) })
        const message = messages.at(-1)
        must(message?.how === 'streamed' && message.tag === tag, 'a piece in the middle of something else')
        if (message) message.bytes = Buffer.concat([message.bytes, bytes.subarray(start, end)])
        must(last === (message?.bytes.length === announced), 'the last piece is not the last one')
      },
    },
    plan.lengthMax,
  )
  const error = fed(frames, plan.pieces)
  const left = error === undefined ? leftOf(plan, messages) : 0
  return { messages, error, left }
}

/** In one buffer that is spoilt behind each piece, as a socket's buffer is read into again. */
const fed = (frames: Frames, pieces: readonly Buffer[]): string | undefined => {
  const buffer = Buffer.alloc(Math.max(1, ...pieces.map(({ length }) => length)))
  try {
    for (const piece of pieces) {
      piece.copy(buffer)
      for (let at = 0; at < piece.length;) {
        const next = frames.read(buffer, at, piece.length)
        must(next > at && next <= piece.length, `it stays where it is: ${at} of ${piece.length}`)
        at = next
      }
      buffer.fill(SPOILT)
    }
    return undefined
  } catch (error) {
    if (error instanceof ProtocolError) return error.code
    throw error
  }
}

/** What it has taken and not told of. */
const leftOf = ({ pieces, ...plan }: CodecPlan, messages: readonly Told[]): number => {
  const taken = pieces.reduce((sum, { length }) => sum + length, 0)
  const told = messages.reduce((sum, { bytes }) => sum + bytes.length, 0)
  return plan.skipped.length > 0 ? cutByTheBook(Buffer.concat(pieces), { pieces, ...plan }).left : taken - told
}

/** A reader sees its message and nothing of what lies around it; it gives a value or says what is wrong. */
const readAlone = (from: CodecPlan['from'], message: Buffer): void => {
  const read = readers[from].get(message[0] ?? 0)
  if (!read) return
  const results = SURROUNDINGS.map((around) => {
    const bytes = Buffer.concat([around, message, around])
    return outcomeOf(() => read(bytes, around.length, around.length + message.length))
  })
  mustEqual(results[1], results[0], 'a reader has looked beyond its message')
  mustEqual(results[2], results[0], 'a reader has looked beyond its message')
  if (results[0] !== undefined && !('error' in results[0])) writeAgain(from, message)
}

const SURROUNDINGS = [Buffer.alloc(0), Buffer.alloc(9, 0), Buffer.alloc(9, 0x54)]

const outcomeOf = (read: () => unknown): { value: unknown } | { error: string } => {
  try {
    return { value: copied(read()) }
  } catch (error) {
    if (error instanceof ProtocolError) return { error: error.code }
    throw error
  }
}

const copied = (value: unknown): unknown => {
  if (Buffer.isBuffer(value)) return value.toString('latin1')
  if (Array.isArray(value)) return value.map(copied)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, copied(each)]))
}

/** What can be written as well as read says the same when it is written and read again. */
const writeAgain = (from: CodecPlan['from'], message: Buffer): void => {
  const at = [message, 0, message.length] as const
  if (from === 'client' && message[0] !== FRONTEND.query) return
  switch (message[0]) {
    case FRONTEND.query: {
      const sql = readQuery(...at).toString()
      mustEqual(readQuery(query(sql), 0, query(sql).length).toString(), sql, 'a query is another one')
      return
    }
    case BACKEND.notificationResponse: {
      const read = readNotification(...at)
      const written = notificationResponse(read)
      mustEqual(readNotification(written, 0, written.length), read, 'a notification is another one')
      return
    }
    case BACKEND.errorResponse:
    case BACKEND.noticeResponse: {
      const read = readNotice(...at)
      const written = writeNotice(message[0], read)
      mustEqual([...readNotice(written, 0, written.length)], [...read], 'a notice is another one')
    }
  }
}

/** A start-up packet is found when its last byte has come, and is then the same whatever follows it. */
const readStart = (bytes: Buffer): void => {
  const whole = outcomeOf(() => readFirstPacket(bytes))
  const announced = bytes.length >= 4 ? bytes.readInt32BE(0) : undefined
  if (announced === undefined) return mustEqual(whole, { value: undefined }, 'a packet out of nothing')
  if (announced < 8 || announced > 10_000)
    return mustEqual(whole, { error: 'PGWIRE_BAD_LENGTH' }, 'a length is believed')
  const alone = outcomeOf(() => readFirstPacket(bytes.subarray(0, announced)))
  mustEqual(whole, alone, 'a first packet depends on what follows it')
  const early = outcomeOf(() => readFirstPacket(bytes.subarray(0, Math.min(bytes.length, announced) - 1)))
  mustEqual(early, { value: undefined }, 'a first packet is read before it is there')
}

const must = (holds: boolean, what: string): void => {
  if (!holds) throw new Error(what)
}

const mustEqual = (found: unknown, expected: unknown, what: string): void => {
  if (isDeepStrictEqual(found, expected)) return
  throw new Error(`${what}: ${JSON.stringify(found)} and not ${JSON.stringify(expected)}`)
}
