import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { constantsOf, loadParser, shapeOf, SqlSyntaxError, understand } from './index.ts'
import { tokensOf } from './parser.ts'

beforeAll(() => loadParser())

const sameShape = (left: string, right: string) => shapeOf(left) !== undefined && shapeOf(left) === shapeOf(right)

describe('texts that differ in plain constants have one shape', () => {
  it.each([
    [
      'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;',
      'SELECT abalance FROM pgbench_accounts WHERE aid = 7;',
    ],
    ["SELECT 'a', 1.5 FROM t", "SELECT 'some; -- text /* $$ \"', 22.75 FROM t"],
    ['SELECT * FROM "T" WHERE "a b" = 9999999999', 'SELECT * FROM "T" WHERE "a b" = 123456789012'],
    ['UPDATE t SET a=a+-5 WHERE b=$1', 'UPDATE t SET a=a+-1234 WHERE b=$1'],
    ['SELECT 2147483647', 'SELECT 0'],
    ['SELECT 1 /* x */', "SELECT 22 /*traceparent='00-;--\\\\'*/"],
    ['SELECT a/**/+/***/b', 'SELECT a/* one */+/* two */b'],
  ])('%s', (left, right) => expect(sameShape(left, right)).toBe(true))
})

describe('texts that differ in anything else do not', () => {
  it.each([
    ['the size of a number, which decides its type', 'SELECT 2147483647', 'SELECT 2147483648'],
    ['the size of a number, which decides its type', 'SELECT 2147483647', 'SELECT 2147483649'],
    ['a fraction', 'SELECT 1', 'SELECT 1.0'],
    ['a kind of constant', 'SELECT 1', "SELECT '1'"],
    ['white space', 'SELECT 1', 'SELECT  1'],
    ['a name', 'SELECT a1', 'SELECT a2'],
    ['a quoted name', 'SELECT "1"', 'SELECT "2"'],
    ['a parameter', 'SELECT $1', 'SELECT $2'],
    ['case', 'SELECT 1', 'select 1'],
  ])('%s: %s, %s', (_, left, right) => expect(shapeOf(left)).not.toBe(shapeOf(right)))
})

describe('a text whose lexing could be doubted has no shape', () => {
  it.each([
    'SELECT $$x$$',
    'SELECT $a$x$a$',
    'SELECT 1 AS a$b$; DELETE FROM customers; --$b$', // Hoop's first evasion.
    "SELECT '\\', '; DELETE FROM customers --'", // And its second, with standard_conforming_strings off.
    "SELECT E'x'",
    "SELECT e'x'",
    "SELECT N'x'",
    "SELECT B'1'",
    "SELECT X'1'",
    "SELECT U&'x'",
    'SELECT U&"x"',
    "SELECT 'it''s'",
    "SELECT 'a'\n'b'",
    'SELECT 1 -- x',
    'SELECT 1 /* x /* y */ */',
    'SELECT 1 /* x',
    'SELECT 1 /* é */',
    'SELECT 1 /* \u0001 */',
    'SELECT 1 /*/',
    "SELECT 'a' /* x */ -- y\n'b'",
    "SELECT 'a'/* x */'b'",
    "SELECT 'a' /**/ /* y */ 'b'",
    'SELECT é',
    "SELECT 'é'",
    'SELECT 1e5',
    'SELECT 0x1F',
    'SELECT 1_000',
    'SELECT 12345678901234567890',
    'SELECT 2147483648', // -2147483648 is an integer again.
    'SELECT .5',
    'SELECT 5.',
    'SELECT 1..2',
    'SELECT 1a',
    'SELECT $1a',
    'SELECT $',
    "SELECT 'x",
    'SELECT "x',
    'SELECT a\vb',
    'SELECT a\fb',
    "SELECT 'a\nb'",
    'SELECT \\x',
    'SELECT \u0001',
    'SELECT \u0004',
  ])('%s', (text) => expect(shapeOf(text)).toBeUndefined())
})

