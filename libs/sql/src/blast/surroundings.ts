import type { Name } from '../action.ts'
import { Fields } from './fields.ts'

/*
 * What lies around the relations that a statement names, as the catalogue says it at that moment. Asked only for
 * statements that are held. Each query answers with rows of which `Fields` takes the values out, checked.
 */

export interface Surroundings {
  readonly relations: ReadonlyMap<number, NearRelation>
  /** Partitions, and tables that inherit. */
  readonly children: ReadonlyMap<number, readonly number[]>
  readonly parents: ReadonlyMap<number, readonly number[]>
  readonly foreignKeys: readonly NearForeignKey[]
}

export interface NearRelation extends Name {
  readonly oid: number
  readonly schema: string
  /** `pg_class.relkind` */
  readonly kind: string
  readonly unlogged: boolean
  /** By the planner's statistics. */
  readonly rows: number | undefined
  readonly pages: number
  readonly isPartition: boolean
  readonly isDefault: boolean
  readonly tablespace: string
  readonly accessMethod: string
  readonly indexOf: number | undefined
  /** Its row security hides rows from the one who asks this. */
  readonly hidesRows: boolean
}

export interface NearForeignKey {
  readonly oid: number
  readonly name: string
  readonly child: number
  readonly parent: number
  readonly childColumns: readonly string[]
  readonly parentColumns: readonly string[]
  /** That say that the two are equal: the parent's value to the left. */
  readonly operators: readonly string[]
  /** `pg_constraint.confdeltype`: a no action, r restrict, c cascade, n set null, d set default. */
  readonly onDelete: string
  readonly onUpdate: string
  /** Those that SET NULL and SET DEFAULT write on delete. */
  readonly setColumns: readonly string[]
  /** Of a key with PERIOD, whose rows equality does not find. */
  readonly temporal: boolean
}

const OWN = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)' AND c.relpersistence <> 't'`

export const NEAR_RELATIONS = `
  SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
         c.relpersistence = 'u' AS unlogged, c.reltuples::float8 AS rows, c.relpages AS pages,
         c.relispartition AS "isPartition",
         coalesce(c.relispartition AND pg_catalog.pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT', false) AS "isDefault",
         coalesce(t.spcname, (SELECT s.spcname FROM pg_catalog.pg_database d
           JOIN pg_catalog.pg_tablespace s ON s.oid = d.dattablespace
          WHERE d.datname = pg_catalog.current_database())) AS tablespace,
         coalesce(a.amname, '') AS "accessMethod", i.indrelid::int8 AS "indexOf",
         c.relrowsecurity AND pg_catalog.row_security_active(c.oid) AS "hidesRows"
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
    LEFT JOIN pg_catalog.pg_am a ON a.oid = c.relam
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
   WHERE ${OWN} AND c.relkind <> 't'`

export const NEAR_CHILDREN = `
  SELECT i.inhparent::int8 AS parent, i.inhrelid::int8 AS child
    FROM pg_catalog.pg_inherits i ORDER BY i.inhrelid`

const columnsOf = (relation: string, numbers: string) => `
  (SELECT pg_catalog.array_agg(a.attname::text ORDER BY u.place)
     FROM pg_catalog.unnest(${numbers}) WITH ORDINALITY u (number, place)
     JOIN pg_catalog.pg_attribute a ON a.attrelid = ${relation} AND a.attnum = u.number)`

