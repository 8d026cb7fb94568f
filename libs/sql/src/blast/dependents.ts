import { Fields } from './fields.ts'

/*
 * What goes with what is dropped: the server's own record of what depends on what, walked as DROP … CASCADE walks it.
 * SPEC: pg_depend; dependency.c, findDependentObjects.
 */

export interface Address {
  readonly classId: number
  readonly objectId: number
  /** A column of a relation; 0 for the whole of it. */
  readonly part: number
}

export interface Gone extends Address {
  /** As `pg_identify_object` says it. */
  readonly kind: string
  readonly identity: string
  /** It was named. */
  readonly isRoot: boolean
  /** It goes with what it belongs to, whether CASCADE is said or not. */
  readonly silent: boolean
  /** Part of something else that goes, of which nobody would speak: a table's type, a view's rule. */
  readonly internal: boolean
  /** Of a relation: `pg_class.relkind`. */
  readonly relationKind: string | undefined
  /** Relations that it stands on: of a constraint, its table and the one that it refers to. */
  readonly on: readonly number[]
}

export const GONE_MAX = 5_000

/** `$1`, `$2`, `$3`: classes, objects and parts of what is dropped. */
export const GONE_QUERY = `
  WITH RECURSIVE roots (classid, objid, objsubid) AS (
    SELECT * FROM ROWS FROM (
      pg_catalog.unnest($1::oid[]), pg_catalog.unnest($2::oid[]), pg_catalog.unnest($3::int4[])) named),
  gone (classid, objid, objsubid) AS (
    SELECT * FROM roots
    UNION
    SELECT step.* FROM gone g CROSS JOIN LATERAL (
      SELECT d.classid, d.objid, d.objsubid FROM pg_catalog.pg_depend d
       WHERE d.refclassid = g.classid AND d.refobjid = g.objid AND (g.objsubid = 0 OR d.refobjsubid = g.objsubid)
         AND d.classid <> 0
      UNION ALL
      SELECT d.refclassid, d.refobjid, d.refobjsubid FROM pg_catalog.pg_depend d
       WHERE d.classid = g.classid AND d.objid = g.objid AND d.objsubid = g.objsubid AND d.deptype = 'i') step),
  listed AS MATERIALIZED (
    SELECT g.* FROM gone g
     WHERE g.objsubid = 0 OR NOT EXISTS (
       SELECT FROM gone w WHERE w.classid = g.classid AND w.objid = g.objid AND w.objsubid = 0)
     LIMIT ${GONE_MAX})
  SELECT l.classid::int8 AS class, l.objid::int8 AS object, l.objsubid AS part,
         called.type AS kind, called.identity AS identity,
         EXISTS (SELECT FROM roots r WHERE (r.classid, r.objid, r.objsubid) = (l.classid, l.objid, l.objsubid)) AS "isRoot",
         coalesce(how.silent, false) AS silent, coalesce(how.internal, false) AS internal,
         c.relkind::text AS "relationKind",
         k.conrelid::int8 AS "constraintOn", k.confrelid::int8 AS "refersTo", t.tgrelid::int8 AS "triggerOn",
         p.polrelid::int8 AS "policyOn", a.adrelid::int8 AS "defaultOf", r.ev_class::int8 AS "ruleOn",
         i.indrelid::int8 AS "indexOn"
    FROM listed l
    CROSS JOIN LATERAL pg_catalog.pg_identify_object(l.classid, l.objid, l.objsubid) called
    LEFT JOIN LATERAL (
      SELECT pg_catalog.bool_or(d.deptype IN ('a', 'i', 'P', 'S', 'x', 'e')) AS silent,
             pg_catalog.bool_or(d.deptype = 'i') AS internal
        FROM pg_catalog.pg_depend d
        JOIN gone f ON f.classid = d.refclassid AND f.objid = d.refobjid AND (f.objsubid = 0 OR f.objsubid = d.refobjsubid)
       WHERE d.classid = l.classid AND d.objid = l.objid AND d.objsubid = l.objsubid) how ON true
    LEFT JOIN pg_catalog.pg_class c ON l.classid = 'pg_catalog.pg_class'::regclass AND c.oid = l.objid
    LEFT JOIN pg_catalog.pg_constraint k ON l.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = l.objid
    LEFT JOIN pg_catalog.pg_trigger t ON l.classid = 'pg_catalog.pg_trigger'::regclass AND t.oid = l.objid
    LEFT JOIN pg_catalog.pg_policy p ON l.classid = 'pg_catalog.pg_policy'::regclass AND p.oid = l.objid
    LEFT JOIN pg_catalog.pg_attrdef a ON l.classid = 'pg_catalog.pg_attrdef'::regclass AND a.oid = l.objid
    LEFT JOIN pg_catalog.pg_rewrite r ON l.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = l.objid
    LEFT JOIN pg_catalog.pg_index i ON l.classid = 'pg_catalog.pg_class'::regclass AND i.indexrelid = l.objid
   ORDER BY 1, 2, 3`

