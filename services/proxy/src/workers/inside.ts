import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { faultOf, type Config, type Logger } from '@countersign/platform'
import { ProxyNode } from '../node.ts'
import type { CancelKey } from '../protocol.ts'
import { PROTOCOL } from '../protocols.ts'
import { nameOf, type Loaded, type Member, type MemberListener } from './member.ts'

export const insideMember = async (
  config: () => Config,
  logger: Logger,
  listener: MemberListener,
): Promise<InsideMember> => new InsideMember(config, await openEventLog(config().log), logger, listener)

/** The one worker of a node that has one: in the supervisor's own process, which saves a process and its memory. */
export class InsideMember implements Member {
  readonly name = nameOf(0)
  readonly #node: ProxyNode
  readonly #log: EventLog
  readonly #listener: MemberListener
  readonly #hurry = new AbortController()
  readonly lagging = false
  up = false
  connections = 0

  constructor(config: () => Config, log: EventLog, logger: Logger, listener: MemberListener) {
    this.#log = log
    this.#listener = listener
    const front = {
      cancelElsewhere: (key: CancelKey) => listener.cancelElsewhere(key),
      connectionClosed: () => {
        this.connections -= 1
        listener.closed()
      },
      counts: {
        take: async (name: string, max: number) => listener.take(this.name, name, max),
        giveBack: (name: string) => listener.giveBack(this.name, name),
      },
    }
    this.#node = new ProxyNode(config(), log, logger, { index: 0, workers: 1, front }, PROTOCOL)
  }

  async start(): Promise<void> {
    await this.#node.start()
    await this.#node.usable()
    this.up = true
    this.#listener.up(this)
  }

  welcome(socket: Socket, full: boolean): void {
    this.connections += 1
    this.#node.welcome(socket, full)
  }

  async cancel(key: CancelKey): Promise<void> {
    await this.#node.cancel(key)
  }

  async health(): ReturnType<Member['health']> {
    return this.#node.health()
  }

  async metrics(): ReturnType<Member['metrics']> {
    return this.#node.metrics()
  }

  async prepare({ config }: Loaded, changes: readonly string[]): ReturnType<Member['prepare']> {
    try {
      await this.#node.prepare(config, changes)
      return undefined
    } catch (error) {
      return faultOf(error)
    }
  }

  commit(): void {
    this.#node.commit()
  }

  forget(): void {
    this.#node.forget()
  }

  async drain(): Promise<void> {
    await drained(this.#node, this.#hurry)
    await this.stop()
  }

  async stop(): Promise<void> {
    this.up = false
    this.#hurry.abort()
    await this.#node.stop()
    await this.#log.close()
  }
}

/** Lets sessions end until there are none, the time is over, or somebody is in a hurry. */
export const drained = async (node: ProxyNode, hurry: AbortController): Promise<void> => {
  const over = new AbortController()
  const late = sleep(node.drainSeconds * 1000, undefined, { signal: over.signal }).catch(() => undefined)
  await Promise.race([node.drain(hurry.signal), late])
  over.abort()
  hurry.abort()
}
