import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { constantsOf, loadParser, shapeOf, SqlSyntaxError, understand, type Understanding } from './index.ts'

beforeAll(() => loadParser())

describe('constants that are values among values may be exchanged', () => {
  it.each([
    'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;',
    '\n  SELECT a FROM t WHERE b = 5 AND c IN (1, 2, 3) OR d BETWEEN 4 AND 5',
    "SELECT a, 'x', 5 FROM t LIMIT 10 OFFSET 20",
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
    "UPDATE t SET a = a + -5, b = 'x' WHERE c = 1",
    "DELETE FROM t WHERE a = 1 AND b <> 'x'",
    "SELECT CASE WHEN a = 1 THEN 'x' ELSE 'y' END, coalesce(b, 0) FROM t",
    "SELECT * FROM t WHERE a = '2020-01-01'::date AND b > '1'::int",
    'SELECT (SELECT max(a) FROM u WHERE u.b = 5) FROM t JOIN v ON v.a = 1',
    'SELECT 1',
  ])('%s', (text) => expect(understand(text).shapeable).toBe(true))
})

describe('constants that decide something may not', () => {
  it.each([
    ['arguments of functions', "SELECT setval('q', 1)"],
    ['arguments of functions', "SELECT date_trunc('day', a) FROM t"],
    ['two constants compared', 'DELETE FROM t WHERE 1 = 1'],
    ['two constants compared', 'DELETE FROM t WHERE a = 5 OR 1 = 1'],
    ['constants on both sides', 'DELETE FROM t WHERE a + 1 = a + 1'],
    ['constants on both sides', 'DELETE FROM t WHERE coalesce(a, 0) = coalesce(a, 0)'],
    ['a constant compared with a list', 'DELETE FROM t WHERE 1 IN (1, 2)'],
    ['a constant that is a condition', "DELETE FROM t WHERE 't'"],
    ['patterns', "DELETE FROM t WHERE a LIKE '%'"],
    ['patterns', "DELETE FROM t WHERE a ~ ''"],
    ['places in the list of outputs', 'SELECT a, b FROM t ORDER BY 1'],
    ['places in the list of outputs', 'SELECT a, count(*) FROM t GROUP BY 1'],
    ['names', "SELECT 'orders'::regclass"],
    ['lengths of types', 'SELECT a::varchar(5) FROM t'],
    ['types of one’s own', "SELECT 'x'::evil FROM t"],
    ['settings', 'SET statement_timeout = 5'],
    ['options', "COPY t TO STDOUT (DELIMITER ';')"],
    ['code', "DO 'BEGIN NULL; END'"],
    ['several statements', 'SELECT 1; SELECT 2'],
    ['intervals', "SELECT interval '1' day"],
    ['rows', 'UPDATE t SET (a, b) = (1, 2)'],
    ['text without a shape', 'SELECT 1 -- x'],
  ])('%s: %s', (_, text) => expect(understand(text).shapeable).toBe(false))
})

/** Without places in the text, and without texts in which the constants themselves stand. */
const meaning = ({ commands, shapeable }: Understanding) => ({
  shapeable,
  commands: commands.map(({ analysable, ...rest }) => ({ ...rest, span: 0, isAnalysable: analysable !== undefined })),
})

