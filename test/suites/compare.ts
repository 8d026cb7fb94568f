import type { Results } from './suite.ts'

/** Tests that do not pass through a node as they do directly, and why that is right, or what is to be done about it. */
export interface Difference {
  /** Matches the names of all that differ for this reason. */
  readonly tests: RegExp
  readonly because: string
  /** They fail now and then: a run in which they pass is no news. */
  readonly sometimes?: true
}

export interface Compared {
  readonly tests: number
  readonly passedDirect: number
  readonly passedNode: number
  /** Of those that passed directly. */
  readonly explained: readonly string[]
  /** Neither passed through the node nor explained: each is a fault. */
  readonly unexplained: readonly string[]
  /** Explanations of which nothing is true any more. */
  readonly stale: readonly Difference[]
}

/** Every test that passes directly must pass through the node, or be explained; an explanation must explain something. */
export const compare = (direct: Results, node: Results, differences: readonly Difference[]): Compared => {
  const passed = [...direct].flatMap(([name, { outcome }]) => (outcome === 'passed' ? [name] : []))
  const differing = passed.filter((name) => node.get(name)?.outcome !== 'passed')
  const isExplained = (name: string) => differences.some(({ tests }) => tests.test(name))
  return {
    tests: direct.size,
    passedDirect: passed.length,
    passedNode: passed.length - differing.length,
    explained: differing.filter(isExplained),
    unexplained: differing.filter((name) => !isExplained(name)),
    stale: differences.filter(({ tests, sometimes }) => !sometimes && !differing.some((name) => tests.test(name))),
  }
}
