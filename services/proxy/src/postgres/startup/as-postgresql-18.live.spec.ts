import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { query } from '@countersign/pgwire'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import { startAllowAllNode, type AllowAllNode } from '../../../../../test/support/allow-all-node.ts'
import { run } from '../../../../../test/support/run.ts'
import { cancel, RawConnection, type Address } from '../testing/raw-connection.ts'

/*
 * The beginning of a session and its cancel keys, beside a PostgreSQL 18; and tools of PostgreSQL that need more of the
 * protocol than statements.
 */

let server: Postgres
let node: AllowAllNode
let direct: Address
let through: Address

beforeAll(async () => {
  const [newest] = installed()
  if (!newest) throw new Error('no PostgreSQL')
  server = await startPostgres(newest)
  const admin = await server.connect('postgres')
  await admin.query('create database shop')
  await admin.end()
  node = await startAllowAllNode({ port: server.port, database: 'shop', role: 'postgres' })
  direct = { port: server.port, user: 'postgres', password: '', database: 'shop' }
  through = { port: node.port, user: 'postgres', password: node.token, database: 'shop' }
})
afterAll(async () => {
  await node?.stop()
  await server?.stop()
})

describe('the version that is spoken', () => {
  it.each([
    [0, {}],
    [1, {}],
    [2, {}],
    [3, {}],
    [9999, {}],
    [0, { '_pq_.of_tomorrow': 'on' }],
    [2, { '_pq_.of_tomorrow': 'on', '_pq_.another': '1' }],
    [7, { '_pq_.of_tomorrow': 'on' }],
  ])('is agreed on as with PostgreSQL 18: 3.%s %j', async (minor, parameters) => {
    const said = await Promise.all([direct, through].map((address) => greeted(address, minor, parameters)))
    expect(said[1]).toEqual(said[0])
    expect(said[0]?.at(-1)).toBe('Z I')
  })
})

/** What is said of version, key and readiness. */
const greeted = async (address: Address, minor: number, parameters: Readonly<Record<string, string>>) => {
  const connection = await RawConnection.loggedIn(address, { minor, parameters })
  const lines = connection.news().filter((line) => /^[vKZE]/.test(line))
  connection.end()
  return lines
}

describe.each([
  ['3.0', 0, 4],
  ['3.2', 2, 32],
])('a cancel with the key of protocol %s', (_, minor, bytes) => {
  let connection: RawConnection
  beforeEach(async () => {
    connection = await RawConnection.loggedIn(through, { minor })
    connection.news()
  })
  afterEach(() => connection.end())

  it('ends what runs, and the session goes on', async () => {
    connection.say(query('select 1; select pg_sleep(20)'))
    await untilAsleep()
    await cancel(through, connection.processId, connection.secret)
    expect((await connection.answers(1)).find((line) => line.startsWith('E'))).toContain('C:57014')
    connection.say(query('select 1'))
    expect(await connection.answers(1)).toContain('C SELECT 1\\0')
  })

  it('is of no use to anybody who has another', async () => {
    expect(connection.secret).toHaveLength(bytes)
    connection.say(query('select pg_sleep(1)'))
    const { processId, secret } = connection
    const wrong = Buffer.from(secret)
    wrong.writeUInt8((wrong.readUInt8(0) + 1) & 0xff, 0)
    for (const each of [wrong, Buffer.concat([secret, secret]), Buffer.alloc(4)]) await cancel(through, processId, each)
    expect(await connection.answers(1)).toContain('C SELECT 1\\0')
  })

  it('that comes when everything is answered does not hit what comes next', async () => {
    for (let round = 0; round < 20; round++) {
      connection.say(query('select 1'))
      await connection.answers(1)
      await cancel(through, connection.processId, connection.secret)
      connection.say(query('select pg_sleep(0.01)'))
      expect(await connection.answers(1)).toContain('C SELECT 1\\0')
    }
  })

  it('that races with the end of what runs is over when its connection is closed', async () => {
    for (let round = 0; round < 20; round++) {
      connection.say(query(`select pg_sleep(${(round % 5) * 0.002})`))
      await cancel(through, connection.processId, connection.secret)
      await connection.answers(1)
      connection.say(query('select pg_sleep(0.02)'))
      expect(await connection.answers(1)).toContain('C SELECT 1\\0')
    }
  })
})

/** The server works on what is to be cancelled. */
const untilAsleep = async (): Promise<void> => {
  const admin = await server.connect('shop')
  try {
    const asleep = `select from pg_stat_activity where wait_event = 'PgSleep'`
    await expect.poll(async () => (await admin.query(asleep)).rowCount, { timeout: 15_000 }).toBe(1)
  } finally {
    await admin.end()
  }
}

describe('a notification', () => {
  it('reaches a client that does nothing, and tells whose it is', async () => {
    const listener = await RawConnection.loggedIn(through)
    listener.news()
    listener.say(query('listen ch'))
    await listener.answers(1)
    const other = await server.connect('shop')
    await other.query("notify ch, 'while idle'")
    await listener.until(({ tag }) => tag === 'A')
    expect(listener.news()).toEqual(['A other ch while idle'])
    listener.say(query("notify ch, 'mine'"))
    expect(await listener.answers(1)).toContain('A self ch mine')
    await other.end()
    listener.end()
  })
})

describe('tools of PostgreSQL', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tools-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  const tool = (name: string, ...args: readonly string[]) =>
    run(name, ['-h', '127.0.0.1', '-p', `${node.port}`, '-U', 'postgres', ...args], {
      env: { PGPASSWORD: node.token, PGSSLMODE: 'disable' },
    })

  it('psql brings large objects in and out, by calls of functions', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256))
    const [from, to] = [join(folder, 'in'), join(folder, 'out')]
    writeFileSync(from, bytes)
    const ran = await tool(
      'psql',
      'shop',
      '-X',
      '-v',
      'ON_ERROR_STOP=1',
      '-c',
      `\\lo_import '${from}'`,
      '-c',
      `\\lo_export :LASTOID '${to}'`,
    )
    expect(ran).toMatchObject({ status: 0, stderr: '' })
    expect(readFileSync(to).equals(bytes)).toBe(true)
    const intended = (await node.recorded()).filter(({ type }) => type === 'statement.intended')
    const texts = intended.map(({ data }) => (data as { text: string }).text)
    expect(texts).toEqual(
      expect.arrayContaining(['SELECT pg_catalog.lowrite($1, $2)', 'SELECT pg_catalog.loread($1, $2)']),
    )
  })

  it.each([
    ['pg_basebackup', ['-D', join(folder, 'backup')]],
    ['pg_recvlogical', ['-d', 'shop', '--slot', 's', '--create-slot']],
    ['pg_receivewal', ['-D', folder]],
  ])('%s is refused, and that is recorded', async (name, args) => {
    const before = (await node.recorded()).filter(isRefusal).length
    const { status, stderr } = await tool(name, ...(name === 'pg_receivewal' ? ['--no-loop', ...args] : args))
    expect(status).toBe(1)
    expect(stderr).toContain('replication connections do not go through Countersign')
    const refusals = async () => (await node.recorded()).filter(isRefusal)
    await expect.poll(async () => (await refusals()).length, { timeout: 10_000 }).toBeGreaterThan(before)
    expect((await refusals()).at(-1)?.data).toMatchObject({ user: 'postgres', because: 'not-allowed' })
  })
})

const isRefusal = ({ type }: { readonly type: string }) => type === 'auth.failed'
