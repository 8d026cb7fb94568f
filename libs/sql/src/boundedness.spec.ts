import { beforeAll, expect, it } from 'vitest'
import { loadParser, understand } from './index.ts'

beforeAll(() => loadParser())

const change = (condition: string) => understand(`DELETE FROM t WHERE ${condition}`).commands[0]?.changes[0]

it.each([
  'true',
  '1 = 1',
  "'a' = 'a'",
  "'t'",
  'NOT false',
  'NOT (1 = 2)',
  '2 > 1 AND 1 <> 2',
  'a = 5 OR true',
  'a = 5 OR 1=1',
  'a = a',
  'a >= a',
  'a IS NOT DISTINCT FROM a',
  'a = a OR a IS NULL',
  'a IS NULL OR a IS NOT NULL',
  'a + 1 = a + 1',
  "a LIKE '%'",
  "a ILIKE '%%'",
  "a ~ ''",
  "a ~* '.*'",
  '1 IN (2, 1)',
  '2 NOT IN (1) OR 1 IN (1)',
  'EXISTS (SELECT 1)',
  '(SELECT true)',
  'current_user IS NOT NULL',
  'true::boolean',
  '(((1))) = 1',
])('keeps nothing out: %s', (condition) =>
  expect(change(condition)).toMatchObject({ unbounded: false, tautological: true }),
)

it.each([
  'a = 1',
  'false',
  '1 = 2',
  'a = 1 AND 1 = 1',
  '1 = 0 OR a = 3',
  'NULL',
  'NULL = NULL',
  'a <> a',
  "a NOT LIKE '%'",
  "a !~ ''",
  'NOT true',
  '1 NOT IN (1)',
  'EXISTS (SELECT 1 WHERE false)',
  'EXISTS (SELECT 1 FROM u)',
  'a IS NOT NULL',
  "'a' < 'b'",
  "1 = '1x'",
])('may keep something out: %s', (condition) =>
  expect(change(condition)).toMatchObject({ unbounded: false, tautological: false }),
)

it.each([
  ['DELETE FROM t', 'delete', true],
  ['UPDATE t SET a = 1', 'update', true],
  ['DELETE FROM t USING u', 'delete', true],
  ['MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE', 'merge', false],
  ['MERGE INTO t USING u ON true WHEN NOT MATCHED THEN INSERT DEFAULT VALUES', 'insert', false],
  ['INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING', 'insert', false],
  ['INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1', 'update', false],
])('%s', (text, kind, unbounded) => expect(understand(text).commands[0]?.changes).toMatchObject([{ kind, unbounded }]))
