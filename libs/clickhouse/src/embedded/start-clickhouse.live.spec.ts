import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClickhouse, type ClickHouseClient } from '../client.ts'
import { startClickhouse, type ClickhouseOptions, type RunningClickhouse } from './start-clickhouse.ts'

const PASSWORD = 'owner-secret'
const SRE = { user: 'sre', password: 'reader-secret' }

const freePort = () =>
  new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

const isAlive = (pid: number) => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const until = async (what: () => boolean, ms = 15_000) => {
  for (const end = Date.now() + ms; Date.now() < end; await delay(20)) if (what()) return
  throw new Error('it did not happen')
}

const rows = async (client: ClickHouseClient, query: string) =>
  (await client.query({ query, format: 'JSONCompactEachRow' })).json<unknown[]>()

let home = ''
let options: ClickhouseOptions
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'clickhouse-'))
  options = {
    directory: join(home, 'main'),
    httpPort: await freePort(),
    user: 'countersign',
    password: PASSWORD,
    readers: [SRE],
  }
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

describe('an embedded ClickHouse', () => {
  let server: RunningClickhouse
  let owner: ClickHouseClient
  let reader: ClickHouseClient
  beforeAll(async () => {
    server = await startClickhouse(options)
    owner = openClickhouse({ url: server.url, user: 'countersign', password: PASSWORD })
    reader = openClickhouse({ url: server.url, ...SRE })
    await owner.command({ query: 'CREATE DATABASE countersign' })
    await owner.command({ query: 'CREATE DATABASE other' })
    for (const database of ['countersign', 'other']) {
      await owner.command({ query: `CREATE TABLE ${database}.t (a UInt64) ENGINE = MergeTree ORDER BY a` })
      await owner.command({ query: `INSERT INTO ${database}.t VALUES (1), (2)` })
    }
  })
  afterAll(async () => {
    await owner.close()
    await reader.close()
    await server.stop()
  })

  it('is a real server that answers its owner', async () => {
    expect(await rows(owner, 'SELECT currentUser(), toUInt64(9007199254740991)')).toEqual([
      ['countersign', Number.MAX_SAFE_INTEGER],
    ])
    expect((await rows(owner, 'SELECT version()'))[0]?.[0]).toMatch(/^\d+\.\d+/)
  })

  it('writes nothing secret to the disk, and nothing that others may read', () => {
    const [conf = ''] = readdirSync(join(options.directory, 'conf'))
    for (const name of ['config.xml', 'users.xml']) {
      const file = join(options.directory, 'conf', conf, name)
      expect(readFileSync(file, 'utf8')).not.toMatch(/owner-secret|reader-secret/)
      expect(statSync(file).mode & 0o077).toBe(0)
    }
  })

  it.each([
    ['no name', {}],
    ['the engine’s own name', { 'X-ClickHouse-User': 'default' }],
    ['the engine’s own name and a password', { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': 'x' }],
    ['a wrong password', { 'X-ClickHouse-User': 'countersign', 'X-ClickHouse-Key': 'wrong' }],
    ['no password', { 'X-ClickHouse-User': 'countersign' }],
    ['a reader’s name and a wrong password', { 'X-ClickHouse-User': 'sre', 'X-ClickHouse-Key': PASSWORD }],
  ])('lets nobody in over HTTP with %s', async (_, headers) => {
    for (const body of ['SELECT 1', 'SYSTEM STOP LISTEN HTTP', "SELECT * FROM file('/etc/hostname', LineAsString)"]) {
      const answer = await fetch(server.url, { method: 'POST', headers, body })
      expect(answer.status).not.toBe(200)
      expect(await answer.text()).toMatch(/USER_SESSION_LIMIT_EXCEEDED|AUTHENTICATION_FAILED|REQUIRED_PASSWORD/)
    }
  })

  it('survives clients that break off, and those that keep guessing', async () => {
    const insert = 'POST /?query=INSERT%20INTO%20countersign.t%20FORMAT%20CSV HTTP/1.1'
    const login = `X-ClickHouse-User: countersign\r\nX-ClickHouse-Key: ${PASSWORD}`
    await hangUpAfter(options.httpPort, `${insert}\r\n${login}\r\nContent-Length: 99999\r\n\r\n7\n`)
    await hangUpAfter(options.httpPort, 'POST / HTTP/1.1\r\nContent-Length: 99999\r\n\r\nSELECT')
    await hangUpAfter(options.httpPort, '')
    const slow = { query: 'SELECT sleepEachRow(0.5) FROM numbers(5)', abort_signal: AbortSignal.timeout(100) }
    await expect(owner.query(slow)).rejects.toThrow(/abort/i)
    const guess = () => fetch(server.url, { headers: { 'X-ClickHouse-Key': 'wrong' } })
    await Promise.all(Array.from({ length: 50 }, guess))
    expect(await rows(owner, 'SELECT sum(a) FROM countersign.t')).toEqual([[3]])
  })

  it('lets readers read their database', async () => {
    expect(await rows(reader, 'SELECT sum(a) FROM countersign.t')).toEqual([[3]])
    expect(await rows(reader, "SELECT name FROM system.columns WHERE database = 'countersign'")).toEqual([['a']])
  })

  it.each([
    ['SELECT * FROM other.t', /ACCESS_DENIED/],
    ['INSERT INTO countersign.t VALUES (3)', /ACCESS_DENIED|READONLY/],
    ['DROP TABLE countersign.t', /ACCESS_DENIED|READONLY/],
    ['ALTER TABLE countersign.t DELETE WHERE 1', /ACCESS_DENIED|READONLY/],
    ['CREATE TABLE countersign.u (a UInt8) ENGINE = Memory', /ACCESS_DENIED|READONLY/],
    ["SELECT * FROM file('/etc/hostname', LineAsString)", /ACCESS_DENIED|READONLY/],
    ["SELECT * FROM url('http://127.0.0.1:1/', LineAsString)", /ACCESS_DENIED|READONLY/],
    ['SET max_threads = 64', /READONLY|SETTING_CONSTRAINT_VIOLATION/],
    ['SYSTEM SHUTDOWN', /ACCESS_DENIED|READONLY/],
    ["CREATE USER x IDENTIFIED BY 'x'", /ACCESS_DENIED|READONLY/],
  ])('lets readers do nothing else: %s', async (body, refusal) => {
    const headers = { 'X-ClickHouse-User': SRE.user, 'X-ClickHouse-Key': SRE.password }
    const answer = await fetch(server.url, { method: 'POST', headers, body })
    expect(answer.status).not.toBe(200)
    expect(await answer.text()).toMatch(refusal)
  })

  it('refuses a second server on its directory, and goes on', async () => {
    const second = startClickhouse({ ...options, httpPort: await freePort() })
    await expect(second).rejects.toMatchObject({
      code: 'CLICKHOUSE_DIRECTORY_IN_USE',
      message: expect.stringContaining(options.directory),
    })
    expect(await rows(owner, 'SELECT sum(a) FROM countersign.t')).toEqual([[3]])
    expect(readdirSync(join(options.directory, 'conf'))).toHaveLength(1)
  })

  it('names the port that is taken', async () => {
    await expect(startClickhouse({ ...options, directory: join(home, 'other') })).rejects.toMatchObject({
      code: 'CLICKHOUSE_PORT_IN_USE',
      message: expect.stringContaining(`port ${options.httpPort}`),
    })
  })
})

describe('the life of an embedded ClickHouse', () => {
  it('keeps its data over a stop and over a kill, and tells of the end that nobody asked for', async () => {
    const exits: unknown[] = []
    const at = { ...options, directory: join(home, 'life'), onExit: (exit: unknown) => exits.push(exit) }
    const first = await startClickhouse(at)
    const client = openClickhouse({ url: first.url, user: 'countersign', password: PASSWORD })
    await client.command({ query: 'CREATE DATABASE d' })
    await client.command({ query: 'CREATE TABLE d.t (a UInt64) ENGINE = MergeTree ORDER BY a' })
    await client.command({ query: 'INSERT INTO d.t VALUES (1)' })
    await first.stop()
    await first.stop()
    expect(isAlive(first.pid)).toBe(false)
    expect(exits).toEqual([])

    const second = await startClickhouse(at)
    await client.command({ query: 'INSERT INTO d.t VALUES (2)' })
    process.kill(second.pid, 'SIGKILL')
    await until(() => exits.length > 0)
    expect(exits).toEqual([{ code: null, signal: 'SIGKILL' }])

    const third = await startClickhouse(at)
    expect(await rows(client, 'SELECT a FROM d.t ORDER BY a')).toEqual([[1], [2]])
    await client.close()
    await third.stop()
  })

  it('ends when the process that started it is killed', async () => {
    const at = { ...options, directory: join(home, 'orphan'), httpPort: await freePort() }
    const source = new URL('./start-clickhouse.ts', import.meta.url).href
    const script = `import { startClickhouse } from '${source}'
      console.log((await startClickhouse(${JSON.stringify(at)})).pid)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (line) => resolve(Number(line))))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until(() => !isAlive(pid))
  })
})

const hangUpAfter = (port: number, bytes: string) =>
  new Promise<void>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, () => setTimeout(() => socket.destroy(), 50)))
    socket.once('error', reject).once('close', () => resolve())
  })
