import type { Connection } from 'mysql2/promise'
import { rowsOf } from './mysql-shop.ts'

/*
 * What the server makes of a query: `EXPLAIN EXTENDED` and the note that it leaves, with views unfolded and each name
 * written out. Aliases of tables stand in the place of their names, so they are looked up in the same text.
 */

/**
 * `schema.table.column` of each column of a table that the server's text names; undefined when it has done away with
 * all of them, or does not explain the statement. The first schema is the default one.
 */
export const columnsOfServer = async (
  connection: Connection,
  sql: string,
  schemas: readonly string[],
): Promise<readonly string[] | undefined> => {
  await rowsOf(connection, `EXPLAIN EXTENDED ${sql}`)
  const notes = await rowsOf(connection, 'SHOW WARNINGS')
  const text = notes.filter(([, code]) => Number(code) === 1003).map(([, , message]) => String(message)).join('\n')
  const tables = tablesIn(text, schemas)
  const chains = [...text.matchAll(/`[^`]+`(?:\.`[^`]+`)+/g)].map(([chain]) => namesIn(chain))
  const columns = chains.flatMap((names) => columnOf(names, tables, schemas))
  return columns.length > 0 ? [...new Set(columns)].sort() : undefined
}

const namesIn = (chain: string): readonly string[] => chain.slice(1, -1).split('`.`')

/** `` `shop`.`orders` `o` `` and `` `shop`.`orders` ``: one alias may stand for several tables, in different queries. */
const tablesIn = (text: string, schemas: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const tables = new Map<string, string[]>()
  for (const [, schema = '', table = '', alias = table] of text.matchAll(/(?<![`.])`([^`]+)`\.`([^`]+)`(?!\.)(?: `([^`]+)`)?/g)) {
    if (schemas.includes(schema)) tables.set(alias, [...(tables.get(alias) ?? []), `${schema}.${table}`])
  }
  return tables
}

/** With its schema or, of the default one, without. */
const columnOf = (
  names: readonly string[],
  tables: ReadonlyMap<string, readonly string[]>,
  schemas: readonly string[],
): readonly string[] => {
  const [column = '', table = '', schema] = names.toReversed()
  if (schema === undefined && schemas.includes(table)) return []
  return (tables.get(table) ?? []).map((name) => `${name}.${column}`)
}
