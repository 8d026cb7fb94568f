/*
 * What the node reads from a database, once per version of its schema. Each query answers one row with one column:
 * JSON text, which `readCatalogue` takes as it is. They need no right on any data and run in a few milliseconds.
 */

/** Objects below this number came with the server. */
const FIRST_OWN_OID = 16_384

const rows = (select: string): string => `SELECT coalesce(json_agg(r), '[]')::text FROM (${select}) r`

/** Functions, not from the server itself, that an object of the catalogue depends on. */
const calledBy = (catalogue: string, object: string): string => `(
  SELECT array_agg(DISTINCT cb_d.refobjid::int8) FROM pg_depend cb_d
   WHERE cb_d.classid = '${catalogue}'::regclass AND cb_d.objid = ${object} AND cb_d.refclassid = 'pg_proc'::regclass)`

/**
 * Functions that a stored expression calls, by the server's own tree of it: dependencies leave out those that came with
 * the server. Immutable ones of those only compute. What a name in the tree could be mistaken for only adds to them.
 */
const calledIn = (tree: string): string => `(
  SELECT array_agg(DISTINCT ci_p.oid::int8)
    FROM regexp_matches(${tree}, ':(?:funcid|opfuncid|aggfnoid|winfnoid|hashfuncid|negfuncid) (\\d+)', 'g') ci_m
    JOIN pg_proc ci_p ON ci_p.oid = ci_m[1]::oid
   WHERE ci_p.oid >= ${FIRST_OWN_OID} OR ci_p.provolatile <> 'i')`

/** Types of its own that a stored expression makes values of; relations that it reads. */
const typesIn = (tree: string): string => numbersIn(tree, '\\w*typ\\w*')
const relationsIn = (tree: string): string => numbersIn(tree, 'relid')
const numbersIn = (tree: string, fields: string): string => `(
  SELECT array_agg(DISTINCT ni_m[1]::int8) FROM regexp_matches(${tree}, ':${fields} (\\d+)', 'g') ni_m
   WHERE ni_m[1]::int8 >= ${FIRST_OWN_OID})`

