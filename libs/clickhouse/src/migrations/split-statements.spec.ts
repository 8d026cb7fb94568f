import { describe, expect, it } from 'vitest'
import { splitStatements } from './split-statements.ts'

describe('splitStatements', () => {
  it('splits at semicolons and leaves out what is empty', () =>
    expect(splitStatements('SELECT 1;\n\n;SELECT 2')).toEqual(['SELECT 1', 'SELECT 2']))

  it('keeps semicolons and dashes inside quotes', () =>
    expect(splitStatements("SELECT 'a;b--c', 'it''s;', '\\';', `x;y`; SELECT 2")).toEqual([
      "SELECT 'a;b--c', 'it''s;', '\\';', `x;y`",
      'SELECT 2',
    ]))

  it('leaves comments out, whatever they hold', () =>
    expect(splitStatements("-- one; 'two\nSELECT /* ; ' */ 1; -- end")).toEqual(['SELECT   1']))
})
