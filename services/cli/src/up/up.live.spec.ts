import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { dropPostgres, isAlive } from '@countersign/platform'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { homeAt, type Home } from '../home.ts'
import { readReady, type Ready } from '../ready-file.ts'
import { freePortBase, spawnUp, type UpProcess } from './testing/up-process.ts'

/*
 * The built `up` with real PostgreSQL and ClickHouse, and fakes for our own services. Each test takes over where the
 * one before it left the home.
 */

let home: Home
let base: number
const started: UpProcess[] = []

beforeAll(async () => {
  home = homeAt(join(mkdtempSync(join(tmpdir(), 'countersign-up-')), 'home'))
  base = await freePortBase()
})

afterAll(async () => {
  for (const { child, exitCode } of started) {
    child.kill('SIGTERM')
    await exitCode
  }
  dropPostgres(home.postgres)
  rmSync(join(home.directory, '..'), { recursive: true })
})

describe('countersign up', () => {
  it('starts everything, says how to get in, and writes ready.json for its owner alone', async () => {
    const up = await startUp()
    expect(up.said()).toContain('demo data    made')
    const ready = readReady(home.ready)
    expect(statSync(home.ready).mode & 0o777).toBe(0o600)
    expect(ready).toMatchObject({
      proxy: { host: '127.0.0.1', port: base },
      api: `http://127.0.0.1:${base + 1}`,
      console: `http://127.0.0.1:${base + 1}/console`,
      clickhouse: { url: `http://127.0.0.1:${base + 2}`, user: 'sre', database: 'countersign' },
    })
    expect(ready.principals.map(({ id }) => id)).toEqual(['ana', 'bo', 'cy', 'dee', 'eve', 'copilot', 'etl'])
    for (const { id, dsn, token } of ready.principals) {
      expect(token).toMatch(/^cs_[\w-]{43}$/)
      expect(dsn).toBe(`postgresql://${id}:${token}@127.0.0.1:${base}/shop`)
      expect(up.said()).toContain(`psql '${dsn}'`)
    }
    const names = ready.processes.map(({ name }) => name).sort()
    expect(names).toEqual(['audit', 'clickhouse', 'control', 'postgres', 'proxy'])
    expect(ready.processes.every(({ pid }) => isAlive(pid))).toBe(true)
  })

  it('fills a believable shop, and lets each role do what is its', async () => {
    const { upstream } = readReady(home.ready)
    const counts = await query(upstream, COUNTS)
    expect(counts).toEqual([{ customers: 2400, orders: 12000, events: 1_000_000, patients: 1200 }])
    const [totals] = await query(
      upstream,
      'select order_total(7) as total, customer_label(5) as label from revenue_by_month limit 1',
    )
    expect(totals).toEqual({
      total: expect.stringMatching(/^\d+\.\d\d$/),
      label: expect.stringMatching(/^.+ <.+@example\..+>$/),
    })
    await query(upstream, `insert into orders (customer_id) values (1)`)

    await expect(query(as('shop_readonly'), 'delete from orders')).rejects.toThrow('permission denied')
    expect(await query(as('countersign_guard'), 'show log_min_messages')).toEqual([{ log_min_messages: 'fatal' }])
    // What an approval lets an agent do must be possible: it inherits the ownership.
    await expect(query(as('shop_agent'), 'begin; drop table customers; rollback')).resolves.not.toThrow()
  })

  it('is found well by the doctor, who says what is not', async () => {
    const { checks } = JSON.parse((await doctor()).stdout) as { checks: readonly Result[] }
    expect(checks.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      'configuration: ok',
      'event log: ok',
      'control: ok',
      'node: fail',
      'audit: ok',
      'database shop: ok',
      'guard of shop: ok',
      'ClickHouse: ok',
      'projection: warn',
      'certificate: ok',
      'clocks: ok',
    ])
    // The fake node has no second port, and the fake audit no figures.
    expect(checks[3]?.detail).toBe(`http://127.0.0.1:${base + 5} does not answer`)

    await query(superuser(), 'alter role countersign_guard reset log_min_messages')
    renameSync(home.eventLog, `${home.eventLog}.away`)
    const { stdout } = await doctor()
    expect(stdout).toContain('log_min_messages is warning, so statements with their values reach the server')
    expect(stdout).toContain(`${home.eventLog} is not there`)
    expect(existsSync(home.eventLog)).toBe(false)
    renameSync(`${home.eventLog}.away`, home.eventLog)
    await query(superuser(), 'alter role countersign_guard set log_min_messages = fatal')

    await query(superuser(), 'create table walled (id int); alter table walled enable row level security')
    expect((await doctor()).stdout).toContain('row security hides rows from countersign_guard')
    await query(superuser(), 'drop table walled')
  })

  it('refuses a second one in the same home, with the number of the first', async () => {
    const second = spawnUp(['--home', home.directory, '--port-base', String(await freePortBase())])
    expect(await second.exitCode).toBe(1)
    expect(second.said()).toContain(`is in use by process ${current().child.pid}`)
    // What the doctor was shown without its log may have been started again meanwhile.
    await expect
      .poll(() => readReady(home.ready).processes.every(({ pid }) => isAlive(pid)), { timeout: 10_000 })
      .toBe(true)
  })

  it('refuses ports that are taken, and names them, without touching anything', async () => {
    const elsewhere = join(home.directory, '..', 'elsewhere')
    const second = spawnUp(['--home', elsewhere, '--port-base', String(base - 1)])
    expect(await second.exitCode).toBe(1)
    expect(second.said()).toContain(`ports ${base} (API and console), ${base + 1} (ClickHouse)`)
    expect(existsSync(join(elsewhere, 'postgres'))).toBe(false)
  })

  it('touches nothing in a folder that is somebody else’s, not even with --fresh', async () => {
    const theirs = join(home.directory, '..', 'theirs')
    mkdirSync(join(theirs, 'log'), { recursive: true, mode: 0o700 })
    writeFileSync(join(theirs, 'log', 'syslog'), 'mine')
    const second = spawnUp(['--home', theirs, '--port-base', String(await freePortBase()), '--fresh'])
    expect(await second.exitCode).toBe(1)
    expect(second.said()).toContain('holds log and no secrets.json: give another --home')
    expect(readFileSync(join(theirs, 'log', 'syslog'), 'utf8')).toBe('mine')
  })

  it('starts again what dies, and keeps ready.json true', async () => {
    const before = readReady(home.ready)
    for (const name of ['proxy', 'clickhouse', 'postgres']) {
      process.kill(pidOf(before, name), 'SIGKILL')
      await expect.poll(() => pidOf(readReady(home.ready), name), { timeout: 30_000 }).not.toBe(pidOf(before, name))
      expect(isAlive(pidOf(readReady(home.ready), name))).toBe(true)
    }
    expect(await query(readReady(home.ready).upstream, 'select 1 as it')).toEqual([{ it: 1 }])
    expect(current().said()).toMatch(/proxy +ended: SIGKILL\n/)
  })

  it('stops everything within ten seconds of SIGTERM', async () => {
    const { processes } = readReady(home.ready)
    const { child, exitCode } = current()
    const asked = performance.now()
    child.kill('SIGTERM')
    expect(await exitCode).toBe(0)
    expect(performance.now() - asked).toBeLessThan(10_000)
    expect(existsSync(home.ready)).toBe(false)
    expect(processes.filter(({ pid }) => isAlive(pid))).toEqual([])
  })

  it('keeps data and tokens over a restart', async () => {
    const up = await startUp()
    expect(up.said()).toContain('demo data    kept')
    expect(tokensOf(up)).toEqual(tokensOf(started[0]!))
    expect(await query(readReady(home.ready).upstream, COUNTS)).toMatchObject([{ orders: 12001 }])
  })

  it('leaves nothing behind when it is killed, and starts again at once', async () => {
    const { processes } = readReady(home.ready)
    current().child.kill('SIGKILL')
    await current().exitCode
    await startUp()
    expect(processes.filter(({ pid }) => isAlive(pid))).toEqual([])
    expect(await query(readReady(home.ready).upstream, COUNTS)).toMatchObject([{ orders: 12001 }])
  })

  it('ends its children by itself when it is killed and nobody starts it again', async () => {
    const { processes } = readReady(home.ready)
    current().child.kill('SIGKILL')
    await expect.poll(() => processes.filter(({ pid }) => isAlive(pid)), { timeout: 20_000 }).toEqual([])
  })

  it('says which service cannot start and why, and stops the others', async () => {
    const up = spawnUp(argumentsFor(), { FAKE_FAILS: 'control' })
    expect(await up.exitCode).toBe(1)
    expect(up.said()).toMatch(
      /control did not start \(exit code 1\): has no wish to start; all of it is in .*control\.log/,
    )
    await expectNothingLeft()
  })

  it('starts anew with --fresh, with the same tokens', async () => {
    const up = await startUp('--fresh')
    expect(up.said()).toContain('demo data    made')
    expect(tokensOf(up)).toEqual(tokensOf(started[0]!))
    expect(await query(readReady(home.ready).upstream, COUNTS)).toMatchObject([{ orders: 12000 }])
    up.child.kill('SIGINT')
    expect(await up.exitCode).toBe(0)
  })

  it('can be stopped while it is still filling the database, which is then filled at the next start', async () => {
    const up = spawnUp([...argumentsFor(), '--fresh'])
    await up.says(/postgres +ready/)
    const asked = performance.now()
    up.child.kill('SIGTERM')
    expect(await up.exitCode).toBe(0)
    expect(performance.now() - asked).toBeLessThan(10_000)
    await expectNothingLeft()
    expect((await startUp()).said()).toContain('demo data    made')
  })
})

