import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent, ColumnClass, Target, WorkerId } from '@countersign/contracts'
import { classifyColumn, isDataClass, isSensitive, type DataClass } from '@countersign/masking'
import { faultOf, type DatabaseConfig, type Logger } from '@countersign/platform'
import { catalogueQueries, FINGERPRINT_QUERY, type CatalogueAnswers, type CatalogueQuery } from '@countersign/sql'
import type { KnownColumn } from '../../statement/masked-column.ts'
import { Analysis } from '../understanding/analysis.ts'
import type { CatalogueSummary, ColumnSummary, RelationSummary } from '../understanding/parser-jobs.ts'
import type { Parser } from '../understanding/parser.ts'
import { BackOff } from '../upstream/back-off.ts'
import type { Servers } from '../upstream/servers.ts'
import { SideConnection } from '../upstream/side-connection.ts'
import { sampleOf, type Samples } from './samples.ts'

export interface KnowledgeOptions {
  readonly config: DatabaseConfig
  readonly servers: Servers
  /** Counts up when a database of the same name is another one from now on. */
  readonly generation?: number
  readonly parser: Parser
  readonly worker: WorkerId
  readonly now: () => string
  readonly record: (event: AccessEvent) => void
  readonly logger: Logger
  /** The schema, or what a column holds, is not what it was: judgements made before do not hold any more. */
  readonly changed: () => void
}

/** Everything is read again this often, whatever the fingerprint says. */
const POLL_MS = 15_000
/** Changes that did not come through this node are noticed this late, or a little later where the schema is large. */
const LOOK_MS = 1_000
/** Looking whether something has changed takes one part in so many of the connection's time. */
const LOOK_SHARE = 10
/** So long a statement waits for a schema that is known to be another one by now. */
const CURRENT_MS = 10_000
/** Several changes in a row are read together; and where nobody waits for it, half of the time is spent on it at most. */
const SETTLE_MS = 20
const RETRY_FIRST_MS = 500

const PATIENT_IDLE_MS = 10_000

const BLOCKED_QUERY = `WITH RECURSIVE before(pid) AS (
    SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids($1::pg_catalog.int4))
    UNION SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids(pid)) FROM before)
  SELECT EXISTS (SELECT FROM before WHERE pid = $2::pg_catalog.int4) AS blocked`

type ObservedColumn = ColumnClass & { readonly dataType: string }

/** A column as a result describes it. */
export interface DescribedColumn extends KnownColumn {
  /** Of a view: its values are another relation's, so its own class is not all that there is to say of them. */
  readonly ofView: boolean
}

/**
 * What the node knows of one database: its schema, and what each column holds. A column is masked from the moment on
 * at which it is first seen, by what its name, type, comment and samples suggest; control's word replaces that.
 */
export class Knowledge {
  readonly target: Target
  readonly analysis: Analysis
  /** For what waits for locks, so that nothing else waits behind it. */
  readonly patientAnalysis: Analysis
  readonly side: SideConnection
  readonly #options: KnowledgeOptions
  readonly #samples = new Map<string, Samples>()
  /** Tables that could not be looked into when the schema was read, because they were locked. */
  #unseen: readonly RelationSummary[] = []
  #seesMore = false
  #classified = new Map<string, readonly ObservedColumn[]>()
  #summary: CatalogueSummary | undefined
  #columns = new Map<string, DescribedColumn>()
  #classes = new Map<string, DataClass>()
  #sensitive = new Set<string>()
  /** What a column was known to hold under another name: to be called something else does not change that. */
  readonly #carried = new Map<string, DataClass>()
  #decided = new Map<string, DataClass>()
  #relations = new Map<number, RelationSummary>()
  #reading: Promise<void> | undefined
  #again = false
  #readAt = 0
  readonly #backOff = new BackOff(RETRY_FIRST_MS, POLL_MS)
  #failure: string | undefined
  #timer: NodeJS.Timeout | undefined
  #lookTimer: NodeJS.Timeout | undefined
  #looking = Promise.resolve(0)
  #nextLook: Promise<void> | undefined
  #fingerprint: string | undefined
  #changes = 0
  #changesRead = 0
  #whenCurrent: (() => void)[] = []
  #closed = false

