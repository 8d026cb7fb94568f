import { createHash } from 'node:crypto'
import { CatalogueError } from '@countersign/sql'

/** What the server's own tables say of its schemas. Whoever judges fetches them, with `catalogueQueries`. */
export interface MysqlCatalogue {
  /** Another one when any of the answers is. */
  readonly version: string
  /** `lower_case_table_names` is not 0: names of tables and schemas are the same whatever their case. */
  readonly folded: boolean
  readonly relations: ReadonlyMap<string, CatalogueRelation>
  /** By their names in lower case, of every schema. */
  readonly routines: ReadonlyMap<string, readonly CatalogueRoutine[]>
}

export interface CatalogueRelation {
  readonly number: number
  readonly schema: string
  readonly name: string
  readonly kind: 'table' | 'view'
  readonly system: boolean
  readonly columns: readonly CatalogueColumn[]
  /** Columns of each unique key, whole, in lower case. */
  readonly keys: readonly (readonly string[])[]
  readonly rowEstimate?: number
  /** Of a view: undefined when the role that asked may not see it. */
  readonly definition?: string
  /** Its rows lie on another server. */
  readonly remote: boolean
  readonly triggers: readonly Trigger[]
  readonly children: readonly ForeignKey[]
}

export interface CatalogueColumn {
  readonly name: string
  readonly number: number
  readonly type: string
  readonly invisible: boolean
}

export interface CatalogueRoutine {
  readonly schema: string
  readonly name: string
  readonly kind: 'function' | 'procedure'
  readonly definition?: string
}

export interface Trigger {
  readonly event: 'insert' | 'update' | 'delete'
  readonly body: string
}

/** Rows of `child` that go or change with a row of this relation. */
export interface ForeignKey {
  readonly child: string
  readonly columns: readonly string[]
  readonly onUpdate: string
  readonly onDelete: string
}

/** Each answers with rows of text, number or NULL, in the order of its columns. */
export const catalogueQueriesOfMysql = {
  server: 'SELECT @@lower_case_table_names, @@version',
  tables:
    'SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, TABLE_ROWS, ENGINE FROM information_schema.TABLES ORDER BY 1, 2',
  columns:
    'SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, DATA_TYPE, EXTRA FROM information_schema.COLUMNS ORDER BY 1, 2, 4',
  keys:
    'SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART FROM information_schema.STATISTICS ' +
    'WHERE NON_UNIQUE = 0 ORDER BY 1, 2, 3, SEQ_IN_INDEX',
  views: 'SELECT TABLE_SCHEMA, TABLE_NAME, VIEW_DEFINITION FROM information_schema.VIEWS ORDER BY 1, 2',
  routines:
    'SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, ROUTINE_DEFINITION FROM information_schema.ROUTINES ORDER BY 1, 2, 3',
  triggers:
    'SELECT EVENT_OBJECT_SCHEMA, EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_STATEMENT FROM information_schema.TRIGGERS ORDER BY 1, 2, 3',
  foreignKeys:
    'SELECT k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.TABLE_SCHEMA, k.TABLE_NAME, k.REFERENCED_COLUMN_NAME, ' +
    'r.UPDATE_RULE, r.DELETE_RULE FROM information_schema.KEY_COLUMN_USAGE k ' +
    'JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA ' +
    'AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME ' +
    'WHERE k.REFERENCED_TABLE_NAME IS NOT NULL ORDER BY 1, 2, 3, 4',
} as const

export type MysqlCatalogueAnswers = Readonly<
  Record<keyof typeof catalogueQueriesOfMysql, readonly (readonly unknown[])[]>
>

const SYSTEM = new Set(['information_schema', 'mysql', 'performance_schema', 'sys'])
export const isSystemSchema = (schema: string): boolean => SYSTEM.has(schema.toLowerCase())

const REMOTE = new Set(['federated', 'connect', 'spider', 's3'])

