import { describe, expect, it } from 'vitest'
import { compare } from './compare.ts'
import type { Result, Results } from './suite.ts'

const results = (outcomes: Readonly<Record<string, Result['outcome']>>): Results =>
  new Map(Object.entries(outcomes).map(([name, outcome]) => [name, { outcome, said: '' }]))

const direct = results({ one: 'passed', two: 'passed', three: 'failed', four: 'skipped' })

describe('a suite, direct and through the node', () => {
  it('is the same when what passes directly passes through the node', () => {
    const node = results({ one: 'passed', two: 'passed', three: 'failed', four: 'failed' })
    expect(compare(direct, node, [])).toMatchObject({ passedDirect: 2, passedNode: 2, unexplained: [], stale: [] })
  })

  it('differs by a test that fails, is skipped, or was never run', () => {
    expect(compare(direct, results({ one: 'failed', two: 'skipped' }), []).unexplained).toEqual(['one', 'two'])
    expect(compare(direct, results({}), []).unexplained).toEqual(['one', 'two'])
  })

  it('may differ where that is explained', () => {
    const explained = [{ tests: /^two$/, because: 'that is how it is' }]
    const node = results({ one: 'passed', two: 'failed' })
    expect(compare(direct, node, explained)).toMatchObject({ explained: ['two'], unexplained: [], stale: [] })
  })

  it('may not be explained away: an explanation of nothing is told', () => {
    const explained = [{ tests: /^one$/, because: 'it was so once' }]
    const node = results({ one: 'passed', two: 'passed' })
    expect(compare(direct, node, explained).stale).toEqual(explained)
    expect(compare(direct, node, [{ tests: /^one$/, because: 'it is slow', sometimes: true }]).stale).toEqual([])
  })
})
