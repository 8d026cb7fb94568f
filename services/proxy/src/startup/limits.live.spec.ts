import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { cstring, FRONTEND, message, parse, query, SYNC } from '@countersign/pgwire'
import { CertificateAuthority, freePorts } from '@countersign/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../test/support/run.ts'
import { PASSWORD_OF_APP, startShopDatabase, type ShopDatabase } from '../../../../test/support/shop-database.ts'
import { IDLE, password, RawClient, SSL_REQUEST, startup } from '../postgres/testing/raw-client.ts'
import { RunningNode } from '../postgres/testing/running-node.ts'

/*
 * Clients that ask for too much, or are slow, against a whole node with a real database behind it.
 */

const PATIENTLY = { timeout: 20_000 }
const ANA = { id: 'ana', token: 'cs_token_of_ana' }
const BO = { id: 'bo', token: 'cs_token_of_bo' }
const HELLO = startup({ user: 'ana', database: 'shop' })
const MIB = 1024 * 1024

let database: ShopDatabase
const nodes: RunningNode[] = []
const clients: RawClient[] = []

beforeAll(async () => {
  database = await startShopDatabase()
})
afterEach(async () => {
  for (const client of clients.splice(0)) client.close()
  for (const node of nodes.splice(0)) await node.stop()
})
afterAll(() => database?.postgres.stop())

const startNode = async (
  limits: Readonly<Record<string, number>> = {},
  upstream: Readonly<Record<string, unknown>> = {},
): Promise<RunningNode> => {
  const node = await RunningNode.start({
    authority: await CertificateAuthority.make('People CA'),
    ports: await freePorts(3),
    upstream: { ...database.upstream, ...upstream },
    principals: [ANA, BO],
    node: { limits },
  })
  nodes.push(node)
  return node
}

const keep = (client: RawClient): RawClient => {
  clients.push(client)
  return client
}
const open = async (node: RunningNode, address?: string) => keep(await RawClient.open(node.port, address))
const enter = async (node: RunningNode, { id, token } = ANA, address?: string) =>
  keep(await RawClient.loggedIn(node.port, id, token, address))

/** What a client is told that is turned away: SQLSTATE and message. */
const refusalOf = async (client: RawClient): Promise<string> => {
  const text = await client.untilClosed()
  const field = (letter: string) => new RegExp(`\\0${letter}([^\\0]*)`).exec(text)?.[1]
  return `${field('C')} ${field('M')}`
}

/** The session serves. On a machine that is very busy the log may be out of reach for a moment, which is no matter here. */
const works = async (client: RawClient): Promise<void> => {
  const answer = async () => {
    client.forget()
    client.send(query('select 6 * 7'))
    return client.until(IDLE)
  }
  await expect.poll(answer, { timeout: 20_000 }).toContain('42')
}

describe('connections', () => {
  it('are so many in all, then 53300, until one is closed; what is there can still be cancelled', async () => {
    const node = await startNode({ connectionsMax: 3 })
    const inside = [await enter(node), await enter(node, BO), await enter(node)]
    const more = await open(node)
    more.send(HELLO)
    expect(await refusalOf(more)).toBe('53300 too many clients already')
    const { stderr } = await run('psql', [
      `postgresql://ana:${ANA.token}@127.0.0.1:${node.port}/shop?sslmode=require`,
      '-c',
      '',
    ])
    expect(stderr).toContain('FATAL:  too many clients already')
    const sleeper = inside[0]
    sleeper?.forget()
    const key = await keyOf(node)
    expect(key).toBeUndefined()
    inside[1]?.close()
    await expect.poll(async () => (await enter(node).catch(() => undefined)) !== undefined, PATIENTLY).toBe(true)
    await works(inside[2] as RawClient)
  })

  it('are so many for each principal, and that is recorded; others are let in', async () => {
    const node = await startNode({ connectionsPerPrincipalMax: 2 })
    await Promise.all([enter(node), enter(node)])
    const third = await open(node)
    third.send(HELLO)
    await third.until(/^R/)
    third.forget()
    third.send(password(ANA.token))
    expect(await refusalOf(third)).toBe('53300 too many connections for this principal')
    await works(await enter(node, BO))
    await expect
      .poll(() => node.recorded('auth.failed').map(({ because }) => because))
      .toEqual(['too-many-connections'])
  })

  it('of one principal are no more when they are asked for at once', async () => {
    const node = await startNode({ connectionsPerPrincipalMax: 5 })
    const entered = await Promise.allSettled(Array.from({ length: 20 }, () => enter(node)))
    expect(entered.filter(({ status }) => status === 'fulfilled')).toHaveLength(5)
    for (const client of clients) client.close()
    await expect.poll(async () => (await enter(node).catch(() => undefined)) !== undefined, PATIENTLY).toBe(true)
  })

  it('that the database refuses give their place back', async () => {
    const node = await startNode({ connectionsPerPrincipalMax: 1 }, { roles: { app: 'wrong' } })
    for (let time = 0; time < 3; time++) {
      const client = await open(node)
      client.send(HELLO)
      await client.until(/^R/)
      client.forget()
      client.send(password(ANA.token))
      expect(await refusalOf(client)).toMatch(/^08004 /)
    }
  })

  it('that have not logged in are so many for each address, and other addresses are not kept out', async () => {
    const node = await startNode({ loginsPerAddressMax: 4 })
    for (let time = 0; time < 4; time++) await open(node, '127.0.0.2')
    expect(await refusalOf(await open(node, '127.0.0.2'))).toMatch(
      /^53300 too many connections that have not logged in/,
    )
    await works(await enter(node, ANA, '127.0.0.3'))
  })

  it('that have not logged in make room for others when there are too many, the oldest of who has most first', async () => {
    const node = await startNode({ loginsMax: 6 })
    const silent: RawClient[] = []
    for (let time = 0; time < 5; time++) silent.push(await open(node, '127.0.0.2'))
    const patient = await open(node, '127.0.0.4')
    await works(await enter(node, ANA, '127.0.0.3'))
    await silent[0]?.untilClosed()
    expect([silent[1]?.closed, patient.closed]).toEqual([false, false])
  })
})

