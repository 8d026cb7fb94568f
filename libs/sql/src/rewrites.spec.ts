import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { corpus } from '../../../test/corpus/corpus.ts'
import { respelled } from '../../../test/rewrites/spellings.ts'
import { loadParser, SqlRefusedError, SqlSyntaxError, understand, type Command, type Understanding } from './index.ts'

beforeAll(() => loadParser())

/*
 * The same statement written in other ways: comments, white space, case, quotes, dollar quotes, escapes. Nothing about
 * it may change but its text.
 */

const meaning = ({ commands }: Understanding) => commands.map(withoutText)

const withoutText = ({ analysable, changes, inner, body, ...rest }: Command): object => ({
  ...rest,
  span: undefined,
  isAnalysable: analysable !== undefined,
  changes: changes.map(({ count, ...change }) => ({ ...change, isCounted: count !== undefined, exact: count?.exact })),
  inner: inner && { runs: inner.runs, command: withoutText(inner.command) },
  body: body && {
    ...body,
    statements: body.statements.map(({ command, repeated }) => ({ repeated, command: withoutText(command) })),
  },
})

const understood = (text: string): Understanding | undefined => {
  try {
    return understand(text)
  } catch (error) {
    if (error instanceof SqlSyntaxError || error instanceof SqlRefusedError) return undefined
    throw error
  }
}

const statements = corpus.map(({ sql }) => sql).filter((sql) => /^[\x20-\x7e\s]*$/.test(sql))

describe('a statement written in another way', () => {
  it(
    'means the same',
    () =>
      fc.assert(
        fc.property(
          fc.constantFrom(...statements),
          fc.array(fc.nat(1_000), { minLength: 7, maxLength: 23 }),
          (sql, choices) => {
            const original = understood(sql)
            if (!original) return
            const other = respelled(sql, choices)
            expect(meaning(understand(other)), other).toEqual(meaning(original))
          },
        ),
        { numRuns: 1_000 },
      ),
    60_000,
  )
})

describe('evasions that other guards fell for', () => {
  const actions = (text: string) =>
    understand(text).commands.flatMap(({ effects }) => effects.map(({ action, object }) => `${action} ${object.name}`))

  it.each<[string, string, string]>([
    // Hoop: a scanner that took `$b$` in a name for the start of a string (hoop.md 2.7, 1).
    ['a dollar in a name', 'SELECT 1 AS a$b$; DELETE FROM customers; --$b$', 'delete customers'],
    // node-sql-parser: a backslash before a quote (guard.md A3).
    ['a backslash in a standard string', "SELECT '\\'; DELETE FROM payments; --'", 'delete payments'],
    ['a backslash in a quoted name', 'SELECT "a\\"; DELETE FROM t; --"', 'delete t'],
    // peers.md 6.3.
    ['leaving the transaction first', 'COMMIT; DROP SCHEMA x', 'drop x'],
    ['an explained delete', 'EXPLAIN ANALYZE DELETE FROM t', 'delete t'],
    ['a delete in a WITH', 'WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x', 'delete t'],
    ['SELECT INTO', 'SELECT * INTO u FROM t', 'create u'],
    ['a comment instead of a space', 'drop/**/table t', 'drop t'],
    ['blanks around the dot', 'SELECT * FROM auth . users', 'read users'],
    ['a MySQL comment', '/*!50000 SELECT 1 */ DELETE FROM t', 'delete t'],
    ['a carriage return ends a comment', '-- harmless\rDELETE FROM t', 'delete t'],
    ['a string over two lines', "SELECT 'a'\n'b'; DELETE FROM t", 'delete t'],
    ['ONLY is no table', 'DELETE FROM ONLY student', 'delete student'],
  ])('%s', (_, text, expected) => expect(actions(text)).toContain(expected))

  it('do not come through the session either: what changes lexing is a danger', () => {
    const dangers = (text: string) =>
      understand(text).commands.flatMap((command) => command.dangers.map(({ code }) => code))
    expect(dangers('SET standard_conforming_strings = off')).toEqual(['lexing'])
    expect(dangers("SELECT set_config('standard_conforming_strings', 'off', false)")).toEqual(['lexing'])
  })
})
