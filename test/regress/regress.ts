import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { compareSuite, type Comparison, type Verdict } from './compare.ts'
import { SourcesMissingError } from './sources.ts'

/*
 * PostgreSQL's own regression tests, direct and through a node under a policy that allows everything.
 *
 *   npm run regress                         all of the parallel schedule
 *   npm run regress -- test_setup strings   these, in this order (most need test_setup and create_index first)
 *   npm run regress -- --out FILE           and writes down what is not explained, as it would stand in differences.md
 */

const { values, positionals } = parseArgs({ options: { out: { type: 'string' } }, allowPositionals: true })

const main = async (): Promise<void> => {
  const comparison = await compareSuite(positionals)
  console.log(reportOf(comparison))
  const wrong = comparison.verdicts.filter(isWrong)
  if (values.out !== undefined) writeFileSync(values.out, wrong.map(sectionOf).join('\n'))
  process.exitCode = wrong.length === 0 ? 0 : 1
}

const isWrong = ({ kind }: Verdict): boolean => kind !== 'same' && kind !== 'explained'

const reportOf = ({ version, verdicts, seconds, unexpected }: Comparison): string => {
  const of = (kind: Verdict['kind']) => verdicts.filter((each) => each.kind === kind)
  const explained = of('explained').map(({ test, why }) => `  ${test}: ${why.split('\n')[0]}`)
  const wrong = verdicts
    .filter(isWrong)
    .map(({ test, kind, difference }) =>
      [`\n${test}: ${kind}`, ...difference.slice(0, 60).map((line) => `  ${line}`)].join('\n'),
    )
  return [
    ...wrong,
    '',
    `PostgreSQL ${version}: ${verdicts.length} tests, ${of('same').length} the same, ${explained.length} explained, ` +
      `${wrong.length} not explained; ${seconds.direct.toFixed(0)} s direct, ${seconds.node.toFixed(0)} s through a node`,
    ...explained,
    ...(unexpected.length > 0 ? [`direct, and not as PostgreSQL expects it: ${unexpected.join(', ')}`] : []),
  ].join('\n')
}

const sectionOf = ({ test, difference }: Verdict): string =>
  `## ${test}\n\n\n\`\`\`diff\n${difference.join('\n')}\n\`\`\`\n`

const failed = (error: unknown): void => {
  if (error instanceof SourcesMissingError) console.error(`the tests cannot be run: ${error.message}`)
  else console.error(error)
  process.exitCode = 1
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
await main().catch(failed)
