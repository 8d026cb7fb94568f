/*
 * What the node reads from a database, once per version of its schema. Each query answers one row with one column:
 * JSON text, which `readCatalogue` takes as it is. They need no right on any data and run in a few milliseconds.
 */

/** Objects below this number came with the server. */
const FIRST_OWN_OID = 16_384

const rows = (select: string): string => `SELECT coalesce(json_agg(r), '[]')::text FROM (${select}) r`

/** Functions, not from the server itself, that an object of the catalogue calls: directly, by operators, by domains. */
const calledBy = (catalogue: string, object: string): string => `(
  SELECT array_agg(DISTINCT cb_f) FROM (
    SELECT cb_d.refobjid::int8 AS cb_f FROM pg_depend cb_d
     WHERE cb_d.classid = '${catalogue}'::regclass AND cb_d.objid = ${object} AND cb_d.refclassid = 'pg_proc'::regclass
    UNION ALL
    SELECT cb_o.oprcode::int8 FROM pg_depend cb_d JOIN pg_operator cb_o ON cb_o.oid = cb_d.refobjid
     WHERE cb_d.classid = '${catalogue}'::regclass AND cb_d.objid = ${object}
       AND cb_d.refclassid = 'pg_operator'::regclass
    UNION ALL
    SELECT cb_p.refobjid::int8 FROM pg_depend cb_d
      JOIN pg_constraint cb_c ON cb_c.contypid = cb_d.refobjid
      JOIN pg_depend cb_p ON cb_p.classid = 'pg_constraint'::regclass AND cb_p.objid = cb_c.oid
     WHERE cb_d.classid = '${catalogue}'::regclass AND cb_d.objid = ${object} AND cb_d.refclassid = 'pg_type'::regclass
       AND cb_p.refclassid = 'pg_proc'::regclass
  ) cb_called)`

/** Before version 15 what a generated column calls hangs on the column, not on its expression. */
const GENERATED_BEFORE_15 = 'd.adrelid AND cb_d.objsubid = d.adnum'
/** Dependencies leave out the server's own functions; of those that an expression can call this one matters. */
const settingBy = (text: string): string =>
  `CASE WHEN ${text} LIKE '%set\\_config%' THEN ARRAY['pg_catalog.set_config'::regproc::oid::int8] ELSE '{}' END`

/** Both, in one list, which is NULL when there are none. */
const called = (catalogue: string, object: string, text: string): string =>
  `nullif(coalesce(${calledBy(catalogue, object)}, '{}') || ${settingBy(text)}, '{}')`

