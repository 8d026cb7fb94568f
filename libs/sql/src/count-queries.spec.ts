import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { countQueries, loadParser, understand, shapeOf } from './index.ts'

beforeAll(() => loadParser())

const counts = (text: string) =>
  understand(text).commands.flatMap((command) =>
    countQueries(command, text, 100).map(({ sql, parameters, exact }) => ({
      sql: sql.replace(/^SELECT count\(\*\) FROM \((.*) LIMIT 100\) counted$/s, '$1'),
      parameters,
      exact,
    })),
  )
const exactly = (sql: string, parameters: number[] = []) => [{ sql, parameters, exact: true }]

describe('the rows of a change are counted', () => {
  it.each<[string, ReturnType<typeof counts>]>([
    ['DELETE FROM t', exactly('SELECT 1 FROM t')],
    ['DELETE FROM ONLY s.t AS x WHERE x.a = 1 RETURNING *', exactly('SELECT 1 FROM ONLY s.t AS x WHERE x.a = 1')],
    ['DELETE FROM ONLY (t) WHERE a = 1', exactly('SELECT 1 FROM ONLY (t) WHERE a = 1')],
    [
      'DELETE FROM t USING u, v w WHERE t.a = u.a',
      exactly('SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u, v w WHERE t.a = u.a)'),
    ],
    [
      'DELETE FROM t USING u JOIN v USING (a) WHERE t.a = u.a',
      exactly('SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u JOIN v USING (a) WHERE t.a = u.a)'),
    ],
    ['UPDATE t SET a = 1', exactly('SELECT 1 FROM t')],
    ['UPDATE t AS set SET a = b IS DISTINCT FROM c WHERE d', exactly('SELECT 1 FROM t AS set WHERE d')],
    [
      "UPDATE t SET (a, b) = (SELECT 1, 2 FROM q WHERE x), c = CASE WHEN a THEN 1 END FROM u WHERE t.i = u.i AND s IN ('where', 'from')",
      exactly("SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.i = u.i AND s IN ('where', 'from'))"),
    ],
    [
      'UPDATE t SET a = $1 WHERE b = $3 AND c = $3 OR d = $2',
      exactly('SELECT 1 FROM t WHERE b = $1 AND c = $1 OR d = $2', [3, 2]),
    ],
    ["DELETE FROM t WHERE a = '$1' AND b = $2", exactly("SELECT 1 FROM t WHERE a = '$1' AND b = $1", [2])],
    ['DELETE FROM "ü" WHERE "ä" = \'ö\' -- ende', exactly('SELECT 1 FROM "ü" WHERE "ä" = \'ö\'')],
    ['WITH d AS (DELETE FROM t WHERE a = 1 RETURNING *) SELECT * FROM d', exactly('SELECT 1 FROM t WHERE a = 1')],
    [
      'WITH x AS (SELECT 1 AS a), y (b) AS MATERIALIZED (SELECT a FROM x), z AS (SELECT 2) DELETE FROM t WHERE a IN (SELECT b FROM y)',
      exactly(
        'WITH x AS (SELECT 1 AS a), y (b) AS MATERIALIZED (SELECT a FROM x) SELECT 1 FROM t WHERE a IN (SELECT b FROM y)',
      ),
    ],
    [
      'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) UPDATE t SET a = 1 WHERE a IN (SELECT n FROM r)',
      exactly(
        'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT 1 FROM t WHERE a IN (SELECT n FROM r)',
      ),
    ],
    ['INSERT INTO t (a, b) SELECT a, b FROM u WHERE c', exactly('SELECT 1 FROM (SELECT a, b FROM u WHERE c) counted')],
    ['INSERT INTO t (SELECT a FROM u) RETURNING *', exactly('SELECT 1 FROM ((SELECT a FROM u)) counted')],
    ['INSERT INTO t TABLE u', exactly('SELECT 1 FROM (TABLE u) counted')],
    [
      'INSERT INTO t (a) SELECT a FROM u JOIN v ON (u.a = v.a) ON CONFLICT (a) DO UPDATE SET a = 1',
      [{ sql: 'SELECT 1 FROM (SELECT a FROM u JOIN v ON (u.a = v.a)) counted', parameters: [], exact: false }],
    ],
    [
      'MERGE INTO t AS x USING (SELECT 1 AS i) AS s ON x.i = CASE WHEN s.i > 0 THEN s.i END WHEN MATCHED THEN DELETE',
      exactly(
        'SELECT 1 FROM t AS x WHERE EXISTS (SELECT 1 FROM (SELECT 1 AS i) AS s WHERE x.i = CASE WHEN s.i > 0 THEN s.i END)',
      ),
    ],
    [
      'MERGE INTO t USING u JOIN v ON u.a = v.a ON t.i = u.i WHEN MATCHED AND u.x THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN DO NOTHING',
      [],
    ],
    [
      'MERGE INTO t USING u ON t.i = u.i WHEN MATCHED AND u.x THEN DELETE',
      [{ sql: 'SELECT 1 FROM t WHERE EXISTS (SELECT 1 FROM u WHERE t.i = u.i)', parameters: [], exact: false }],
    ],
    ['EXPLAIN ANALYZE UPDATE t SET a = 1 WHERE b', exactly('SELECT 1 FROM t WHERE b')],
    ['TRUNCATE a, s."B"', [...exactly('SELECT 1 FROM "a"'), ...exactly('SELECT 1 FROM "s"."B"')]],
    ['DROP TABLE s.t', exactly('SELECT 1 FROM "s"."t"')],
  ])('%s', (text, expected) => expect(counts(text)).toEqual(expected))

  it('each statement of a text for itself', () =>
    expect(
      counts('BEGIN; DELETE FROM a WHERE x = 1; SELECT 5; DELETE FROM b WHERE y = 2').map(({ sql }) => sql),
    ).toEqual(['SELECT 1 FROM a WHERE x = 1', 'SELECT 1 FROM b WHERE y = 2']))
})

