import { describe, expect, it } from 'vitest'
import { accepts, acceptsCompacted, type Heads } from './accepts.ts'

const standing = (commits: readonly (readonly [string, number])[], rule = accepts) => {
  const heads: Heads = new Map()
  return commits.map(([stream, revision]) => rule(heads, { stream, revision }))
}

describe('of the commits of a stream', () => {
  it('the first for each revision stands', () =>
    expect(
      standing([
        ['a', 1],
        ['a', 1],
        ['a', 2],
        ['a', 2],
      ]),
    ).toEqual([true, false, true, false]))

  it('one that skips ahead is void, and does not open the way for the one it skipped to', () =>
    expect(
      standing([
        ['a', 1],
        ['a', 3],
        ['a', 2],
        ['a', 3],
      ]),
    ).toEqual([true, false, true, true]))

  it('one that names no place is void', () =>
    expect(
      standing([
        ['a', 0],
        ['a', -1],
        ['a', 1],
      ]),
    ).toEqual([false, false, true]))

  it('none touches another stream', () =>
    expect(
      standing([
        ['a', 1],
        ['b', 1],
        ['b', 2],
        ['a', 2],
      ]),
    ).toEqual([true, true, true, true]))
})

describe('of the commits of a stream whose topic is compacted', () => {
  it('the first for each revision stands, from wherever the stream begins', () =>
    expect(
      standing(
        [
          ['a', 5],
          ['a', 5],
          ['a', 6],
          ['a', 4],
        ],
        acceptsCompacted,
      ),
    ).toEqual([true, false, true, false]))

  it('what a slow reader did not get to see is not waited for', () =>
    expect(
      standing(
        [
          ['a', 1],
          ['a', 7],
          ['a', 3],
          ['a', 8],
        ],
        acceptsCompacted,
      ),
    ).toEqual([true, true, false, true]))

  it('one that names no place is void', () => expect(standing([['a', 0]], acceptsCompacted)).toEqual([false]))
})