export const catalogueQueries = {
  server: rows(`
    SELECT current_setting('server_version_num')::int AS version, current_database() AS database`),

  /** On these it rests what a search path means, and which one a new session has. */
  schemas: rows(`
    SELECT n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner, n.nspacl::text AS rights
      FROM pg_namespace n WHERE n.nspname !~ '^pg_(toast_)?temp_' ORDER BY n.nspname`),

  settings: rows(`
    SELECT s.setdatabase::int8 AS database, s.setrole::int8 AS role, s.setconfig::text AS settings
      FROM pg_db_role_setting s WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
     UNION ALL
    SELECT 0, 0, s.reset_val FROM pg_settings s WHERE s.name = 'search_path'
     ORDER BY 1, 2, 3`),

  members: rows(`
    SELECT m.roleid::int8 AS role, m.member::int8 AS member FROM pg_auth_members m ORDER BY 1, 2`),

  relations: rows(`
    SELECT c.oid::int8 AS oid, n.nspname AS schema, c.relname AS name, c.relkind AS kind,
           c.relpersistence = 't' AS temporary, c.reltuples::int8 AS "rowEstimate",
           c.relrowsecurity AS "rowSecurity", c.relhassubclass AS "hasChildren",
           i.indrelid::int8 AS "indexOf",
           obj_description(c.oid, 'pg_class') AS comment
      FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_index i ON i.indexrelid = c.oid
     WHERE c.relkind <> 't' AND n.nspname NOT LIKE 'pg\\_toast%' AND c.relpersistence <> 't'
     ORDER BY c.oid`),

  columns: rows(`
    SELECT a.attrelid::int8 AS relation, a.attnum AS number, a.attname AS name,
           a.atttypid::int8 AS type, a.atttypmod AS modifier, format_type(a.atttypid, a.atttypmod) AS "typeName",
           a.attgenerated <> '' AS generated,
           col_description(a.attrelid, a.attnum) AS comment
      FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
       AND n.nspname NOT LIKE 'pg\\_toast%' AND c.relpersistence <> 't'
     ORDER BY a.attrelid, a.attnum`),

  functions: rows(`
    SELECT p.oid::int8 AS oid, n.nspname AS schema, p.proname AS name, p.prokind AS kind, p.provolatile AS volatility,
           l.lanname AS language, p.prosecdef AS "securityDefiner", p.oid < ${FIRST_OWN_OID} AS builtin,
           p.pronargs AS arguments,
           (SELECT substr(s, length('search_path=') + 1) FROM unnest(p.proconfig) s WHERE s LIKE 'search\\_path=%') AS path,
           (SELECT e.extname FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
             WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' LIMIT 1) AS extension,
           CASE WHEN p.oid >= ${FIRST_OWN_OID} AND l.lanname IN ('sql', 'plpgsql') AND p.prokind <> 'a'
                THEN pg_get_functiondef(p.oid) END AS definition,
           CASE WHEN p.oid >= ${FIRST_OWN_OID} THEN ${calledBy('pg_proc', 'p.oid')} END AS calls,
           (SELECT array_remove(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn,
                                      a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::int8[], 0::int8)
              FROM pg_aggregate a WHERE a.aggfnoid = p.oid AND p.oid >= ${FIRST_OWN_OID}) AS parts
      FROM pg_proc p
      JOIN pg_namespace n ON n.oid = p.pronamespace
      JOIN pg_language l ON l.oid = p.prolang
     ORDER BY p.oid`),

  /** Every rule, with the server's tree of what it does: a view is a rule on SELECT. */
  rules: rows(`
    SELECT r.ev_class::int8 AS relation, r.ev_type AS event, r.is_instead AS instead, r.ev_action::text AS action
      FROM pg_rewrite r
     WHERE r.oid >= ${FIRST_OWN_OID} AND r.ev_enabled <> 'D'
     ORDER BY r.oid`),

  /** Code that runs because a relation is read or written: triggers, checks, defaults, indexes, policies and the like. */
  attached: rows(`
    SELECT * FROM (
      SELECT t.tgrelid::int8 AS relation, 'trigger' AS kind, t.tgname AS name, t.tgtype::int AS events,
             ARRAY[t.tgfoid::int8] || ${called('pg_trigger', 't.oid', 'pg_get_triggerdef(t.oid)')} AS calls
        FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
      UNION ALL
      SELECT c.conrelid::int8, 'check', c.conname, 0, ${called('pg_constraint', 'c.oid', 'pg_get_constraintdef(c.oid)')}
        FROM pg_constraint c WHERE c.conrelid <> 0 AND c.contype IN ('c', 'x')
      UNION ALL
      SELECT d.adrelid::int8, CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated' END, a.attname, 0,
             nullif(coalesce(${called('pg_attrdef', 'd.oid', 'pg_get_expr(d.adbin, d.adrelid)')}, '{}')
                 || coalesce(${calledBy('pg_class', GENERATED_BEFORE_15)}, '{}'), '{}')
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      UNION ALL
      SELECT i.indrelid::int8, 'index', x.relname, 0, ${calledBy('pg_class', 'i.indexrelid')}
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
       WHERE i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
      UNION ALL
      SELECT p.polrelid::int8, 'policy', p.polname, 0,
             ${called('pg_policy', 'p.oid', "concat(pg_get_expr(p.polqual, p.polrelid), ' ', pg_get_expr(p.polwithcheck, p.polrelid))")}
        FROM pg_policy p
    ) found
     WHERE calls IS NOT NULL
     ORDER BY relation, kind, name`),

  /** Keys that no two rows share: at most one row has given values for all of their columns. */
  keys: rows(`
    SELECT i.indrelid::int8 AS relation, (i.indkey::int2[])[0:i.indnkeyatts - 1]::int[] AS columns, i.indisprimary AS "primary"
      FROM pg_index i
     WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL
     ORDER BY i.indexrelid`),

  foreignKeys: rows(`
    SELECT c.conrelid::int8 AS child, c.confrelid::int8 AS parent, c.confdeltype AS "onDelete",
           c.confupdtype AS "onUpdate"
      FROM pg_constraint c WHERE c.contype = 'f'
     ORDER BY c.oid`),

  /** Partitions, and tables that inherit: what is done to the parent is done to them. */
  children: rows(`
    SELECT i.inhparent::int8 AS parent, i.inhrelid::int8 AS child
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
     WHERE c.relkind IN ('r', 'p', 'f')
     ORDER BY i.inhrelid`),

  operators: rows(`
    SELECT o.oid::int8 AS oid, n.nspname AS schema, o.oprname AS name, o.oprcode::int8 AS function
      FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE o.oprcode <> 0 AND (o.oid >= ${FIRST_OWN_OID} OR o.oprcode >= ${FIRST_OWN_OID})
     ORDER BY o.oid`),

  casts: rows(`
    SELECT c.castfunc::int8 AS function, t.typname AS target, c.castcontext <> 'e' AS implicit
      FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget
     WHERE c.castfunc >= ${FIRST_OWN_OID} ORDER BY c.oid`),

  domains: rows(`
    SELECT c.contypid::int8 AS type, t.typname AS name,
           ${called('pg_constraint', 'c.oid', 'pg_get_constraintdef(c.oid)')} AS calls
      FROM pg_constraint c JOIN pg_type t ON t.oid = c.contypid
     WHERE c.contypid <> 0 AND c.oid >= ${FIRST_OWN_OID}
     ORDER BY c.oid`),
} as const satisfies Record<string, string>

