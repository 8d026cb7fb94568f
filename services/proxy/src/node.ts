import type { Server } from 'node:net'
import { hostname } from 'node:os'
import type { AccessEvent, RequestId, SessionId, Target, WorkerId } from '@countersign/contracts'
import type { EventLog, Position } from '@countersign/eventlog'
import { faultOf, serverTlsOf, type Config, type DatabaseConfig, type Logger } from '@countersign/platform'
import { compilePolicies, ownersOf, parseOwners, type Owners, type PolicySet } from '@countersign/policy'
import { v7 as uuidv7 } from 'uuid'
import { serveAdmin } from './admin.ts'
import { Knowledge } from './catalogue/knowledge.ts'
import { instantClock } from './clock.ts'
import { InForce, type Policy } from './decisions/in-force.ts'
import { Gate } from './gate.ts'
import { healthOf, type NodeHealth } from './health.ts'
import { listen } from './listener.ts'
import { CheckpointFile, findUnfinished } from './record/checkpoint.ts'
import { openDataKeys } from './record/data-keys.ts'
import { Recorder } from './record/recorder.ts'
import { closingEvents, follow, nothingUnfinished, type LifeEvent, type Unfinished } from './record/unfinished.ts'
import { redactor } from './session/redactor.ts'
import { fatal } from './session/say.ts'
import type { SessionTold } from './session/session-question.ts'
import type { SessionOptions } from './session/session.ts'
import { Sessions } from './sessions.ts'
import type { LoggedIn } from './startup/login.ts'
import { DatabaseJudge } from './statement/database-judge.ts'
import { Holds } from './statement/holds.ts'
import type { Judgement } from './statement/judgement.ts'
import { NodeMetrics, type MetricsJson, type NodeState } from './telemetry/node-metrics.ts'
import { openTracer } from './telemetry/open-tracer.ts'
import type { StatementFigures } from './telemetry/statement-figures.ts'
import type { StatementTracer } from './telemetry/statement-tracer.ts'
import { timed } from './telemetry/timed-log.ts'
import { BoundedCache } from './understanding/bounded-cache.ts'
import { Parser } from './understanding/parser.ts'
import { guardLogin } from './upstream/guard-login.ts'
import { Servers } from './upstream/servers.ts'

const VERSION = '0.1.0'
/** The one worker of a node, until there are more. */
const WORKER_NAME = 'w0'
const HEARTBEAT_MS = 5_000
/** A server of which nothing was heard for so long is looked after. */
const PROBE_MS = 10_000
/** A server whose connection was lost, a little later: one that goes down has to be gone first. */
const LOST_MS = 250
/** Approvals that are over are forgotten after this long; the log remembers them. */
const APPROVALS_KEPT_MS = 60 * 60 * 1000

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

/** One worker of a node: it listens, and stands between its clients and their databases. */
export class ProxyNode {
  readonly #config: Config
  readonly #log: EventLog
  readonly #logger: Logger
  readonly #worker: WorkerId
  readonly #recorder: Recorder
  readonly #inForce: InForce
  readonly #sessions = new Sessions()
  readonly #parser: Parser
  readonly #holds: Holds
  /** By `environment/database`: two environments may have a database of one name. */
  readonly #behind = new Map<string, Behind>()
  readonly #metrics: NodeMetrics
  #tracer: StatementTracer | undefined
  #parserReplaced = 0
  #probing: NodeJS.Timeout | undefined
  readonly #checkpoint: CheckpointFile
  readonly #now = instantClock()
  #found: Awaited<ReturnType<typeof findUnfinished>> | undefined
  #position: Position | undefined
  readonly #unfinished: Unfinished = nothingUnfinished()
  #policy: { readonly set: PolicySet; readonly version: string } | undefined
  #owners: Owners = []
  #listener: Server | undefined
  #admin: { close(): void } | undefined
  #heartbeat: NodeJS.Timeout | undefined
  #broken: string | undefined

