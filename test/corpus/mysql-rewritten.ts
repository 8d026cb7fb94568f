import type { Connection } from 'mysql2/promise'
import { rowsOf } from './mysql-shop.ts'

/*
 * What the server makes of a query: `EXPLAIN EXTENDED` and the note that it leaves, with views unfolded and each name
 * written out. Aliases of tables stand in the place of their names, so they are looked up in the same text.
 */

/** `schema.table.column` of each column of a table of these schemas that the server's text names. */
export const columnsOfServer = async (
  connection: Connection,
  sql: string,
  schemas: readonly string[],
): Promise<readonly string[]> => {
  await rowsOf(connection, `EXPLAIN EXTENDED ${sql}`)
  const notes = await rowsOf(connection, 'SHOW WARNINGS')
  const text = notes.filter(([, code]) => Number(code) === 1003).map(([, , message]) => String(message)).join('\n')
  const aliases = aliasesIn(text, schemas)
  const found = [...text.matchAll(/`((?:[^`]|``)*)`\.`((?:[^`]|``)*)`\.`((?:[^`]|``)*)`/g)]
  const columns = found.flatMap(([, schema = '', table = '', column = '']) => {
    if (!schemas.includes(schema)) return []
    return (aliases.get(`${schema}.${table}`) ?? [table]).map((name) => `${schema}.${name}.${column}`)
  })
  return [...new Set(columns)].sort()
}

/** `` `shop`.`orders` `o` ``; one alias may stand for several tables, in different queries. */
const aliasesIn = (text: string, schemas: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const aliases = new Map<string, string[]>()
  for (const [, schema = '', table = '', alias = ''] of text.matchAll(/`([^`]+)`\.`([^`]+)` `([^`]+)`/g)) {
    if (!schemas.includes(schema)) continue
    const key = `${schema}.${alias}`
    aliases.set(key, [...(aliases.get(key) ?? []), table])
  }
  return aliases
}
