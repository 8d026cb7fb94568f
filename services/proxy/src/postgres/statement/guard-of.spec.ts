import type { Count, Decision } from '@countersign/policy'
import { understand, type Command, type Facts, type Use } from '@countersign/sql'
import { describe, expect, it } from 'vitest'
import { guardOf } from './guard-of.ts'

const HELD: Decision = { verdict: 'hold', policies: ['h'], approvers: ['owners'], quorum: 1, because: '' }
const ALLOWED: Decision = { verdict: 'allow', policies: ['p'], approvers: [], quorum: 1, because: '' }
const BOUNDED: Decision = { ...ALLOWED, guard: { rowsMax: 5, policies: ['g'] } }

const commandsOf = (sql: string): readonly Command[] => understand(sql).commands

/** As if the server had said the same as the text. */
const guard = (sql: string, decision: Decision, rows?: number, { limit = 1000 } = {}) => {
  const text = commandsOf(sql)
  const command = text.find(({ changes }) => changes.length > 0) ?? text[0]
  const uses = (command?.changes ?? []).map(
    ({ kind }, index) =>
      ({
        through: 'statement',
        deferred: false,
        change: { kind, index, unbounded: false, tautological: false },
      }) as Use,
  )
  const counts: Count[] = rows === undefined ? [] : [{ index: uses.length - 1, rows, exact: true }]
  const facts = { uses } as unknown as Facts
  return guardOf({ decision, facts, counts, countLimit: limit, runs: command, text })
}

describe('what is approved', () => {
  it('may change as many rows as were counted', () =>
    expect(guard('delete from t', HELD, 7)).toEqual({ rowsMax: 7, by: 'approval', unkept: undefined }))
  it('may change none where none were counted', () =>
    expect(guard('delete from t', HELD, 0)).toMatchObject({ rowsMax: 0 }))
  it('has no bound where nobody has counted', () => expect(guard('delete from t', HELD)).toBeUndefined())
  it('has no bound where there were at least as many as are counted', () =>
    expect(guard('delete from t', HELD, 1000)).toBeUndefined())
  it('has none that could be kept where it inserts beside what was counted', () =>
    expect(
      guard(
        'merge into t using u on t.id = u.id when matched then delete when not matched then insert values (1)',
        HELD,
        7,
      ),
    ).toMatchObject({ unkept: 'merge-inserts' }))
  it('has the bound of a policy where that is closer', () => {
    const both = { ...HELD, guard: { rowsMax: 5, policies: ['g'] } }
    expect(guard('delete from t', both, 7)).toMatchObject({ rowsMax: 5, by: 'policy' })
    expect(guard('delete from t', both, 4)).toMatchObject({ rowsMax: 4, by: 'approval' })
  })
})

describe('a bound of a policy', () => {
  it.each([
    ['delete from t', undefined],
    ['update t set a = 1', undefined],
    ['insert into t select 1', undefined],
    ['merge into t using u on t.id = u.id when matched then delete when not matched then insert values (1)', undefined],
    ['delete from t; select 1', undefined],
    ['with c as (select 1) delete from t', undefined],
    ['with c as (delete from u returning 1) delete from t', 'several-changes'],
    ['with c as (delete from u returning 1) select 1', 'not-told'],
    ['explain analyze delete from t', 'not-told'],
    ['truncate t', 'not-told'],
    ['begin; delete from t', 'transaction-control'],
    ['delete from t; rollback to a', 'transaction-control'],
    ['delete from t; copy t to stdout', 'copy'],
  ])('of %s is kept, or not because: %s', (sql, unkept) =>
    expect(guard(sql, BOUNDED)).toEqual({ rowsMax: 5, by: 'policy', unkept }),
  )

  it('is not about what only reads', () => expect(guard('select 1', BOUNDED)).toBeUndefined())
})
