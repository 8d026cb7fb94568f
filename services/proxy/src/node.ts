import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent, RequestId, SessionId, Target, WorkerId } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import { faultOf, serverTlsOf, type Config, type Logger } from '@countersign/platform'
import { compilePolicies, ownersOf, parseOwners, type Owners } from '@countersign/policy'
import { v7 as uuidv7 } from 'uuid'
import { instantClock } from './clock.ts'
import { databaseIn, Databases, type DatabasesByName } from './databases.ts'
import { InForce, type Policy } from './decisions/in-force.ts'
import { healthOf, type DatabaseState, type NodeHealth } from './health.ts'
import { entranceOf, refuseEntry, welcome, type Entrance } from './listener.ts'
import type { CancelKey, PolicyInForce, Protocol, Speaker } from './protocol.ts'
import { openDataKeys } from './record/data-keys.ts'
import { Recorder } from './record/recorder.ts'
import { slotOf } from './record/slot.ts'
import { UndoStore } from './record/undo-store.ts'
import { WorkerRecord } from './record/worker-record.ts'
import { Sessions } from './sessions.ts'
import { gateRulesOf, sameFiles, tlsFilesOf, type GateRules } from './startup/gate-rules.ts'
import { TOO_MANY } from './startup/login.ts'
import { restrictedText } from './startup/restricted-text.ts'
import type { RefusalText } from './startup/startup-refused.ts'
import { Holds } from './statement/holds.ts'
import type { Judgement } from './statement/judgement.ts'
import { NodeMetrics, type Figure, type NodeState } from './telemetry/node-metrics.ts'
import { openTracer } from './telemetry/open-tracer.ts'
import type { StatementFigures } from './telemetry/statement-figures.ts'
import type { StatementTracer } from './telemetry/statement-tracer.ts'
import { timed } from './telemetry/timed-log.ts'
import type { Front } from './workers/front.ts'
import { nameOf as workerName } from './workers/member.ts'

const VERSION = '0.1.0'
const HEARTBEAT_MS = 5_000
/** Databases look after their servers this often. */
const PROBE_MS = 10_000
/** Approvals that are over are forgotten after this long; the log remembers them. */
const APPROVALS_KEPT_MS = 60 * 60 * 1000

/** How often a worker that stops looks whether sessions have come to an end. */
const DRAIN_POLL_MS = 50
/** How long sessions that are interrupted may take to find out what became of their statements. */
const INTERRUPT_MS = 1_000
/** Where something cannot be known, the clients that do not need it have waited long enough. */
const USABLE_WITHIN_MS = 3_000
/** A database that a new configuration brings is given so long to be read before clients are let in to it. */
const KNOWN_WITHIN_MS = 5_000

/** A worker's place among the others of its node. */
export interface Place {
  readonly index: number
  readonly workers: number
  readonly front: Front
}

/** What a new configuration needs to take effect, all of it checked. */
interface Prepared {
  readonly config: Config
  readonly changes: readonly string[]
  readonly tls: readonly Buffer[]
  readonly rules: GateRules
  readonly databases: DatabasesByName
}

/** One worker of a node: it is given clients, and stands between them and their databases. */
export class ProxyNode {
  #config: Config
  readonly #place: Place
  readonly #logger: Logger
  readonly #worker: WorkerId
  readonly #recorder: Recorder
  readonly #inForce: InForce
  readonly #sessions: Sessions
  readonly #speaker: Speaker
  readonly #databases: Databases
  readonly #record: WorkerRecord
  readonly #holds: Holds
  readonly #holdConfig: Config['holds']
  readonly #metrics: NodeMetrics
  #tracer: StatementTracer | undefined
  #probing: NodeJS.Timeout | undefined
  readonly #now = instantClock()
  #policy: PolicyInForce | undefined
  #owners: Owners = []
  /** What the certificate and its like were made of, to see when they are renewed in their place. */
  #tls: readonly Buffer[] = []
  #entrance: Entrance | undefined
  #prepared: Prepared | undefined
  #welcoming = 0
  readonly #undo: UndoStore
  #heartbeat: NodeJS.Timeout | undefined
  #stopping: Promise<void> | undefined
  #broken: string | undefined

