import { hash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { compare, effectOf, type Comparison, type Deed } from './compare.ts'
import { runScripts } from './run-scripts.ts'
import { bringEffectSources } from './sources.ts'

/*
 * A part of the campaign, for every run; `npm run effects` does all of it. Without the server, its sources or a compiler
 * this fails, and says what is missing.
 */
const PART = ['test_setup', 'txid', 'boolean', 'advisory_lock', 'prepare', 'sequence', 'limit']

describe('what statements really do, beside what the node says of them', () => {
  let comparison: Comparison
  beforeAll(async () => {
    comparison = compare(await runScripts({ ...bringEffectSources(15), tests: PART }))
  }, 900_000)

  it('was measured', () => {
    expect(comparison.pairs.length).toBeGreaterThan(500)
    expect(comparison.readOnly).toBeGreaterThan(150)
    expect(comparison.pairs.filter(({ deed }) => effectOf(deed) !== undefined).length).toBeGreaterThan(100)
  })

  it('is read-only where that is said', () =>
    expect(comparison.falselyReadOnly.map(({ pair, because }) => `${because}: ${pair.deed.text}`)).toEqual([]))

  it('changes rows of no relation that is not told', () =>
    expect(comparison.untold.map(({ pair, relations }) => `${relations.join()}: ${pair.deed.text}`)).toEqual([]))

  it('changes the structure only where that is told', () =>
    expect(comparison.unstructured.map(({ deed }) => deed.text)).toEqual([]))
})

describe('the comparison', () => {
  const nothing: Deed = { text: 'x', xid: false, wal: 0, rows: [], locks: [], advisory: 0, objects: [], settings: [] }

  it('sees each kind of effect', () => {
    expect(effectOf(nothing)).toBeUndefined()
    expect(effectOf({ ...nothing, xid: true })).toBe('a transaction number')
    expect(effectOf({ ...nothing, rows: [['public', 't', 'r', 'p', 0, 1, 0, []]] })).toBe('rows of public.t')
    expect(effectOf({ ...nothing, locks: [['public', 't', 'r', 'p', 1 << 4]] })).toBe('locks public.t 16')
    expect(effectOf({ ...nothing, locks: [['public', 't', 'r', 'p', 1 << 3]] })).toBeUndefined()
    expect(effectOf({ ...nothing, advisory: 1 })).toBe('an advisory lock')
    expect(effectOf({ ...nothing, objects: [['c', 1259, 1]] })).toBe('objects c1259')
  })

  it('finds a claim of read-only that is false', () => {
    const text = 'SELECT f()'
    const line = { pid: 7, at: '1', kind: 'execute', ...nothing, settings: undefined, xid: true, q: text }
    const found = compare({ events: eventsFor(text), lines: [JSON.stringify(line)] })
    expect(found.falselyReadOnly.map(({ because }) => because)).toEqual(['a transaction number'])
  })

  it('finds rows of which nothing was told', () => {
    const line = { pid: 7, at: '1', kind: 'execute', ...nothing, settings: undefined, q: 'SELECT f()' }
    const rows = [['public', 'part', 'r', 'p', 0, 0, 5, [['public', 'whole', 'p', 'p']]]]
    const told = (relation: string) =>
      compare({ events: eventsFor('SELECT f()', relation), lines: [JSON.stringify({ ...line, rows })] }).untold
    expect(told('public.other').map(({ relations }) => relations)).toEqual([['public.part']])
    expect(told('public.part')).toEqual([])
    expect(told('public.whole')).toEqual([])
  })

  const eventsFor = (text: string, relation?: string) => [
    { type: 'session.opened', data: { sessionId: 's', upstream: { processId: 7 } } },
    {
      type: 'statement.intended',
      data: {
        sessionId: 's',
        text,
        digest: hash('sha256', text, 'hex'),
        actions: relation === undefined ? ['read'] : ['delete'],
        relations: relation === undefined ? [] : [{ name: relation, actions: ['delete'] }],
        readOnly: relation === undefined,
      },
    },
  ]
})
