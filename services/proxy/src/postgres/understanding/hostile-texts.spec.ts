import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StatementRefusedError } from '../../statement/refusal.ts'
import { Parser } from './parser.ts'

/*
 * No text keeps the parser: each is understood or refused, with a word of SQL's own, and the next one is answered.
 */

const nested = (open: string, inside: string, close: string, depth: number) =>
  open.repeat(depth) + inside + close.repeat(depth)

const list = (count: number, of: (index: number) => string, by = ', ') =>
  Array.from({ length: count }, (_, i) => of(i)).join(by)

const TEXTS: readonly (readonly [string, () => string])[] = [
  ['parentheses', () => `SELECT ${nested('(', '1', ')', 50_000)}`],
  ['subqueries', () => `SELECT * FROM ${nested('(SELECT * FROM ', 't', ') s', 10_000)}`],
  ['calls', () => `SELECT ${nested('f(', '1', ')', 20_000)}`],
  ['cases', () => `SELECT ${nested('CASE WHEN true THEN ', '1', ' END', 20_000)}`],
  ['arrays', () => `SELECT ${nested('ARRAY[', '1', ']', 30_000)}`],
  ['signs', () => `SELECT ${'- '.repeat(100_000)}1`],
  ['negations', () => `SELECT ${'NOT '.repeat(100_000)}true`],
  ['a sum', () => `SELECT ${list(40_000, String, ' + ')}`],
  ['a concatenation', () => `SELECT ${list(50_000, (i) => `'${i}'`, ' || ')}`],
  ['conditions', () => `DELETE FROM t WHERE ${list(20_000, (i) => `a = ${i}`, ' OR ')}`],
  ['unions', () => list(20_000, (i) => `SELECT ${i}`, ' UNION ALL ')],
  ['joins', () => `SELECT 1 FROM a ${list(5_000, (i) => `JOIN t${i} USING (id)`, ' ')}`],
  ['an IN list', () => `SELECT 1 FROM t WHERE a IN (${list(100_000, String)})`],
  ['rows of VALUES', () => `INSERT INTO t VALUES ${list(100_000, (i) => `(${i}, 'x')`)}`],
  ['common table expressions', () => `WITH ${list(5_000, (i) => `c${i} AS (SELECT ${i})`)} SELECT 1`],
  ['statements', () => 'SELECT 1;'.repeat(20_000)],
  ['comments within comments', () => `${'/*'.repeat(100_000)} SELECT 1`],
  ['comments within comments, closed', () => `${nested('/*', '', '*/', 50_000)} SELECT 1`],
  ['a name', () => `SELECT 1 AS "${'n'.repeat(1_000_000)}"`],
  ['a name with escapes', () => `SELECT 1 AS U&"${'\\0061'.repeat(200_000)}"`],
  ['a string', () => `SELECT '${'x'.repeat(4_000_000)}'`],
  ['an open string', () => `SELECT '${'x'.repeat(1_000_000)}`],
  ['an open dollar quote', () => `SELECT $q$${'$q '.repeat(300_000)}`],
  ['a number', () => `SELECT ${'9'.repeat(1_000_000)}`],
  ['columns', () => `SELECT ${list(50_000, (i) => `c${i}`)} FROM t`],
  ['casts', () => `SELECT 1${'::text'.repeat(20_000)}`],
  ['subscripts', () => `SELECT a${'[1]'.repeat(30_000)} FROM t`],
  ['fields', () => `SELECT ${nested('(', 'a', ').b', 10_000)} FROM t`],
  ['blocks of code', () => `DO $$ ${nested('BEGIN ', 'NULL;', ' END;', 3_000)} $$`],
  ['loops in code', () => `DO $$ BEGIN ${nested('LOOP ', 'NULL;', ' END LOOP;', 3_000)} END $$`],
  ['explained explanations', () => `${'EXPLAIN '.repeat(50_000)}SELECT 1`],
  ['control characters', () => `SELECT '${'\u0001\f\b'.repeat(100_000)}'`],
]

/** Beyond the parser's own deadline for the longest of them. */
const TIMEOUT_MS = 60_000

describe('a text that was made to hang the parser', () => {
  const replaced: string[] = []
  let parser: Parser
  beforeAll(async () => {
    parser = new Parser((reason) => replaced.push(reason))
    await parser.ask('understand', { sql: 'SELECT 1' })
  })
  afterAll(() => parser.close())

  it.each(TEXTS)(
    '%s',
    async (_, make) => {
      const answer = await parser.ask('understand', { sql: make() }).then(
        ({ understanding }) => understanding.commands.length,
        (error: unknown) => error,
      )
      if (typeof answer !== 'number') {
        expect(answer).toBeInstanceOf(StatementRefusedError)
        expect(answer).toMatchObject({ sqlstate: expect.stringMatching(/^(42601|54001|54000)$/) as unknown })
      }
      const { understanding } = await parser.ask('understand', { sql: 'DELETE FROM t' })
      expect(understanding.commands.map(({ tag }) => tag)).toEqual(['DELETE'])
    },
    TIMEOUT_MS,
  )
})
