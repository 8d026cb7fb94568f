import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { compareSuite, EXPLAINED, type Comparison } from './compare.ts'
import { differenceOf, readExplained } from './differences.ts'

/*
 * A part of PostgreSQL's regression tests, for every run; `npm run regress` does all of them. Without the server, its
 * sources or a compiler this fails, and says what is missing.
 */
const PART = [
  'test_setup',
  'create_index',
  'boolean',
  'numeric',
  'strings',
  'errors',
  'copy',
  'transactions',
  'portals',
  'prepare',
  'plancache',
  'limit',
  'largeobject',
  'sequence',
  'psql_crosstab',
]

describe('PostgreSQL’s own tests, through a node that allows everything', () => {
  let comparison: Comparison
  beforeAll(async () => {
    comparison = await compareSuite(PART)
  }, 900_000)

  it('ran, and are right without a node', () => {
    expect(comparison.verdicts.map(({ test }) => test)).toEqual(PART.toSorted())
    expect(comparison.unexpected).toEqual([])
  })

  it.each(PART)('give the same result or an explained one: %s', (test) => {
    const verdict = comparison.verdicts.find((each) => each.test === test)
    expect(verdict?.difference, verdict?.kind).toEqual(verdict?.kind === 'explained' ? verdict.difference : [])
    expect(['same', 'explained']).toContain(verdict?.kind)
  })
})

describe('what may differ', () => {
  it('is explained, each with a reason and its lines', () => {
    const explained = readExplained(EXPLAINED)
    expect(explained.length).toBeGreaterThan(0)
    for (const { test, why, lines } of explained) {
      expect(test).toMatch(/^\w+(\.\w+)*$/)
      expect(why.length).toBeGreaterThan(20)
      expect(lines.length).toBeGreaterThan(0)
    }
    expect(readFileSync(EXPLAINED, 'utf8')).not.toMatch(/\/(tmp|work|home)\//)
  })

  it('is found line by line', () => {
    expect(differenceOf('a\nb\nc\nd', 'a\nx\nc\ny\nd')).toEqual(['-b', '+x', '+y'])
    expect(differenceOf('a\nb', 'a\nb')).toEqual([])
    expect(differenceOf('a', '')).toEqual(['-a', '+'])
  })
})
