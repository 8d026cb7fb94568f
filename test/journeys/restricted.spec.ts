import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessEvents, ofType } from '../support/access-events.ts'
import { failureOf, ownClient, type Own } from '../support/own-client.ts'
import { Product } from '../support/product.ts'
import { until } from '../support/until.ts'

/*
 * The whole product, as somebody meets it who goes on trying what policy denies: the session ends, then the principal
 * may do nothing, until the time is up or somebody lifts it.
 */

const ATTEMPTS = 4

let product: Product
let policies: string
const opened: Own[] = []

const at = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

beforeAll(async () => {
  policies = mkdtempSync(join(tmpdir(), 'countersign-policies-'))
  cpSync(at('libs/policy/policies'), policies, { recursive: true })
  cpSync(at('deploy/policies/examples/end-session.cedar'), join(policies, '50-end-session.cedar'))
  product = await Product.start([], {
    env: {
      COUNTERSIGN_CONTROL_POLICIES: policies,
      COUNTERSIGN_CONTROL_RESTRICTIONS_ATTEMPTS: `${ATTEMPTS}`,
      COUNTERSIGN_CONTROL_RESTRICTIONS_WITHIN_MINUTES: '10',
      COUNTERSIGN_NODE_WORKERS: '2',
    },
  })
})
afterEach(async () => {
  for (const { client } of opened.splice(0)) await client.end().catch(() => {})
})
afterAll(async () => {
  await product?.dispose()
  rmSync(policies, { recursive: true, force: true })
})

const open = async (as: string): Promise<Own> => {
  const own = await ownClient(product, as)
  opened.push(own)
  return own
}
const DENIED = "select * from dblink('dbname=shop', 'select 1') as t (x int)"
const HASHES = 'select rolpassword from pg_authid'
const denied = async (as: string, times: number) => {
  const { client } = await open(as)
  for (let n = 0; n < times; n++) expect(await failureOf(client.query(DENIED))).toMatchObject({ code: '42501' })
  await client.end()
}
const cli = async (...args: readonly string[]) => {
  const { status, stdout, stderr } = await product.cli(...args)
  return { status, said: stdout + stderr }
}

describe('a statement that is worth the session', () => {
  it('ends that session with a clean error and its transaction with it; others go on', async () => {
    const other = await open('etl')
    const own = await open('etl')
    await own.client.query('begin')
    await own.client.query(
      "insert into events (occurred_at, kind, session_ref, duration_ms, payload) values (now(), 'expelled', 0, 0, '{}')",
    )
    const failure = await failureOf(own.client.query(HASHES))
    expect(failure).toMatchObject({ severity: 'FATAL', code: '42501' })
    expect(failure.message).toContain('reads password hashes')
    await own.ended
    const { rows } = await other.client.query("select count(*)::int as n from events where kind = 'expelled'")
    expect(rows).toEqual([{ n: 0 }])
    await until(async () => {
      const closed = ofType(await accessEvents(product), 'session.closed')
      return closed.some(({ because }) => because === 'policy') || undefined
    })
  })

  it('is told so by psql, and nothing of the script behind it runs', async () => {
    const { status, stderr, stdout } = await product.psql('dee', '-c', HASHES, '-c', 'select 42 as never')
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/^FATAL: {2}session ended, denied by policy: .*it reads password hashes/m)
    expect(stdout).not.toContain('42')
  })
})

describe('who goes on trying what policy denies', () => {
  it('loses every session at once, is let in nowhere, and nobody else is', async () => {
    const sessions = await Promise.all([open('ana'), open('ana'), open('ana')])
    const bystander = await open('bo')
    await denied('ana', ATTEMPTS - 1)
    expect((await sessions[0]!.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])

    const last = sessions[1]!
    expect(await failureOf(last.client.query(DENIED))).toMatchObject({ code: '42501' })
    await Promise.all(sessions.map(({ ended }) => ended))
    for (const { errors } of sessions) expect(errors[0]).toMatchObject({ severity: 'FATAL', code: 'ZA004' })

    const refused = await failureOf(open('ana'))
    expect(refused).toMatchObject({ severity: 'FATAL', code: 'ZA004' })
    expect(refused.message).toBe(`restricted: ${ATTEMPTS} of its statements were denied within 10 minutes`)
    expect((await bystander.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect((await cli('sessions', '--as', 'ana')).status).toBe(4)
  })

  it('is seen by security, and lifted by them and by nobody else', async () => {
    const { said } = await cli('restrictions', 'ls', '--as', 'cy')
    expect(said).toMatch(/^ana +\S+ \S+ +in \d+ min +4 of its statements were denied/m)
    expect((await cli('restrictions', 'lift', 'ana', '--as', 'bo', '--reason', 'please')).status).toBe(4)
    expect((await cli('restrictions', 'lift', 'ana', '--as', 'ana', '--reason', 'please')).status).toBe(4)
    const lifted = await cli('restrictions', 'lift', 'ana', '--as', 'cy', '--reason', 'it was a drill')
    expect(lifted).toMatchObject({ status: 0, said: expect.stringContaining('ana may sign in again') })
    const ana = await until(() => open('ana').catch(() => undefined))
    expect((await ana.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect((await cli('restrictions', 'ls', '--as', 'cy')).said.trim()).toBe('nobody is restricted')
  })

  it('is not restricted for slips of the pen or for what is held, nor by wrong passwords of others', async () => {
    const { client } = await open('bo')
    for (let n = 0; n < 2 * ATTEMPTS; n++) await failureOf(client.query('selec 1'))
    const agent = await open('copilot')
    for (let n = 0; n < 2 * ATTEMPTS; n++) {
      expect(await failureOf(agent.client.query(`delete from orders where id > ${n}`))).toMatchObject({ code: 'ZA001' })
    }
    for (let n = 0; n < 2 * ATTEMPTS; n++) {
      const wrong = new URL(product.dsn('cy', { sslmode: 'no-verify' }))
      wrong.password = 'not-hers'
      expect(await failureOf(new Client(wrong.href).connect())).toMatchObject({ code: '28P01' })
    }
    expect((await cli('restrictions', 'ls', '--as', 'cy')).said.trim()).toBe('nobody is restricted')
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  it('stays restricted when control is killed and starts again', async () => {
    await denied('dee', ATTEMPTS - 1) // One more was the statement that ended the session of psql.
    await until(async () => ((await cli('restrictions', 'ls', '--as', 'cy')).said.includes('dee') ? true : undefined))
    const before = product.pid('control')
    process.kill(before, 'SIGKILL')
    await until(() => (product.pid('control') !== before ? true : undefined), 30_000)
    await until(
      async () => ((await cli('restrictions', 'ls', '--as', 'cy')).said.includes('dee') ? true : undefined),
      30_000,
    )
    expect(await failureOf(open('dee'))).toMatchObject({ code: 'ZA004' })
  })
})