/**
 * One row with one text: another one when anything is another thing in the schema, and perhaps sometimes when nothing
 * is. Temporary tables come and go without it.
 */
export const FINGERPRINT_QUERY = `SELECT concat_ws(' ', ${[
  ['pg_class', "o.relpersistence <> 't' AND o.relkind <> 't'"],
  [
    'pg_attribute',
    "o.attnum > 0 AND EXISTS (SELECT FROM pg_class c WHERE c.oid = o.attrelid AND c.relpersistence <> 't' AND c.relkind IN ('r', 'v', 'm', 'f', 'p'))",
  ],
  ['pg_attrdef', "EXISTS (SELECT FROM pg_class c WHERE c.oid = o.adrelid AND c.relpersistence <> 't')"],
  ['pg_constraint', "NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = o.conrelid AND c.relpersistence = 't')"],
  ['pg_proc', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_rewrite', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_trigger', 'NOT o.tgisinternal'],
  ['pg_policy', 'true'],
  ['pg_operator', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_cast', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_inherits', 'true'],
  ['pg_namespace', "o.nspname !~ '^pg_(toast_)?temp_'"],
  ['pg_db_role_setting', 'true'],
  ['pg_auth_members', 'true'],
]
  .map(
    ([catalogue, which]) => `(
  SELECT concat(count(*), '.', sum(hashtext(o.xmin::text)::int8)) FROM pg_catalog.${catalogue} o WHERE ${which})`,
  )
  .join(', ')}) AS fingerprint`

export type CatalogueQuery = keyof typeof catalogueQueries
