import type { ColumnClass, Principal, Target } from '@countersign/contracts'
import type { DatabaseConfig } from '@countersign/platform'
import { BoundedCache } from '../bounded-cache.ts'
import type { DatabaseState } from '../health.ts'
import type { Database, Lent } from '../protocol.ts'
import { Knowledge } from './catalogue/knowledge.ts'
import { redactorUnless } from './session/redactor.ts'
import type { SessionTold } from './session/session-question.ts'
import type { DatabaseParts, SessionSource } from './startup/greeting.ts'
import { BlastRadius } from './statement/blast-radius.ts'
import { DatabaseJudge } from './statement/database-judge.ts'
import type { Parser } from './understanding/parser.ts'
import { Undos } from './undo/undos.ts'
import { guardLogin } from './upstream/guard-login.ts'
import { Servers } from './upstream/servers.ts'

/** A server of which nothing was heard for so long is looked after. */
const PROBE_MS = 10_000
/** A server whose connection was lost, a little later: one that goes down has to be gone first. */
const LOST_MS = 250

/** Clients choose the settings that they begin with, so there may be any number of beginnings. */
const FIRST_TOLD_MAX = 1_000
const FIRST_TOLD_BYTES_MAX = 4 * 1024 * 1024
const FIRST_TOLD_BYTES = 1_000

/** One PostgreSQL database behind the node: its servers, its catalogue, and how statements for it are judged. */
export class PostgresDatabase implements Database, SessionSource {
  readonly config: DatabaseConfig
  readonly servers: Servers
  readonly #knowledge: Knowledge
  readonly #judge: DatabaseJudge
  readonly #blast: BlastRadius
  readonly #undos: Undos
  readonly #firstTold = new BoundedCache<SessionTold>(FIRST_TOLD_MAX, FIRST_TOLD_BYTES_MAX)
  #closed = false

  constructor(config: DatabaseConfig, generation: number, parser: Parser, lent: Lent) {
    const { worker, now, record, policy, metrics, logger } = lent
    this.config = config
    this.servers = new Servers(config.upstream, {
      now,
      connected: (milliseconds) => metrics.connected(milliseconds),
      failed: (kind) => metrics.connectFailed(kind),
      lost: () => void setTimeout(() => this.probe(), LOST_MS).unref(),
    })
    this.#knowledge = new Knowledge({
      config,
      servers: this.servers,
      generation,
      parser,
      worker,
      now,
      record,
      logger,
      changed: () => this.#changed(),
    })
    this.#blast = new BlastRadius({
      upstream: config.upstream,
      servers: this.servers,
      classOf: (column) => this.#knowledge.classOf(column),
    })
    const { side, target } = this.#knowledge
    this.#undos = new Undos({ store: lent.undo, side, target, now })
    this.#judge = new DatabaseJudge({
      knowledge: this.#knowledge,
      parser,
      policy,
      now: () => new Date(),
      timeZone: config.timeZone,
      blast: this.#blast,
      imageOf: (requestId) => this.#undos.imageOf(requestId),
    })
  }

  get target(): Target {
    return this.#knowledge.target
  }

  get state(): DatabaseState {
    const { name, version, failure } = this.#knowledge
    const { found, understood } = this.#judge
    const { usable, states: servers } = this.servers
    return { name, schemaKnown: version !== undefined, failure, usable, servers, found, understood }
  }

  start(): void {
    this.#knowledge.start()
  }

  policyChanged(): void {
    this.#judge.forget()
  }

  columnsDecided(columns: readonly ColumnClass[]): void {
    this.#knowledge.decide(columns)
  }

  probe(): void {
    if (!this.#closed) void this.servers.probe(guardLogin(this.config.upstream, 'countersign health'), PROBE_MS)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#knowledge.close(), this.#blast.close()])
  }

  sessionParts(role: string, settings: ReadonlyMap<string, string>, principal: Principal): DatabaseParts {
    // A role, its defaults and what the client sets at the start decide what names mean in a new session.
    const key = JSON.stringify([role, ...TELLING.map((name) => settings.get(name))])
    return {
      judge: this.#judge,
      undos: this.#undos,
      redactor: redactorUnless(() => this.#judge.seesEverything(principal)),
      firstTold: {
        get: () => this.#firstTold.get(key),
        set: (told) => this.#firstTold.set(key, told, key.length + FIRST_TOLD_BYTES),
      },
      schema: () => this.#knowledge.version,
      catalogueChanged: () => this.#knowledge.hasChanged(),
    }
  }

  #changed(): void {
    this.#firstTold.clear()
    this.#judge.forget()
  }
}

/** Settings of a start-up packet that decide what the server says of a new session. */
const TELLING = ['search_path', 'countersign.reason', 'countersign.ticket']
