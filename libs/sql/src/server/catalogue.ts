import { createHash } from 'node:crypto'
import type { Name } from '../action.ts'
import type { RoutineBody } from '../command.ts'
import { CatalogueError, SqlRefusedError, SqlSyntaxError, TreeError } from '../sql-error.ts'
import { understand } from '../understand.ts'
import { catalogueQueries, type CatalogueQuery } from './catalogue-queries.ts'
import { readTree, type TreeNode } from './read-tree.ts'

/*
 * What the node knows of a database: plain data, made from the answers to `catalogueQueries`. The code of functions is
 * parsed here, so it belongs into the worker that has the parser.
 */

export interface Catalogue {
  /** SHA-256 over everything but row estimates, shortened to 16 digits. */
  readonly version: string
  /** As PostgreSQL numbers itself: 180004. */
  readonly serverVersion: number
  readonly database: string
  readonly relations: ReadonlyMap<number, CatalogueRelation>
  readonly columns: ReadonlyMap<number, readonly CatalogueColumn[]>
  readonly functions: ReadonlyMap<number, CatalogueFunction>
  readonly rules: ReadonlyMap<number, readonly CatalogueRule[]>
  readonly attached: ReadonlyMap<number, readonly AttachedCode[]>
  readonly keys: ReadonlyMap<number, readonly (readonly number[])[]>
  /** Whose columns are never null. */
  readonly primaryKeys: ReadonlyMap<number, readonly number[]>
  /** By the relation that is referred to. */
  readonly foreignKeys: ReadonlyMap<number, readonly ForeignKey[]>
  readonly children: ReadonlyMap<number, readonly number[]>
  /** Those that did not come with the server, by number. */
  readonly operators: ReadonlyMap<number, CatalogueOperator>
  /** Casts by functions that did not come with the server. */
  readonly casts: readonly CatalogueCast[]
  /** By type: what code of somebody's own runs to make or compare values of it. */
  readonly domains: ReadonlyMap<number, readonly CatalogueDomain[]>
  /** What runs because the structure is changed. */
  readonly eventTriggers: readonly CatalogueEventTrigger[]
  readonly relationsByName: ReadonlyMap<string, readonly number[]>
  readonly functionsByName: ReadonlyMap<string, readonly number[]>
}

export interface CatalogueRelation extends Name {
  readonly oid: number
  readonly schema: string
  /** `pg_class.relkind`: r table, v view, m materialized view, p partitioned, f foreign, S sequence, i and I index. */
  readonly kind: string
  /** Rows by the planner's statistics; undefined before the first ANALYZE. */
  readonly rowEstimate: number | undefined
  readonly rowSecurity: boolean
  readonly hasChildren: boolean
  readonly indexOf: number | undefined
  /** Of a foreign table: where its rows come from. */
  readonly livesIn: 'server' | 'file' | 'program' | undefined
  readonly comment: string | undefined
}

export interface CatalogueColumn {
  readonly relation: number
  readonly number: number
  readonly name: string
  readonly type: number
  readonly modifier: number
  readonly typeName: string
  readonly generated: boolean
  readonly comment: string | undefined
}

export interface CatalogueFunction extends Name {
  readonly oid: number
  readonly schema: string
  /** `pg_proc.prokind`: f function, p procedure, a aggregate, w window function. */
  readonly kind: string
  readonly volatility: 'immutable' | 'stable' | 'volatile'
  readonly language: string
  readonly securityDefiner: boolean
  readonly builtin: boolean
  readonly arguments: number
  readonly extension: string | undefined
  /** Its own search path, as it is written. */
  readonly path: string | undefined
  /** Read from its definition, for functions in SQL and PL/pgSQL. */
  readonly body: RoutineBody | undefined
  /** Functions that it is known to call: of an SQL-standard body, and the parts of an aggregate. */
  readonly calls: readonly number[]
  /** Types of somebody's own among its arguments and results. */
  readonly types: readonly number[]
}

export type RuleEvent = 'select' | 'update' | 'insert' | 'delete'

