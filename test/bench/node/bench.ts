import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { summaryOf, tableOf, type Reading, type Summary } from './report.ts'
import { startTargets, type Target, type Targets } from './targets.ts'
import { usageOf } from './usage.ts'
import { workloads, type Workload } from './workloads.ts'

/*
 * What a node costs, beside PgBouncer in session mode and beside nothing, in one run, taking turns.
 *
 *   npm run bench                    prints the table
 *   npm run bench -- --record        and keeps it: baseline.json here, and the table in the README
 *   npm run bench -- --only prepared --rounds 3 --seconds 2
 */

const { values } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
  },
})
const ROUNDS = Number(values.rounds)
const SECONDS = Number(values.seconds)

const main = async (): Promise<void> => {
  const targets = await startTargets()
  try {
    const chosen = workloads().filter(({ name }) => name.includes(values.only))
    const summaries: Summary[] = []
    for (const workload of chosen) summaries.push(await measure(workload, targets))
    const table = tableOf(summaries)
    console.log(`\n${table}\n\n${footnote(targets)}`)
    if (values.record) record(summaries, `${table}\n\n${footnote(targets)}`)
  } finally {
    await targets.stop()
  }
}

/** Each target in turn, several times over, so that what else the machine does falls on all alike. */
const measure = async (workload: Workload, { all, behind }: Targets): Promise<Summary> => {
  const readings: Reading[] = []
  for (const target of all) await workload.run(target.dsn, 1)
  for (let round = 0; round < ROUNDS; round++) {
    for (const target of all) readings.push(await read(workload, target, behind))
  }
  const summary = summaryOf(workload, readings)
  console.error(`${workload.name}: ${summary.targets.map((t) => `${t.name} ${Math.round(t.perSecond)}`).join(', ')}`)
  return summary
}

const read = async (workload: Workload, target: Target, behind: Targets['behind']): Promise<Reading> => {
  const middle = () => (target.pid === undefined ? 0 : usageOf(target.pid).cpuMs)
  const others = () => behind.reduce((sum, { pid }) => sum + usageOf(pid).cpuMs, 0)
  const [middleBefore, othersBefore] = [middle(), others()]
  const { count, seconds, latencyMs } = await workload.run(target.dsn, SECONDS)
  return {
    target: target.name,
    perSecond: count / seconds,
    latencyMs,
    cpuUs: target.pid === undefined ? undefined : ((middle() - middleBefore) * 1_000) / count,
    behindUs: target.name === 'node' ? ((others() - othersBefore) * 1_000) / count : undefined,
  }
}

const footnote = ({ all }: Targets): string => {
  const memory = all
    .flatMap(({ name, pid }) => (pid === undefined ? [] : [`${name} ${Math.round(usageOf(pid).peakMiB)} MiB`]))
    .join(', ')
  return (
    `Medians of ${ROUNDS} rounds of ${SECONDS} s, taking turns. ${cpus().length} cores shared by client, PostgreSQL, ` +
    `the one in the middle and everything behind it. Most memory ever held: ${memory}.`
  )
}

const record = (summaries: readonly Summary[], text: string): void => {
  const baseline = {
    machine: {
      cores: cpus().length,
      model: cpus()[0]?.model,
      memoryGiB: Math.round(totalmem() / 2 ** 30),
      node: process.version,
      load: loadavg()[0],
    },
    rounds: ROUNDS,
    seconds: SECONDS,
    summaries,
  }
  writeFileSync(new URL('baseline.json', import.meta.url), `${JSON.stringify(baseline, undefined, 2)}\n`)
  const readme = fileURLToPath(new URL('../../../README.md', import.meta.url))
  const between = /(<!-- bench:begin -->\n)[\s\S]*(<!-- bench:end -->)/
  writeFileSync(readme, readFileSync(readme, 'utf8').replace(between, `$1${text}\n$2`))
}

await main()
