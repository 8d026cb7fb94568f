import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compare, type Compared } from './compare.ts'
import { DIFFERENCES } from './differences.ts'
import { SUITES } from './drivers/all.ts'
import { runSuite, type Sides } from './run-suite.ts'
import type { Suite } from './suite.ts'

/*
 * Drivers' own test suites, direct and through a node.
 *
 *   npm run suites              all, which takes an hour
 *   npm run suites -- pgx pq    some
 *
 * What each test said on each side lies in .cache/suites/<suite>.json afterwards. Ends with 1 when anything differs that
 * differences.ts does not explain.
 */

const REPORTS = fileURLToPath(new URL('../../.cache/suites/', import.meta.url))

const main = async (names: readonly string[]): Promise<void> => {
  const lines: string[] = []
  for (const suite of chosen(names)) {
    const sides = await runSuite(suite, 'all')
    const compared = compare(sides.direct, sides.node, DIFFERENCES[suite.name] ?? [])
    report(suite.name, sides)
    lines.push(lineOf(suite, compared))
    for (const test of compared.unexplained) console.log(`${suite.name}: ${test}: ${saidIn(sides, test)}`)
    for (const { tests, because } of compared.stale)
      console.log(`${suite.name}: nothing differs by ${tests}: ${because}`)
    if (compared.unexplained.length + compared.stale.length > 0) process.exitCode = 1
  }
  console.log(
    `\n${['| suite | tests | pass direct | pass through the node | explained |', '| --- | ---: | ---: | ---: | ---: |', ...lines].join('\n')}`,
  )
}

const chosen = (names: readonly string[]): readonly Suite[] => {
  const unknown = names.filter((name) => !SUITES.some((suite) => suite.name === name))
  if (unknown.length > 0)
    throw new Error(`no suite ${unknown.join(', ')}; there are ${SUITES.map(({ name }) => name).join(', ')}`)
  return names.length === 0 ? SUITES : SUITES.filter(({ name }) => names.includes(name))
}

const lineOf = ({ name }: Suite, { tests, passedDirect, passedNode, explained }: Compared): string =>
  `| ${[name, tests, passedDirect, passedNode, explained.length].join(' | ')} |`

const saidIn = ({ node }: Sides, test: string): string =>
  (node.get(test)?.said ?? 'it was not run').replaceAll(/\s+/g, ' ').slice(0, 400)

const report = (name: string, { direct, node }: Sides): void => {
  mkdirSync(REPORTS, { recursive: true })
  const told = { direct: Object.fromEntries(direct), node: Object.fromEntries(node) }
  writeFileSync(join(REPORTS, `${name}.json`), `${JSON.stringify(told, undefined, 1)}\n`)
}

await main(process.argv.slice(2))
