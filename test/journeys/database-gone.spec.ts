import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type DatabaseError } from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

let product: Product

beforeAll(async () => {
  product = await Product.start()
})
beforeEach(() => works())
afterAll(() => product.dispose())

interface Heard {
  readonly client: Client
  /** What it heard while nobody asked, and how its connection ended. */
  readonly errors: DatabaseError[]
  readonly ended: Promise<void>
}

const connect = async (as: string): Promise<Heard> => {
  const client = new Client(product.dsn(as, { sslmode: 'no-verify' }))
  const errors: DatabaseError[] = []
  client.on('error', (error) => errors.push(error as DatabaseError))
  const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
  await client.connect()
  return { client, errors, ended }
}

const failureOf = async (asked: Promise<unknown>): Promise<DatabaseError> => {
  try {
    await asked
  } catch (error) {
    return error as DatabaseError
  }
  throw new Error('it did not fail')
}

/** What the node logs from now on, line by line. */
const logged = () => {
  const file = join(product.home, 'logs', 'proxy.log')
  const before = readFileSync(file).length
  return () =>
    readFileSync(file)
      .subarray(before)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { level: string; message: string; sqlstate?: string; reason?: string })
}

/** Everything in the configuration that is nobody's to know. */
const secrets = (): readonly string[] => {
  const text = readFileSync(join(product.home, 'countersign.yaml'), 'utf8')
  const found = [...text.matchAll(/(?:password|shop_\w+): "([^"]{8,})"/g)].map(([, secret = '']) => secret)
  expect(found.length).toBeGreaterThan(3)
  return found
}

/** The database stays down while nobody starts it again: its supervisor sleeps meanwhile. */
const withoutDatabase = async (signal: NodeJS.Signals, meanwhile: () => Promise<void>): Promise<void> => {
  const postgres = product.pid('postgres')
  const supervisor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${postgres}/status`, 'utf8'))?.[1])
  process.kill(supervisor, 'SIGSTOP')
  try {
    process.kill(postgres, signal)
    await until(async () => ((await failureOf(direct())).code === 'ECONNREFUSED' ? true : undefined))
    await meanwhile()
  } finally {
    process.kill(supervisor, 'SIGCONT')
  }
}

const direct = async (): Promise<void> => {
  const client = new Client(product.ready.upstream)
  client.on('error', () => {})
  await client.connect()
  await client.end()
  throw Object.assign(new Error('it answers'), { code: 'up' })
}

const works = async (): Promise<void> => {
  await until(async () => ((await product.psql('ana', '-c', 'select 1')).status === 0 ? true : undefined), 60_000)
}

describe('the database is stopped', () => {
  it('and new clients are told so with a remedy and no secret, until it is back; the node stays up', async () => {
    const node = product.pid('proxy')
    const lines = logged()
    await withoutDatabase('SIGINT', async () => {
      const { status, stderr } = await product.psql('ana', '-c', 'select 1')
      expect(status).toBe(2)
      expect(stderr).toMatch(/FATAL: {2}the database behind this node cannot be reached: /)
      expect(stderr).toMatch(/HINT: .*countersign doctor/)
      const before = lines().length
      const started = performance.now()
      const failure = await failureOf(connect('etl'))
      expect(performance.now() - started).toBeLessThan(2_000)
      expect(failure).toMatchObject({ code: '08001', severity: 'FATAL' })
      expect(lines().slice(before)).toEqual([
        expect.objectContaining({ level: 'warn', message: 'a client was turned away', sqlstate: '08001' }),
      ])
      const told = [
        stderr,
        failure.message,
        failure.hint,
        failure.detail,
        ...lines().map((line) => JSON.stringify(line)),
      ]
      for (const secret of secrets()) expect(told.join('\n')).not.toContain(secret)
      const wrong = await failureOf(connectAs('etl', 'cs_wrong'))
      expect(wrong.code).toBe('28P01') // Whether the database is there is for those to know who may come in.
    })
    await works()
    expect(product.pid('proxy')).toBe(node)
    const { stdout } = await product.psql('ana', '-At', '-c', 'select ssn from customers where ssn is not null limit 1')
    expect(stdout).toMatch(/^\*\*\*-\*\*-\d{4}\n$/)
    const failed = await until(async () => {
      const rows = await product.clickhouse<{ data: string }>(
        "select data from events where type = 'auth.failed' and position(data, 'upstream-unavailable') > 0 limit 1",
      )
      return rows[0]
    })
    expect(failed.data).toContain('upstream-unavailable')
  })

  // Fast, where each server process says why it ends, and immediate, where it does not.
  it.each(['SIGINT', 'SIGQUIT'] as const)('by %s, and sessions that are open hear why they end', async (signal) => {
    const [idle, busy, within] = [await connect('ana'), await connect('etl'), await connect('ana')]
    await within.client.query('begin')
    await within.client.query('select count(*) from products')
    const marker = `busy_${signal}_${Date.now()}`
    const asked = failureOf(
      busy.client.query(`select count(*) as ${marker} from events a join events b on a.id % 50 = b.id % 50`),
    )
    await until(async () => ((await running(marker)) > 0 ? true : undefined))
    await withoutDatabase(signal, async () => {
      await Promise.all([idle.ended, busy.ended, within.ended])
      expect(await asked).toMatchObject({ severity: 'FATAL', code: expect.stringMatching(/^(57P0\d|08006)$/) })
      for (const { errors } of [idle, within])
        expect(errors[0]).toMatchObject({ severity: 'FATAL', code: expect.stringMatching(/^(57P0\d|08006)$/) })
    })
    await works()
    const outcome = await until(async () => {
      const [row] = await product.clickhouse<{ outcome: string }>(
        `select outcome from statements where position(db_query_text, '${marker}') > 0 and outcome != 'running'`,
      )
      return row?.outcome
    })
    expect(outcome).toMatch(/^(failed|cancelled|outcome_unknown)$/)
    await expect
      .poll(() => product.clickhouse("select session_id from sessions where state = 'open'"), { timeout: 10_000 })
      .toEqual([])
  })
})

describe('one server process dies', () => {
  it('and its client is told before its connection ends', async () => {
    const dying = await connect('etl')
    const { rows } = await dying.client.query<{ pid: number }>('select pg_backend_pid() as pid')
    process.kill(rows[0]?.pid ?? 0, 'SIGKILL')
    await dying.ended
    expect(dying.errors[0]).toMatchObject({ severity: 'FATAL', code: expect.stringMatching(/^(57P0\d|08006)$/) })
    await works()
  })
})

const connectAs = async (user: string, password: string): Promise<void> => {
  const url = new URL(product.dsn(user, { sslmode: 'no-verify' }))
  url.password = password
  const client = new Client(url.href)
  client.on('error', () => {})
  await client.connect()
}

/** How many server processes are at a statement with this in it. */
const running = async (marker: string): Promise<number> => {
  const client = new Client(product.ready.upstream)
  client.on('error', () => {})
  await client.connect()
  try {
    const sql = `select count(*)::int as n from pg_stat_activity where state = 'active' and query like '%${marker}%' and pid <> pg_backend_pid()`
    return (await client.query<{ n: number }>(sql)).rows[0]?.n ?? 0
  } finally {
    await client.end()
  }
}
