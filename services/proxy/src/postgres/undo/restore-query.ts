import { nameOf, rowsIn, type Image, type RelationImage } from './image.ts'
import { literal, quoted } from './quoted.ts'

/*
 * One statement, so it stands or falls as a whole and foreign keys are checked at its end. Of each relation: what the
 * transaction has changed is changed back, what it has deleted is inserted, what it has added is deleted; but only
 * versions of rows that are still its own (xmin). It gives one row when that was all there is to do and every row is what
 * it was, bit by bit; otherwise none, and the node rolls it back.
 */
export const restoreQuery = (image: Image): string => {
  const { relations, transaction } = image
  const parts = relations.flatMap((relation, index) => partsOf(relation, index, transaction))
  const conditions = relations.flatMap((relation, index) => conditionsOf(relation, index))
  return `WITH ${parts.join(',\n')}\nSELECT ${rowsIn(image)}::pg_catalog.int8 AS undone WHERE ${conditions.join('\n  AND ')}`
}

const ROW = '"countersign row"'
const EQUAL = 'OPERATOR(pg_catalog.=)'
const SAME = 'OPERATOR(pg_catalog.*=)'

const partsOf = ({ schema, name, columns, key, rows }: RelationImage, index: number, transaction: string): string[] => {
  const table = `${quoted(schema)}.${quoted(name)}`
  const matches = (left: string, right: string) =>
    key.map((column) => `${left}.${quoted(column.name)} ${column.equals} ${right}.${quoted(column.name)}`).join(' AND ')
  const own = (alias: string) => `${alias}.xmin ${EQUAL} ${literal(transaction)}::pg_catalog.xid`
  const written = columns.filter(({ generated }) => !generated).map((column) => quoted(column.name))
  const set = columns.filter(({ generated, always }) => !generated && !always).map((column) => quoted(column.name))
  const assigned = set.map((column) => `${column} = b.${column}`).join(', ')
  const texts = rows.map(literal).join(', ')
  return [
    `b${index} AS MATERIALIZED (SELECT (s.r).*, s.r AS ${ROW} FROM (SELECT l::${table} AS r` +
      ` FROM pg_catalog.unnest(ARRAY[${texts}]::pg_catalog.text[]) AS u (l) OFFSET 0) AS s)`,
    set.length === 0
      ? `u${index} AS (SELECT true AS same WHERE false)`
      : `u${index} AS (UPDATE ONLY ${table} AS "countersign now" SET ${assigned} FROM b${index} AS b` +
        ` WHERE ${matches('"countersign now"', 'b')} AND ${own('"countersign now"')}` +
        ` RETURNING "countersign now" ${SAME} b.${ROW} AS same)`,
    `i${index} AS (INSERT INTO ${table} AS "countersign now" (${written.join(', ')}) OVERRIDING SYSTEM VALUE` +
      ` SELECT ${written.map((column) => `b.${column}`).join(', ')} FROM b${index} AS b` +
      ` WHERE NOT EXISTS (SELECT FROM ONLY ${table} AS x WHERE ${matches('x', 'b')})` +
      ` RETURNING "countersign now" AS ${ROW}, "countersign now".*)`,
    `d${index} AS (DELETE FROM ONLY ${table} AS x WHERE ${own('x')}` +
      ` AND NOT EXISTS (SELECT FROM b${index} AS b WHERE ${matches('x', 'b')}) RETURNING 1)`,
    `n${index} AS (SELECT 1 FROM i${index} AS i JOIN b${index} AS b ON ${matches('i', 'b')} WHERE i.${ROW} ${SAME} b.${ROW})`,
  ]
}

const conditionsOf = ({ rows, left }: RelationImage, index: number): string[] => {
  const count = (part: string, where = '') => `(SELECT pg_catalog.count(*) FROM ${part}${index}${where})`
  const plus = 'OPERATOR(pg_catalog.+)'
  return [
    `${count('u', ' WHERE same')} ${plus} ${count('n')} ${EQUAL} ${rows.length}`,
    `${count('u')} ${plus} ${count('d')} ${EQUAL} ${left}`,
  ]
}

/** What it will do, by relation, as rows of statements that policy knows. */
export const changesOf = ({ relations }: Image) =>
  relations.map((relation) => ({
    schema: relation.schema,
    name: relation.name,
    relation: nameOf(relation),
    columns: relation.columns.map((column) => column.name),
    written: relation.rows.length,
    deleted: relation.added,
  }))
