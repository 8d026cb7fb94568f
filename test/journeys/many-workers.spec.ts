import { randomUUID } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { accessEvents, ofType, settledEvents } from '../support/access-events.ts'
import { failureOf, ownClient, workerOf, type Own } from '../support/own-client.ts'
import { Product } from '../support/product.ts'
import { start } from '../support/run.ts'
import { until } from '../support/until.ts'

const WORKERS = { COUNTERSIGN_NODE_WORKERS: '2' }

let product: Product
const opened: Own[] = []

beforeAll(async () => {
  product = await Product.start([], { env: WORKERS })
  await direct('create table kept as select id, 0 as n from generate_series(1, 3) as id')
  await direct('alter table kept add primary key (id)')
})
afterEach(async () => {
  for (const { client } of opened.splice(0)) await client.end().catch(() => {})
  await until(async () => ((await connections()).every((count) => count === 0) ? true : undefined))
})
afterAll(() => product.dispose())

const direct = async (sql: string): Promise<unknown[][]> => {
  const client = new Client(product.ready.upstream)
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows as unknown[][]
  } finally {
    await client.end()
  }
}

const open = async (as = 'etl'): Promise<Own> => {
  const own = await ownClient(product, as)
  opened.push(own)
  return own
}

const close = async (own: Own): Promise<void> => {
  await own.client.end()
  opened.splice(opened.indexOf(own), 1)
}