export interface CatalogueRule {
  readonly event: RuleEvent
  readonly instead: boolean
  /** The server's tree of what it does, to be read by `ruleActions`. */
  readonly action: string
}

export interface AttachedCode {
  readonly kind: 'trigger' | 'check' | 'default' | 'generated' | 'index' | 'policy' | 'statistics' | 'partition'
  readonly name: string
  /** Of a trigger: `pg_trigger.tgtype`. */
  readonly events: number
  readonly calls: readonly number[]
  /** Types of which it makes or compares values. */
  readonly types: readonly number[]
  /** Relations that it reads. */
  readonly relations: readonly number[]
}

export interface CatalogueEventTrigger {
  readonly function: number
  /** The commands that it listens to; undefined for all of them. */
  readonly tags: readonly string[] | undefined
}

export interface ForeignKey {
  readonly child: number
  readonly onDelete: ForeignKeyAction
  readonly onUpdate: ForeignKeyAction
}

export type ForeignKeyAction = 'none' | 'delete' | 'update'

export interface CatalogueOperator extends Name {
  readonly oid: number
  readonly schema: string
  readonly function: number
  /** Functions of operator classes that may be run in its place. */
  readonly support: readonly number[]
}

export interface CatalogueCast {
  readonly function: number
  /** Name of the type that it makes. */
  readonly target: string
  /** It is applied without being written. */
  readonly implicit: boolean
}

export interface CatalogueDomain extends Name {
  readonly schema: string
  /** Functions that its checks, and those of its parts, call, and by which its values are compared. */
  readonly calls: readonly number[]
}

/** One JSON text per query, as the database answered it. */
export type CatalogueAnswers = Readonly<Record<CatalogueQuery, string>>

export const readCatalogue = (answers: CatalogueAnswers): Catalogue => {
  const server = rowsOf(answers, 'server')[0] ?? new Row({}, 'server')
  const relations = rowsOf(answers, 'relations').map(relationOf)
  const functions = rowsOf(answers, 'functions').map(functionOf)
  return {
    version: versionOf(answers),
    serverVersion: server.number('version'),
    database: server.text('database'),
    relations: new Map(relations.map((relation) => [relation.oid, relation])),
    columns: grouped(rowsOf(answers, 'columns').map(columnOf), ({ relation }) => relation),
    functions: new Map(functions.map((one) => [one.oid, one])),
    rules: groupedRows(rowsOf(answers, 'rules'), 'relation', ruleOf),
    attached: groupedRows(rowsOf(answers, 'attached'), 'relation', attachedOf),
    keys: groupedRows(rowsOf(answers, 'keys'), 'relation', (row) => row.numbers('columns')),
    primaryKeys: new Map(
      rowsOf(answers, 'keys')
        .filter((row) => row.isTrue('primary'))
        .map((row) => [row.number('relation'), row.numbers('columns')]),
    ),
    foreignKeys: groupedRows(rowsOf(answers, 'foreignKeys'), 'parent', foreignKeyOf),
    children: groupedRows(rowsOf(answers, 'children'), 'parent', (row) => row.number('child')),
    operators: new Map(rowsOf(answers, 'operators').map((row) => [row.number('oid'), operatorOf(row)])),
    casts: rowsOf(answers, 'casts').map(castOf),
    domains: groupedRows(rowsOf(answers, 'domains'), 'type', domainOf),
    eventTriggers: rowsOf(answers, 'eventTriggers').map(eventTriggerOf),
    relationsByName: byName(relations),
    functionsByName: byName(functions),
  }
}

/** Row estimates change with every ANALYZE and mean nothing for what a statement is. */
const versionOf = (answers: CatalogueAnswers): string => {
  const hash = createHash('sha256')
  for (const name of queryNames()) hash.update(answers[name].replaceAll(/"rowEstimate":-?\d+/g, '')).update('\0')
  return hash.digest('hex').slice(0, 16)
}

const queryNames = (): readonly CatalogueQuery[] => Object.keys(catalogueQueries) as CatalogueQuery[]

