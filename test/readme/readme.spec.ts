import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { startKafka } from '@countersign/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Product } from '../support/product.ts'
import { run, start, type Ran, type Running } from '../support/run.ts'
import { until } from '../support/until.ts'
import { freshClone } from './clone.ts'

/*
 * README.md, done by somebody who has just cloned the project and does what it says, word for word.
 */

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')

/** Every command that the README names, and the test below that runs it. */
const TRIED: Readonly<Record<string, string>> = {
  'npm start': 'starts',
  'npm start -- --home DIR --port-base N': 'somewhere else',
  'npm start -- --fresh': 'with new data',
  'npm start -- --log kafka --kafka-brokers localhost:9092': 'on Kafka',
  'npx countersign doctor': 'doctor',
  "psql '<her line>' -c 'drop table customers'": 'one thing to try',
  'npx countersign requests ls --as bo': 'one thing to try',
  'requests approve <id> --as bo': 'one thing to try',
  'npx countersign tail --as dee': 'one thing to try',
  'npm test': 'is what runs this',
  'npm test -- services/cli': 'some of the tests',
  'npm run regress': 'some of PostgreSQL’s own tests',
  'npm run effects': 'what some of their statements do',
  'npm run bench': 'some of the bench',
  'npm run fuzz -- --conversations 100000': 'fewer conversations',
  'npm run load': 'fewer connections and shorter streams',
}

let clone: string
let running: Running | undefined

const inClone = (program: string, ...args: readonly string[]): Promise<Ran> =>
  run(program, args, { cwd: clone, env: OUTSIDE })

/** As in a shell of one's own: nothing of the test run's npm. */
const OUTSIDE = Object.fromEntries(
  Object.keys(process.env).flatMap((name) =>
    /^npm_(?!config_)|^NODE_(ENV|OPTIONS|PATH)$|^VITEST|^INIT_CWD/i.test(name) ? [[name, undefined]] : [],
  ),
)

/** As in a terminal, where Ctrl-C reaches everything that was started there, npm's children too. */
const inTerminal = (...command: readonly string[]): Running =>
  start('timeout', ['600', ...command], { cwd: clone, env: OUTSIDE })

const npmStart = async (...args: readonly string[]): Promise<Product> => {
  const home = args[args.indexOf('--home') + 1]
  running = inTerminal('npm', 'start', ...(args.length > 0 ? ['--', ...args] : []))
  await running.says(/^Try: in one terminal/m)
  return Product.at(args.includes('--home') && home !== undefined ? home : join(clone, '.countersign'))
}

const ctrlC = async (): Promise<Ran | undefined> => {
  running?.kill('SIGINT')
  const ended = await running?.ended
  running = undefined
  return ended
}

beforeAll(() => void (clone = freshClone()))
afterAll(async () => {
  await ctrlC()
  for (const folder of [clone, `${clone}-elsewhere`]) rmSync(folder, { recursive: true, force: true })
})