const COUNTS = `
  select (select count(*)::int from customers) as customers, (select count(*)::int from orders) as orders,
         (select count(*)::int from events) as events, (select count(*)::int from patients) as patients`

const argumentsFor = () => ['--home', home.directory, '--port-base', String(base)]

const startUp = async (...more: string[]): Promise<UpProcess> => {
  const up = spawnUp([...argumentsFor(), ...more])
  started.push(up)
  await up.says(/Ctrl-C stops everything/)
  return up
}

const current = (): UpProcess => started.at(-1)!

const pidOf = ({ processes }: Ready, name: string): number => processes.find((each) => each.name === name)!.pid

const tokensOf = (up: UpProcess): readonly string[] => up.said().match(/cs_[\w-]{43}/g) ?? []

const as = (role: string): string => {
  const { roles } = JSON.parse(readFileSync(home.secrets, 'utf8')) as { roles: Record<string, string> }
  return `postgresql://${role}:${roles[role]}@127.0.0.1:${base + 3}/shop`
}

const superuser = (): string => {
  const { postgres } = JSON.parse(readFileSync(home.secrets, 'utf8')) as { postgres: string }
  return `postgresql://postgres:${postgres}@127.0.0.1:${base + 3}/shop`
}

interface Result {
  readonly name: string
  readonly status: string
  readonly detail: string
}

const CLI = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** Ends with 1, because the fake node answers no health check. */
const doctor = (): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [CLI, 'doctor', '--home', home.directory, '--json']).then(
    () => {
      throw new Error('the doctor overlooked the node')
    },
    (ended: { code: number; stdout: string }) => {
      expect(ended.code).toBe(1)
      return ended
    },
  )

const query = async (dsn: string, sql: string): Promise<readonly unknown[]> => {
  const client = new Client(dsn)
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Every port that it had is free again. */
const expectNothingLeft = async () => {
  const ports = Array.from({ length: 7 }, (_, i) => base + i)
  const open = await Promise.all(ports.map((port) => fetch(`http://127.0.0.1:${port}`).then(() => port, faultOf)))
  expect(open.filter((answer) => answer !== 'ECONNREFUSED')).toEqual([])
}

const faultOf = (error: { cause?: { code?: string } }) => error.cause?.code
