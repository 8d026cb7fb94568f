import { fork, type ChildProcess } from 'node:child_process'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { StartError, supervise, type Fields, type Logger, type Running, type Supervised } from '@countersign/platform'
import { notServing, type NodeHealth } from '../health.ts'
import type { CancelKey } from '../protocol.ts'
import type { Figure } from '../telemetry/node-metrics.ts'
import { nameOf, type Loaded, type Member, type MemberListener } from './member.ts'
import type { Answers, Asked, FromWorker, ToWorker } from './messages.ts'

/** A worker reads the log before it is ready; after a crash there may be much of it. */
const READY_TIMEOUT_MS = 60_000
/** As long as a server is waited for that is asked to cancel. */
const CANCEL_TIMEOUT_MS = 10_000
const ANSWER_TIMEOUT_MS = 2_000
/** Longer than a new configuration's databases may take to be read. */
const PREPARE_TIMEOUT_MS = 10_000
/** What a worker that has been told to end may take for it beyond its time. */
const GRACE_MS = 5_000
/** The argument that makes a worker of a process. */
export const WORKER_FLAG = '--worker'

/** One worker in a process of its own, which is started again when it ends. */
export class ForkedMember implements Member {
  readonly name: string
  readonly #index: number
  readonly #entry: string
  readonly #loaded: () => Loaded
  readonly #logger: Logger
  readonly #listener: MemberListener
  readonly #stopping = new AbortController()
  #process: WorkerProcess | undefined
  #supervised: Supervised | undefined
  restarts = -1

  constructor(index: number, entry: string, loaded: () => Loaded, logger: Logger, listener: MemberListener) {
    this.name = nameOf(index)
    this.#index = index
    this.#entry = entry
    this.#loaded = loaded
    this.#logger = logger
    this.#listener = listener
  }

  get up(): boolean {
    return this.#process?.up ?? false
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  get connections(): number {
    return this.#process?.connections ?? 0
  }

  get lagging(): boolean {
    return this.#process?.lagging ?? false
  }

  /** Resolves when it is ready for the first time; from then on it is kept so. */
  async start(): Promise<void> {
    this.#supervised = await supervise(
      {
        name: this.name,
        start: (stopping) => this.#start(stopping),
        onReady: (pid) => this.#ready(pid),
        onTrouble: (because) => this.#logger.error('a worker is down', { worker: this.name, because }),
      },
      this.#stopping.signal,
    )
  }

  welcome(socket: Socket, full: boolean): void {
    this.#process?.give(socket, full)
  }

  async cancel({ processId, secret }: CancelKey): Promise<void> {
    await this.#process?.ask('cancel', { what: 'cancel', processId, secret }, CANCEL_TIMEOUT_MS)
  }

  async health(): Promise<NodeHealth> {
    if (!this.up) return notServing('its process is being started')
    const answer = await this.#process?.ask('health', { what: 'health' }, ANSWER_TIMEOUT_MS)
    return answer ?? notServing('its process does not answer')
  }

  async metrics(): Promise<readonly Figure[]> {
    return (await this.#process?.ask('metrics', { what: 'metrics' }, ANSWER_TIMEOUT_MS)) ?? []
  }

  async prepare({ file, text }: Loaded, changes: readonly string[]): Promise<Fields | undefined> {
    if (!this.up) return undefined // It takes up what is in force when it starts.
    const answer = await this.#process?.ask('prepare', { what: 'prepare', file, text, changes }, PREPARE_TIMEOUT_MS)
    if (answer) return answer.fault
    return this.up ? { error: `worker ${this.name} does not answer` } : undefined
  }

  commit(): void {
    this.#process?.say({ kind: 'commit' })
  }

  forget(): void {
    this.#process?.say({ kind: 'forget' })
  }

  async drain(): Promise<void> {
    this.#stopping.abort()
    this.#process?.retire('drain')
    await this.#gone(this.#loaded().config.node.drainSeconds * 1000 + GRACE_MS)
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#process?.retire('stop')
    await this.#gone(GRACE_MS)
  }

  async #gone(withinMs: number): Promise<void> {
    const ended = this.#process?.ended
    const late = new AbortController()
    void sleep(withinMs, undefined, { signal: late.signal }).then(
      () => this.#process?.kill(),
      () => {},
    )
    await ended
    late.abort()
    await this.#supervised?.stop(0)
  }