  constructor(options: KnowledgeOptions) {
    const { config, servers } = options
    const { environment, name, upstream } = config
    this.#options = options
    this.target = { environment, database: name }
    this.analysis = new Analysis(upstream, servers)
    this.patientAnalysis = new Analysis(upstream, servers, PATIENT_IDLE_MS)
    this.side = new SideConnection(upstream, servers)
  }

  /** Undefined until the database has been read once. */
  get version(): string | undefined {
    return this.#summary?.version
  }

  /** Why the last reading failed; undefined when it did not, or there was none yet. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** False while it is known to be another schema than the one that was read. */
  get current(): boolean {
    return this.#changesRead === this.#changes
  }

  /** It is another schema now: nothing is judged until it has been read. */
  hasChanged(): void {
    this.#changes += 1
    void this.refresh()
  }

  /** Resolves with whether the schema is known as it is, at the latest after a while. */
  async untilCurrent(): Promise<boolean> {
    if (this.current) return true
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#whenCurrent.push(resolve)
      timer = setTimeout(resolve, CURRENT_MS).unref()
    })
    clearTimeout(timer)
    return this.current
  }

  /** The name under which the parser knows this catalogue. */
  get name(): string {
    const { generation = 0 } = this.#options
    return `${this.target.environment}/${this.target.database}${generation > 0 ? `#${generation}` : ''}`
  }

  classOf(column: string): DataClass {
    return (
      this.#decided.get(column) ??
      (HOLDS_STATEMENTS.test(column) ? 'unknown' : undefined) ??
      this.#classes.get(column) ??
      (isOfServer(column) ? classOfServers(column) : 'unknown')
    )
  }

  /** The column that a result's description names by numbers; undefined for what was not there when we looked. */
  columnAt(relation: number, attribute: number): DescribedColumn | undefined {
    return this.#columns.get(`${relation}.${attribute}`)
  }

  typeOf(relation: number, attribute: number): { readonly type: number; readonly modifier: number } | undefined {
    return this.#relations.get(relation)?.columns.find(({ number }) => number === attribute)
  }

  /** Whether one of its columns is masked as a whole: `schema.relation`. */
  holdsSensitive(relation: string): boolean {
    return this.#sensitive.has(relation)
  }

  /** What control says of columns. It is believed, whatever their names suggest. */
  decide(columns: readonly ColumnClass[]): void {
    this.#decided = new Map(columns.flatMap((each) => (isDataClass(each.class) ? [[each.column, each.class]] : [])))
    this.#fillColumns()
    this.#options.changed()
  }

  /** Reads the schema now, and again whenever it may have changed. */
  start(): void {
    void this.refresh()
    this.#lookLater(LOOK_MS)
  }

  /** Resolves when a reading that began after this call has come to its end. */
  async refresh(): Promise<void> {
    this.#again = true
    this.#reading ??= this.#readUntilSettled().finally(() => (this.#reading = undefined))
    await this.#reading
  }

  /**
   * Looks at the database itself, and resolves with whether the schema is another one by now than the one of this
   * version. However many ask, one look is under way and one more waits for its turn.
   */
  async lookAgain(version: string): Promise<boolean> {
    this.#nextLook ??= this.#looking.then((tookMs) => this.#lookAfter(tookMs))
    await this.#nextLook
    await this.untilCurrent()
    return this.version !== version
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#lookTimer)
    for (const resolve of this.#whenCurrent.splice(0)) resolve()
    await Promise.all([this.side.close(), this.analysis.close(), this.patientAnalysis.close()])
  }

  /** Whether a process of the server waits for a lock that another one holds, or for one that itself waits for it. */
  async isBlockedBy(waiting: number, processId: number): Promise<boolean> {
    const [row] = await this.side.query(BLOCKED_QUERY, [waiting, processId])
    return row?.['blocked'] === true
  }

  #lookLater(inMs: number): void {
    if (!this.#closed) this.#lookTimer = setTimeout(() => void this.#lookAndLookLater(), inMs).unref()
  }

  async #lookAndLookLater(): Promise<void> {
    const tookMs = await (this.#looking = this.#look())
    this.#lookLater(Math.max(LOOK_MS, LOOK_SHARE * tookMs))
  }

  /** Statements that speak of what is not known may come without end: the connection has other things to do. */
  async #lookAfter(lastTookMs: number): Promise<void> {
    await sleep(Math.min(lastTookMs, LOOK_MS))
    this.#nextLook = undefined
    await (this.#looking = this.#look())
  }

  /** Has anything changed of which we have not been told? Resolves with how long it took to find out. */
  async #look(): Promise<number> {
    const began = performance.now()
    try {
      const seen = await this.#fingerprintNow()
      if (this.#fingerprint !== undefined && seen !== this.#fingerprint) this.hasChanged()
      else await this.#lookIntoUnseen()
    } catch {
      // The next reading says what is wrong.
    }
    return performance.now() - began
  }

  /** One of them at a time: each may take as long as a lock is waited for. */
  async #lookIntoUnseen(): Promise<void> {
    const [relation, ...others] = this.#unseen
    if (!relation) return
    this.#unseen = [...others, relation]
    if (!(await this.#samplesOf(relation))) return
    this.#seesMore = true
    void this.refresh()
  }

  async #fingerprintNow(): Promise<string> {
    const [row] = await this.side.query(FINGERPRINT_QUERY)
    return String(row?.['fingerprint'])
  }

  async #readUntilSettled(): Promise<void> {
    clearTimeout(this.#timer)
    let wait = POLL_MS
    while (this.#again && !this.#closed) {
      this.#again = false
      const changes = this.#changes
      try {
        await this.#read()
        wait = POLL_MS
        this.#backOff.succeeded()
        this.#failure = undefined
        this.#changesRead = changes
        if (this.current) for (const resolve of this.#whenCurrent.splice(0)) resolve()
      } catch (error) {
        wait = this.#backOff.failed()
        this.#failure = error instanceof Error ? error.message : String(error)
        this.#options.logger.warn('a database could not be read', { database: this.name, ...faultOf(error) })
      }
      const took = performance.now() - this.#readAt
      const pause = this.#whenCurrent.length > 0 ? SETTLE_MS : Math.max(SETTLE_MS, took)
      if (this.#again) await sleep(pause)
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.refresh(), wait).unref()
  }

  async #read(): Promise<void> {
    this.#readAt = performance.now()
    const fingerprint = await this.#fingerprintNow()
    const answers = await this.side.run(async (client) => {
      const read: [CatalogueQuery, string][] = []
      for (const [name, sql] of Object.entries(catalogueQueries) as [CatalogueQuery, string][]) {
        const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' })
        read.push([name, rows[0]?.[0] ?? '[]'])
      }
      return Object.fromEntries(read) as CatalogueAnswers
    })
    const summary = await this.#options.parser.readCatalogue(this.name, answers)
    this.#fingerprint = fingerprint
    if (summary.version !== this.#summary?.version || this.#seesMore) await this.#classify(summary)
  }

  async #classify(summary: CatalogueSummary): Promise<void> {
    const before = this.#classified
    const classified: typeof before = new Map()
    const observed: ObservedColumn[] = []
    const unseen: RelationSummary[] = []
    for (const relation of summary.relations.filter(isOfUser)) {
      const form = JSON.stringify(relation)
      const samples = before.has(form) ? undefined : await this.#samplesOf(relation)
      const columns = before.get(form) ?? this.#columnsOf(relation, samples)
      observed.push(...columns)
      if (before.has(form) || samples) classified.set(form, columns)
      else unseen.push(relation)
    }
    this.#unseen = unseen
    this.#seesMore = false
    this.#classified = classified
    this.#summary = summary
    this.#relations = new Map(summary.relations.map((relation) => [relation.oid, relation]))
    this.#classes = new Map(observed.map(({ column, class: found }) => [column, found as DataClass]))
    this.#fillColumns()
    this.#observed(summary.version, observed)
    this.#options.changed()
  }

  #carriedBy(relation: RelationSummary, column: ColumnSummary): DataClass | undefined {
    const place = `${relation.oid}.${column.number}`
    const before = this.#columns.get(place)
    if (before && before.name !== nameOf(relation, column) && isSensitive(before.class)) {
      this.#carried.set(place, before.class)
    }
    return this.#carried.get(place)
  }

  #columnsOf(relation: RelationSummary, samples: Samples | undefined): readonly ObservedColumn[] {
    return relation.columns.map((column, index) => {
      const { name, typeName, comment } = column
      const found = classifyColumn({
        schema: relation.schema,
        relation: relation.name,
        column: name,
        dataType: typeName,
        comment,
        samples: (samples ?? []).map((row) => row[index] ?? null),
      })
      if (!samples && !isSensitive(found.class)) {
        return { ...NOT_LOOKED_INTO, column: nameOf(relation, column), dataType: typeName }
      }
      const known = this.#carriedBy(relation, column)
      const carried = known !== undefined &&
        !isSensitive(found.class) && { class: known, because: 'known by another name' }
      return { ...found, ...carried, column: nameOf(relation, column), dataType: typeName }
    })
  }

  /** Read once for each form that a relation has had; a view's rows are those of the tables behind it. */
  async #samplesOf(relation: RelationSummary): Promise<Samples | undefined> {
    const key = `${relation.oid}:${relation.columns.map(({ number, type }) => `${number}.${type}`).join()}`
    const known = this.#samples.get(key)
    if (known) return known
    const samples = await sampleOf(this.side, relation)
    if (samples) this.#samples.set(key, samples)
    return samples
  }

  #fillColumns(): void {
    this.#columns = new Map(
      [...this.#relations.values()].flatMap((relation) =>
        relation.columns.map((column): [string, DescribedColumn] => {
          const name = nameOf(relation, column)
          const ofView = relation.kind === 'v'
          return [`${relation.oid}.${column.number}`, { name, class: this.classOf(name), ofView }]
        }),
      ),
    )
    const sensitive = [...this.#columns.values()].filter((column) => isSensitive(column.class))
    this.#sensitive = new Set(sensitive.map(({ name }) => name.slice(0, name.lastIndexOf('.'))))
  }

  #observed(version: string, columns: readonly ObservedColumn[]): void {
    const { worker, now, record } = this.#options
    record({
      type: 'database.observed',
      data: { worker, target: this.target, catalogueVersion: version, columns, at: now() },
    } as AccessEvent)
  }
}