const column = fc.constantFrom('a', 'b', 't.c')
const constant = fc.constantFrom(
  '0',
  '1',
  '5',
  "'x'",
  "'t'",
  "'%'",
  '1.5',
  '99999999999',
  '-3',
  'NULL',
  'true',
  "'y'::text",
  "'r'::regclass",
)
const { expression } = fc.letrec<{ expression: string; operand: string }>((tie) => ({
  operand: fc.oneof(
    { weight: 3, arbitrary: column },
    { weight: 3, arbitrary: constant },
    { weight: 1, arbitrary: tie('operand').map((x) => `(${x} + 1)`) },
    { weight: 1, arbitrary: fc.tuple(tie('operand'), tie('operand')).map(([x, y]) => `coalesce(${x}, ${y})`) },
    { weight: 1, arbitrary: tie('operand').map((x) => `abs(${x})`) },
    { weight: 1, arbitrary: tie('operand').map((x) => `(SELECT ${x})`) },
  ),
  expression: fc.oneof(
    { depthSize: 'small' },
    fc
      .tuple(tie('operand'), fc.constantFrom('=', '<>', '<', '>=', 'LIKE', '~', 'IS NOT DISTINCT FROM'), tie('operand'))
      .map((parts) => parts.join(' ')),
    fc.tuple(tie('operand'), tie('operand'), tie('operand')).map(([x, y, z]) => `${x} IN (${y}, ${z})`),
    fc.tuple(tie('operand'), tie('operand'), tie('operand')).map(([x, y, z]) => `${x} BETWEEN ${y} AND ${z}`),
    fc.tuple(tie('operand'), fc.constantFrom('IS NULL', 'IS NOT NULL')).map((parts) => parts.join(' ')),
    tie('operand').map((x) => `EXISTS (SELECT ${x})`),
    fc
      .tuple(tie('expression'), fc.constantFrom('AND', 'OR'), tie('expression'))
      .map(([x, op, y]) => `(${x} ${op} ${y})`),
    tie('expression').map((x) => `NOT (${x})`),
  ),
}))
const statement = fc
  .tuple(expression, constant, constant)
  .chain(([where, x, y]) =>
    fc.constantFrom(
      `SELECT a, ${x} FROM t WHERE ${where} LIMIT 5`,
      `DELETE FROM t WHERE ${where}`,
      `UPDATE t SET a = ${x}, b = b + ${y} WHERE ${where}`,
      `INSERT INTO t VALUES (${x}, ${y})`,
      `INSERT INTO t SELECT ${x} FROM u WHERE ${where}`,
      `SELECT ${x} FROM t ORDER BY 1`,
      `SELECT count(*) FROM generate_series(1, 1000) x, t WHERE ${where}`,
      `WITH q AS (DELETE FROM t WHERE ${where} RETURNING a) SELECT * FROM q WHERE a = ${x}`,
    ),
  )

const OTHERS: Readonly<Record<string, readonly string[]>> = {
  string: ["'x'", "'t'", "'%'", "'f'", "''"],
  decimal: ['1.5', '0.0', '22.75'],
  integer: ['0', '1', '2', '5', '1000000'],
  big: ['99999999999', '2147483649'],
}
const kindOf = (written: string) => {
  if (written.startsWith("'")) return 'string'
  if (written.includes('.')) return 'decimal'
  return Number(written) > 2_147_483_647 ? 'big' : 'integer'
}
const exchanged = (text: string) =>
  fc
    .tuple(...constantsOf(text).map(({ start, end }) => fc.constantFrom(...OTHERS[kindOf(text.slice(start, end))]!)))
    .map((values) => {
      const pieces = constantsOf(text).map(
        ({ end }, index) => `${values[index]}${text.slice(end, constantsOf(text)[index + 1]?.start ?? text.length)}`,
      )
      return text.slice(0, constantsOf(text)[0]?.start ?? text.length) + pieces.join('')
    })

const understood = (text: string): Understanding | undefined => {
  try {
    return understand(text)
  } catch (error) {
    if (error instanceof SqlSyntaxError) return undefined
    throw error
  }
}

it(
  'and then the text is understood in the same way',
  () =>
    fc.assert(
      fc.property(
        statement
          .filter((text) => understood(text)?.shapeable ?? false)
          .chain((text) => exchanged(text).map((other) => ({ text, other }))),
        ({ text, other }) => {
          expect(shapeOf(other)).toBe(shapeOf(text))
          expect(meaning(understand(other))).toEqual(meaning(understand(text)))
        },
      ),
      { numRuns: 600 },
    ),
  60_000,
)
