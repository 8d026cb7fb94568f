import { parseArgs } from 'node:util'
import { SourcesMissingError } from '../regress/sources.ts'
import { compare, type Comparison } from './compare.ts'
import { measureEvasions } from './measure-evasions.ts'
import { runScripts } from './run-scripts.ts'
import { bringEffectSources, MAJORS, type Major } from './sources.ts'

/*
 * Every statement of PostgreSQL's regression tests, through a real node, and what it really does beside what the node
 * says of it.
 *
 *   npm run effects                            all of version 15, in the order of the schedule
 *   npm run effects -- --major 18              of another one: 13, 15, 17 or 18
 *   npm run effects -- test_setup transactions these, in this order
 *   npm run effects -- --evasions              what each statement of test/corpus/evasions.jsonl does, written there
 */

const { values, positionals } = parseArgs({
  options: { major: { type: 'string', default: '15' }, evasions: { type: 'boolean', default: false } },
  allowPositionals: true,
})

const main = async (): Promise<void> => {
  if (values.evasions) return measureEvasions((words) => console.log(words))
  const major = MAJORS.find((each) => `${each}` === values.major)
  if (major === undefined) throw new SourcesMissingError(`there are tests of ${MAJORS.join(', ')}, not ${values.major}`)
  process.exitCode = (await measured(major, positionals)) ? 0 : 1
}

const measured = async (major: Major, tests: readonly string[]): Promise<boolean> => {
  const sources = bringEffectSources(major)
  const run = {
    ...sources,
    tests: tests.length > 0 ? tests : sources.tests,
    said: (words: string) => console.log(words),
  }
  const result = await runScripts(run)
  const comparison = compare(result)
  console.log(reportOf(comparison))
  if (result.broken.length > 0) console.log(`did not come to their end: ${result.broken.join(', ')}`)
  return comparison.falselyReadOnly.length === 0
}

const reportOf = ({ statements, readOnly, pairs, falselyReadOnly, untold, unstructured }: Comparison): string =>
  [
    ...falselyReadOnly.map(({ pair, because }) => `FALSELY READ-ONLY ${because}: ${shown(pair.deed.text)}`),
    ...untold.map(({ pair, relations }) => `untold ${relations.join(', ')}: ${shown(pair.deed.text)}`),
    ...unstructured.map(({ deed }) => `structure untold: ${shown(deed.text)}`),
    '',
    `${statements} statements, ${readOnly} said to be read-only; ${pairs.length} were run and measured`,
    `falsely read-only: ${falselyReadOnly.length}; rows changed and not told: ${untold.length}; structure changed and not told: ${unstructured.length}`,
  ].join('\n')

const shown = (text: string): string => text.replaceAll(/\s+/g, ' ').slice(0, 300)

const failed = (error: unknown): void => {
  if (error instanceof SourcesMissingError) console.error(`the tests cannot be run: ${error.message}`)
  else console.error(error)
  process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main().catch(failed)