const relationOf = (row: Row): CatalogueRelation => {
  const rowEstimate = row.number('rowEstimate')
  return {
    oid: row.number('oid'),
    schema: row.text('schema'),
    name: row.text('name'),
    kind: row.text('kind'),
    rowEstimate: rowEstimate < 0 ? undefined : rowEstimate,
    rowSecurity: row.flag('rowSecurity'),
    hasChildren: row.flag('hasChildren'),
    indexOf: row.optionalNumber('indexOf'),
    livesIn: PLACES.find((place) => place === row.optionalText('livesIn')),
    comment: row.optionalText('comment'),
  }
}

const PLACES = ['server', 'file', 'program'] as const

const columnOf = (row: Row): CatalogueColumn => ({
  relation: row.number('relation'),
  number: row.number('number'),
  name: row.text('name'),
  type: row.number('type'),
  modifier: row.number('modifier'),
  typeName: row.text('typeName'),
  generated: row.flag('generated'),
  comment: row.optionalText('comment'),
})

const VOLATILITIES: Readonly<Record<string, CatalogueFunction['volatility']>> = { i: 'immutable', s: 'stable' }

const functionOf = (row: Row): CatalogueFunction => ({
  oid: row.number('oid'),
  schema: row.text('schema'),
  name: row.text('name'),
  kind: row.text('kind'),
  volatility: VOLATILITIES[row.text('volatility')] ?? 'volatile',
  language: row.text('language'),
  securityDefiner: row.flag('securityDefiner'),
  builtin: row.flag('builtin'),
  arguments: row.number('arguments'),
  extension: row.optionalText('extension'),
  path: row.optionalText('path'),
  body: bodyOf(row.optionalText('definition')),
  calls: [...row.numbers('calls'), ...row.numbers('parts')],
  types: row.numbers('types'),
})

/** Code is parsed once: most of it is the same each time that a catalogue is read. */
const bodies = new Map<string, RoutineBody | undefined>()
const BODIES_MAX = 20_000

const bodyOf = (definition: string | undefined): RoutineBody | undefined => {
  if (definition === undefined || bodies.has(definition)) return bodies.get(definition ?? '')
  if (bodies.size >= BODIES_MAX) bodies.clear()
  const body = parsedBody(definition)
  bodies.set(definition, body)
  return body
}