/** Nobody's key: a CancelRequest for it is taken, and answered by nothing. */
const keyOf = async (node: RunningNode): Promise<undefined> => {
  const client = await open(node)
  client.send(Buffer.from('0000001004d2162e0000000100000001', 'hex'))
  expect(await client.untilClosed()).toBe('')
}

describe('a client that is slow to log in', () => {
  it.each([
    ['says nothing', () => []],
    ['stops in its first packet', () => [HELLO.subarray(0, 11)]],
    ['asks for TLS and does not begin it', () => [SSL_REQUEST]],
    ['does not give its token', () => [HELLO]],
  ])('and %s is closed at the deadline', async (_, says) => {
    const node = await startNode({ startupTimeoutMs: 600 })
    const started = performance.now()
    const client = await open(node)
    for (const bytes of says()) client.send(bytes)
    await client.untilClosed()
    expect(performance.now() - started).toBeGreaterThan(590)
    expect(node.lines).toMatchObject([{ level: 'warn', message: 'a client did not log in in time' }])
  })

  it.each([
    ['its name', false],
    ['its TLS handshake', true],
  ])('and drips %s byte by byte is closed at the same deadline', async (_, encrypted) => {
    const node = await startNode({ startupTimeoutMs: 700 })
    const client = await open(node)
    client.socket.setNoDelay(true)
    if (encrypted) {
      client.send(SSL_REQUEST)
      await client.until(/^S$/)
    }
    const name = startup({ user: 'ana', database: 'shop', application_name: 'x'.repeat(200) })
    const bytes = encrypted ? Buffer.from(`1603010200010001fc0303${'ab'.repeat(200)}`, 'hex') : name
    let said = 0
    for (; said < bytes.length && !client.closed; said++) {
      client.socket.write(bytes.subarray(said, said + 1))
      await sleep(50)
    }
    expect(said).toBeLessThan(bytes.length)
  })

  it('costs the others nothing: hundreds of them, and one who logs in and works', async () => {
    const node = await startNode({ startupTimeoutMs: 120_000 })
    const halves = [[], [HELLO.subarray(0, 5)], [SSL_REQUEST], [HELLO], [SSL_REQUEST.subarray(0, 3)]]
    for (let count = 0; count < 400; count++) {
      const client = await open(node, `127.0.0.${2 + (count % 200)}`)
      for (const bytes of halves[count % halves.length] ?? []) client.send(bytes)
    }
    const working = await enter(node)
    for (let count = 0; count < 50; count++) await works(working)
    expect(clients.filter(({ closed }) => closed)).toEqual([])
  })
})

describe('a client that does not read', () => {
  it('its result of 60 MB keeps nobody waiting, and does not fill the memory', async () => {
    const node = await startNode()
    const slow = await enter(node)
    slow.pause()
    slow.send(query("select repeat('x', 100000) from generate_series(1, 600)"))
    await sleep(300)
    const before = process.memoryUsage().rss
    const working = await enter(node, BO)
    for (let count = 0; count < 50; count++) await works(working)
    await sleep(1_000)
    expect(process.memoryUsage().rss - before).toBeLessThan(45 * MIB)
    slow.resume()
    let bytes = 0
    slow.socket.removeAllListeners('data')
    slow.socket.on('data', (chunk: Buffer) => (bytes += chunk.length))
    await expect.poll(() => bytes, { timeout: 30_000 }).toBeGreaterThan(60_000_000)
  })

  it('what it has asked for, and asks on and on, is not read any further', async () => {
    const node = await startNode()
    const greedy = await enter(node)
    greedy.pause()
    const some = Buffer.alloc(100_000, SYNC)
    for (let count = 0; count < 200; count++) greedy.send(some)
    // What lies in the operating system's buffers is some megabytes; what the node takes must not come on top of it.
    const taken = () => 200 * some.length - greedy.socket.writableLength
    await expect.poll(taken, PATIENTLY).toBeGreaterThan(MIB)
    await sleep(3_000)
    expect(taken()).toBeLessThan(12 * MIB)
    await works(await enter(node, BO))
  })
})

