import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent, RequestId, SessionId, Target, WorkerId } from '@countersign/contracts'
import type { EventLog, Position } from '@countersign/eventlog'
import {
  faultOf,
  serverTlsOf,
  type Config,
  type DatabaseConfig,
  type Logger,
  type NodeConfig,
} from '@countersign/platform'
import { compilePolicies, ownersOf, parseOwners, type Owners, type PolicySet } from '@countersign/policy'
import { v7 as uuidv7 } from 'uuid'
import { Knowledge } from './postgres/catalogue/knowledge.ts'
import { instantClock } from './clock.ts'
import { InForce, type Policy } from './decisions/in-force.ts'
import { healthOf, type NodeHealth } from './health.ts'
import { entranceOf, refuseEntry, welcome, type Entrance } from './listener.ts'
import { CheckpointFile, retiredSlots, type ResumePoint } from './record/checkpoint.ts'
import { openDataKeys } from './record/data-keys.ts'
import { findUnfinished } from './record/find-unfinished.ts'
import { Recorder } from './record/recorder.ts'
import { slotOf, takeSlot, type SlotLock } from './record/slot.ts'
import { closingEvents, follow, nothingUnfinished, type LifeEvent, type Unfinished } from './record/unfinished.ts'
import { redactorUnless } from './postgres/session/redactor.ts'
import { fatal } from './postgres/session/say.ts'
import type { SessionTold } from './postgres/session/session-question.ts'
import type { SessionOptions } from './postgres/session/session.ts'
import { Sessions, type CancelKey } from './sessions.ts'
import type { LoggedIn } from './startup/login.ts'
import { DatabaseJudge } from './postgres/statement/database-judge.ts'
import { Holds } from './statement/holds.ts'
import type { Judgement } from './statement/judgement.ts'
import { NodeMetrics, type Figure, type NodeState } from './telemetry/node-metrics.ts'
import { openTracer } from './telemetry/open-tracer.ts'
import type { StatementFigures } from './telemetry/statement-figures.ts'
import type { StatementTracer } from './telemetry/statement-tracer.ts'
import { timed } from './telemetry/timed-log.ts'
import { BoundedCache } from './bounded-cache.ts'
import { Parser } from './postgres/understanding/parser.ts'
import { guardLogin } from './postgres/upstream/guard-login.ts'
import { Servers } from './postgres/upstream/servers.ts'
import { differences } from './workers/config-changes.ts'
import { gateRulesOf, type GateRules } from './startup/gate-rules.ts'
import { TOO_MANY } from './startup/login.ts'
import type { Front } from './workers/front.ts'
import { nameOf as workerName } from './workers/member.ts'

const VERSION = '0.1.0'
const HEARTBEAT_MS = 5_000
/** A server of which nothing was heard for so long is looked after. */
const PROBE_MS = 10_000
/** A server whose connection was lost, a little later: one that goes down has to be gone first. */
const LOST_MS = 250
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

/** Clients choose the settings that they begin with, so there may be any number of beginnings. */
const FIRST_TOLD_MAX = 1_000
const FIRST_TOLD_BYTES_MAX = 4 * 1024 * 1024
const FIRST_TOLD_BYTES = 1_000

/** One database behind the node: what is known of it, and how statements for it are judged. */
interface Behind {
  readonly config: DatabaseConfig
  readonly servers: Servers
  readonly knowledge: Knowledge
  readonly judge: DatabaseJudge
  readonly firstTold: BoundedCache<SessionTold>
  readonly figures: StatementFigures
}

/** What a new configuration needs to take effect, all of it checked. */
interface Prepared {
  readonly config: Config
  readonly changes: readonly string[]
  readonly tls: readonly Buffer[]
  readonly rules: GateRules
  readonly behind: ReadonlyMap<string, Behind>
}

