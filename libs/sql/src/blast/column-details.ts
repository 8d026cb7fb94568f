import type { Name } from '../action.ts'
import { Fields } from './fields.ts'
import type { AlterAct, Calls } from './reach.ts'

/** What ALTER TABLE's work depends on, beyond the table itself. */
export interface Details {
  readonly columns: ReadonlyMap<number, readonly DetailColumn[]>
  readonly types: ReadonlyMap<string, DetailType>
  /** Pairs of types of which one is taken for the other as it is: `25>1043`. */
  readonly coercible: ReadonlySet<string>
  /** Functions and operators of which some version is volatile. */
  readonly volatile: ReadonlySet<string>
}

export interface DetailColumn {
  readonly name: string
  readonly number: number
  readonly type: DetailType
  /** As `format_type` says them: of `numeric(10,2)` 10 and 2. */
  readonly modifiers: readonly number[]
  /** A domain's own, of which a column of it is made. */
  readonly notNull: boolean
  /** A valid check says that it is not NULL. */
  readonly proven: boolean
  readonly generated: 'stored' | 'virtual' | undefined
}

export interface DetailType {
  readonly oid: number
  /** Of a domain, what it is made of in the end. */
  readonly base: number
  /** A domain with checks or NOT NULL. */
  readonly constrained: boolean
}

export const NO_DETAILS: Details = { columns: new Map(), types: new Map(), coercible: new Set(), volatile: new Set() }

/** What a domain is made of in the end, and whether one on the way there has something to say about values. */
const domainOf = (type: string) => `
  LATERAL (WITH RECURSIVE down (oid, base, constrained) AS (
      SELECT t.oid, t.typbasetype, t.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
        FROM pg_catalog.pg_type t WHERE t.oid = ${type}
      UNION ALL
      SELECT t.oid, t.typbasetype, t.typnotnull OR EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid)
        FROM down d JOIN pg_catalog.pg_type t ON t.oid = d.base WHERE d.base <> 0)
    SELECT (SELECT oid FROM down WHERE base = 0) AS base,
           (SELECT pg_catalog.bool_or(constrained AND base <> 0) FROM down) AS constrained) domain`

/** Of these relations. */
export const DETAIL_COLUMNS = `
  SELECT a.attrelid::int8 AS relation, a.attname AS name, a.attnum AS number, a.atttypid::int8 AS type,
         domain.base::int8 AS base, domain.constrained AS constrained,
         pg_catalog.format_type(a.atttypid, a.atttypmod) AS written,
         a.attnotnull AS "notNull", a.attgenerated::text AS generated,
         EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.convalidated
                    AND pg_catalog.pg_get_constraintdef(k.oid) = pg_catalog.format('CHECK ((%I IS NOT NULL))', a.attname))
           AS proven
    FROM pg_catalog.pg_attribute a, ${domainOf('a.atttypid')}
   WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
   ORDER BY a.attrelid, a.attnum`

/** Of these texts, by the client's search path: no operator is looked up by that. */
export const TYPE_NUMBERS = `
  SELECT named.text, pg_catalog.to_regtype(named.text)::pg_catalog.oid::pg_catalog.int8 AS type
    FROM pg_catalog.unnest($1::pg_catalog.text[]) named (text)`

/** Of these texts and their numbers. */
export const DETAIL_TYPES = `
  SELECT named.text, named.oid::int8 AS type, domain.base::int8 AS base, domain.constrained AS constrained
    FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::oid[])) named (text, oid), ${domainOf('named.oid')}
   WHERE domain.base IS NOT NULL`

export const DETAIL_COERCIONS = `
  SELECT c.castsource::int8 AS source, c.casttarget::int8 AS target FROM pg_catalog.pg_cast c WHERE c.castmethod = 'b'`

/** Of these names, whichever schema they are in: in doubt too many. */
export const DETAIL_VOLATILE = `
  SELECT DISTINCT p.proname AS name FROM pg_catalog.pg_proc p
   WHERE p.proname = ANY ($1::text[]) AND p.provolatile = 'v'
  UNION
  SELECT o.oprname FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
   WHERE o.oprname = ANY ($2::text[]) AND p.provolatile = 'v'`

type Rows = readonly Readonly<Record<string, unknown>>[]

export const readDetails = (columns: Rows, types: Rows, coercions: Rows, volatile: Rows): Details => {
  const found = new Map<number, DetailColumn[]>()
  for (const row of columns) {
    const fields = new Fields(row)
    const relation = fields.number('relation')
    found.set(relation, [...(found.get(relation) ?? []), columnOf(fields)])
  }
  return {
    columns: found,
    types: new Map(types.map((row) => [new Fields(row).text('text'), typeOf(new Fields(row))])),
    coercible: new Set(
      coercions.map((row) => `${new Fields(row).number('source')}>${new Fields(row).number('target')}`),
    ),
    volatile: new Set(volatile.map((row) => new Fields(row).text('name'))),
  }
}

const GENERATED: Readonly<Record<string, DetailColumn['generated']>> = { s: 'stored', v: 'virtual' }

const columnOf = (fields: Fields): DetailColumn => ({
  name: fields.text('name'),
  number: fields.number('number'),
  type: typeOf(fields),
  modifiers: modifiersOf(fields.text('written')),
  notNull: fields.flag('notNull'),
  proven: fields.flag('proven'),
  generated: GENERATED[fields.text('generated')],
})

const typeOf = (fields: Fields): DetailType => ({
  oid: fields.number('type'),
  base: fields.number('base'),
  constrained: fields.flag('constrained'),
})

/** Of the server's own way to write a type: `timestamp(3) without time zone`. */
const modifiersOf = (written: string): readonly number[] => {
  const listed = /\((-?\d+(?:,-?\d+)*)\)/.exec(written)?.[1]
  return listed === undefined ? [] : listed.split(',').map(Number)
}

/** Names to be asked about. */
export const callsIn = (acts: readonly AlterAct[]): { functions: readonly string[]; operators: readonly string[] } => {
  const calls = acts.flatMap(({ parts }) => parts.flatMap(({ calls: own }) => (own ? [own] : [])))
  const names = (pick: (each: Calls) => readonly Name[]) => calls.flatMap(pick).map(({ name }) => name)
  return { functions: names(({ functions }) => functions), operators: names(({ operators }) => operators) }
}

export const typesIn = (acts: readonly AlterAct[]): readonly string[] =>
  acts.flatMap(({ parts }) => parts.flatMap(({ type }) => (type ? [type.text] : [])))