const ON = ['constraintOn', 'refersTo', 'triggerOn', 'policyOn', 'defaultOf', 'ruleOn', 'indexOn']

export const readGone = (rows: readonly Readonly<Record<string, unknown>>[]): readonly Gone[] =>
  rows.map((row) => {
    const fields = new Fields(row)
    return {
      classId: fields.number('class'),
      objectId: fields.number('object'),
      part: fields.number('part'),
      kind: fields.optionalText('kind') ?? 'object',
      identity: fields.optionalText('identity') ?? '',
      isRoot: fields.flag('isRoot'),
      silent: fields.flag('silent'),
      internal: fields.flag('internal'),
      relationKind: fields.optionalText('relationKind'),
      on: ON.flatMap((field) => fields.optionalNumber(field) ?? []).filter((oid) => oid > 0),
    }
  })

/** Whole relations among them. */
export const goneRelations = (gone: readonly Gone[]): ReadonlySet<number> =>
  new Set(
    gone.flatMap(({ relationKind, objectId, part }) => (relationKind !== undefined && part === 0 ? [objectId] : [])),
  )

export interface Dependent {
  readonly kind: string
  readonly name: string
  /** It goes only because of CASCADE. */
  readonly cascade: boolean
}

/** Those that people speak of: not the parts of a relation that goes as a whole. */
export const dependentsOf = (gone: readonly Gone[]): readonly Dependent[] => {
  const whole = goneRelations(gone)
  return gone
    .filter(({ isRoot, internal }) => !isRoot && !internal)
    .filter(({ silent, on }) => !silent || on.length === 0 || on.some((oid) => !whole.has(oid)))
    .map(({ kind, identity, silent }) => ({ kind, name: identity, cascade: !silent }))
}

/** Addresses of what DROP names. Each answers with `class`, `object` and `part`. */
export const ADDRESS_QUERY = `
  SELECT classid::pg_catalog.int8 AS class, objid::pg_catalog.int8 AS object, objsubid AS part
    FROM pg_catalog.pg_get_object_address($1, $2::pg_catalog.text[], $3::pg_catalog.text[])`

export const ROUTINE_QUERY = `
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid::pg_catalog.int8 AS class,
         pg_catalog.to_regproc($1)::pg_catalog.oid::pg_catalog.int8 AS object, 0 AS part
   WHERE pg_catalog.to_regproc($1) IS NOT NULL`

export const RELATION_ADDRESS_QUERY = `
  SELECT 'pg_catalog.pg_class'::regclass::oid::int8 AS class, $1::int8 AS object, $2::int4 AS part`

export const CONSTRAINT_QUERY = `
  SELECT 'pg_catalog.pg_constraint'::regclass::oid::int8 AS class, k.oid::int8 AS object, 0 AS part
    FROM pg_catalog.pg_constraint k WHERE k.conrelid = $1::oid AND k.conname = $2`

export const readAddress = (row: Readonly<Record<string, unknown>>): Address => {
  const fields = new Fields(row)
  return { classId: fields.number('class'), objectId: fields.number('object'), part: fields.number('part') }
}
