import type { Catalogue } from './catalogue.ts'
import { TEMPORARY } from './session-names.ts'

/*
 * Temporary tables of a client's session, which no other connection sees. For an analysis a side connection makes tables
 * of its own like them, in a transaction that it rolls back: no rows, no keys, no code.
 */

/** `[name, type as it is written, the server's number of it, its modifier]` */
export type TemporaryColumn = readonly [name: string, typeName: string, type: number, modifier: number]

export interface TemporaryTable {
  readonly name: string
  readonly columns: readonly TemporaryColumn[]
}

/** One row of two texts for each relation or type: the name, and `other`, or the columns of a table as JSON. */
export const temporaryQuery = `
  SELECT c.relname, CASE WHEN c.relkind = 'r' AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity
                          AND NOT bool_or(t.typnamespace = c.relnamespace)
                         THEN coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
                                a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid::pg_catalog.int8,
                                a.atttypmod) ORDER BY a.attnum) FILTER (WHERE a.attnum > 0)::pg_catalog.text, '[]')
                         ELSE 'other' END
    FROM pg_catalog.pg_class c
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   WHERE c.relnamespace = pg_catalog.pg_my_temp_schema() AND c.relkind <> 'i'
   GROUP BY c.oid, c.relname, c.relkind, c.relhastriggers, c.relhasrules, c.relrowsecurity, c.relnamespace
   UNION ALL
  SELECT t.typname, 'other'
    FROM pg_catalog.pg_type t
   WHERE t.typnamespace = pg_catalog.pg_my_temp_schema() AND t.typrelid = 0
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_type e WHERE e.oid = t.typelem AND e.typrelid <> 0)`

/** Makes a table like this one, with the search path of its session. */
export const createTemporary = ({ name, columns }: TemporaryTable): string =>
  `CREATE TEMPORARY TABLE ${TEMPORARY}.${quoted(name)} (${columns
    .map(([column, type]) => `${quoted(column)} ${type}`)
    .join(', ')})`

/** One row with the server's number of the table that was made. */
export const temporaryNumber = ({ name }: TemporaryTable): string =>
  `SELECT '${TEMPORARY}.${quoted(name).replaceAll("'", "''")}'::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8`

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** The catalogue with these tables in it, under the numbers that they had where the statement was analysed. */
export const withTemporary = (
  catalogue: Catalogue,
  tables: readonly (TemporaryTable & { readonly oid: number })[],
): Catalogue => ({
  ...catalogue,
  relations: new Map([...catalogue.relations, ...tables.map(({ oid, name }) => [oid, relationOf(oid, name)] as const)]),
  columns: new Map([...catalogue.columns, ...tables.map((table) => [table.oid, columnsOf(table)] as const)]),
})

const relationOf = (oid: number, name: string) => ({
  oid,
  schema: TEMPORARY,
  name,
  kind: 'r',
  rowEstimate: undefined,
  rowSecurity: false,
  hasChildren: false,
  indexOf: undefined,
  livesIn: undefined,
  comment: undefined,
})

const columnsOf = ({ oid, columns }: TemporaryTable & { readonly oid: number }) =>
  columns.map(([name, typeName, type, modifier], index) => ({
    relation: oid,
    number: index + 1,
    name,
    type,
    modifier,
    typeName,
    generated: false,
    comment: undefined,
  }))
