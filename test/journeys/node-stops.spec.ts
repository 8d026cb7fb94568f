import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { ofType, settledEvents } from '../support/access-events.ts'
import { failureOf, ownClient, type Own } from '../support/own-client.ts'
import { Product } from '../support/product.ts'
import { start } from '../support/run.ts'
import { until } from '../support/until.ts'

const DRAIN_SECONDS = 6

let product: Product
const opened: Own[] = []

/** One worker in the node's own process, or two in processes of theirs: it must make no difference. */
describe.each([1, 2])('a node of %i is asked to stop', (workers) => {
  beforeAll(async () => {
    const env = { COUNTERSIGN_NODE_WORKERS: `${workers}`, COUNTERSIGN_NODE_DRAIN_SECONDS: `${DRAIN_SECONDS}` }
    product = await Product.start([], { env })
    await direct('create table kept as select id, 0 as n from generate_series(1, 5) as id')
    await direct('alter table kept add primary key (id)')
    await direct('create table going as select 1 as id')
  })
  afterEach(async () => {
    for (const { client } of opened.splice(0)) await client.end().catch(() => {})
    await until(async () => ((await product.psql('etl', '-c', 'select 1')).status === 0 ? true : undefined), 60_000)
    // It serves before ready.json says which process it is now.
    await until(() => (isThere(product.pid('proxy')) ? true : undefined))
  })
  afterAll(() => product.dispose())

  it('ends idle sessions at once, takes no more clients, and lets a transaction go on to its end', async () => {
    const idle = await open()
    const busy = await open()
    const [before] = await direct('select n from kept where id = 1')
    await busy.client.query('begin')
    await busy.client.query('update kept set n = n + 1 where id = 1')
    const node = terminated()
    await idle.ended
    expect(idle.errors[0]).toMatchObject({ severity: 'FATAL', code: '57P01' })
    await until(async () => ((await failureOf(open())).message.includes('ECONNREFUSED') ? true : undefined))
    expect(isThere(node)).toBe(true)

    await busy.client.query('update kept set n = n + 1 where id = 1')
    await busy.client.query('commit')
    await busy.ended
    expect(busy.errors[0]).toMatchObject({ severity: 'FATAL', code: '57P01' })
    await until(() => (isThere(node) ? undefined : true))
    expect(await direct('select n from kept where id = 1')).toEqual([[Number(before?.[0]) + 2]])
    expect(logs().some((line) => line.includes('did not stop in time'))).toBe(false)
  })

  it('lets a statement outside of a transaction finish, and gives its client the result', async () => {
    const own = await open()
    const { asked, release } = await stuck(own, 2)
    const node = terminated()
    await sleep(300)
    expect(isThere(node)).toBe(true)
    await release()
    expect(await asked).toMatchObject({ rowCount: 1 })
    await own.ended
    await until(() => (isThere(node) ? undefined : true))
    const events = await settledEvents(product)
    const { sessionId } = ofType(events, 'session.closed').findLast(({ because }) => because === 'node-stopping') ?? {}
    expect(ofType(events, 'statement.settled').findLast((each) => each.sessionId === sessionId)).toMatchObject({
      outcome: 'completed',
    })
  })

  it('withdraws what is held, tells its client why, and settles it once', async () => {
    const held = start('psql', [product.dsn('ana'), '-X', '-v', 'VERBOSITY=verbose', '-c', 'drop table going'])
    await held.says(/request rq_\w{10}/)
    const [, request] = /request (rq_\w{10})/.exec(held.said()) ?? []
    const node = terminated()
    expect((await held.ended).stderr).toMatch(/57014: the node stops: the approval request is withdrawn/)
    await until(() => (isThere(node) ? undefined : true))
    const events = await settledEvents(product)
    const intended = ofType(events, 'statement.intended').find(({ requestId }) => requestId === request)
    const of = ({ statementId }: { statementId: string }) => statementId === intended?.statementId
    expect(ofType(events, 'statement.withdrawn').filter(of)).toMatchObject([{ because: 'node-stopping' }])
    expect(ofType(events, 'statement.settled').filter(of)).toMatchObject([{ outcome: 'withdrawn' }])
    expect(await direct("select to_regclass('going')::text")).toEqual([['going']])
  })

  it('ends what is still going on when the time is over, has the server cancel it, and records how it ended', async () => {
    const [stubborn, lazy] = [await open(), await open()]
    const { marker, asked, release } = await stuck(stubborn, 3)
    await lazy.client.query('begin')
    await lazy.client.query('update kept set n = n + 1 where id = 4')
    const node = terminated()
    expect(await failureOf(asked)).toMatchObject({ severity: 'FATAL', code: '57P01' })
    await lazy.ended
    await until(() => (isThere(node) ? undefined : true))
    expect(await direct(RUNNING(marker))).toEqual([[0]])
    await release()
    const events = await settledEvents(product)
    const intended = ofType(events, 'statement.intended').find(({ text }) => text.includes(marker))
    expect(
      ofType(events, 'statement.settled').filter(({ statementId }) => statementId === intended?.statementId),
    ).toMatchObject([{ outcome: 'cancelled' }])
    expect(await direct('select n from kept where id in (3, 4)')).toEqual([[0], [0]])
  })

  it('ends everything at once when it is asked a second time', async () => {
    const own = await open()
    await own.client.query('begin')
    const node = terminated()
    await until(() => (logs().at(-1)?.includes('draining') === true ? true : undefined))
    const since = performance.now()
    process.kill(node, 'SIGTERM')
    await own.ended
    await until(() => (isThere(node) ? undefined : true))
    expect(performance.now() - since).toBeLessThan(DRAIN_SECONDS * 1000)
    expect(own.errors[0]).toMatchObject({ code: '57P01' })
    await settledEvents(product)
  })
})

const open = async (): Promise<Own> => {
  const own = await ownClient(product, 'etl')
  opened.push(own)
  return own
}

/** Asks the node to stop. Whoever has started it will start it again. */
const terminated = (): number => {
  const pid = product.pid('proxy')
  process.kill(pid, 'SIGTERM')
  return pid
}

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const logs = (): readonly string[] =>
  readFileSync(join(product.home, 'logs', 'proxy.log'), 'utf8')
    .trimEnd()
    .split('\n')

const direct = async (sql: string): Promise<unknown[][]> => {
  const client = new Client(product.ready.upstream)
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][]
  } finally {
    await client.end()
  }
}

const RUNNING = (marker: string) =>
  `select count(*)::int from pg_stat_activity where state = 'active' and query like '%${marker}%' and pid <> pg_backend_pid()`

/** A statement that goes on until `release`: it wants a row that somebody else has locked. */
const stuck = async (own: Own, id: number) => {
  const other = new Client(product.ready.upstream)
  other.on('error', () => {}) // Where the test has failed before it could release it, its server goes first.
  await other.connect()
  await other.query('begin')
  await other.query('select from kept where id = $1 for update', [id])
  const marker = `stuck ${performance.now()}`
  const asked = own.client.query(`update kept set n = n + 1 where id = ${id} /* ${marker} */`)
  asked.catch(() => {})
  await until(async () => ((await direct(RUNNING(marker)))[0]?.[0] === 1 ? true : undefined))
  return { marker, asked, release: () => other.end() }
}
