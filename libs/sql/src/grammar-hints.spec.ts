import { beforeAll, describe, expect, it } from 'vitest'
import { loadParser, shapeDigestInput, SqlSyntaxError, understand } from './index.ts'

beforeAll(loadParser)

const refusal = (text: string): SqlSyntaxError => {
  try {
    understand(text)
  } catch (error) {
    if (error instanceof SqlSyntaxError) return error
    throw error
  }
  throw new Error(`it is understood: ${text}`)
}

const NONE = 'Use NONE to denote the missing argument of a unary operator.'
const IN_U = String.raw`Unicode escapes must be \XXXX or \+XXXXXX.`
const IN_E = String.raw`Unicode escapes must be \uXXXX or \UXXXXXXXX.`

/** As a server of version 15 says it. */
describe('what the grammar refuses comes with what the server says beside its message', () => {
  it.each([
    ['drop operator === (int4)', '42601', 'missing argument', NONE],
    ["select U&'\\061'", '42601', 'invalid Unicode escape', IN_U],
    ["select E'\\u12'", '22025', 'invalid Unicode escape', IN_E],
    ["select E'x', U&'\\06'", '42601', 'invalid Unicode escape', IN_U],
    ["select U&'x', E'\\u12'", '22025', 'invalid Unicode escape', IN_E],
    ['selekt 1', '42601', 'syntax error at or near "selekt"', undefined],
    ['select 1 limit 1, 2', '42601', 'LIMIT #,# syntax is not supported', 'Use separate LIMIT and OFFSET clauses.'],
  ])('%s', (text, sqlstate, message, hint) => expect(refusal(text)).toMatchObject({ sqlstate, message, hint }))

  it('and with a detail where there is one', () =>
    expect(refusal('create publication p for a').detail).toBe(
      'One of TABLE or TABLES IN SCHEMA must be specified before a standalone table or schema name.',
    ))
})

describe('a comment', () => {
  it('keeps strings apart that would be one with blanks between them', () => {
    expect(refusal("select 'a'\n'b' /* c */\n'd'").message).toBe(`syntax error at or near "'d'"`)
    expect(understand("select 'a' -- c\n'b'").commands).toHaveLength(1)
  })

  it('between words that belong together is no trouble', () => {
    const text = 'select 1 where 1 not /* c */ in (2)'
    expect(shapeDigestInput(text, understand(text))).toContain('not')
  })
})