describe('what is not certain is not counted', () => {
  it.each([
    [
      'it uses rows that another part changes',
      'WITH d AS (INSERT INTO u VALUES (1) RETURNING a) DELETE FROM t WHERE a IN (SELECT a FROM d)',
    ],
    [
      'the same, by a detour',
      'WITH d AS (INSERT INTO u VALUES (1) RETURNING a), e AS (SELECT * FROM d) UPDATE t SET a = 1 WHERE a IN (TABLE e)',
    ],
    ['it is one row', 'DELETE FROM t WHERE CURRENT OF c'],
    ['its rows are listed', 'INSERT INTO t VALUES (1), (2)'],
    [
      'it changes the rows that do not match',
      'MERGE INTO t USING u ON t.i = u.i WHEN NOT MATCHED BY SOURCE THEN DELETE',
    ],
    ['its code runs later, with other values', 'DO $$ BEGIN DELETE FROM t WHERE a = 1; END $$'],
    [
      'a clause would be lost',
      'WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n FROM r) CYCLE n SET c USING p DELETE FROM t WHERE a IN (SELECT n FROM r)',
    ],
  ])('%s: %s', (_, text) => expect(counts(text)).toEqual([]))
})

it('counts for the constants of the text at hand, whichever text of the shape was understood', () =>
  fc.assert(
    fc.property(fc.nat(1e6), fc.stringMatching(/^[a-z ]{0,9}$/), fc.nat(1e6), (id, name, other) => {
      const text = (a: number, b: string) => ` UPDATE t SET n = '${b}', m = m + ${other} WHERE i = ${a} AND n <> '${b}'`
      const understood = understand(text(7, 'x'))
      expect(understood.shapeable).toBe(true)
      const sql = countQueries(understood.commands[0]!, text(id, name), 9).map((count) => count.sql)
      expect(sql).toEqual([`SELECT count(*) FROM (SELECT 1 FROM t WHERE i = ${id} AND n <> '${name}' LIMIT 9) counted`])
    }),
  ))

it.each([
  '/* short */',
  "/*traceparent='00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'*/",
  '/* süß: ¼ 😀 */',
])('counts for the constants of the text at hand behind a comment: %s', (comment) => {
  const text = (said: string, id: number) => `${said} UPDATE t ${said} SET n = 1 WHERE ${said} i = ${id} AND n <> ${id}`
  const [first, other] = [text(comment, 7), text('/* another, much longer than the first */', 42)]
  const understood = understand(first)
  if (shapeOf(first) !== shapeOf(other)) return expect(shapeOf(first)).toBeUndefined()
  expect(understood.shapeable).toBe(true)
  const [count] = countQueries(understood.commands[0]!, other, 9)
  expect(count?.sql).toMatch(/ i = 42 AND n <> 42 LIMIT 9/)
  expect(count?.sql).not.toContain('7')
})
