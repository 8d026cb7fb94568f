import { describe, expect, it } from 'vitest'
import { compare } from '../compare.ts'
import { DIFFERENCES } from '../differences.ts'
import { runSuite } from '../run-suite.ts'
import { SUITES } from './all.ts'

/* A part of each suite; `npm run suites` runs them whole. */

describe.each(SUITES.map((suite) => ({ suite, name: suite.name })))(
  'what the authors of $name test',
  ({ suite, name }) => {
    it('passes through the node where it passes directly', { timeout: 900_000 }, async () => {
      const { direct, node } = await runSuite(suite, 'few')
      const { passedDirect, unexplained } = compare(direct, node, DIFFERENCES[name] ?? [])
      expect(passedDirect).toBeGreaterThan(20)
      expect(unexplained.map((test) => `${test}: ${node.get(test)?.said ?? 'it was not run'}`)).toEqual([])
    })
  },
)