const fragments = fc.constantFrom(
  ...`SELECT|FROM|WHERE|a|B1|_c|"d e"|"f"|=|<|>|+|-|*|/|%|(|)|,|;|.|::|[|]|@|#|~|&|!|?|^|\`|:|$1|$22|$|$$|$t$|'x'|'it''s'|'|''|"|\\|E'|U&|--|/*|*/|/* a */|/*"'*/|\n|\t|  |0|7|42|2147483647|2147483648|99999999999|1.5|.5|5.|1e3|é|\v`.split(
    '|',
  ),
)
const text = fc
  .array(fc.tuple(fragments, fc.constantFrom('', ' ')), { maxLength: 14 })
  .map((parts) => parts.flat().join(''))

const number = fc.oneof(fc.nat(999), fc.integer({ min: 0, max: 2_147_483_647 })).map(String)
const bigNumber = fc.integer({ min: 2_147_483_649, max: 99_999_999_999_999 }).map(String)
const decimal = fc.tuple(fc.nat(99_999), fc.nat(99_999)).map(([whole, part]) => `${whole}.${part}`)
const string = fc.stringMatching(/^[ -&(-[\]-~]{0,12}$/).map((inside) => `'${inside}'`)

const KINDS = { '\u0001': number, '\u0002': bigNumber, '\u0003': decimal, '\u0004': string }
const filled = (shape: string) =>
  fc
    .tuple(...[...shape].map((char) => KINDS[char as keyof typeof KINDS] ?? fc.constant(char)))
    .map((pieces) => pieces.join(''))

describe('against PostgreSQL', () => {
  const kinds = (sql: string) => {
    try {
      const tokens = tokensOf(sql).filter(({ name }) => name !== 'C_COMMENT')
      return tokens.map(({ name, text: written }) => (/CONST/.test(name) ? name : `${name} ${written}`))
    } catch {
      return 'not scanned'
    }
  }
  const parses = (sql: string) => {
    try {
      return understand(sql).commands.map(({ node }) => node)
    } catch (error) {
      if (error instanceof SqlSyntaxError) return 'refused'
      throw error
    }
  }

  it('other constants in the places of a shape give the same tokens, and the same statements', () =>
    fc.assert(
      fc.property(
        text
          .map((one) => ({ one, shape: shapeOf(one) }))
          .filter((pair): pair is { one: string; shape: string } => pair.shape !== undefined)
          .chain(({ one, shape }) => filled(shape).map((other) => ({ one, other, shape }))),
        ({ one, other, shape }) => {
          expect(shapeOf(other)).toBe(shape)
          expect(kinds(other)).toEqual(kinds(one))
          expect(parses(other)).toEqual(parses(one))
        },
      ),
      { numRuns: 2_000 },
    ))

  it('the constants are where the marks are', () =>
    fc.assert(
      fc.property(text, (one) => {
        const shape = shapeOf(one)
        const marks = shape === undefined ? 0 : [...shape].filter((char) => char < '\u0005').length
        const spans = constantsOf(one)
        expect(spans).toHaveLength(shape === undefined ? 0 : marks)
        for (const { start, end } of spans) expect(one.slice(start, end)).toMatch(/^(\d+(\.\d+)?|'[^']*')$/)
      }),
      { numRuns: 2_000 },
    ))
})

it('takes about a microsecond for a short statement', () => {
  // Generous, because the machine is shared: it is there to notice a regular expression or a quadratic loop.
  const one = 'SELECT abalance FROM pgbench_accounts WHERE aid = 12345;'
  const long = `SELECT ${"a = 'x' AND ".repeat(20_000)} true`
  const cost = (sql: string, times: number) => {
    const start = performance.now()
    for (let index = 0; index < times; index++) shapeOf(sql)
    return (performance.now() - start) / times
  }
  cost(one, 20_000)
  expect(cost(one, 20_000)).toBeLessThan(0.02)
  expect(cost(long, 5)).toBeLessThan(200)
})