const NOT_LOOKED_INTO = { class: 'unknown', confidence: 0, because: 'the table is locked: not looked into yet' }

const isOfServer = (column: string): boolean => /^(pg_catalog|information_schema)\./.test(column)

/** Columns of the server's own catalogue in which values of other columns stand, or somebody's statements. */
const HOLDS_VALUES =
  /^pg_catalog\.(pg_statistic\.stavalues\d|pg_stats\w*\.(most_common_(vals|elems|val_nulls|base_freqs)|histogram_bounds|range_\w+)|pg_statistic_ext_data\.\w+|pg_stat_activity\.query|pg_(authid|shadow)\.(rolpassword|passwd)|pg_prepared_statements\.statement|pg_cursors\.statement|pg_largeobject\.data|pg_(user_mappings?|foreign_server)\.\w*options)$/

/** The same of an extension, wherever it lies. */
const HOLDS_STATEMENTS = /\.pg_stat_statements\.query$/

const classOfServers = (column: string): DataClass => (HOLDS_VALUES.test(column) ? 'unknown' : 'clear')

const isOfUser = ({ schema, kind }: RelationSummary): boolean =>
  !['pg_catalog', 'information_schema'].includes(schema) && ['r', 'p', 'v', 'm', 'f'].includes(kind)

const nameOf = ({ schema, name }: RelationSummary, column: ColumnSummary): string => `${schema}.${name}.${column.name}`