/** Functions by which an operator class of somebody's own compares, hashes or sorts. */
const supportOf = (family: string): string => `(
  SELECT array_agg(DISTINCT su_p.amproc::oid::int8) FROM pg_amproc su_p
   WHERE su_p.amprocfamily = ${family} AND su_p.amproc >= ${FIRST_OWN_OID})`

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
           (SELECT CASE WHEN w.fdwname <> 'file_fdw' THEN 'server'
                        WHEN array_to_string(f.ftoptions, ' ') ~ '(^| )program=' THEN 'program' ELSE 'file' END
              FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver
              JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw WHERE f.ftrelid = c.oid) AS "livesIn",
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
           CASE WHEN p.oid >= ${FIRST_OWN_OID}
                THEN nullif(coalesce(${calledBy('pg_proc', 'p.oid')}, '{}')
                         || coalesce(${calledIn('p.proargdefaults::text')}, '{}'), '{}') END AS calls,
           (SELECT array_agg(DISTINCT t::int8)
              FROM unnest(p.proargtypes::oid[] || p.prorettype || coalesce(p.proallargtypes, '{}')) t
             WHERE t >= ${FIRST_OWN_OID}) AS types,
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

  /**
   * Code that runs because a relation is read or written: triggers, checks, defaults, indexes, policies and the like.
   * `types` and `relations`: what its expressions make values of, and what they read.
   */
  attached: rows(`
    SELECT relation, kind, name, events, calls, types, relations FROM (
      SELECT t.tgrelid::int8 AS relation, 'trigger' AS kind, t.tgname AS name, t.tgtype::int AS events,
             ARRAY[t.tgfoid::int8] || ${calledIn('t.tgqual::text')} AS calls, ${typesIn('t.tgqual::text')} AS types,
             NULL::int8[] AS relations
        FROM pg_trigger t WHERE NOT t.tgisinternal AND t.tgenabled <> 'D'
      UNION ALL
      SELECT c.conrelid::int8, 'check', c.conname, 0,
             nullif(coalesce(${calledIn('c.conbin::text')}, '{}')
                 || coalesce((SELECT array_agg(o.oprcode::oid::int8) FROM unnest(c.conexclop) e(op)
                                JOIN pg_operator o ON o.oid = e.op), '{}'), '{}'),
             ${typesIn('c.conbin::text')}, NULL
        FROM pg_constraint c WHERE c.conrelid <> 0 AND c.contype IN ('c', 'x')
      UNION ALL
      SELECT d.adrelid::int8, CASE a.attgenerated WHEN '' THEN 'default' ELSE 'generated' END, a.attname, 0,
             ${calledIn('d.adbin::text')}, ${typesIn('d.adbin::text')}, NULL
        FROM pg_attrdef d JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum
      UNION ALL
      SELECT i.indrelid::int8, 'index', x.relname, 0,
             nullif(coalesce(${calledIn('concat(i.indexprs::text, i.indpred::text)')}, '{}')
                 || coalesce((SELECT array_agg(f) FROM unnest(i.indclass::oid[]) k(class)
                                JOIN pg_opclass o ON o.oid = k.class, unnest(${supportOf('o.opcfamily')}) f), '{}'), '{}'),
             ${typesIn('concat(i.indexprs::text, i.indpred::text)')}, NULL
        FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
       WHERE i.indexrelid >= ${FIRST_OWN_OID}
      UNION ALL
      SELECT s.stxrelid::int8, 'statistics', s.stxname, 0, ${calledIn("to_jsonb(s) ->> 'stxexprs'")},
             ${typesIn("to_jsonb(s) ->> 'stxexprs'")}, NULL
        FROM pg_statistic_ext s
      UNION ALL
      SELECT p.partrelid::int8, 'partition', 'key', 0,
             nullif(coalesce(${calledIn('p.partexprs::text')}, '{}')
                 || coalesce((SELECT array_agg(f) FROM unnest(p.partclass::oid[]) k(class)
                                JOIN pg_opclass o ON o.oid = k.class, unnest(${supportOf('o.opcfamily')}) f), '{}'), '{}'),
             ${typesIn('p.partexprs::text')}, NULL
        FROM pg_partitioned_table p
      UNION ALL
      SELECT p.polrelid::int8, 'policy', p.polname, 0, ${calledIn('concat(p.polqual::text, p.polwithcheck::text)')},
             ${typesIn('concat(p.polqual::text, p.polwithcheck::text)')},
             ${relationsIn('concat(p.polqual::text, p.polwithcheck::text)')}
        FROM pg_policy p
    ) found
     WHERE calls IS NOT NULL OR types IS NOT NULL OR relations IS NOT NULL
     ORDER BY relation, kind, name`),

  /** What runs because the structure is changed. */
  eventTriggers: rows(`
    SELECT e.evtfoid::int8 AS function, e.evttags AS tags
      FROM pg_event_trigger e WHERE e.evtenabled <> 'D' AND e.evtevent <> 'login'
     ORDER BY e.evtname`),

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

  /** With what else runs where an operator class of somebody's own stands for the operator: in sorting, say. */
  operators: rows(`
    SELECT o.oid::int8 AS oid, n.nspname AS schema, o.oprname AS name, o.oprcode::int8 AS function,
           (SELECT array_agg(DISTINCT f) FROM pg_amop a, unnest(${supportOf('a.amopfamily')}) f
             WHERE a.amopopr = o.oid) AS support
      FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
     WHERE o.oprcode <> 0
       AND (o.oid >= ${FIRST_OWN_OID} OR o.oprcode >= ${FIRST_OWN_OID}
            OR o.oid IN (SELECT a.amopopr FROM pg_amop a JOIN pg_amproc p ON p.amprocfamily = a.amopfamily
                          WHERE p.amproc >= ${FIRST_OWN_OID}))
     ORDER BY o.oid`),

  casts: rows(`
    SELECT c.castfunc::int8 AS function, t.typname AS target, c.castcontext <> 'e' AS implicit
      FROM pg_cast c JOIN pg_type t ON t.oid = c.casttarget
     WHERE c.castfunc >= ${FIRST_OWN_OID} ORDER BY c.oid`),

  /**
   * Types of whose values code of somebody's own may have to be run, to make or to compare them: domains with checks,
   * types that an operator class compares, and whatever is made of those: arrays, rows, ranges, domains over them.
   */
  domains: rows(`
    WITH RECURSIVE code(type, function) AS (
      SELECT c.contypid::int8, unnest(${calledIn('c.conbin::text')})
        FROM pg_constraint c WHERE c.contypid <> 0 AND c.oid >= ${FIRST_OWN_OID}
      UNION
      SELECT k.opcintype::int8, unnest(${supportOf('k.opcfamily')})
        FROM pg_opclass k WHERE k.opcdefault AND k.opcintype >= ${FIRST_OWN_OID}
      UNION
      SELECT r.rngtypid::int8, f::oid::int8 FROM pg_range r, unnest(ARRAY[r.rngcanonical, r.rngsubdiff]) f
       WHERE f >= ${FIRST_OWN_OID}
      UNION
      SELECT r.rngtypid::int8, unnest(${supportOf('k.opcfamily')})
        FROM pg_range r JOIN pg_opclass k ON k.oid = r.rngsubopc
    ), made(part, type) AS (
      SELECT t.oid::int8, t.typarray::int8 FROM pg_type t WHERE t.typarray <> 0
      UNION ALL
      SELECT t.typbasetype::int8, t.oid::int8 FROM pg_type t WHERE t.typbasetype <> 0
      UNION ALL
      SELECT a.atttypid::int8, c.reltype::int8 FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
       WHERE a.attnum > 0 AND NOT a.attisdropped AND c.reltype <> 0 AND c.relpersistence <> 't'
      UNION ALL
      SELECT r.rngsubtype::int8, r.rngtypid::int8 FROM pg_range r
      UNION ALL
      SELECT r.rngtypid::int8, (to_jsonb(r) ->> 'rngmultitypid')::int8 FROM pg_range r
    ), reached(type, function) AS (
      SELECT type, function FROM code
      UNION
      SELECT m.type, r.function FROM reached r JOIN made m ON m.part = r.type
    )
    SELECT r.type, n.nspname AS schema, t.typname AS name, array_agg(DISTINCT r.function ORDER BY r.function) AS calls
      FROM reached r JOIN pg_type t ON t.oid = r.type JOIN pg_namespace n ON n.oid = t.typnamespace
     GROUP BY r.type, n.nspname, t.typname ORDER BY r.type`),
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
  ['pg_event_trigger', 'true'],
  ['pg_statistic_ext', 'true'],
  ['pg_foreign_table', 'true'],
  ['pg_amproc', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_amop', `o.oid >= ${FIRST_OWN_OID}`],
  ['pg_type', `o.oid >= ${FIRST_OWN_OID} AND o.typtype IN ('d', 'r')`],
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
