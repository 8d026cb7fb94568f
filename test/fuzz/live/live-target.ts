import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { framed, startup } from '../../support/wire-bytes.ts'
import type { LoneNode } from '../../support/lone-node.ts'
import type { Target } from '../campaign.ts'
import { cut, mutated, type Frames } from '../mutations.ts'
import type { Random } from '../random.ts'
import { framesOf, recordings } from '../recordings.ts'

/** What a client of a running node does: begins in some way, says these pieces, and ends in some way. */
export interface LivePlan {
  readonly begins: 'logged-in' | 'logged-in-by-tls' | 'at-once'
  readonly pieces: readonly Buffer[]
  /** Waits a moment in front of this piece. */
  readonly pause: number
  readonly ends: 'asking' | 'half-closed' | 'reset'
}

const ANSWER_MS = 30_000

const said = recordings().map(({ fromClient }) => framesOf(fromClient).filter((frame) => frame[0] !== 0x58))

/** Sockets to a node that runs, with a real server behind it: it answers, or closes; it never keeps anybody waiting. */
export const liveTarget = (node: LoneNode): Target<LivePlan> => ({
  name: 'live',
  together: 8,
  plan: (random) => {
    const begins = random.pick(['logged-in', 'logged-in', 'logged-in', 'logged-in-by-tls', 'at-once'] as const)
    const frames = begins === 'at-once' ? first(random) : talk(random)
    return {
      begins,
      pieces: cut(random, Buffer.concat(frames)),
      pause: random.below(8),
      ends: random.pick(['asking', 'asking', 'half-closed', 'reset']),
    }
  },
  play: (plan) => play(node, plan),
})

const talk = (random: Random): Frames => {
  const base = random.pick(said)
  const at = random.below(base.length)
  return mutated(random, base.slice(at, at + random.between(1, 12)), random.below(4))
}

const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')
const GSSENC_REQUEST = Buffer.from('0000000804d21630', 'hex')
const CANCEL_REQUEST = Buffer.from('0000001004d2162e0000000100000001', 'hex')
const CLIENT_HELLO = Buffer.from('16030100c6010000c20303', 'hex')

/** First packets of all kinds, right and wrong. */
const first = (random: Random): Frames => {
  const packet = startup({ user: 'etl', database: 'shop', application_name: 'fuzz', options: '-c work_mem=4MB' })
  const begins = random.pick([packet, packet, SSL_REQUEST, GSSENC_REQUEST, CANCEL_REQUEST, CLIENT_HELLO])
  const [changed = begins] = mutated(random, [Buffer.concat([Buffer.from('x'), begins])], random.below(3))
  const token = framed('p', Buffer.from('cs_wrong\0'))
  return [changed.subarray(1), ...(random.oneIn(2) ? mutated(random, [token], random.below(3)) : [])]
}

const play = async (node: LoneNode, plan: LivePlan): Promise<void> => {
  const line = await begin(node, plan.begins)
  try {
    if (line.closed) throw new Error('it is not let in')
    for (const [index, piece] of plan.pieces.entries()) {
      if (index === plan.pause) await sleep(2)
      line.socket.write(piece)
    }
    if (plan.ends === 'reset') return
    if (plan.ends === 'asking' && plan.begins !== 'at-once') await expectAnswer(line, plan.pieces)
    line.socket.end()
    await line.until(() => line.closed, 'the connection stays open')
  } finally {
    line.socket.destroy()
  }
}

const LAST = 424_242

/** When all that was said was whole messages, the next question is answered, or the connection has been closed. */
const expectAnswer = async (line: Line, pieces: readonly Buffer[]): Promise<void> => {
  if (!isWhole(Buffer.concat(pieces))) return
  line.socket.write(Buffer.concat([framed('f', Buffer.from('over\0')), framed('S', Buffer.alloc(0))]))
  line.socket.write(framed('Q', Buffer.from(`rollback\0`)))
  line.socket.write(framed('Q', Buffer.from(`select ${LAST}\0`)))
  await line.until(
    () => line.closed || line.heard(`\0\0\0\x06${LAST}`) || line.refused,
    'the next question is not answered',
  )
}

const isWhole = (bytes: Buffer): boolean => {
  let at = 0
  while (bytes.length - at >= 5) {
    const length = bytes.readInt32BE(at + 1)
    if (length < 4 || at + 1 + length > bytes.length) return false
    at += 1 + length
  }
  return at === bytes.length
}

class Line {
  readonly socket: Socket
  #heard = ''
  #changed = () => {}
  closed = false

  constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes) => {
      // Enough to find what is looked for; a result may be large.
      this.#heard = (this.#heard + bytes.toString('latin1')).slice(-200_000)
      this.#changed()
    })
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.closed = true
      this.#changed()
    })
  }

  heard(text: string): boolean {
    return this.#heard.includes(text)
  }

  /** With reason: another one has changed the schema just now, or the log cannot be written. */
  get refused(): boolean {
    return this.heard('C57P03\0') || this.heard('CZA010\0')
  }

  async until(happened: () => boolean, otherwise: string): Promise<void> {
    const deadline = performance.now() + ANSWER_MS
    while (!happened()) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`${otherwise}; heard ${JSON.stringify(this.#heard.slice(-300))}`)
      await new Promise<void>((resolve) => {
        const late = setTimeout(resolve, Math.min(left, 1_000))
        this.#changed = () => {
          clearTimeout(late)
          resolve()
        }
      })
    }
  }
}

const begin = async (node: LoneNode, how: LivePlan['begins']): Promise<Line> => {
  const plain = connect({ port: node.port, host: '127.0.0.1', noDelay: true })
  if (how === 'at-once') return new Line(plain)
  const line = new Line(how === 'logged-in-by-tls' ? await secured(plain) : plain)
  line.socket.write(startup({ user: node.user, database: node.database }))
  await line.until(() => line.closed || line.heard('R\0\0\0\x08\0\0\0\x03'), 'no password is asked for')
  line.socket.write(framed('p', Buffer.from(`${node.password}\0`)))
  await line.until(() => line.closed || line.heard('Z\0\0\0\x05I'), 'the login is not answered')
  return line
}

const secured = async (plain: Socket): Promise<Socket> => {
  plain.write(SSL_REQUEST)
  const answer = await new Promise<Buffer>((resolve, reject) => plain.once('data', resolve).once('error', reject))
  if (answer.toString() !== 'S') throw new Error('no TLS here')
  const socket = connectTls({ socket: plain, rejectUnauthorized: false })
  await new Promise<void>((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  return socket
}
