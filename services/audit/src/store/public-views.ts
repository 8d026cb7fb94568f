import { closing, openClickhouse, quoted } from '@countersign/clickhouse'
import type { AuditDatabase } from './generations.ts'

/**
 * Makes the views that people read show one generation's data: each table under its own name, without what is ours
 * (names that begin with `_`), and FINAL, so that a row that was written twice or in two versions is one row.
 *
 * Each view is replaced at once. It reads with the rights of the service, so that a reader needs none on the data.
 */
export const publishViews = async (server: AuditDatabase, data: string): Promise<void> => {
  await using outside = closing(openClickhouse(server))
  const columns = await outside.client.query({ query: COLUMNS, query_params: { data }, format: 'JSONEachRow' })
  for (const [table, ofTable] of byTable(await columns.json<Column>())) {
    await outside.client.command({ query: viewOf(server.database, data, table, ofTable) })
  }
}

interface Column {
  readonly table: string
  readonly purpose: string
  readonly name: string
  readonly type: string
  readonly comment: string
}

const COLUMNS = `
  SELECT c.table AS table, t.comment AS purpose, c.name AS name, c.type AS type, c.comment AS comment
  FROM system.columns AS c
  INNER JOIN system.tables AS t ON t.database = c.database AND t.name = c.table
  WHERE c.database = {data:String} AND c.table != 'schema_migrations'
    AND NOT startsWith(c.table, '_') AND NOT startsWith(c.name, '_')
  ORDER BY c.table, c.position`

const byTable = (columns: readonly Column[]) => Map.groupBy(columns, ({ table }) => table)

const viewOf = (database: string, data: string, table: string, columns: readonly Column[]): string => {
  const declared = columns.map(({ name, type, comment }) => `${quoted(name)} ${type} COMMENT ${text(comment)}`)
  const selected = columns.map(({ name }) => quoted(name))
  return `
    CREATE OR REPLACE VIEW ${quoted(database)}.${quoted(table)}
    (${declared.join(', ')})
    DEFINER = CURRENT_USER SQL SECURITY DEFINER
    AS SELECT ${selected.join(', ')} FROM ${quoted(data)}.${quoted(table)} FINAL
    COMMENT ${text(columns[0]?.purpose ?? '')}`
}

const text = (value: string): string => `'${value.replace(/[\\']/g, '\\$&')}'`