/** Those of partitions follow from the one that they were made from. Which columns ON DELETE sets is known since 15. */
export const nearForeignKeys = (serverVersion: number): string => `
  SELECT k.oid::int8 AS oid, k.conname AS name, k.conrelid::int8 AS child, k.confrelid::int8 AS parent,
         ${columnsOf('k.conrelid', 'k.conkey')} AS "childColumns",
         ${columnsOf('k.confrelid', 'k.confkey')} AS "parentColumns",
         (SELECT pg_catalog.array_agg(pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) ORDER BY p.place)
            FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY p (operator, place)
            JOIN pg_catalog.pg_operator o ON o.oid = p.operator
            JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace) AS operators,
         k.confdeltype::text AS "onDelete", k.confupdtype::text AS "onUpdate",
         ${serverVersion >= 150_000 ? columnsOf('k.conrelid', 'k.confdelsetcols') : 'NULL::text[]'} AS "setColumns",
         ${serverVersion >= 180_000 ? 'k.conperiod' : 'false'} AS temporal
    FROM pg_catalog.pg_constraint k
   WHERE k.contype = 'f' AND k.conparentid = 0
   ORDER BY k.oid`

type Rows = readonly Readonly<Record<string, unknown>>[]

export const readSurroundings = (relations: Rows, children: Rows, foreignKeys: Rows): Surroundings => {
  const links = children.map((row) => new Fields(row)).map((f) => [f.number('parent'), f.number('child')] as const)
  return {
    relations: new Map(relations.map(relationOf).map((each) => [each.oid, each])),
    children: grouped(links),
    parents: grouped(links.map(([parent, child]) => [child, parent] as const)),
    foreignKeys: foreignKeys.map(foreignKeyOf),
  }
}

const relationOf = (row: Rows[number]): NearRelation => {
  const fields = new Fields(row)
  const rows = fields.number('rows')
  return {
    oid: fields.number('oid'),
    schema: fields.text('schema'),
    name: fields.text('name'),
    kind: fields.text('kind'),
    unlogged: fields.flag('unlogged'),
    rows: rows < 0 ? undefined : Math.round(rows),
    pages: fields.number('pages'),
    isPartition: fields.flag('isPartition'),
    isDefault: fields.flag('isDefault'),
    tablespace: fields.text('tablespace'),
    accessMethod: fields.text('accessMethod'),
    indexOf: fields.optionalNumber('indexOf'),
    hidesRows: fields.flag('hidesRows'),
  }
}

const foreignKeyOf = (row: Rows[number]): NearForeignKey => {
  const fields = new Fields(row)
  const childColumns = fields.texts('childColumns')
  const set = fields.texts('setColumns')
  return {
    oid: fields.number('oid'),
    name: fields.text('name'),
    child: fields.number('child'),
    parent: fields.number('parent'),
    childColumns,
    parentColumns: fields.texts('parentColumns'),
    operators: fields.texts('operators'),
    onDelete: fields.text('onDelete'),
    onUpdate: fields.text('onUpdate'),
    setColumns: set.length > 0 ? set : childColumns,
    temporal: fields.flag('temporal'),
  }
}

const grouped = (links: readonly (readonly [number, number])[]): Map<number, number[]> => {
  const groups = new Map<number, number[]>()
  for (const [key, value] of links) groups.set(key, [...(groups.get(key) ?? []), value])
  return groups
}

/** What is below a relation, at whatever depth. */
export const descendantsOf = ({ children }: Surroundings, oid: number): readonly number[] => walk(children, oid)

export const ancestorsOf = ({ parents }: Surroundings, oid: number): readonly number[] => walk(parents, oid)

const walk = (links: ReadonlyMap<number, readonly number[]>, from: number): readonly number[] => {
  const found = new Set<number>()
  const waiting = [...(links.get(from) ?? [])]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (found.has(next)) continue
    found.add(next)
    waiting.push(...(links.get(next) ?? []))
  }
  return [...found]
}

/** A name as the session means it: by its search path, where it names no schema. */
export const findRelation = (
  { relations }: Surroundings,
  { schema, name }: Name,
  searchPath: readonly string[],
): NearRelation | undefined => {
  const path = schema === undefined ? searchPath : [schema]
  const named = [...relations.values()].filter((relation) => relation.name === name)
  for (const each of path) {
    const found = named.find((relation) => relation.schema === each)
    if (found) return found
  }
  return undefined
}

export const fullName = ({ schema, name }: NearRelation): string => `${schema}.${name}`