describe('the README', () => {
  it('names no command that is not tried here', () => {
    const blocks = [...README.matchAll(/^```\n([^]*?)^```/gm)].map(([, block]) => block ?? '')
    const lines = blocks.flatMap((block) => block.split('\n')).map((line) => line.split(/\s{2,}/)[0] ?? '')
    const inline = [...README.matchAll(/`((?:npm|npx|psql|requests) [^`]*)`/g)].map(([, command]) => command ?? '')
    const commands = [...lines, ...inline].filter((line) => /^(npm|npx|psql|requests) /.test(line))
    expect(new Set(commands)).toEqual(new Set(Object.keys(TRIED)))
  })

  it('starts from a fresh clone with `npm start`, shows what is happening, and says what to do', async () => {
    const { ready } = await npmStart()
    expect(running?.said()).toMatch(/install dependencies/)
    for (const { dsn } of ready.principals.filter(({ kind }) => kind === 'person'))
      expect(running?.said()).toContain(dsn)
  })

  it('and is found well by the doctor', async () => {
    const { status, stdout } = await inClone('npx', 'countersign', 'doctor')
    expect(stdout).not.toMatch(/\bfail\b/)
    expect(status).toBe(0)
  })

  it('and the one thing to try works', async () => {
    const product = Product.at(join(clone, '.countersign'))
    const tail = inTerminal('npx', 'countersign', 'tail', '--as', 'dee')
    const read = await run('psql', [product.dsn('ana'), '-c', 'select * from customers limit 5'])
    expect(read.stdout).toMatch(/\*{3}|«|•/)
    const dropping = start('psql', [product.dsn('ana'), '-c', 'drop table customers'])
    await dropping.says(/held for approval: .*\brq_/s)
    const { stdout: requests } = await inClone('npx', 'countersign', 'requests', 'ls', '--as', 'bo')
    const [id = 'none'] = /rq_\w+/.exec(requests) ?? []
    expect((await inClone('npx', 'countersign', 'requests', 'approve', id, '--as', 'bo')).status).toBe(0)
    expect((await dropping.ended).stdout).toContain('DROP TABLE')
    await tail.says(new RegExp(`${id}[^]*DROP TABLE|DROP TABLE[^]*${id}|drop table customers`, 'i'))
    tail.kill('SIGINT')
    await tail.ended
  })

  it('and Ctrl-C stops it, the next start keeps the data, and --fresh does not', async () => {
    expect((await ctrlC())?.status).toBe(0)
    const customers = 'select count(*) from customers'
    const kept = await npmStart()
    expect((await kept.psql('ana', '-Atc', customers)).stderr).toContain('does not exist')
    await ctrlC()
    const fresh = await npmStart('--fresh')
    expect((await fresh.psql('ana', '-Atc', customers)).stdout).toMatch(/^\d{3,}\n/)
    await ctrlC()
  })

  it('runs somewhere else, on Kafka', async () => {
    const kafka = await startKafka()
    try {
      const home = `${clone}-elsewhere` // Not in the clone: what is made there is no part of the project.
      const brokers = kafka.brokers.join(',')
      const product = await npmStart(
        '--home',
        home,
        '--port-base',
        '17850',
        '--log',
        'kafka',
        '--kafka-brokers',
        brokers,
      )
      expect(product.ready.proxy.port).toBe(17_850)
      expect((await product.psql('ana', '-Atc', 'select 1')).stdout).toBe('1\n')
      await until(async () =>
        (await product.clickhouse('select 1 from statements limit 1')).length > 0 ? true : undefined,
      )
    } finally {
      await ctrlC()
      await kafka.stop()
    }
  })

  it('runs some of the tests, and says how many passed', async () => {
    const { status, stdout } = await inClone('npm', 'test', '--', 'services/cli')
    expect(stdout.trim().split('\n').slice(-6).join('\n')).toMatch(/^\d+ passed, 0 failed$/m)
    expect(status).toBe(0)
  })

  it("runs some of PostgreSQL's own tests", async () => {
    const { status, stdout } = await inClone('npm', 'run', 'regress', '--', 'test_setup', 'boolean')
    expect(stdout).toMatch(/^PostgreSQL [\d.]+: 2 tests, 2 the same, 0 explained, 0 not explained/m)
    expect(status).toBe(0)
  })

  it('measures what some of their statements do', async () => {
    const { status, stdout } = await inClone('npm', 'run', 'effects', '--', 'test_setup', 'boolean')
    expect(stdout).toMatch(/^\d{2,} statements, \d{2,} said to be read-only; \d{2,} were run and measured$/m)
    expect(stdout).toMatch(/^falsely read-only: 0; rows changed and not told: 0; structure changed and not told: 0$/m)
    expect(status).toBe(0)
  })

  it('holds conversations that no client would hold', async () => {
    const { status, stdout } = await inClone('npm', 'run', 'fuzz', '--', '--conversations', '400')
    expect(stdout).toMatch(/^fuzz: 5 of 5 targets passed$/m)
    expect(status).toBe(0)
  })

  it('puts a node under load', async () => {
    const little = ['--idle', '20', '--active', '5', '--minutes', '0.1', '--mib', '64']
    const { status, stdout } = await inClone('npm', 'run', 'load', '--', ...little)
    expect(stdout).toMatch(/20 idle/)
    expect(status).toBe(0)
  })

  it('measures', async () => {
    const few = ['--only', 'prepared, 1 client', '--rounds', '1', '--seconds', '1']
    const { stdout } = await inClone('npm', 'run', 'bench', '--', ...few)
    expect(stdout).toMatch(/\| prepared, 1 client, statements\/s \| [\d,]+ \| [\d,]+ \| [\d,]+ \|/)
  })
})
