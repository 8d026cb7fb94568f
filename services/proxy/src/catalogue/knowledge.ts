import type { AccessEvent, ColumnClass, Target, WorkerId } from '@countersign/contracts'
import { classifyColumn, isDataClass, type DataClass } from '@countersign/masking'
import { faultOf, type DatabaseConfig, type Logger } from '@countersign/platform'
import { catalogueQueries, type CatalogueAnswers, type CatalogueQuery } from '@countersign/sql'
import { Analysis } from '../understanding/analysis.ts'
import type { Parser } from '../understanding/parser.ts'
import type { CatalogueSummary, ColumnSummary, RelationSummary } from '../understanding/parser-jobs.ts'
import { SideConnection } from '../upstream/side-connection.ts'
import { sampleOf, type Samples } from './samples.ts'

export interface KnowledgeOptions {
  readonly config: DatabaseConfig
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

/** Changes that did not come through this node are noticed this late. */
const POLL_MS = 15_000
/** Several changes in a row are read together. */
const SETTLE_MS = 20
const RETRY_MS = 1_000
/** A statement that speaks of what is not known makes us look again, but not more often than this. */
const LOOK_AGAIN_MS = 1_000

/** A column where a result may say that it comes from. */
export interface KnownColumn {
  /** `schema.relation.column` */
  readonly name: string
  readonly class: DataClass
}

/**
 * What the node knows of one database: its schema, and what each column holds. A column is masked from the moment on
 * at which it is first seen, by what its name, type, comment and samples suggest; control's word replaces that.
 */
export class Knowledge {
  readonly target: Target
  readonly analysis: Analysis
  readonly side: SideConnection
  readonly #options: KnowledgeOptions
  readonly #samples = new Map<string, Samples>()
  #summary: CatalogueSummary | undefined
  #columns = new Map<string, KnownColumn>()
  #classes = new Map<string, DataClass>()
  #decided = new Map<string, DataClass>()
  #relations = new Map<number, RelationSummary>()
  #reading: Promise<void> | undefined
  #again = false
  #readAt = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(options: KnowledgeOptions) {
    const { environment, name, upstream } = options.config
    this.#options = options
    this.target = { environment, database: name }
    this.analysis = new Analysis(upstream)
    this.side = new SideConnection(upstream)
  }

  /** Undefined until the database has been read once. */
  get version(): string | undefined {
    return this.#summary?.version
  }

  /** The name under which the parser knows this catalogue. */
  get name(): string {
    const { generation = 0 } = this.#options
    return `${this.target.environment}/${this.target.database}${generation > 0 ? `#${generation}` : ''}`
  }

  classOf(column: string): DataClass {
    return (
      this.#decided.get(column) ??
      this.#classes.get(column) ??
      (isOfServer(column) ? classOfServers(column) : 'unknown')
    )
  }

  /** The column that a result's description names by numbers; undefined for what was not there when we looked. */
  columnAt(relation: number, attribute: number): KnownColumn | undefined {
    return this.#columns.get(`${relation}.${attribute}`)
  }

  typeOf(relation: number, attribute: number): { readonly type: number; readonly modifier: number } | undefined {
    return this.#relations.get(relation)?.columns.find(({ number }) => number === attribute)
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
  }

  /** Resolves when a reading that began after this call has come to its end. */
  async refresh(): Promise<void> {
    this.#again = true
    this.#reading ??= this.#readUntilSettled().finally(() => (this.#reading = undefined))
    await this.#reading
  }

