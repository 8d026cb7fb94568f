import { chmodSync, existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { Client, type DatabaseError } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest'
import { product } from '../support/shared-product.ts'
import { until } from '../support/until.ts'
import { upstream } from '../support/upstream.ts'

const folder = join(product.home, 'log')

/** Ways to take the log away from everybody, and to give it back. */
const OUTAGES = {
  embedded: {
    'its folder may not be written': { away: () => chmodSync(folder, 0o500), back: () => chmodSync(folder, 0o700) },
    'its folder was moved away': {
      away: () => renameSync(folder, `${folder}.away`),
      back: () => renameSync(`${folder}.away`, folder),
    },
  },
  kafka: {
    'the broker does not answer': {
      away: () => process.kill(inject('brokerPid'), 'SIGSTOP'),
      back: () => process.kill(inject('brokerPid'), 'SIGCONT'),
    },
  },
} as const

const connect = async (): Promise<Client> => {
  const client = new Client(product.dsn('etl', { sslmode: 'no-verify' }))
  client.on('error', () => {})
  await client.connect()
  return client
}

const codeOf = async (asked: Promise<unknown>): Promise<string | undefined> => {
  try {
    await asked
    return undefined
  } catch (error) {
    return (error as DatabaseError).code
  }
}

const insert = (client: Client, what: string) => client.query('insert into truth (what) values ($1)', [what])

describe.each(Object.entries(OUTAGES[inject('log')]))('the log is gone because %s', (_, { away, back }) => {
  let writer: Client
  let reader: Client

  beforeAll(async () => {
    await upstream('create table if not exists truth (what text)')
    writer = await connect()
    reader = await connect()
    await until(async () => ((await codeOf(insert(writer, 'before'))) === undefined ? true : undefined), 40_000)
  })
  afterEach(() => {
    if (inject('log') === 'kafka' || !existsSync(folder)) back()
  })
  afterAll(async () => {
    await writer.end().catch(() => {})
    await reader.end().catch(() => {})
  })

  it('so statements are refused within a second, none reaches the database, and it recovers by itself', async () => {
    away()
    try {
      for (const [client, sql] of [
        [reader, 'select count(*) from products'],
        [writer, "insert into truth values ('during')"],
        [reader, 'select 1'],
        [writer, "insert into truth values ('during')"],
      ] as const) {
        const started = performance.now()
        expect(await codeOf(client.query(sql))).toBe('ZA010')
        expect(performance.now() - started).toBeLessThan(1_000)
      }
      const fresh = await connect()
      expect(await codeOf(insert(fresh, 'during'))).toBe('ZA010')
      await fresh.end()
      expect(await upstream("select count(*)::int from truth where what = 'during'")).toEqual([[0]])
    } finally {
      back()
    }
    await until(async () => ((await codeOf(insert(writer, 'after'))) === undefined ? true : undefined), 20_000)
    expect((await reader.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(await upstream('select what, count(*)::int > 0 as some from truth group by 1 order by 1')).toEqual([
      ['after', true],
      ['before', true],
    ])
  })

  it('and the record says so afterwards', async () => {
    const outage = await until(async () => {
      const [row] = await product.clickhouse<{ refused: string }>(
        "select refused from coverage where what = 'recovered' order by time desc limit 1",
      )
      return row
    })
    expect(Number(outage.refused)).toBeGreaterThan(0)
  })
})
