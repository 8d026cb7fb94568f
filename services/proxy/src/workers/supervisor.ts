import { createServer, type Server, type Socket } from 'node:net'
import { availableParallelism } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigError,
  faultOf,
  parseConfig,
  readConfig,
  type Config,
  type Fields,
  type Logger,
} from '@countersign/platform'
import { serveAdmin } from '../admin.ts'
import { mergeHealth, notServing, type NodeHealth } from '../health.ts'
import { metricsTextOf, type Figure } from '../telemetry/node-metrics.ts'
import { seedSlots } from '../record/checkpoint.ts'
import { configChanges, fixedAmong } from './config-changes.ts'
import { ForkedMember } from './forked.ts'
import type { Loaded, Member, MemberListener } from './member.ts'
import { SharedCounts } from './shared-counts.ts'

export interface SupervisorOptions {
  readonly configFile: string
  /** The program that a worker process runs. */
  readonly entry: string
  readonly logger: Logger
  readonly loggerFor: (worker: string) => Logger
  /** Told whenever processes have come or gone. */
  readonly processes: (list: readonly WorkerPid[]) => void
}

export interface WorkerPid {
  readonly name: string
  readonly pid: number
}

/** As the kernel keeps them for a process that is slow to accept. */
const BACKLOG = 511
/** Clients that may wait while no worker can take them. */
const WAITING_MAX = 1_024

/**
 * A node as a whole. It has the port, and gives each client to the worker with the fewest; keeps the workers running;
 * and is what an operator talks to. It sees no byte of a connection.
 *
 * The port stays when a worker dies, and goes when this process does, whatever its workers do.
 */
