import { describe, expect, it } from 'vitest'
import { tokensOf } from './lexer.ts'

const texts = (sql: string) => tokensOf(sql).map(({ kind, text }) => `${kind} ${text}`)

describe('the words of a text', () => {
  it('ends a string where the server ends it', () => {
    expect(texts(`SELECT 'a\\'; DROP TABLE t; -- ' , 1`)).toEqual([
      'word SELECT',
      "string a'; DROP TABLE t; -- ",
      'sign ,',
      'number 1',
    ])
    expect(texts(`'it''s' "say ""x""" 'c\\\\'`)).toEqual([`string it'ssay "x"c\\`])
    expect(texts(`'a\\nb\\0\\%\\q'`)).toEqual(['string a\nb\0\\%q'])
  })

  it('knows what is a comment, and what only looks like one', () => {
    expect(texts('1--1')).toEqual(['number 1', 'sign -', 'sign -', 'number 1'])
    expect(texts('1 -- 1\n+ 2 # 3\n/* 4 */ + 5')).toEqual(['number 1', 'sign +', 'number 2', 'sign +', 'number 5'])
    expect(texts("'-- a' `# b` '/* c */'")).toEqual(['string -- a', 'quoted # b', 'string /* c */'])
    expect(texts('DEL/**/ETE')).toEqual(['word DEL', 'word ETE'])
  })

  it('keeps what is quoted as it is', () => {
    expect(texts('`a``b`.`c\\`')).toEqual(['quoted a`b', 'sign .', 'quoted c\\'])
    expect(tokensOf('t.select')[2]?.word).toBe('')
    expect(texts(`@'x y' @@session.a @\`z\``)).toEqual(['variable @x y', 'variable @@session.a', 'variable @z'])
  })

  it('reads literals of all kinds', () => {
    expect(texts(`_utf8mb4'a' N'b', X'4d4D' 0x4d b'01' 0b1 1.5e3 .5 \\N ?`)).toEqual([
      'string a',
      'string b',
      'sign ,',
      "bits X'4d4D'",
      'bits 0x4d',
      "bits b'01'",
      'bits 0b1',
      'number 1.5e3',
      'number .5',
      'word NULL',
      'parameter ?',
    ])
  })

  it.each([
    '/*! DROP TABLE t */',
    '/*!50000 DROP TABLE t */',
    '/*!99999 x */',
    'SELECT 1 /*!',
    '/*M! x */',
    '/*m!100000 x */',
    '/*!50000 /*!50000 x */ */',
    '/* /*! x */ */',
    "SELECT /*+ SET_VAR(sql_mode='ANSI_QUOTES') */ 1",
    `SELECT /*+ ${'a'.repeat(10_000)} */ 1`,
    '/*+ MAX_EXECUTION_TIME(1) */ SELECT 1',
  ])('does not look into a comment that is code for some servers: %s', (sql) => {
    expect(() => tokensOf(sql)).toThrow(expect.objectContaining({ code: 'SQL_VERSION_COMMENT' }))
  })

  it.each(['1e(1)', '1.e(1)', '1a', '0xZZ', 't.1a', '1.2.3', '1e5x', '0b12'])('does not guess at `%s`', (sql) => {
    expect(() => tokensOf(`SELECT ${sql}`)).toThrow(expect.objectContaining({ code: 'SQL_AMBIGUOUS' }))
  })

  it.each([`'a`, '"a', '`a', '/* a', "X'4'", "b'2'", '\\x', '``', 'a \u0001 b', '@@'])('refuses `%s`', (sql) => {
    expect(() => tokensOf(`SELECT ${sql}`)).toThrow(expect.objectContaining({ code: 'SQL_SYNTAX' }))
  })

  it('says where each word stands', () => {
    const sql = `SELECT  'é\\'x' ,\`ö\`.\`ü\` /* c */ FROM t`
    const places = tokensOf(sql).map(({ start, end }) => sql.slice(start, end))
    expect(places).toEqual(['SELECT', `'é\\'x'`, ',', '`ö`', '.', '`ü`', 'FROM', 't'])
  })
})