  /** Looks whether the schema has changed since it was read, unless that was just now. */
  async lookAgain(): Promise<boolean> {
    if (performance.now() - this.#readAt < LOOK_AGAIN_MS) return false
    const before = this.version
    await this.refresh()
    return this.version !== before
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await Promise.all([this.side.close(), this.analysis.close()])
  }

  async #readUntilSettled(): Promise<void> {
    clearTimeout(this.#timer)
    let wait = POLL_MS
    while (this.#again && !this.#closed) {
      this.#again = false
      try {
        await this.#read()
        wait = POLL_MS
      } catch (error) {
        wait = RETRY_MS
        this.#options.logger.warn('a database could not be read', { database: this.name, ...faultOf(error) })
      }
      if (this.#again) await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    }
    if (!this.#closed) this.#timer = setTimeout(() => void this.refresh(), wait).unref()
  }

  async #read(): Promise<void> {
    this.#readAt = performance.now()
    const answers = await this.side.run(async (client) => {
      const read: [CatalogueQuery, string][] = []
      for (const [name, sql] of Object.entries(catalogueQueries) as [CatalogueQuery, string][]) {
        const { rows } = await client.query<[string]>({ text: sql, rowMode: 'array' })
        read.push([name, rows[0]?.[0] ?? '[]'])
      }
      return Object.fromEntries(read) as CatalogueAnswers
    })
    const summary = await this.#options.parser.readCatalogue(this.name, answers)
    if (summary.version === this.#summary?.version) return
    await this.#classify(summary)
  }

  async #classify(summary: CatalogueSummary): Promise<void> {
    const observed: (ColumnClass & { dataType: string })[] = []
    for (const relation of summary.relations.filter(isOfUser)) {
      const samples = await this.#samplesOf(relation)
      for (const [index, column] of relation.columns.entries()) {
        const { name, typeName, comment } = column
        const values = samples.map((row) => row[index] ?? null)
        const found = classifyColumn({
          schema: relation.schema,
          relation: relation.name,
          column: name,
          dataType: typeName,
          comment,
          samples: values,
        })
        observed.push({ ...found, column: nameOf(relation, column), dataType: typeName })
      }
    }
    this.#summary = summary
    this.#relations = new Map(summary.relations.map((relation) => [relation.oid, relation]))
    this.#classes = new Map(observed.map(({ column, class: found }) => [column, found as DataClass]))
    this.#fillColumns()
    this.#observed(summary.version, observed)
    this.#options.changed()
  }

  /** Read once for each form that a relation has had; a view's rows are those of the tables behind it. */
  async #samplesOf(relation: RelationSummary): Promise<Samples> {
    const key = `${relation.oid}:${relation.columns.map(({ number, type }) => `${number}.${type}`).join()}`
    const known = this.#samples.get(key)
    if (known) return known
    const samples = await sampleOf(this.side, relation)
    this.#samples.set(key, samples)
    return samples
  }

  #fillColumns(): void {
    this.#columns = new Map(
      [...this.#relations.values()].flatMap((relation) =>
        relation.columns.map((column): [string, KnownColumn] => {
          const name = nameOf(relation, column)
          return [`${relation.oid}.${column.number}`, { name, class: this.classOf(name) }]
        }),
      ),
    )
  }

  #observed(version: string, columns: readonly (ColumnClass & { dataType: string })[]): void {
    const { worker, now, record } = this.#options
    record({
      type: 'database.observed',
      data: { worker, target: this.target, catalogueVersion: version, columns, at: now() },
    } as AccessEvent)
  }
}

const isOfServer = (column: string): boolean => /^(pg_catalog|information_schema)\./.test(column)

/** Columns of the server's own catalogue in which values of other columns stand, or somebody's statements. */
const HOLDS_VALUES =
  /^pg_catalog\.(pg_statistic\.stavalues\d|pg_stats\w*\.(most_common_(vals|elems|val_nulls|base_freqs)|histogram_bounds|range_\w+)|pg_statistic_ext_data\.\w+|pg_stat_activity\.query|pg_(authid|shadow)\.(rolpassword|passwd)|pg_prepared_statements\.statement|pg_cursors\.statement|pg_largeobject\.data|pg_(user_mappings?|foreign_server)\.\w*options)$/

const classOfServers = (column: string): DataClass => (HOLDS_VALUES.test(column) ? 'unknown' : 'clear')

const isOfUser = ({ schema, kind }: RelationSummary): boolean =>
  !['pg_catalog', 'information_schema'].includes(schema) && ['r', 'p', 'v', 'm', 'f'].includes(kind)

const nameOf = ({ schema, name }: RelationSummary, column: ColumnSummary): string => `${schema}.${name}.${column.name}`