/** One worker of a node: it is given clients, and stands between them and their databases. */
export class ProxyNode {
  #config: Config
  readonly #place: Place
  readonly #log: EventLog
  readonly #logger: Logger
  readonly #worker: WorkerId
  readonly #recorder: Recorder
  readonly #inForce: InForce
  readonly #sessions: Sessions
  readonly #parser: Parser
  readonly #holds: Holds
  readonly #holdConfig: Config['holds']
  readonly #metrics: NodeMetrics
  #tracer: StatementTracer | undefined
  #parserReplaced = 0
  #probing: NodeJS.Timeout | undefined
  /** By `environment/database`: two environments may have a database of one name. */
  #behind: ReadonlyMap<string, Behind> = new Map()
  /** No new session goes to these any more; sessions that have begun may still do. */
  readonly #retired: { readonly behind: Behind; readonly freeAt: number }[] = []
  readonly #checkpoint: CheckpointFile
  readonly #now = instantClock()
  #generation = 0
  #slot: SlotLock | undefined
  #found: ResumePoint | undefined
  #position: Position | undefined
  #unfinished: Unfinished = nothingUnfinished()
  #policy: { readonly set: PolicySet; readonly version: string } | undefined
  #owners: Owners = []
  /** What the certificate and its like were made of, to see when they are renewed in their place. */
  #tls: readonly Buffer[] = []
  #entrance: Entrance | undefined
  #prepared: Prepared | undefined
  #welcoming = 0
  #heartbeat: NodeJS.Timeout | undefined
  #stopping: Promise<void> | undefined
  #broken: string | undefined