export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #logger: Logger
  readonly #counts = new SharedCounts()
  readonly #listener: MemberListener
  #loaded: Loaded
  #members: readonly Member[] = []
  #server: Server | undefined
  #admin: Server | undefined
  /** Accepted while no worker is up. */
  #waiting: Socket[] = []
  #refused = 0
  #turn = 0
  #reloading: Promise<void> = Promise.resolve()
  #leaving = false

  /** Throws `ConfigError`. */
  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#logger = options.logger
    this.#loaded = load(options.configFile)
    this.#listener = {
      up: () => this.#giveWaiting(),
      closed: () => {},
      cancelElsewhere: async (key) => {
        await Promise.all(this.#members.map((member) => member.cancel(key)))
      },
      take: (worker, name, max) => this.#counts.take(worker, name, max),
      giveBack: (worker, name) => this.#counts.giveBack(worker, name),
      gone: (worker, lost) => {
        this.#counts.forget(worker)
        for (const socket of lost) this.#giveAgain(socket)
      },
      processes: () => options.processes(this.#pids()),
    }
  }

  get config(): Config {
    return this.#loaded.config
  }

  /** Listens, then starts the workers. Rejects when a port is in use, or one of them cannot be started. */
  async start(): Promise<void> {
    const { node } = this.config
    await this.#listen()
    seedSlots(node.state, node.name, workersOf(this.config))
    await this.#startMembers()
    this.#admin = await serveAdmin(node, { health: () => this.#health(), metrics: () => this.#metrics() })
  }

  /** Resolves when every worker can let statements through. */
  async ready(): Promise<void> {
    while (!this.#leaving && !(await this.#allReady())) await sleep(20)
  }

  /** Takes no clients any more, and lets those that there are come to their end. `stop` may be called meanwhile. */
  async drain(): Promise<void> {
    this.#leave()
    await Promise.all(this.#members.map((member) => member.drain()))
  }

  /** Ends everything now. */
  async stop(): Promise<void> {
    this.#leave()
    await Promise.all(this.#members.map((member) => member.stop()))
    this.#admin?.close()
  }

  /** Reads the configuration again: all workers take it up, or none does. One at a time. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload())
    return this.#reloading
  }

  #leave(): void {
    this.#leaving = true
    this.#server?.close()
    for (const socket of this.#waiting.splice(0)) socket.destroy()
  }

  // -- workers ------------------------------------------------------------------------------------------------------

  async #startMembers(): Promise<void> {
    const { entry, loggerFor } = this.#options
    const count = workersOf(this.config)
    if (count === 1) {
      // A supervisor alone needs nothing of what a worker does: not loading it saves 60 MB.
      const { insideMember } = await import('./inside.ts')
      const inside = await insideMember(() => this.config, this.#logger, this.#listener)
      this.#members = [inside]
      return inside.start()
    }
    const members = Array.from(
      { length: count },
      (_, index) => new ForkedMember(index, entry, () => this.#loaded, loggerFor(`w${index}`), this.#listener),
    )
    this.#members = members
    await Promise.all(members.map((member) => member.start()))
  }

  #pids(): readonly WorkerPid[] {
    return this.#members.flatMap((member) =>
      member instanceof ForkedMember && member.pid !== undefined ? [{ name: member.name, pid: member.pid }] : [],
    )
  }

  // -- clients ------------------------------------------------------------------------------------------------------

  async #listen(): Promise<void> {
    // A connection that goes to another process must not be read here.
    const pauseOnConnect = workersOf(this.config) > 1
    const server = createServer({ noDelay: true, keepAlive: true, pauseOnConnect }, (socket) => this.#accept(socket))
    this.#server = server
    const { host, port } = this.config.node.listen
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, BACKLOG, resolve)
    })
    // Out of descriptors, say: that client is lost, the next one may not be.
    server.removeAllListeners('error').on('error', () => {})
  }

  #accept(socket: Socket): void {
    socket.on('error', () => socket.destroy())
    this.#give(socket)
  }

  #give(socket: Socket): void {
    const member = this.#freest()
    if (member) return member.welcome(socket, this.#isFull())
    if (this.#leaving || this.#waiting.length >= WAITING_MAX) {
      socket.destroy()
      return
    }
    this.#waiting.push(socket)
  }

  /** One worker alone counts for itself, and better: it knows who has logged in. */
  #isFull(): boolean {
    const { connectionsMax } = this.config.node.limits
    const connections = this.#members.reduce((sum, member) => sum + member.connections, 0)
    const full = this.#members.length > 1 && connections >= connectionsMax
    if (full) this.#refused += 1
    return full
  }

  /**
   * The one with the fewest connections; of several the one whose turn it is. One that does not fetch what it was given
   * gets no more while there is another.
   */
  #freest(): Member | undefined {
    this.#turn = (this.#turn + 1) % this.#members.length
    const inTurn = [...this.#members.slice(this.#turn), ...this.#members.slice(0, this.#turn)].filter(({ up }) => up)
    const ready = inTurn.filter(({ lagging }) => !lagging)
    return (ready.length > 0 ? ready : inTurn).reduce<Member | undefined>(
      (best, each) => (best && best.connections <= each.connections ? best : each),
      undefined,
    )
  }

  #giveWaiting(): void {
    for (const socket of this.#waiting.splice(0)) this.#give(socket)
  }

  /** It was on its way to a worker that has died. One that was handed over already died with it. */
  #giveAgain(socket: Socket): void {
    if (socket.remoteAddress === undefined) socket.destroy()
    else this.#give(socket)
  }

  // -- another configuration ----------------------------------------------------------------------------------------

  async #reload(): Promise<void> {
    const fault = await this.#tryReload()
    if (fault) this.#logger.error('the configuration was not reloaded: the one before stays in force', fault)
  }

  async #tryReload(): Promise<Fields | undefined> {
    let loaded: Loaded
    try {
      loaded = load(this.#options.configFile)
    } catch (error) {
      return error instanceof ConfigError ? { error: error.message, code: error.code } : faultOf(error)
    }
    const changes = configChanges(this.config, loaded.config)
    const fixed = fixedAmong(changes)
    if (fixed.length > 0) {
      return { error: `only a restart can change ${fixed.join(', ')}`, code: 'CONFIG_FIXED', fixed: fixed.join(', ') }
    }
    const faults = await Promise.all(this.#members.map((member) => member.prepare(loaded, changes)))
    const fault = faults.find((each) => each !== undefined)
    if (fault) for (const member of this.#members) member.forget()
    if (fault || this.#leaving) return fault
    this.#loaded = loaded
    for (const member of this.#members) member.commit()
    this.#logger.info('the configuration was reloaded', { changed: changes.join(', ') || 'nothing but files it names' })
    return undefined
  }

  // -- for operators ------------------------------------------------------------------------------------------------

  async #allReady(): Promise<boolean> {
    const all = await Promise.all(this.#members.map((member) => member.health()))
    return all.every(({ ready }) => ready)
  }

  async #health(): Promise<NodeHealth> {
    if (this.#leaving) return notServing('the node is stopping')
    const each = this.#members.map(async (member) => [member.name, await member.health()] as const)
    return mergeHealth(new Map(await Promise.all(each)))
  }

  async #metrics(): Promise<string> {
    const each = await Promise.all(this.#members.map((member) => member.metrics()))
    return metricsTextOf([...each, this.#ownMetrics()])
  }

  #ownMetrics(): readonly Figure[] {
    const members = this.#members
    return [
      {
        name: 'countersign_node_worker_up',
        help: '1 when the worker takes connections.',
        type: 'gauge',
        aggregator: 'sum',
        values: members.map(({ name, up }) => ({ labels: { worker: name }, value: up ? 1 : 0 })),
      },
      {
        name: 'countersign_node_worker_connections',
        help: 'Connections that the worker has, those that are logging in included.',
        type: 'gauge',
        aggregator: 'sum',
        values: members.map(({ name, connections }) => ({ labels: { worker: name }, value: connections })),
      },
      {
        name: 'countersign_node_worker_restarts_total',
        help: 'How often the worker had to be started again.',
        type: 'counter',
        aggregator: 'sum',
        values: members.map((member) => ({
          labels: { worker: member.name },
          value: member instanceof ForkedMember ? Math.max(0, member.restarts) : 0,
        })),
      },
      {
        name: 'countersign_node_connections_refused_total',
        help: 'Connections that were turned away because all workers together had node.limits.connectionsMax already.',
        type: 'counter',
        aggregator: 'sum',
        values: [{ labels: {}, value: this.#refused }],
      },
    ]
  }
}

const load = (file: string): Loaded => {
  const text = readConfig(file)
  return { file, text, config: withWorkers(parseConfig(file, text)) }
}

const workersOf = ({ node }: Config): number => node.workers ?? availableParallelism()

/** So that workers, and a later look at the file, go by the same number. */
const withWorkers = (config: Config): Config => ({
  ...config,
  node: { ...config.node, workers: workersOf(config) },
})
