import { Principal, type WorkerId } from '@countersign/contracts'
import { Secret, type DatabaseConfig } from '@countersign/platform'
import { compilePolicies, defaultPolicies } from '@countersign/policy'
import { shapeOf } from '@countersign/sql'
import { parseArgs } from 'node:util'
import { everydaySchema, everydayStatements } from '../../../../../test/corpus/everyday.ts'
import { installed, startPostgres } from '../../../../../test/corpus/postgres.ts'
import { Knowledge } from '../catalogue/knowledge.ts'
import { DatabaseJudge } from '../statement/database-judge.ts'
import type { Circumstances } from '../statement/judge.ts'
import type { SessionView } from '../understanding/parser-jobs.ts'
import { Parser } from '../understanding/parser.ts'
import { Servers } from '../upstream/servers.ts'

/*
 * npm run bench -- sql [--rounds N] [--texts N]: what it costs to understand a statement that was never seen, to find
 * one that was, and to decide; whether memory stays flat over so many different texts. The judge with everything real
 * behind it, on the statements of test/corpus/everyday. README.md beside it has the recorded figures.
 */

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, texts: { type: 'string', default: '0' } },
  allowPositionals: true,
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

const GUARD = 'guard'
const [binaries] = installed()
if (!binaries) throw new Error('no PostgreSQL on this machine')
const server = await startPostgres(binaries)
const admin = await server.connect('postgres')
await admin.query(everydaySchema)
await admin.query(`CREATE ROLE ${GUARD} LOGIN; GRANT pg_read_all_data TO ${GUARD}`)

const config: DatabaseConfig = {
  name: 'postgres',
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port: server.port,
    database: 'postgres',
    tls: 'disable',
    channelBinding: 'prefer',
    guard: { role: GUARD, password: new Secret('trusted') },
    roles: {},
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
  },
}
const now = () => new Date()
const servers = new Servers(config.upstream, { now: () => now().toISOString() })
const parser = new Parser((reason) => say(`the parser was replaced: ${reason}`))
const knowledge = new Knowledge({
  config,
  servers,
  parser,
  worker: 'bench.w0' as WorkerId,
  now: () => now().toISOString(),
  record: () => {},
  logger: { info: () => {}, warn: say, error: say },
  changed: () => judge.forget(),
})
const set = compilePolicies(defaultPolicies())
const judge = new DatabaseJudge({ knowledge, parser, policy: () => ({ set, version: 'v1' }), now })
await knowledge.refresh()

const session: SessionView = {
  searchPath: ['pg_catalog', 'public'],
  temporary: [],
  changedSchema: false,
  tentative: false,
  tainted: false,
}
const circumstances: Circumstances = {
  principal: Principal.parse({ id: 'ana', kind: 'person', groups: ['developers'] }),
  target: knowledge.target,
  role: 'app',
  processId: 0,
  session,
  namesKey: `${JSON.stringify(session)}\n`,
  types: [],
  transaction: 'idle',
  reason: undefined,
  ticket: undefined,
  prepared: () => undefined,
  cursor: () => undefined,
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? NaN
const ms = (value: number): string => `${value.toFixed(3)} ms`
const us = (value: number): string => `${value.toFixed(2)} µs`

/** CPU of this process, its threads included, in milliseconds. */
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1_000
}

const statements = everydayStatements.map(({ sql }) => sql)

const cold = async () => {
  const times: number[] = []
  const before = process.cpuUsage()
  for (const sql of statements) {
    const began = performance.now()
    await judge.ask(sql, circumstances).catch(() => undefined)
    times.push(performance.now() - began)
  }
  return { times, cpu: cpuMs(before) / statements.length }
}

const staged = async () => {
  const stages = { parse: [] as number[], tree: [] as number[], judge: [] as number[] }
  for (const sql of statements) {
    const began = performance.now()
    const { understanding } = await parser.ask('understand', { sql })
    const parsed = performance.now()
    const [command] = understanding.commands
    const tree =
      command?.analysable === undefined
        ? undefined
        : await knowledge.analysis.treeOf(command.analysable, session.searchPath, [])
    const asked = performance.now()
    const trees = [tree === 'locked' ? undefined : tree]
    await parser.ask('judge', {
      catalogue: knowledge.name,
      sql,
      trees,
      types: [[]],
      session,
      prepared: [],
      cursors: [],
    })
    stages.parse.push(parsed - began)
    stages.tree.push(asked - parsed)
    stages.judge.push(performance.now() - asked)
  }
  return stages
}

const REPEATS = 200

/** Microseconds of CPU for each call, over all statements that are known. */
const each = (known: readonly string[], call: (sql: string) => unknown): number => {
  let sink = 0
  for (const sql of known) if (call(sql) !== undefined) sink += 1
  const before = process.cpuUsage()
  for (let repeat = 0; repeat < REPEATS; repeat++) for (const sql of known) if (call(sql) !== undefined) sink += 1
  if (sink < 0) throw new Error('never')
  return (1_000 * cpuMs(before)) / (REPEATS * known.length)
}

for (let round = 0; round < 3; round++) {
  await cold()
  judge.forget()
}
const rounds: { wall: number; cpu: number }[] = []
for (let round = 0; round < Number(values.rounds); round++) {
  judge.forget()
  const { times, cpu } = await cold()
  rounds.push({ wall: median(times), cpu })
}
say(`cold, ${statements.length} statements: ${ms(median(rounds.map(({ wall }) => wall)))} median by the clock,`)
say(`  ${ms(median(rounds.map(({ cpu }) => cpu)))} of CPU each (mean, all threads)`)
const stages = await staged()
for (const [name, times] of Object.entries(stages)) say(`  ${name}: ${ms(median(times))}`)

judge.forget()
await cold()
const known = statements.filter((sql) => judge.known(sql, circumstances) !== undefined)
say(`cached, ${known.length} of them, ${median(known.map(({ length }) => length))} characters in the median:`)
say(`  shape alone: ${us(each(known, shapeOf))} (${us(each(short(known), shapeOf))} under 200 characters)`)
const decided = (sql: string) => judge.known(sql, circumstances)
say(`  found and decided: ${us(each(known, decided))} (${us(each(short(known), decided))} under 200 characters)`)

function short(texts: readonly string[]): readonly string[] {
  return texts.filter(({ length }) => length < 200)
}

if (Number(values.texts) > 0) {
  const rss = () => Math.round(process.memoryUsage().rss / 2 ** 20)
  const marks: string[] = []
  for (let n = 0; n < Number(values.texts); n++) {
    if (n % Math.ceil(Number(values.texts) / 10) === 0) marks.push(`${n}: ${rss()} MB`)
    await judge.ask(`SELECT id AS a${n} FROM users WHERE role = 'r'`, circumstances)
  }
  say(`memory over ${values.texts} different texts: ${marks.join(', ')}, at the end ${rss()} MB`)
}

await knowledge.close()
await parser.close()
await admin.end()
await server.stop()