  async #start(stopping: AbortSignal): Promise<Running> {
    const worker = new WorkerProcess(this.name, this.#entry, this.#listener)
    this.#process = worker
    this.#listener.processes()
    const loaded = this.#loaded()
    const { config, file, text } = loaded
    worker.say({ kind: 'start', index: this.#index, workers: config.node.workers ?? 1, file, text })
    await worker.ready(stopping)
    // What came into force meanwhile it has not been told.
    if (loaded !== this.#loaded()) throw await worker.refuse('the configuration has changed while it started')
    return worker
  }

  #ready(pid: number): void {
    this.restarts += 1
    this.#logger.info('a worker is ready', { worker: this.name, pid })
    this.#process?.open()
    this.#listener.processes()
    this.#listener.up(this)
  }
}

/** One process of a worker, from its start to its end. */
class WorkerProcess implements Running {
  readonly ended: Promise<string>
  readonly #name: string
  readonly #child: ChildProcess
  readonly #listener: MemberListener
  readonly #asked = new Map<number, (answer: unknown) => void>()
  /** Connections on their way: sent, and not taken by the channel yet. */
  readonly #onTheirWay = new Set<Socket>()
  readonly #whenReady = Promise.withResolvers<void>()
  #lastId = 0
  up = false
  connections = 0

  constructor(name: string, entry: string, listener: MemberListener) {
    this.#name = name
    this.#listener = listener
    // Node's own arguments go along: those for the parser among them.
    this.#child = fork(entry, [WORKER_FLAG], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', (message: FromWorker) => this.#hear(message))
    this.#child.on('error', () => {})
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => this.#end(signal ?? `exit code ${code}`, resolve))
      this.#child.once('error', (error) => this.#child.pid === undefined && this.#end(error.message, resolve))
    })
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** Node.js sends one socket after the other, each when the one before it was fetched. */
  get lagging(): boolean {
    return this.#onTheirWay.size > 0
  }

  /** Resolves when it could take connections. Throws `StartError` when it ends before, or takes too long. */
  async ready(stopping: AbortSignal): Promise<void> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, stopping])
    const late = sleep(READY_TIMEOUT_MS, 'it was not ready in time', { signal }).catch(
      () => 'it is not needed any more',
    )
    const because = await Promise.race([this.#whenReady.promise, this.ended, late])
    over.abort()
    if (because !== undefined) throw await this.refuse(because)
  }

  /** Ends it, because it is not as it should be. Returns what to say of that. */
  async refuse(because: string): Promise<StartError> {
    await this.stop(GRACE_MS)
    return new StartError(`did not start: ${because}`)
  }

  open(): void {
    this.up = true
  }

  say(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {})
  }

  give(socket: Socket, full: boolean): void {
    this.connections += 1
    this.#onTheirWay.add(socket)
    this.#child.send({ kind: 'connection', full } satisfies ToWorker, socket, (error) => {
      if (!error) this.#onTheirWay.delete(socket)
    })
  }

  /** Undefined when it does not answer in time, or ends. */
  async ask<What extends Asked['what']>(
    _: What,
    asked: Asked & { what: What },
    timeoutMs: number,
  ): Promise<Answers[What] | undefined> {
    const id = ++this.#lastId
    const { promise, resolve } = Promise.withResolvers<unknown>()
    this.#asked.set(id, resolve)
    const late = setTimeout(() => resolve(undefined), timeoutMs)
    this.say({ kind: 'ask', id, ...asked })
    const answer = await promise
    clearTimeout(late)
    this.#asked.delete(id)
    return answer as Answers[What] | undefined
  }

  retire(how: 'drain' | 'stop'): void {
    this.up = false
    this.say({ kind: how })
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async stop(graceMs: number): Promise<void> {
    this.retire('stop')
    const impatience = setTimeout(() => this.kill(), graceMs)
    await this.ended
    clearTimeout(impatience)
  }

  #hear(message: FromWorker): void {
    switch (message.kind) {
      case 'ready':
        return this.#whenReady.resolve()
      case 'leaving':
        this.up = false
        return undefined
      case 'closed':
        this.connections -= message.connections
        return this.#listener.closed()
      case 'cancel':
        return void this.#cancelElsewhere(message)
      case 'answer':
        return this.#asked.get(message.id)?.(message.answer)
      case 'take': {
        const granted = this.#listener.take(this.#name, message.name, message.max)
        return this.say({ kind: 'taken', id: message.id, granted })
      }
      case 'give-back':
        return this.#listener.giveBack(this.#name, message.name)
    }
  }

  async #cancelElsewhere({ id, processId, secret }: Extract<FromWorker, { kind: 'cancel' }>): Promise<void> {
    await this.#listener.cancelElsewhere({ processId, secret: Buffer.from(secret) })
    this.say({ kind: 'cancelled', id })
  }

  #end(because: string, resolve: (because: string) => void): void {
    this.up = false
    this.connections = 0
    for (const answer of this.#asked.values()) answer(undefined)
    this.#listener.gone(this.#name, [...this.#onTheirWay])
    this.#onTheirWay.clear()
    resolve(because)
  }
}