const parsedBody = (definition: string): RoutineBody | undefined => {
  try {
    return understand(definition).commands[0]?.body
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}

const EVENTS: Readonly<Record<string, RuleEvent>> = { '1': 'select', '2': 'update', '3': 'insert', '4': 'delete' }

const ruleOf = (row: Row): CatalogueRule => ({
  event: EVENTS[row.text('event')] ?? 'select',
  instead: row.flag('instead'),
  action: row.text('action'),
})

const trees = new WeakMap<CatalogueRule, readonly TreeNode[] | null>()

/** What a rule does; undefined when its tree cannot be read. Most rules are never asked for, so it is read only then. */
export const ruleActions = (rule: CatalogueRule): readonly TreeNode[] | undefined => {
  const known = trees.get(rule)
  const actions = known === undefined ? treeOf(rule.action) : known
  trees.set(rule, actions)
  return actions ?? undefined
}

const treeOf = (text: string): readonly TreeNode[] | null => {
  try {
    return readTree(text)
  } catch (error) {
    if (error instanceof TreeError) return null
    throw error
  }
}

const ATTACHED = new Set(['trigger', 'check', 'default', 'generated', 'index', 'policy', 'statistics', 'partition'])

const attachedOf = (row: Row): AttachedCode => {
  const kind = row.text('kind')
  if (!ATTACHED.has(kind)) throw new CatalogueError(`attached: unknown kind \`${kind}\``)
  return {
    kind: kind as AttachedCode['kind'],
    name: row.text('name'),
    events: row.number('events'),
    calls: row.numbers('calls'),
    types: row.numbers('types'),
    relations: row.numbers('relations'),
  }
}

const eventTriggerOf = (row: Row): CatalogueEventTrigger => ({
  function: row.number('function'),
  tags: row.optionalTexts('tags'),
})

/** `pg_constraint.confdeltype`: c cascades; n and d write null or the default. */
const ACTIONS: Readonly<Record<string, readonly [onDelete: ForeignKeyAction, onUpdate: ForeignKeyAction]>> = {
  c: ['delete', 'update'],
  n: ['update', 'update'],
  d: ['update', 'update'],
}

const foreignKeyOf = (row: Row): ForeignKey => ({
  child: row.number('child'),
  onDelete: ACTIONS[row.text('onDelete')]?.[0] ?? 'none',
  onUpdate: ACTIONS[row.text('onUpdate')]?.[1] ?? 'none',
})

const operatorOf = (row: Row): CatalogueOperator => ({
  oid: row.number('oid'),
  schema: row.text('schema'),
  name: row.text('name'),
  function: row.number('function'),
  support: row.numbers('support'),
})

const castOf = (row: Row): CatalogueCast => ({
  function: row.number('function'),
  target: row.text('target'),
  implicit: row.flag('implicit'),
})

const domainOf = (row: Row): CatalogueDomain => ({
  schema: row.text('schema'),
  name: row.text('name'),
  calls: row.numbers('calls'),
})

const grouped = <T>(items: readonly T[], keyOf: (item: T) => number): Map<number, T[]> => {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return groups
}

const groupedRows = <T>(rows: readonly Row[], key: string, read: (row: Row) => T): Map<number, T[]> =>
  new Map([...grouped(rows, (row) => row.number(key))].map(([group, members]) => [group, members.map(read)]))

const byName = (items: readonly { readonly oid: number; readonly name: string }[]): Map<string, number[]> => {
  const names = new Map<string, number[]>()
  for (const { oid, name } of items) names.set(name, [...(names.get(name) ?? []), oid])
  return names
}

const rowsOf = (answers: CatalogueAnswers, query: CatalogueQuery): readonly Row[] => {
  const rows: unknown = parsed(answers[query], query)
  if (!Array.isArray(rows)) throw new CatalogueError(`${query}: expected a list`)
  return rows.map((row: unknown) => {
    if (typeof row !== 'object' || row === null) throw new CatalogueError(`${query}: expected an object in the list`)
    return new Row(row, query)
  })
}

const parsed = (text: string, query: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    throw new CatalogueError(`${query}: expected JSON`)
  }
}

/** One row of an answer, whose fields are checked as they are taken. */
class Row {
  private readonly fields: ReadonlyMap<string, unknown>
  private readonly query: string

  constructor(fields: object, query: string) {
    this.fields = new Map(Object.entries(fields))
    this.query = query
  }

  number(field: string): number {
    const value = this.fields.get(field)
    return typeof value === 'number' ? value : this.fail(field, 'a number')
  }

  text(field: string): string {
    const value = this.fields.get(field)
    return typeof value === 'string' ? value : this.fail(field, 'text')
  }

  flag(field: string): boolean {
    const value = this.fields.get(field)
    return typeof value === 'boolean' ? value : this.fail(field, 'a boolean')
  }

  /** False where it is missing as well. */
  isTrue(field: string): boolean {
    return this.fields.get(field) === true
  }

  optionalNumber(field: string): number | undefined {
    return (this.fields.get(field) ?? null) === null ? undefined : this.number(field)
  }

  optionalText(field: string): string | undefined {
    return (this.fields.get(field) ?? null) === null ? undefined : this.text(field)
  }

  numbers(field: string): readonly number[] {
    const value = this.fields.get(field) ?? []
    const isNumbers = Array.isArray(value) && value.every((item) => typeof item === 'number')
    return isNumbers ? value : this.fail(field, 'a list of numbers')
  }

  optionalTexts(field: string): readonly string[] | undefined {
    const value = this.fields.get(field) ?? undefined
    const isTexts = value === undefined || (Array.isArray(value) && value.every((item) => typeof item === 'string'))
    return isTexts ? value : this.fail(field, 'a list of texts')
  }

  private fail(field: string, expected: string): never {
    throw new CatalogueError(`${this.query}: \`${field}\` is not ${expected}`)
  }
}