  constructor(config: Config, log: EventLog, logger: Logger, place: Place) {
    const { node } = config
    const slot = slotOf(node.name, place.index)
    this.#config = config
    this.#place = place
    this.#sessions = new Sessions()
    this.#holdConfig = { ...config.holds }
    this.#log = log
    this.#logger = logger
    this.#worker = `${slot}/${uuidv7()}` as WorkerId
    this.#checkpoint = new CheckpointFile(node.state, slot)
    this.#metrics = new NodeMetrics(workerName(place.index), () => this.#state())
    this.#recorder = new Recorder({
      log: timed(log, (milliseconds) => this.#metrics.committed(milliseconds)),
      added: (event) => this.#metrics.added(event),
      worker: this.#worker,
      keys: openDataKeys(node.state, this.#worker, Date.now),
      newId: uuidv7,
      now: this.#now,
      changed: (available, reason) => this.#logChanged(available, reason),
      written: (events, position) => this.#written(events, position),
    })
    this.#parser = new Parser((reason) => {
      this.#parserReplaced += 1
      logger.warn('the parser was replaced', { reason })
    })
    this.#inForce = new InForce(log, {
      policyChanged: (policy) => this.#obeyPolicy(policy),
      catalogueChanged: ({ target, columns }) =>
        this.#everyBehind(target, ({ knowledge }) => knowledge.decide(columns)),
      revoked: (credentialId) => this.#sessions.endCredential(credentialId, REVOKED),
      restricted: (principalId) => this.#sessions.endPrincipal(principalId, REVOKED),
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
    this.#behind = new Map(config.databases.map((database) => [keyOf(database), this.#putBehind(database)]))
  }

  /** Takes up what the log says. Rejects when it cannot: a certificate that is none, a slot that is in use. */
  async start(): Promise<void> {
    const { node } = this.#config
    const { index, workers } = this.#place
    this.#tls = tlsFilesOf(node)
    const rules = gateRulesOf(node)
    for (const { upstream } of this.#config.databases) serverTlsOf(upstream)
    this.#tracer = await openTracer(node.telemetry, { node: this.#worker, version: VERSION, logger: this.#logger })
    this.#slot = await takeSlot(node.state, slotOf(node.name, index))
    const from = this.#checkpoint.read()
    const retired = index === 0 ? retiredSlots(node.state, node.name, workers) : []
    // Without a resume point nobody knows which other slots there have been, unless they have one.
    const takesOver = index === 0 && Object.keys(from.cursor).length === 0 && retired.length === 0
    const isOurs = (each: number) => each === index || (takesOver && each >= workers)
    this.#found = await findUnfinished(this.#log, node.name, isOurs, from)
    this.#checkpoint.write(this.#found.cursor, this.#found.heads, this.#found.unfinished)
    this.#recordStart(this.#found.unfinished)
    await this.#closeRetired(retired)
    this.#inForce.follow((error) => this.#break('the decisions cannot be followed any more', error))
    for (const { knowledge } of this.#behind.values()) knowledge.start()
    this.#probeServers()
    this.#entrance = this.#entranceOf(this.#config, rules, this.#behind)
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS)
  }

  /** Takes a client in. */
  welcome(socket: Socket, full = false): void {
    const { front } = this.#place
    if (full) {
      refuseEntry(socket, TOO_MANY.all, this.#logger)
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
    while (!hurry.aborted) {
      this.#sessions.endIdle('node-stopping', STOPPING)
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
    this.#sessions.endWhere(() => true, 'node-stopping', STOPPING)
    const giveUpAt = performance.now() + INTERRUPT_MS
    while (this.#sessions.size > 0 && performance.now() < giveUpAt) await sleep(10)
    if (this.#found) {
      this.#recorder.add({
        type: 'node.stopped',
        data: { worker: this.#worker, because: 'asked', at: this.#now() },
      } as AccessEvent)
    }
    await this.#recorder.close()
    this.#saveCheckpoint()
    const all = [...this.#behind.values(), ...this.#retired.map(({ behind }) => behind)]
    await Promise.all(all.map(({ knowledge }) => knowledge.close()))
    await Promise.all([this.#inForce.close(), this.#parser.close(), this.#tracer?.close()])
    this.#metrics.close()
    this.#slot?.release()
  }

  // -- another configuration ----------------------------------------------------------------------------------------

  /** Makes ready for another configuration without letting it take effect. Throws when something of it is wrong. */
  async prepare(config: Config, changes: readonly string[]): Promise<void> {
    this.forget()
    this.#generation += 1
    const tls = tlsFilesOf(config.node)
    const rules = gateRulesOf(config.node)
    for (const { upstream } of config.databases) serverTlsOf(upstream)
    const behind = new Map(config.databases.map((database) => [keyOf(database), this.#sameOrNew(database)]))
    const renewed = !sameFiles(tls, this.#tls) && !changes.some((change) => change.startsWith('node.tls'))
    this.#prepared = { config, changes: renewed ? [...changes, 'node.tls'] : changes, tls, rules, behind }
    await Promise.race([this.#known(behind), sleep(KNOWN_WITHIN_MS, undefined, { ref: false })])
  }

  /** What was prepared counts for every client that comes from now on. Sessions that there are go on as they began. */
  commit(): readonly string[] {
    const prepared = this.#prepared
    if (!prepared) return []
    this.#prepared = undefined
    const { config, changes, tls, rules, behind } = prepared
    const kept = new Set(behind.values())
    // Somebody may be logging in to it just now.
    const freeAt = performance.now() + this.#config.node.limits.startupTimeoutMs + HEARTBEAT_MS
    for (const each of this.#behind.values()) if (!kept.has(each)) this.#retired.push({ behind: each, freeAt })
    this.#config = config
    this.#tls = tls
    this.#behind = behind
    Object.assign(this.#holdConfig, config.holds)
    this.#entrance = this.#entranceOf(config, rules, behind)
    if (changes.length > 0) this.#recordReload(changes)
    return changes
  }

  /** What was prepared will not take effect. */
  forget(): void {
    const live = new Set(this.#behind.values())
    for (const each of this.#prepared?.behind.values() ?? []) if (!live.has(each)) void each.knowledge.close()
    this.#prepared = undefined
  }

  #sameOrNew(database: DatabaseConfig): Behind {
    const before = this.#behind.get(keyOf(database))
    if (before && isSamePlace(before.config, database)) return before
    const behind = this.#putBehind(database)
    const decided = this.#inForce.catalogue(behind.knowledge.target)
    if (decided) behind.knowledge.decide(decided.columns)
    behind.knowledge.start()
    return behind
  }

  async #known(behind: ReadonlyMap<string, Behind>): Promise<void> {
    while ([...behind.values()].some(({ knowledge }) => knowledge.version === undefined)) await sleep(20)
  }

  /** Lets go of databases that no session goes to any more. */
  #letGo(): void {
    const now = performance.now()
    const free = this.#retired.filter(
      ({ behind, freeAt }) => freeAt < now && !this.#sessions.someJudgedBy(behind.judge),
    )
    for (const each of free) {
      this.#retired.splice(this.#retired.indexOf(each), 1)
      void each.behind.knowledge.close()
    }
  }

  #everyBehind({ environment, database }: Target, act: (behind: Behind) => void): void {
    const all = [...this.#behind.values(), ...this.#retired.map(({ behind }) => behind)]
    for (const each of [...all, ...(this.#prepared?.behind.values() ?? [])]) {
      const { target } = each.knowledge
      if (target.environment === environment && target.database === database) act(each)
    }
  }

  #entranceOf(config: Config, rules: GateRules, behind: ReadonlyMap<string, Behind>): Entrance {
    const { front } = this.#place
    const options = {
      rules,
      counts: front.counts,
      worker: this.#worker,
      cancelElsewhere: (key: CancelKey) => front.cancelElsewhere(key),
      login: {
        inForce: this.#inForce,
        databases: config.databases,
        serversOf: (target: Target) => behindOf(behind, target).servers,
      },
      recorder: this.#recorder,
      sessions: this.#sessions,
      inlineSeconds: config.holds.inlineSeconds,
      newSessionId: () => uuidv7() as SessionId,
      now: this.#now,
      clock: () => performance.now(),
      logger: this.#logger,
      sessionParts: (loggedIn: LoggedIn) => this.#sessionParts(loggedIn, behind),
    }
    return entranceOf(options, this.#entrance)
  }

  #putBehind(config: DatabaseConfig): Behind {
    const firstTold = new BoundedCache<SessionTold>(FIRST_TOLD_MAX, FIRST_TOLD_BYTES_MAX)
    const changed = () => {
      firstTold.clear()
      judge.forget()
    }
    const servers: Servers = new Servers(config.upstream, {
      now: this.#now,
      connected: (milliseconds) => this.#metrics.connected(milliseconds),
      failed: (kind) => this.#metrics.connectFailed(kind),
      lost: () => void setTimeout(() => this.#probe(config, servers), LOST_MS).unref(),
    })
    const knowledge = new Knowledge({
      config,
      servers,
      generation: this.#generation,
      parser: this.#parser,
      worker: this.#worker,
      now: this.#now,
      record: (event) => void this.#recorder.add(event),
      logger: this.#logger,
      changed,
    })
    const judge = new DatabaseJudge({
      knowledge,
      parser: this.#parser,
      policy: () => this.#policy,
      now: () => new Date(),
    })
    const figures = this.#metrics.statementsOf(knowledge.target, () => this.#tracer)
    return { config, servers, knowledge, judge, firstTold, figures }
  }

  /** Not all at the same moment, when many workers were started together. */
  #probeServers(): void {
    this.#probing = setTimeout(
      () => {
        for (const { config, servers } of this.#behind.values()) this.#probe(config, servers)
        this.#probeServers()
      },
      PROBE_MS * (0.25 + Math.random() / 2),
    ).unref()
  }

  #probe({ upstream }: DatabaseConfig, servers: Servers): void {
    if (!this.#stopping) void servers.probe(guardLogin(upstream, 'countersign health'), PROBE_MS)
  }

  #sessionParts(
    { target, role, greeting, credential }: LoggedIn,
    all: ReadonlyMap<string, Behind>,
  ): ReturnType<Entrance['sessionParts']> {
    const behind = behindOf(all, target)
    // A role, its defaults and what the client sets at the start decide what names mean in a new session.
    const key = JSON.stringify([role, ...TELLING.map((name) => greeting.settings.server.get(name))])
    const firstTold: SessionOptions['firstTold'] = {
      get: () => behind.firstTold.get(key),
      set: (told) => behind.firstTold.set(key, told, key.length + FIRST_TOLD_BYTES),
    }
    return {
      judge: behind.judge,
      holds: this.#holds,
      redactor: redactorUnless(() => behind.judge.seesEverything(credential.principal)),
      firstTold,
      schema: () => behind.knowledge.version,
      catalogueChanged: () => behind.knowledge.hasChanged(),
      observer: behind.figures,
    }
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
    for (const { judge } of this.#behind.values()) judge.forget()
    for (const { behind } of this.#retired) behind.judge.forget()
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

  // -- the record ---------------------------------------------------------------------------------------------------

  #recordStart(left: Unfinished): void {
    const at = this.#now()
    this.#closeLeft(left)
    // Open until what closes it is durable: then `written` takes it out.
    this.#unfinished = left
    this.#recorder.add({
      type: 'node.started',
      data: { worker: this.#worker, version: VERSION, host: hostname(), processId: process.pid, at },
    } as AccessEvent)
  }

  /** Returns the record that closes what an earlier process had left open. */
  #closeLeft(left: Unfinished): number {
    const at = this.#now()
    const { sessions, statements } = left
    if (statements.size + sessions.size > 0) {
      const counts = { sessions: sessions.size, statements: statements.size }
      this.#logger.warn('ended what an earlier start had left', counts)
    }
    return closingEvents(left, at).reduce((_, event) => this.#recorder.add(event), 0)
  }

  /** What was left in places that this node, which has fewer workers now, does not fill any more. */
  async #closeRetired(slots: readonly number[]): Promise<void> {
    const { name, state } = this.#config.node
    for (const index of slots) {
      const slot = await takeSlot(state, slotOf(name, index))
      const file = new CheckpointFile(state, slotOf(name, index))
      const left = await findUnfinished(this.#log, name, (each) => each === index, file.read())
      const over = () => {
        file.write(left.cursor, left.heads, nothingUnfinished(), true)
        slot.release()
      }
      const record = this.#closeLeft(left.unfinished)
      if (record === 0) over()
      else {
        const failed = (error: unknown) => {
          slot.release()
          this.#logger.warn('what a worker had left is recorded, and will be recorded again', faultOf(error))
        }
        this.#recorder.whenRecorded(record, { recorded: over, unrecorded: () => slot.release(), failed })
      }
    }
  }

  #recordReload(changes: readonly string[]): void {
    this.#recorder.add({
      type: 'node.reloaded',
      data: { worker: this.#worker, changed: changes.slice(0, CHANGES_TOLD_MAX), at: this.#now() },
    } as AccessEvent)
  }

  #written(events: readonly LifeEvent[], position: Position): void {
    for (const event of events) follow(this.#unfinished, event)
    this.#position = position
    this.#metrics.written(this.#recorder.durable, events.length)
  }

  #beat(): void {
    const { intended } = this.#recorder
    const policyVersion = this.#policy?.version
    this.#recorder.add({
      type: 'node.heartbeat',
      data: {
        worker: this.#worker,
        sessions: this.#sessions.size,
        statements: intended,
        ...(policyVersion !== undefined && { policyVersion }),
        at: this.#now(),
      },
    } as AccessEvent)
    this.#inForce.forgetApprovalsBefore(new Date(Date.now() - APPROVALS_KEPT_MS).toISOString())
    this.#saveCheckpoint()
    this.#letGo()
  }

  /** Behind the last of our own records: everything of this slot before it is in `unfinished`, or has ended. */
  #saveCheckpoint(): void {
    if (!this.#position || !this.#found) return
    const { partition, offset } = this.#position
    const heads = new Map([...this.#found.heads, [this.#worker as string, this.#recorder.durable] as const])
    try {
      this.#checkpoint.write({ ...this.#found.cursor, [partition]: offset + 1 }, heads, this.#unfinished)
    } catch (error) {
      this.#logger.warn('the checkpoint could not be written: the next start takes longer', faultOf(error))
    }
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
    return healthOf(
      this.#blocked(),
      [...this.#behind.values()].map(({ knowledge, servers }) => ({
        name: knowledge.name,
        schemaKnown: knowledge.version !== undefined,
        failure: knowledge.failure,
        usable: servers.usable,
        servers: servers.states,
      })),
    )
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
      parserReplaced: this.#parserReplaced,
      databases: [...this.#behind.values()].map(({ knowledge, judge, servers }) => ({
        name: knowledge.name,
        known: knowledge.version !== undefined,
        found: judge.found,
        understood: judge.understood,
        servers: servers.states,
      })),
    }
  }
}

const nameOf = ({ environment, database }: Pick<Target, 'environment' | 'database'>): string =>
  `${environment}/${database}`

const keyOf = ({ environment, name }: DatabaseConfig): string => nameOf({ environment, database: name })

const behindOf = (all: ReadonlyMap<string, Behind>, target: Target): Behind => {
  const behind = all.get(nameOf(target))
  if (!behind) throw new Error(`no database ${nameOf(target)}`)
  return behind
}

/** Settings of a start-up packet that decide what the server says of a new session. */
const TELLING = ['search_path', 'countersign.reason', 'countersign.ticket']

const CHANGES_TOLD_MAX = 100

const REVOKED = fatal('28000', 'access has been revoked: the session ends')
const STOPPING = fatal('57P01', 'the node stops: connect again')

const tlsFilesOf = ({ tls }: NodeConfig): readonly Buffer[] =>
  [tls?.certificate, tls?.key, tls?.clientCa].map((file) => (file === undefined ? NONE : readFileSync(file)))

const NONE = Buffer.alloc(0)

const sameFiles = (a: readonly Buffer[], b: readonly Buffer[]): boolean =>
  a.every((bytes, index) => bytes.equals(b[index] ?? NONE))

/** The same database, looked at in the same way. Passwords of roles are not part of that: they count at each login. */
const isSamePlace = (a: DatabaseConfig, b: DatabaseConfig): boolean =>
  differences(a, b).every((path) => path.startsWith('upstream.roles.'))