  constructor(config: Config, log: EventLog, logger: Logger) {
    const { node } = config
    const slot = `${node.name}/${WORKER_NAME}`
    this.#config = config
    this.#log = log
    this.#logger = logger
    this.#worker = `${slot}/${uuidv7()}` as WorkerId
    this.#checkpoint = new CheckpointFile(node.state, slot)
    this.#metrics = new NodeMetrics(() => this.#state())
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
      catalogueChanged: ({ target, columns }) => this.#behind.get(nameOf(target))?.knowledge.decide(columns),
      revoked: (credentialId) => this.#sessions.endCredential(credentialId, REVOKED),
      restricted: (principalId) => this.#sessions.endPrincipal(principalId, REVOKED),
      approvalChanged: (approval) => this.#holds.approvalChanged(approval),
      unreadable: (error) => logger.error('a decision could not be read', faultOf(error)),
    })
    this.#holds = new Holds({
      inForce: this.#inForce,
      recorder: this.#recorder,
      config: config.holds,
      now: this.#now,
      ownersOf: (target, judgement) => this.#ownersOf(target, judgement),
      link: (requestId) => this.#link(requestId),
    })
    for (const database of config.databases) {
      this.#behind.set(nameOf({ ...database, database: database.name }), this.#putBehind(database))
    }
  }

  /** Takes up what the log says, then listens. Rejects when it cannot: a port in use, a certificate that is none. */
  async start(): Promise<void> {
    const { node } = this.#config
    const gate = new Gate(node)
    for (const { upstream } of this.#config.databases) serverTlsOf(upstream)
    this.#tracer = await openTracer(node.telemetry, { node: this.#worker, version: VERSION, logger: this.#logger })
    this.#found = await findUnfinished(this.#log, `${node.name}/${WORKER_NAME}`, this.#checkpoint.read())
    this.#recordStart(this.#found.unfinished)
    this.#inForce.follow((error) => this.#break('the decisions cannot be followed any more', error))
    for (const { knowledge } of this.#behind.values()) knowledge.start()
    this.#probeServers()
    this.#listener = await listen({
      config: node,
      worker: this.#worker,
      gate,
      login: {
        inForce: this.#inForce,
        databases: this.#config.databases,
        serversOf: (target) => this.#behindOf(target).servers,
      },
      recorder: this.#recorder,
      sessions: this.#sessions,
      inlineSeconds: this.#config.holds.inlineSeconds,
      newSessionId: () => uuidv7() as SessionId,
      now: this.#now,
      clock: () => performance.now(),
      logger: this.#logger,
      sessionParts: (loggedIn) => this.#sessionParts(loggedIn),
    })
    this.#admin = await serveAdmin(node, { health: () => this.health(), metrics: () => this.#metrics.asText() })
    this.#heartbeat = setInterval(() => this.#beat(), HEARTBEAT_MS)
  }

  /** Resolves when statements can be let through: policy, credentials and schemas are known. */
  async ready(): Promise<void> {
    while (!this.health().ready) await new Promise((resolve) => setTimeout(resolve, 20))
  }

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

  /** What `/metrics` says of this worker, as data. */
  metrics(): Promise<MetricsJson> {
    return this.#metrics.asJson()
  }

  /** Ends every session, and writes down that it did. */
  async stop(): Promise<void> {
    clearInterval(this.#heartbeat)
    clearTimeout(this.#probing)
    this.#listener?.close()
    this.#sessions.endWhere(() => true, 'node-stopping', STOPPING)
    this.#recorder.add({
      type: 'node.stopped',
      data: { worker: this.#worker, because: 'asked', at: this.#now() },
    } as AccessEvent)
    await this.#recorder.close()
    this.#saveCheckpoint()
    await Promise.all([...this.#behind.values()].map(({ knowledge }) => knowledge.close()))
    await Promise.all([this.#inForce.close(), this.#parser.close(), this.#tracer?.close()])
    this.#metrics.close()
    this.#admin?.close()
  }

  #putBehind(config: DatabaseConfig): Behind {
    const firstTold = new BoundedCache<SessionTold>(FIRST_TOLD_MAX, FIRST_TOLD_BYTES_MAX)
    const changed = () => {
      firstTold.clear()
      judge.forget()
    }
    const servers = new Servers(config.upstream, {
      now: this.#now,
      connected: (milliseconds) => this.#metrics.connected(milliseconds),
      failed: (kind) => this.#metrics.connectFailed(kind),
      lost: () => void setTimeout(() => this.#probe(config, servers), LOST_MS).unref(),
    })
    const knowledge = new Knowledge({
      config,
      servers,
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
    void servers.probe(guardLogin(upstream, 'countersign health'), PROBE_MS)
  }

  #behindOf(target: Target): Behind {
    const behind = this.#behind.get(nameOf(target))
    if (!behind) throw new Error(`no database ${nameOf(target)}`)
    return behind
  }

  #sessionParts({ target, role, greeting }: LoggedIn): ReturnType<Parameters<typeof listen>[0]['sessionParts']> {
    const behind = this.#behindOf(target)
    // A role, its defaults and what the client sets at the start decide what names mean in a new session.
    const key = JSON.stringify([role, ...TELLING.map((name) => greeting.settings.server.get(name))])
    const firstTold: SessionOptions['firstTold'] = {
      get: () => behind.firstTold.get(key),
      set: (told) => behind.firstTold.set(key, told, key.length + FIRST_TOLD_BYTES),
    }
    return {
      judge: behind.judge,
      holds: this.#holds,
      redactor,
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
    for (const event of closingEvents(left, at)) this.#recorder.add(event)
    this.#recorder.add({
      type: 'node.started',
      data: { worker: this.#worker, version: VERSION, host: hostname(), processId: process.pid, at },
    } as AccessEvent)
    if (left.statements.size + left.sessions.size > 0) {
      this.#logger.warn('ended what an earlier start had left', {
        sessions: left.sessions.size,
        statements: left.statements.size,
      })
    }
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

/** Settings of a start-up packet that decide what the server says of a new session. */
const TELLING = ['search_path', 'countersign.reason', 'countersign.ticket']

const REVOKED = fatal('28000', 'access has been revoked: the session ends')
const STOPPING = fatal('57P01', 'the node stops: connect again')
