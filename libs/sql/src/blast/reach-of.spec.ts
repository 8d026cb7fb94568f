import { beforeAll, describe, expect, it } from 'vitest'
import { corpus, everyday } from '../../../../test/corpus/corpus.ts'
import { loadParser, reachesOf, SqlSyntaxError } from '../index.ts'

beforeAll(() => loadParser())

const only = (text: string) => {
  const [reach, second] = reachesOf(text)
  expect(second).toBeUndefined()
  return reach
}

describe('what a text sets out to do', () => {
  it('is told of every statement of the corpus', () => {
    for (const sql of [...corpus.map(({ sql }) => sql), ...everyday]) {
      try {
        for (const { acts, unknown } of reachesOf(sql)) {
          expect(acts.every(({ kind }) => kind !== undefined)).toBe(true)
          expect(unknown.every((line) => line.length > 0)).toBe(true)
        }
      } catch (error) {
        expect(error, sql).toBeInstanceOf(SqlSyntaxError)
      }
    }
  })

  it('is nothing for what only reads, and not known for code', () => {
    expect(only('SELECT * FROM customers')).toEqual({ acts: [], unknown: [] })
    expect(only('CALL clean_up()')?.unknown).toEqual(['what the code reaches that it runs'])
    expect(only('DROP OWNED BY ana')?.unknown).toEqual(['what this statement reaches (DROP OWNED)'])
    expect(only('VACUUM FULL')?.unknown).toEqual(['what this statement reaches (VACUUM)'])
  })

  it('is the same behind EXPLAIN ANALYZE, and what was prepared behind EXECUTE', () => {
    expect(only('EXPLAIN (ANALYZE) DELETE FROM t')?.acts).toMatchObject([{ kind: 'rows', change: 'delete' }])
    expect(only('EXPLAIN ANALYZE EXECUTE q (1, NULL, now())')).toMatchObject({
      acts: [],
      executes: { name: 'q', arguments: ['1', null, undefined] },
    })
  })

  it('finds changes wherever they stand, with the columns that they write', () => {
    expect(
      only(
        'WITH a AS (UPDATE t SET (x, "Y") = (1, 2), z[1] = 3 RETURNING 1), b AS (DELETE FROM u) INSERT INTO w SELECT 1',
      )?.acts,
    ).toMatchObject([
      { change: 'update', relation: { name: 't' }, sets: ['x', 'Y', 'z'] },
      { change: 'delete', relation: { name: 'u' } },
      { change: 'insert', relation: { name: 'w' } },
    ])
    expect(
      only(
        'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1 WHEN NOT MATCHED THEN INSERT VALUES (1)',
      )?.acts,
    ).toMatchObject([{ change: 'update', sets: ['a'] }])
    expect(only('COPY t FROM STDIN')?.acts).toMatchObject([{ change: 'insert', relation: { name: 't' } }])
  })

  it('takes the rows of a change by its own words, with its own parameters', () => {
    const [act] =
      only('WITH k AS (SELECT $2::int AS id) DELETE FROM t AS x USING k WHERE x.id = k.id AND x.v = $7')?.acts ?? []
    expect(act).toMatchObject({
      rows: {
        before: 'WITH k AS (SELECT $1::int AS id) ',
        after: ' FROM t AS x WHERE EXISTS (SELECT 1 FROM k WHERE x.id = k.id AND x.v = $2)',
        alias: 'x',
        parameters: [2, 7],
      },
    })
  })

  it('knows what to say of each object that DROP can name', () => {
    const named = (sql: string) => {
      const [act] = only(sql)?.acts ?? []
      return act?.kind === 'drop' ? act.objects : undefined
    }
    expect(named('DROP TABLE a, "B".c CASCADE')).toEqual([
      { type: 'table', names: ['a'] },
      { type: 'table', names: ['B', 'c'] },
    ])
    expect(named('DROP FUNCTION s.f(int, "T"[])')).toEqual([
      { type: 'function', names: ['s', 'f'], args: ['"pg_catalog"."int4"', '"T"[]'] },
    ])
    expect(named('DROP FUNCTION f')).toEqual([{ type: 'function', names: ['f'] }])
    expect(named('DROP TRIGGER g ON s.t')).toEqual([
      { type: 'trigger', names: ['s', 't', 'g'], relation: { schema: 's', name: 't' } },
    ])
    expect(named('DROP CAST (int AS text)')).toEqual([
      { type: 'cast', names: ['"pg_catalog"."int4"'], args: ['"text"'] },
    ])
    expect(named('DROP OPERATOR === (int, NONE)')).toMatchObject([
      { type: 'operator', args: ['"pg_catalog"."int4"', 'none'] },
    ])
  })
})
