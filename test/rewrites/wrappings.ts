/*
 * Ways to say a query within another statement, each of which does what the query does and gives what it gives. `q` is
 * a SELECT; the second list takes any statement that changes rows, the third any of both.
 */

export interface Wrapping {
  readonly name: string
  readonly wrap: (q: string) => string
  /** The client gets no values of the query, though all that it does is done. */
  readonly silent?: true
}

/** SELECT to SELECT: these can be put around each other. */
export const OF_QUERIES: readonly Wrapping[] = [
  { name: 'parentheses', wrap: (q) => `((${q}))` },
  { name: 'from', wrap: (q) => `SELECT * FROM (${q}) s` },
  { name: 'from with alias', wrap: (q) => `SELECT "S".* FROM (${q}) AS "S"` },
  { name: 'with', wrap: (q) => `WITH w AS (${q}) SELECT * FROM w` },
  { name: 'with materialized', wrap: (q) => `WITH w AS MATERIALIZED (${q}) TABLE w` },
  { name: 'with not materialized', wrap: (q) => `WITH w AS NOT MATERIALIZED (${q}) SELECT w.* FROM w` },
  { name: 'with recursive', wrap: (q) => `WITH RECURSIVE w AS (${q}) SELECT * FROM w` },
  { name: 'beside unused', wrap: (q) => `WITH unused AS (SELECT 1 AS x) (${q})` },
  { name: 'twice removed', wrap: (q) => `WITH a AS (${q}), b AS (SELECT * FROM a) SELECT * FROM b` },
  { name: 'union all of nothing', wrap: (q) => `(${q}) UNION ALL (SELECT * FROM (${q}) e WHERE false)` },
  { name: 'nothing union all', wrap: (q) => `(SELECT * FROM (${q}) e WHERE false) UNION ALL (${q})` },
  { name: 'except nothing', wrap: (q) => `SELECT * FROM ((${q}) EXCEPT ALL (SELECT * FROM (${q}) e WHERE 1 = 2)) u` },
  { name: 'whole row', wrap: (q) => `SELECT s FROM (${q}) s` },
  { name: 'row as text', wrap: (q) => `SELECT s::text AS t FROM (${q}) s` },
  { name: 'row as json', wrap: (q) => `SELECT row_to_json(s) AS j FROM (${q}) s` },
  { name: 'jsonb and back', wrap: (q) => `SELECT to_jsonb(s)::text::jsonb AS j FROM (${q}) s` },
  { name: 'row expanded', wrap: (q) => `SELECT (s).* FROM (${q}) s` },
  { name: 'aggregated', wrap: (q) => `SELECT json_agg(s) AS a FROM (${q}) s` },
  { name: 'array', wrap: (q) => `SELECT ARRAY(SELECT s::text FROM (${q}) s) AS a` },
  { name: 'array agg and unnest', wrap: (q) => `SELECT unnest(array_agg(s::text)) AS a FROM (${q}) s` },
  { name: 'scalar', wrap: (q) => `SELECT (SELECT string_agg(s::text, ',') FROM (${q}) s) AS v` },
  { name: 'values', wrap: (q) => `VALUES ((SELECT max(s::text) FROM (${q}) s))` },
  { name: 'lateral', wrap: (q) => `SELECT l.* FROM (SELECT 1 AS one) o, LATERAL (${q}) l` },
  { name: 'left join', wrap: (q) => `SELECT l.* FROM (SELECT 1 AS one) o LEFT JOIN (${q}) l ON true` },
  { name: 'case', wrap: (q) => `SELECT CASE WHEN s IS NULL THEN NULL ELSE s::text END AS c FROM (${q}) s` },
  { name: 'coalesce', wrap: (q) => `SELECT coalesce(s::text, '') || '' AS c FROM (${q}) s` },
  { name: 'window', wrap: (q) => `SELECT first_value(s::text) OVER () AS f FROM (${q}) s` },
  { name: 'offset', wrap: (q) => `SELECT * FROM (${q}) s OFFSET 0` },
  { name: 'true', wrap: (q) => `SELECT * FROM (${q}) s WHERE true AND 1 = 1` },
  { name: 'distinct', wrap: (q) => `SELECT DISTINCT s::text AS d FROM (${q}) s` },
  { name: 'ordered', wrap: (q) => `SELECT * FROM (${q}) s ORDER BY 1` },
]

/** Around a change of rows. */
export const OF_CHANGES: readonly Wrapping[] = [
  { name: 'in a with', wrap: (q) => `WITH w AS (${q}) SELECT 1 AS one`, silent: true },
  {
    name: 'in a with, behind a union',
    wrap: (q) => `WITH w AS (${q}) SELECT 1 AS one UNION ALL SELECT 2`,
    silent: true,
  },
  {
    name: 'before another change',
    wrap: (q) => `WITH w AS (${q}) INSERT INTO audit_log (actor) SELECT 'x'`,
    silent: true,
  },
]

/** Around anything, once. */
export const OF_ANYTHING: readonly Wrapping[] = [
  { name: 'as it is', wrap: (q) => q },
  { name: 'semicolon', wrap: (q) => `;${q};` },
  { name: 'explain analyze', wrap: (q) => `EXPLAIN ANALYZE ${q}`, silent: true },
  {
    name: 'explain analyze in parentheses',
    wrap: (q) => `EXPLAIN (VERBOSE, ANALYZE 1, FORMAT json) ${q}`,
    silent: true,
  },
  { name: 'do', wrap: (q) => `DO $do$ BEGIN EXPLAIN ANALYZE ${q}; END $do$`, silent: true },
  { name: 'create table as', wrap: (q) => `CREATE TABLE made_of_it AS ${q}`, silent: true },
  { name: 'create temp table as', wrap: (q) => `CREATE TEMP TABLE made_of_it AS ${q}`, silent: true },
  { name: 'copy', wrap: (q) => `COPY (${q}) TO STDOUT` },
  { name: 'copy csv', wrap: (q) => `COPY (${q}) TO STDOUT WITH (FORMAT csv, HEADER)` },
  { name: 'execute', wrap: (q) => `PREPARE made_of_it AS ${q}` },
  { name: 'fetch', wrap: (q) => `DECLARE made_of_it CURSOR FOR ${q}` },
  { name: 'loop', wrap: (q) => `DO $do$ DECLARE r record; BEGIN FOR r IN ${q} LOOP END LOOP; END $do$`, silent: true },
]
