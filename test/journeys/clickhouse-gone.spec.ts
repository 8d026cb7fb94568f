import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

let product: Product
let client: Client

beforeAll(async () => {
  product = await Product.start()
  client = new Client(product.dsn('etl', { sslmode: 'no-verify' }))
  await client.connect()
})
afterAll(async () => {
  await client?.end()
  await product.dispose()
})

/** Every statement has a number of its own, so that each can be looked for. */
const FORMS = [
  (name: string) => `select id, email from customers where city <> '${name};' limit 2`,
  (name: string) => `select 1 where '${name};' <> ''`,
  (name: string) => `insert into settings (key, value) values ('${name};', 'x')`,
]

class Work {
  readonly marker = randomUUID()
  ran = 0

  async run(count: number): Promise<void> {
    for (let more = 0; more < count; more++) {
      const form = FORMS[this.ran % FORMS.length]
      if (form) await client.query(form(`${this.marker} ${this.ran}`))
      this.ran += 1
    }
  }

  /** How often each was run, as it was: once. */
  get once(): Readonly<Record<string, number>> {
    return Object.fromEntries(Array.from({ length: this.ran }, (_, number) => [number, 1]))
  }

  /** How often each is in the record, as ended. */
  async seen(): Promise<Readonly<Record<string, number>>> {
    const rows = await product.clickhouse<{ number: string; times: string }>(
      `select extract(db_query_text, '${this.marker} ([0-9]+);') as number, count() as times
       from statements where position(db_query_text, '${this.marker}') > 0 and outcome = 'completed' group by number`,
    )
    return Object.fromEntries(rows.map(({ number, times }) => [number, Number(times)]))
  }

  /** The record has caught up. What it then shows is shown for good. */
  async expectSeenOnce(): Promise<void> {
    const caughtUp = async () => Object.keys(await this.seen().catch(() => ({}))).length >= this.ran
    await until(async () => ((await caughtUp()) ? true : undefined), 60_000)
    expect(await this.seen()).toEqual(this.once)
  }
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** ClickHouse stays down while nobody starts it again: its supervisor sleeps meanwhile. */
const withoutClickhouse = async (meanwhile: () => Promise<void>): Promise<void> => {
  const pid = product.pid('clickhouse')
  const supervisor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${product.pid('audit')}/status`, 'utf8'))?.[1])
  process.kill(supervisor, 'SIGSTOP')
  try {
    process.kill(pid, 'SIGKILL')
    await until(async () => ((await product.clickhouse('select 1').catch(() => 'gone')) === 'gone' ? true : undefined))
    await meanwhile()
  } finally {
    process.kill(supervisor, 'SIGCONT')
  }
}

const auditLog = () => {
  const file = join(product.home, 'logs', 'audit.log')
  const before = readFileSync(file).length
  return () =>
    readFileSync(file)
      .subarray(before)
      .toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
}

const OUTAGE_MS = 3_000

describe('ClickHouse is gone', () => {
  it('and statements go on as before; the record catches up when it is back, each of them once', async () => {
    const work = new Work()
    const audit = product.pid('audit')
    const lines = auditLog()
    await work.run(6)
    await work.expectSeenOnce()
    await withoutClickhouse(async () => {
      const started = performance.now()
      while (performance.now() - started < OUTAGE_MS) {
        const before = performance.now()
        await work.run(9)
        expect(performance.now() - before).toBeLessThan(2_000)
        await sleep(100)
      }
      expect(alive(audit)).toBe(true)
    })
    await work.run(3)
    await work.expectSeenOnce()
    expect(work.ran).toBeGreaterThan(50)
    expect(product.pid('audit')).toBe(audit)
    const troubles = lines().filter((line) => /"(warn|error)"/.test(line))
    // Said once; when it comes back there may be a moment in which it answers and cannot do its work yet.
    expect(troubles.length).toBeGreaterThan(0)
    expect(troubles.length).toBeLessThanOrEqual(2)
    for (const trouble of troubles) expect(trouble).toMatch(/"what":"clickhouse"/)
  })

  it('again and again, and nothing is lost, and nothing there twice', async () => {
    const work = new Work()
    for (let kills = 0; kills < 3; kills++) {
      await work.run(12)
      const pid = await until(() => (alive(product.pid('clickhouse')) ? product.pid('clickhouse') : undefined), 60_000)
      process.kill(pid, 'SIGKILL')
      await work.run(12)
      await until(() => (product.pid('clickhouse') !== pid ? true : undefined), 60_000)
    }
    await work.expectSeenOnce()
  })
})