const admin = async (path: string): Promise<{ status: number; body: string }> => {
  const [, port] = /^ {2}admin: \{ host: [\d.]+, port: (\d+) \}$/m.exec(
    readFileSync(join(product.home, 'countersign.yaml'), 'utf8'),
  ) ?? ['', '']
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

const metric = async (name: string, worker: string): Promise<number> => {
  const { body } = await admin('/metrics')
  const line = body.split('\n').find((each) => each.startsWith(`${name}{worker="${worker}"}`))
  if (line === undefined) throw new Error(`no ${name} of ${worker} in\n${body}`)
  return Number(line.split(' ').at(-1))
}

const connections = () =>
  Promise.all(['w0', 'w1'].map((worker) => metric('countersign_node_worker_connections', worker)))

/** A statement that goes on until `release`: it wants a row that somebody else has locked. */
const stuck = async (
  own: Own,
  id: number,
): Promise<{ marker: string; asked: Promise<unknown>; release: () => Promise<void> }> => {
  const other = new Client(product.ready.upstream)
  await other.connect()
  await other.query('begin')
  await other.query('select from kept where id = $1 for update', [id])
  const marker = `stuck ${randomUUID()}`
  const asked = own.client.query(`update kept set n = n + 1 where id = ${id} /* ${marker} */`)
  asked.catch(() => {})
  await until(async () => ((await running(marker)) === 1 ? true : undefined))
  return { marker, asked, release: () => other.end() }
}

/** How many server processes run something with this in it. */
const running = async (marker: string): Promise<number> => {
  const [row] = await direct(
    `select count(*)::int from pg_stat_activity
     where state = 'active' and query like '%${marker}%' and pid <> pg_backend_pid()`,
  )
  return Number(row?.[0])
}

const killed = async (name: string): Promise<number> => {
  const pid = product.pid(name)
  process.kill(pid, 'SIGKILL')
  return pid
}

const isBack = (name: string, former: number) =>
  until(async () => {
    const again = product.ready.processes.find((each) => each.name === name)
    return again && again.pid !== former && (await admin('/readyz')).body.includes('"status":"ok"') ? true : undefined
  }, 60_000)

describe('a node of two workers', () => {
  it('gives each client to the worker with the fewest', async () => {
    for (let each = 0; each < 8; each++) await open()
    expect(opened.filter((own) => workerOf(own) === 0)).toHaveLength(4)
    expect(await connections()).toEqual([4, 4])

    for (const own of opened.filter((each) => workerOf(each) === 1)) await close(own)
    await until(async () => ((await connections())[1] === 0 ? true : undefined))
    for (let each = 0; each < 4; each++) await open()
    expect(await connections()).toEqual([4, 4])
  })

  it('cancels what runs in one worker when the other one is asked to', async () => {
    for (const index of [0, 1]) {
      const [first, second] = [await open(), await open()]
      const [own, other] = workerOf(first) === index ? [first, second] : [second, first]
      expect([workerOf(own), workerOf(other)]).toEqual([index, 1 - index])
      // The other worker has no connection now, so it is the one that the cancel request comes to.
      await close(other)
      await until(async () => ((await connections())[1 - index] === 0 ? true : undefined))
      const { asked, release } = await stuck(own, 1)
      await own.cancel(1)
      await own.cancel()
      expect(await failureOf(asked)).toMatchObject({
        code: '57014',
        message: 'canceling statement due to user request',
      })
      expect((await own.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await release()
      await close(own)
    }
  })

  it('does not cancel for a key that is not quite right', async () => {
    const own = await open()
    const { marker, asked, release } = await stuck(own, 1)
    await own.cancel(1)
    await own.cancel(1 << 30)
    expect(await running(marker)).toBe(1)
    await release()
    await asked
  })

  it('loses only the sessions of a worker that is killed, settles them once, and has another one in its place', async () => {
    const [a, b] = [await open(), await open()]
    const [own, other] = workerOf(a) === 0 ? [a, b] : [b, a]
    const { marker, asked, release } = await stuck(own, 1)
    const former = await killed('proxy/w0')
    expect((await failureOf(asked)).message).toMatch(/terminated|ECONNRESET/)
    await release()
    // The port has stayed, and the other worker with it.
    expect((await other.client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await open()
    await isBack('proxy/w0', former)
    expect(await metric('countersign_node_worker_restarts_total', 'w0')).toBe(1)

    const events = await settledEvents(product)
    const intended = ofType(events, 'statement.intended').find(({ text }) => text.includes(marker))
    const settled = ofType(events, 'statement.settled').filter(
      ({ statementId }) => statementId === intended?.statementId,
    )
    expect(settled).toMatchObject([{ outcome: 'outcome_unknown' }])
    expect(ofType(events, 'session.closed').filter(({ sessionId }) => sessionId === intended?.sessionId)).toMatchObject(
      [{ because: 'node-died' }],
    )
  })

  it('says that it is degraded while a worker is down, and serves', async () => {
    const former = product.pid('proxy/w1')
    process.kill(former, 'SIGSTOP')
    const asked: Promise<Own>[] = []
    try {
      const { status, body } = await admin('/readyz')
      expect([status, JSON.parse(body)]).toMatchObject([
        200,
        { ready: true, status: 'degraded', reasons: ['w1: its process does not answer'] },
      ])
      // It may have been given some before it was seen to fetch none.
      let served = 0
      for (let each = 0; each < 6; each++) {
        asked.push(open().finally(() => (served += 1)))
        await sleep(100)
      }
      await until(() => (served >= 4 ? true : undefined))
    } finally {
      process.kill(former, 'SIGCONT')
    }
    expect(await Promise.all(asked)).toHaveLength(6)
    await until(async () => ((await admin('/readyz')).body.includes('"status":"ok"') ? true : undefined))
    expect((await admin('/healthz')).status).toBe(200)
  })

  it('adds up what its workers count', async () => {
    const [a, b] = [await open(), await open()]
    await a.client.query('select 1')
    await b.client.query('select 1')
    const { body } = await until(async () => {
      const answer = await admin('/metrics')
      return /^countersign_node_sessions\{database="demo\/shop"\} 2$/m.test(answer.body) ? answer : undefined
    })
    expect(body).toMatch(/^countersign_node_memory_bytes\{kind="resident",worker="w1"\} \d+$/m)
    expect(body.match(/^# TYPE countersign_node_sessions gauge$/gm)).toHaveLength(1)
  })

  it('frees the port when its supervisor is killed, and is started again whole', async () => {
    const own = await open()
    const workers = [product.pid('proxy/w0'), product.pid('proxy/w1')]
    const former = await killed('proxy')
    await own.ended
    await until(() => (workers.some(isThere) ? undefined : true))
    await isBack('proxy', former)
    expect((await (await open()).client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    const events = await settledEvents(product)
    const closed = ofType(events, 'session.closed').map(({ sessionId }) => sessionId as string)
    expect(closed.length).toBe(new Set(closed).size)
  })

  it('ends sessions in both workers when access is revoked: in a statement, in a transaction, and while held', async () => {
    const file = join(product.home, 'identities.yaml')
    const before = readFileSync(file, 'utf8')
    const [a, b] = [await open(), await open()]
    const { marker, asked, release } = await stuck(a, 1)
    await b.client.query('begin')
    await b.client.query('update kept set n = n + 1 where id = 2')
    const held = start('psql', [product.dsn('ana'), '-X', '-c', 'drop table customers'])
    await held.says(/request rq_\w{10}/)
    expect([workerOf(a), workerOf(b)].sort()).toEqual([0, 1])

    // One of them is taken out of the file, the other gets another token.
    writeFileSync(
      file,
      before.replace(/ {2}- id: etl\n(?: {4}.*\n)+/, '').replace(/(?<=id: ana-demo\n +tokenDigest: )\w+/, turned),
    )
    try {
      expect(await failureOf(asked)).toMatchObject({
        code: '28000',
        message: 'access has been revoked: the session ends',
      })
      await b.ended
      expect(b.errors[0]).toMatchObject({ code: '28000' })
      expect((await held.ended).stderr).toMatch(/FATAL: {2}access has been revoked/)
      // The server was asked to cancel, and did not go on alone.
      await until(async () => ((await running(marker)) === 0 ? true : undefined), 5_000)
      expect((await failureOf(ownClient(product, 'etl'))).code).toMatch(/^28/)

      const events = await settledEvents(product)
      const intended = ofType(events, 'statement.intended').find(({ text }) => text.includes(marker))
      expect(
        ofType(events, 'statement.settled').filter(({ statementId }) => statementId === intended?.statementId),
      ).toMatchObject([{ outcome: 'cancelled', sqlstate: '57014' }])
      expect(ofType(events, 'statement.withdrawn').at(-1)).toMatchObject({ because: 'revoked' })
      expect(ofType(events, 'session.closed').filter(({ because }) => because === 'revoked')).toHaveLength(3)
    } finally {
      writeFileSync(file, before)
      await release()
    }
    await until(async () => ((await product.psql('etl', '-c', 'select 1')).status === 0 ? true : undefined))
  })
})

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const turned = (digest: string): string => [...digest].toReversed().join('')

it('closes what a worker had left that it does not have any more', async () => {
  const first = await Product.start([], { env: WORKERS })
  const { home } = first
  try {
    const owns = [await ownClient(first, 'etl'), await ownClient(first, 'etl')]
    await Promise.all(owns.map(({ client }) => client.query('begin')))
    const events = await accessEvents(first)
    const sessions = ofType(events, 'session.opened').map(({ sessionId, worker }) => ({ sessionId, worker }))
    expect(sessions.map(({ worker }) => worker.split('/')[1]).sort()).toEqual(['w0', 'w1'])
    // Everything at once, so that nobody writes anything down.
    for (const name of ['proxy/w1', 'proxy/w0', 'proxy']) process.kill(first.pid(name), 'SIGKILL')
    await first.kill()

    const second = await Product.start([], { home, env: { COUNTERSIGN_NODE_WORKERS: '1' } })
    const after = await until(async () => {
      const read = await accessEvents(second)
      return ofType(read, 'session.closed').length >= 2 ? read : undefined
    })
    expect(ofType(after, 'session.closed').map(({ sessionId, because }) => ({ sessionId, because }))).toEqual(
      expect.arrayContaining(sessions.map(({ sessionId }) => ({ sessionId, because: 'node-died' }))),
    )
    expect(ofType(after, 'node.stopped').map(({ because }) => because)).toEqual(['found-dead', 'found-dead'])
    await settledEvents(second)
    await second.stop()

    const third = await Product.start([], { home, env: WORKERS })
    const last = await settledEvents(third)
    expect(ofType(last, 'session.closed').filter(({ because }) => because === 'node-died')).toHaveLength(2)
    await third.dispose()
  } finally {
    await first.dispose()
  }
})
