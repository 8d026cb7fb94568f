import { Socket } from 'node:net'
import { openEventLog } from '@countersign/eventlog'
import { ConfigError, faultOf, parseConfig, type Logger } from '@countersign/platform'
import { ProxyNode } from '../node.ts'
import { PROTOCOL } from '../protocols.ts'
import { drained } from './inside.ts'
import { nameOf } from './member.ts'
import type { Answers, Asked, FromWorker, ToWorker } from './messages.ts'

/** A worker whose supervisor has gone has this long to end its sessions and write it down. */
const ORPHANED_MS = 5_000

/**
 * Runs one worker of a node in this process, as its supervisor says. Ends when it is told to, and at once when the
 * supervisor is gone: nobody would send it a client any more.
 */
export const runWorkerProcess = (loggerFor: (worker: string) => Logger): void => {
  let work: Promise<Work> | undefined
  let end: Promise<never> | undefined
  let hurry: (() => void) | undefined

  /** `inOrder`: sessions may come to their end first. */
  const endBy = (inOrder: boolean) => {
    say({ kind: 'leaving' })
    if (!inOrder) hurry?.()
    end ??= ending(work, inOrder, (now) => (hurry = now))
  }
  // The orphan guard, which comes along with Node's arguments, has let go of it.
  process.channel?.ref()
  process.on('message', (message: ToWorker, socket?: unknown) => {
    if (message.kind === 'start') work ??= begin(message, loggerFor(nameOf(message.index)))
    else if (message.kind === 'drain') endBy(true)
    else if (message.kind === 'stop') endBy(false)
    else void work?.then((running) => running.hear(message, socket))
  })
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), ORPHANED_MS).unref()
    endBy(false)
  })
  process.on('SIGTERM', () => endBy(true))
  // To the whole group of a terminal, or to the supervisor: it says what is to be done.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
}

type Heard = Exclude<ToWorker, { kind: 'start' | 'drain' | 'stop' }>

interface Work {
  readonly node: ProxyNode
  readonly hear: (message: Heard, socket: unknown) => void
  readonly close: () => Promise<void>
}

const say = (message: FromWorker): void => {
  // A supervisor that has just died is noticed by the end of the channel; what was on its way to it is nobody's.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

const begin = async (
  { index, workers, file, text }: Extract<ToWorker, { kind: 'start' }>,
  logger: Logger,
): Promise<Work> => {
  try {
    const config = parseConfig(file, text)
    const log = await openEventLog(config.log)
    const front = new ChannelFront()
    const node = new ProxyNode(config, log, logger, { index, workers, front }, PROTOCOL)
    await node.start()
    await node.usable()
    say({ kind: 'ready' })
    const hear = (message: Heard, socket: unknown) => hearing(node, front, message, socket)
    const close = async () => {
      await node.stop()
      await log.close()
    }
    return { node, hear, close }
  } catch (error) {
    const known = error instanceof ConfigError ? { error: error.message, code: error.code } : faultOf(error)
    logger.error('a worker could not start', known)
    process.exit(1)
  }
}

const hearing = (node: ProxyNode, front: ChannelFront, message: Heard, socket: unknown): void => {
  switch (message.kind) {
    case 'connection':
      if (socket instanceof Socket) node.welcome(socket, message.full)
      else front.connectionClosed() // It was closed on its way to us.
      return
    case 'cancelled':
      return front.cancelled(message.id)
    case 'commit':
      node.commit()
      return
    case 'forget':
      return node.forget()
    case 'taken':
      return front.taken(message.id, message.granted)
    case 'ask':
      void answerTo(node, message).then((answer) => say({ kind: 'answer', id: message.id, answer }))
  }
}

const answerTo = async (node: ProxyNode, asked: Asked): Promise<Answers[Asked['what']]> => {
  switch (asked.what) {
    case 'health':
      return node.health()
    case 'metrics':
      return node.metrics()
    case 'cancel':
      return { found: await node.cancel({ processId: asked.processId, secret: Buffer.from(asked.secret) }) }
    case 'prepare': {
      const { file, text, changes } = asked
      const prepared = async () => node.prepare(parseConfig(file, text), changes)
      return { fault: await prepared().then(() => undefined, faultOf) }
    }
  }
}

const ending = async (
  work: Promise<Work> | undefined,
  inOrder: boolean,
  untilHurried: (hurry: () => void) => void,
): Promise<never> => {
  const hurry = new AbortController()
  untilHurried(() => hurry.abort())
  const running = await work
  if (running && inOrder) await drained(running.node, hurry)
  const code = await (running?.close() ?? Promise.resolve()).then(
    () => 0,
    () => 1,
  )
  process.exit(code)
}

/** The node, on the other side of the channel. */
class ChannelFront {
  readonly #asked = new Map<number, (granted: boolean) => void>()
  readonly #cancelling = new Map<number, () => void>()
  #lastId = 0
  #closed = 0

  readonly counts = {
    take: (name: string, max: number): Promise<boolean> =>
      new Promise((resolve) => {
        this.#asked.set(++this.#lastId, resolve)
        say({ kind: 'take', id: this.#lastId, name, max })
      }),
    giveBack: (name: string): void => say({ kind: 'give-back', name }),
  }

  taken(id: number, granted: boolean): void {
    this.#asked.get(id)?.(granted)
    this.#asked.delete(id)
  }

  cancelElsewhere({ processId, secret }: { processId: number; secret: Buffer }): Promise<void> {
    return new Promise((resolve) => {
      this.#cancelling.set(++this.#lastId, resolve)
      say({ kind: 'cancel', id: this.#lastId, processId, secret })
    })
  }

  cancelled(id: number): void {
    this.#cancelling.get(id)?.()
    this.#cancelling.delete(id)
  }

  /** Those that close together are told together. */
  connectionClosed(): void {
    this.#closed += 1
    if (this.#closed > 1) return
    setImmediate(() => {
      say({ kind: 'closed', connections: this.#closed })
      this.#closed = 0
    })
  }
}