export const readMysqlCatalogue = (answers: MysqlCatalogueAnswers): MysqlCatalogue => {
  const [server] = answers.server
  if (!server) throw new CatalogueError('the server does not say how it reads names')
  const folded = Number(server[0]) !== 0
  const key = (schema: unknown, name: unknown) => keyOf(text(schema), text(name), folded)
  const columns = grouped(answers.columns, ([schema, table]) => key(schema, table))
  const keys = grouped(answers.keys, ([schema, table]) => key(schema, table))
  const views = new Map(
    answers.views.map(([schema, table, definition]) => [key(schema, table), optionalText(definition)]),
  )
  const triggers = grouped(answers.triggers, ([schema, table]) => key(schema, table))
  const children = grouped(answers.foreignKeys, ([schema, table]) => key(schema, table))
  const relations = answers.tables.map(([schema, name, type, rows, engine], index) => {
    const id = key(schema, name)
    const definition = views.get(id)
    const relation: CatalogueRelation = {
      number: index + 1,
      schema: text(schema),
      name: text(name),
      kind: text(type).endsWith('VIEW') && text(type) !== 'SYSTEM VIEW' ? 'view' : 'table',
      system: isSystemSchema(text(schema)),
      columns: (columns.get(id) ?? []).map(columnOf),
      keys: keysOf(keys.get(id) ?? []),
      ...(rows === null || rows === undefined ? {} : { rowEstimate: Number(rows) }),
      ...(definition === undefined ? {} : { definition }),
      remote: REMOTE.has(String(engine).toLowerCase()),
      triggers: (triggers.get(id) ?? []).map(triggerOf),
      children: (children.get(id) ?? []).map((row) => foreignKeyOf(row, folded)),
    }
    return [id, relation] as const
  })
  const routines = grouped(answers.routines, ([, name]) => text(name).toLowerCase())
  return {
    version: createHash('sha256')
      .update(JSON.stringify({ ...answers, tables: answers.tables.map((row) => [...row.slice(0, 3), row[4]]) }))
      .digest('hex'),
    folded,
    relations: new Map(relations),
    routines: new Map([...routines].map(([name, rows]) => [name, rows.map(routineOf)])),
  }
}

export const keyOf = (schema: string, name: string, folded: boolean): string => {
  // The server's own schemas are named in any case.
  const isFolded = folded || schema.toLowerCase() === 'information_schema'
  return JSON.stringify(isFolded ? [schema.toLowerCase(), name.toLowerCase()] : [schema, name])
}

const text = (value: unknown): string => {
  if (typeof value !== 'string') throw new CatalogueError('a name in the catalogue is not text')
  return value
}

const optionalText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

const grouped = <Row>(rows: readonly Row[], keyOfRow: (row: Row) => string): ReadonlyMap<string, readonly Row[]> => {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const id = keyOfRow(row)
    const group = groups.get(id)
    if (group) group.push(row)
    else groups.set(id, [row])
  }
  return groups
}

const columnOf = ([, , name, number, type, extra]: readonly unknown[]): CatalogueColumn => ({
  name: text(name),
  number: Number(number),
  type: text(type).toLowerCase(),
  invisible: String(extra).toUpperCase().includes('INVISIBLE'),
})

/** A key over the beginning of a column, or over an expression, is the key of nothing that is written. */
const keysOf = (rows: readonly (readonly unknown[])[]): readonly (readonly string[])[] =>
  [...grouped(rows, ([, , index]) => text(index)).values()]
    .filter((parts) => parts.every(([, , , column, length]) => typeof column === 'string' && length === null))
    .map((parts) => parts.map(([, , , column]) => text(column).toLowerCase()))

const EVENTS = { INSERT: 'insert', UPDATE: 'update', DELETE: 'delete' } as const

const triggerOf = ([, , event, body]: readonly unknown[]): Trigger => {
  const found = Object.entries(EVENTS).find(([name]) => name === event)
  if (!found) throw new CatalogueError('a trigger fires at what is not known')
  return { event: found[1], body: text(body) }
}

const foreignKeyOf = (
  [, , schema, table, column, onUpdate, onDelete]: readonly unknown[],
  folded: boolean,
): ForeignKey => ({
  child: keyOf(text(schema), text(table), folded),
  columns: [text(column).toLowerCase()],
  onUpdate: text(onUpdate),
  onDelete: text(onDelete),
})

const routineOf = ([schema, name, kind, definition]: readonly unknown[]): CatalogueRoutine => {
  const code = optionalText(definition)
  return {
    schema: text(schema),
    name: text(name),
    kind: kind === 'FUNCTION' ? 'function' : 'procedure',
    ...(code === undefined ? {} : { definition: code }),
  }
}