  constructor(config: Config, log: EventLog, logger: Logger, place: Place, protocol: Protocol) {
    const { node } = config
    this.#undo = new UndoStore(node.state)
    const slot = slotOf(node.name, place.index)
    this.#config = config
    this.#place = place
    this.#sessions = new Sessions()
    this.#holdConfig = { ...config.holds }
    this.#logger = logger
    this.#worker = `${slot}/${uuidv7()}` as WorkerId
    this.#metrics = new NodeMetrics(workerName(place.index), () => this.#state())
    this.#recorder = new Recorder({
      log: timed(log, (milliseconds) => this.#metrics.committed(milliseconds)),
      added: (event) => this.#metrics.added(event),
      worker: this.#worker,
      keys: openDataKeys(node.state, this.#worker, Date.now),
      newId: uuidv7,
      now: this.#now,
      changed: (available, reason) => this.#logChanged(available, reason),
      written: (events, position) => {
        this.#record.written(events, position)
        this.#metrics.written(this.#recorder.durable, events.length)
      },
    })
    const { name, state } = node
    const { index, workers } = place
    const ofWorker = { worker: this.#worker, version: VERSION, name, state, index, workers }
    this.#record = new WorkerRecord(ofWorker, log, this.#recorder, logger, this.#now)
    this.#inForce = new InForce(log, {
      policyChanged: (policy) => this.#obeyPolicy(policy),
      catalogueChanged: ({ target, columns }) => {
        for (const database of this.#databases.of(target)) database.columnsDecided(columns)
      },
      revoked: (credentialId) => this.#sessions.endCredential(credentialId, this.#speaker.lastWords(REVOKED)),
      restricted: (restriction) => {
        const lastWords = this.#speaker.lastWords(restrictedText(restriction))
        this.#sessions.endPrincipal(restriction.principalId, lastWords)
      },
      approvalChanged: (approval) => this.#holds.approvalChanged(approval),
      unreadable: (error) => logger.error('a decision could not be read', faultOf(error)),
    })
    this.#holds = new Holds({
      inForce: this.#inForce,
      recorder: this.#recorder,
      config: this.#holdConfig,
      now: this.#now,
      ownersOf: (target, judgement) => this.#ownersOf(target, judgement),
      link: (requestId) => this.#link(requestId),
    })
    this.#speaker = protocol.open({
      worker: this.#worker,
      now: this.#now,
      record: (event) => void this.#recorder.add(event),
      policy: () => this.#policy,
      metrics: this.#metrics,
      logger,
      undo: this.#undo,
    })
    this.#databases = new Databases(config.databases, (database, generation) => {
      const made = this.#speaker.databaseOf(database, generation)
      this.#figuresOf(made.target) // They are to be seen from the start.
      return made
    })
  }

  /** Takes up what the log says. Rejects when it cannot: a certificate that is none, a slot that is in use. */
  async start(): Promise<void> {
    const { node } = this.#config
    this.#tls = tlsFilesOf(node)
    const rules = gateRulesOf(node, this.#speaker.alpn)
    for (const { upstream } of this.#config.databases) serverTlsOf(upstream)
    const { system } = this.#speaker
    const about = { node: this.#worker, version: VERSION, system, logger: this.#logger }
    this.#tracer = await openTracer(node.telemetry, about)
    await this.#record.start()
    this.#inForce.follow((error) => this.#break('the decisions cannot be followed any more', error))
    for (const database of this.#databases.current.values()) database.start()
    this.#probeServers()
    this.#entrance = this.#entranceOf(this.#config, rules, this.#databases.current)
    this.#eraseExpired()
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS)
  }

  /** Takes a client in. */
  welcome(socket: Socket, full = false): void {
    const { front } = this.#place
    if (full) {
      refuseEntry(socket, TOO_MANY.all, { speaker: this.#speaker, logger: this.#logger })
      return front.connectionClosed()
    }
    if (!this.#entrance || this.#stopping) {
      socket.destroy()
      return front.connectionClosed()
    }
    this.#welcoming += 1
    void welcome(socket, this.#entrance, () => front.connectionClosed()).finally(() => (this.#welcoming -= 1))
  }

  /** False when none of its sessions has this key. */
  cancel(key: CancelKey): Promise<boolean> {
    return this.#sessions.cancel(key)
  }

  /**
   * Resolves when statements can be let through: policy, credentials and schemas are known. Not waited for longer than
   * a moment: whoever can be served is, while one of several databases is away.
   */
  async usable(): Promise<void> {
    const giveUpAt = performance.now() + USABLE_WITHIN_MS
    while (!this.health().ready && performance.now() < giveUpAt) await sleep(20)
  }

  get drainSeconds(): number {
    return this.#config.node.drainSeconds
  }

  /** Lets every session end that loses nothing by it, until there is none left or the signal is given. */
  async drain(hurry: AbortSignal): Promise<void> {
    const lastWords = this.#speaker.lastWords(STOPPING)
    while (!hurry.aborted) {
      this.#sessions.endIdle('node-stopping', lastWords)
      if (this.#sessions.size === 0 && this.#welcoming === 0) return
      await sleep(DRAIN_POLL_MS, undefined, { signal: hurry }).catch(() => undefined)
    }
  }

  /** Ends every session, and writes down that it did. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#probing)
    this.#sessions.endWhere(() => true, 'node-stopping', this.#speaker.lastWords(STOPPING))
    const giveUpAt = performance.now() + INTERRUPT_MS
    while (this.#sessions.size > 0 && performance.now() < giveUpAt) await sleep(10)
    this.#record.stopped()
    await this.#recorder.close()
    this.#record.save()
    await this.#databases.close()
    await Promise.all([this.#inForce.close(), this.#speaker.close(), this.#tracer?.close()])
    this.#metrics.close()
    this.#record.release()
  }

  // -- another configuration ----------------------------------------------------------------------------------------

  /** Makes ready for another configuration without letting it take effect. Throws when something of it is wrong. */
  async prepare(config: Config, changes: readonly string[]): Promise<void> {
    this.forget()
    const tls = tlsFilesOf(config.node)
    const rules = gateRulesOf(config.node, this.#speaker.alpn)
    for (const { upstream } of config.databases) serverTlsOf(upstream)
    const columnsOf = (target: Target) => this.#inForce.catalogue(target)?.columns
    const databases = this.#databases.prepare(config.databases, columnsOf)
    const renewed = !sameFiles(tls, this.#tls) && !changes.some((change) => change.startsWith('node.tls'))
    this.#prepared = { config, changes: renewed ? [...changes, 'node.tls'] : changes, tls, rules, databases }
    await Promise.race([allKnown(databases), sleep(KNOWN_WITHIN_MS, undefined, { ref: false })])
  }

  /** What was prepared counts for every client that comes from now on. Sessions that there are go on as they began. */
  commit(): readonly string[] {
    const prepared = this.#prepared
    if (!prepared) return []
    this.#prepared = undefined
    const { config, changes, tls, rules, databases } = prepared
    // Somebody may be logging in just now to one that is let go of.
    this.#databases.commit(performance.now() + this.#config.node.limits.startupTimeoutMs + HEARTBEAT_MS)
    this.#config = config
    this.#tls = tls
    Object.assign(this.#holdConfig, config.holds)
    this.#entrance = this.#entranceOf(config, rules, databases)
    if (changes.length > 0) this.#record.reloaded(changes)
    return changes
  }

  /** What was prepared will not take effect. */
  forget(): void {
    this.#databases.forget()
    this.#prepared = undefined
  }

  #entranceOf(config: Config, rules: GateRules, databases: DatabasesByName): Entrance {
    const { front } = this.#place
    const options = {
      speaker: this.#speaker,
      rules,
      counts: front.counts,
      worker: this.#worker,
      cancelElsewhere: (key: CancelKey) => front.cancelElsewhere(key),
      login: {
        inForce: this.#inForce,
        databases: config.databases,
        databaseOf: (target: Target) => databaseIn(databases, target),
      },
      recorder: this.#recorder,
      sessions: this.#sessions,
      holds: this.#holds,
      inlineSeconds: config.holds.inlineSeconds,
      newSessionId: () => uuidv7() as SessionId,
      now: this.#now,
      clock: () => performance.now(),
      logger: this.#logger,
      observerOf: (target: Target) => this.#figuresOf(target),
    }
    return entranceOf(options, this.#entrance)
  }

  #figuresOf(target: Target): StatementFigures {
    return this.#metrics.statementsOf(target, () => this.#tracer)
  }

  /** Not all at the same moment, when many workers were started together. */
  #probeServers(): void {
    this.#probing = setTimeout(
      () => {
        for (const database of this.#databases.current.values()) database.probe()
        this.#probeServers()
      },
      PROBE_MS * (0.25 + Math.random() / 2),
    ).unref()
  }

  #obeyPolicy({ version, files, owners }: Policy): void {
    try {
      this.#policy = { set: compilePolicies(files), version }
      this.#owners = parseOwners(owners)
    } catch (error) {
      // Control checks a set before it publishes it. If this one is not understood here, nothing is permitted by it.
      this.#policy = undefined
      this.#logger.error('the policies in force do not compile: every statement is refused', faultOf(error))
    }
    for (const database of this.#databases.all) database.policyChanged()
  }

  #ownersOf(target: Target, { relations, approvers }: Judgement): readonly string[] {
    const named = approvers.filter((group) => group !== 'owners')
    if (named.length === approvers.length) return named
    const owners = relations.flatMap(({ name }) => ownersOf(this.#owners, target, name))
    return [...new Set([...named, ...(owners.length > 0 ? owners : ownersOf(this.#owners, target))])]
  }

  #link(requestId: RequestId): string {
    const { host, port } = this.#config.control.listen
    return `http://${host}:${port}/console/#request=${requestId}`
  }

  /** One worker does it for all: what is kept lies in one folder. */
  #eraseExpired(): void {
    if (this.#place.index > 0) return
    const at = this.#now()
    for (const requestId of this.#undo.expire(at)) {
      this.#recorder.add({ type: 'undo.expired', data: { requestId, at } } as AccessEvent)
    }
  }

  #beat(): void {
    this.#eraseExpired()
    this.#record.heartbeat(this.#sessions.size, this.#policy?.version)
    this.#inForce.forgetApprovalsBefore(new Date(Date.now() - APPROVALS_KEPT_MS).toISOString())
    this.#databases.letGo(performance.now(), (database) => this.#sessions.someOf(database))
  }

  #logChanged(available: boolean, reason: string): void {
    if (available) this.#logger.info('the event log is written again', { reason })
    else this.#logger.error('the event log cannot be written: statements are refused', { reason })
  }

  #break(what: string, error: unknown): void {
    this.#broken = what
    this.#logger.error(what, faultOf(error))
    process.exitCode = 1
    void this.stop().finally(() => process.exit(1))
  }

  // -- for operators ------------------------------------------------------------------------------------------------

  /** What `/readyz` says of this worker. */
  health(): NodeHealth {
    return healthOf(this.#blocked(), this.#databaseStates())
  }

  /** What `/metrics` says of this worker. */
  metrics(): readonly Figure[] {
    return this.#metrics.figures()
  }

  /** Why no statement can be let through, whatever database it is for. */
  #blocked(): readonly string[] {
    return [
      ...(this.#broken === undefined ? [] : [this.#broken]),
      ...(this.#policy ? [] : ['no policy is in force yet']),
      ...(this.#recorder.available ? [] : ['the event log cannot be written']),
    ]
  }

  #state(): NodeState {
    return {
      sessions: this.#sessions.byDatabase,
      held: this.#holds.waiting,
      logAvailable: this.#recorder.available,
      records: this.#recorder.durable,
      parserReplaced: this.#speaker.parserReplaced,
      databases: this.#databaseStates(),
    }
  }

  #databaseStates(): readonly DatabaseState[] {
    return [...this.#databases.current.values()].map(({ state }) => state)
  }
}

const allKnown = async (databases: DatabasesByName): Promise<void> => {
  while ([...databases.values()].some(({ state }) => !state.schemaKnown)) await sleep(20)
}

const REVOKED: RefusalText = ['28000', 'access has been revoked: the session ends']
const STOPPING: RefusalText = ['57P01', 'the node stops: connect again']