describe('a message', () => {
  it('of the start-up that is too long is refused by its length alone', async () => {
    const node = await startNode({ startupBytesMax: 200 })
    const client = await open(node)
    client.send(startup({ user: 'ana', database: 'shop', options: 'x'.repeat(200) }).subarray(0, 8))
    expect(await refusalOf(client)).toMatch(/^08P01 a first packet of length \d+$/)
    await works(await enter(node))
  })

  it('that announces more than its limit is refused with 54000 and its hint; the session goes on', async () => {
    const node = await startNode({ statementBytesMax: 1_000, messageBytesMax: 2_000 })
    const client = await enter(node)
    client.forget()
    client.send(query(`select '${'x'.repeat(1_000)}'`))
    expect(await client.until(IDLE)).toMatch(/C54000\0M.*longer than this node takes \(1000\)\0.*node\.limits/s)
    client.forget()
    client.send(parse('', 'select $1::text'), bindOf('x'.repeat(2_000)), SYNC)
    expect(await client.until(IDLE)).toMatch(/C54000\0M.*\(2000\)/s)
    await works(client)
  })
})

/** Of the unnamed statement, to the unnamed portal, with one text. */
const bindOf = (value: string): Buffer => {
  const head = Buffer.from('00000000000100000000', 'hex').subarray(0, 6)
  const length = Buffer.alloc(4)
  length.writeInt32BE(value.length)
  return message(FRONTEND.bind, head, length, Buffer.from(value), Buffer.from([0, 0]))
}

describe('what a session makes the node keep', () => {
  const prepared = (name: string) => parse(name, `select '${'x'.repeat(1_000)}'`)
  const CLOSE_ALL = query('deallocate all')

  it('is bounded: one statement more is refused with 53200, and there is room when some are taken away', async () => {
    const node = await startNode({ sessionBytesMax: 100_000 })
    const client = await enter(node)
    client.forget()
    let count = 0
    for (; count < 100 && !client.text.includes('C53200'); count++) {
      client.forget()
      client.send(prepared(`s${count}`), SYNC)
      await client.until(IDLE)
    }
    expect(count).toBeGreaterThan(20)
    expect(count).toBeLessThan(30)
    expect(client.text).toMatch(/this session keeps more on the node than it may\0H.*sessionBytesMax/)
    client.forget()
    client.send(query(`select '${'y'.repeat(40_000)}'`))
    expect(await client.until(IDLE)).toContain('C53200')
    client.forget()
    client.send(
      message(FRONTEND.close, Buffer.from('S'), cstring('s0')),
      message(FRONTEND.close, Buffer.from('S'), cstring('s1')),
      SYNC,
    )
    await client.until(IDLE)
    client.forget()
    client.send(CLOSE_ALL)
    expect(await client.until(IDLE)).toContain('DEALLOCATE ALL')
    client.forget()
    client.send(prepared('again'), SYNC)
    await client.until(IDLE)
    expect(client.text).not.toContain('53200')
  })

  it('is bounded for PREPARE in SQL as well', async () => {
    const node = await startNode({ sessionBytesMax: 100_000 })
    const client = await enter(node)
    let count = 0
    for (; count < 100 && !client.text.includes('C53200'); count++) {
      client.forget()
      client.send(query(`prepare p${count} as select '${'x'.repeat(1_000)}'`))
      await client.until(IDLE)
    }
    expect(count).toBeLessThan(30)
  })

  it('is not what was said, but what is kept: the unnamed statement again and again is one', async () => {
    const node = await startNode({ sessionBytesMax: 100_000 })
    const client = await enter(node)
    client.forget()
    for (let count = 0; count < 200; count++) client.send(prepared(''), SYNC)
    await expect.poll(() => client.text.split('Z\0\0\0').length, PATIENTLY).toBe(201)
    expect(client.text).not.toContain('53200')
  })
})

describe('passwords of the database', () => {
  it('are in nothing that a node says or writes, whatever goes wrong', async () => {
    const node = await startNode()
    await works(await enter(node))
    const wrong = await startNode({}, { roles: { app: `${PASSWORD_OF_APP}-wrong` } })
    const refused = await open(wrong)
    refused.send(HELLO)
    await refused.until(/^R/)
    refused.send(password(ANA.token))
    const told = await refused.untilClosed()
    const seen = [
      told,
      JSON.stringify([node.lines, node.events, wrong.lines, wrong.events]),
      inspect(node.config, { depth: Infinity, showHidden: true }),
      JSON.stringify(node.config),
      inspect(node, { depth: 12, showHidden: true }),
      JSON.stringify(process.report.getReport()),
    ]
    for (const text of seen) expect(text.includes(PASSWORD_OF_APP)).toBe(false)
    for (const text of seen) for (const { token } of [ANA, BO]) expect(text.includes(token)).toBe(false)
  })
})
