import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { framed, RawClient, startup } from '../support/raw-client.ts'
import { run } from '../support/run.ts'
import { product } from '../support/shared-product.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

const clients: RawClient[] = []
const keep = (client: RawClient): RawClient => {
  clients.push(client)
  return client
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

/** What the node has logged since, line by line. */
const logged = () => {
  const file = join(product.home, 'logs', 'proxy.log')
  const before = readFileSync(file, 'utf8').length
  return () =>
    readFileSync(file, 'utf8')
      .slice(before)
      .split('\n')
      .filter((line) => line.includes('"warn"') || line.includes('"error"'))
}

/** Whatever was sent, the next client is served. */
const expectAlive = async () => {
  const { stdout } = await product.psql('ana', '-At', '-c', 'select 1')
  expect(stdout).toBe('1\n')
}

const psqlAs = (change: (url: URL) => void, sql = 'select 1') => {
  // Without sslmode libpq tries once with TLS and once without, which is two logins.
  const url = new URL(product.dsn('ana', { sslmode: 'require' }))
  change(url)
  return run('psql', [url.href.replaceAll('+', '%20'), '-X', '-v', 'VERBOSITY=verbose', '-c', sql])
}

describe('a login that must fail', () => {
  it.each([
    ['a wrong token', (url: URL) => (url.password = 'cs_wrong'), /password authentication failed/],
    ['somebody else’s token', (url: URL) => (url.username = 'bo'), /password authentication failed/],
    ['an unknown name', (url: URL) => (url.username = 'nobody'), /password authentication failed/],
    ['an unknown database', (url: URL) => (url.pathname = '/nosuch'), /database "nosuch" does not exist/],
    ['another role', (url: URL) => url.searchParams.set('options', '-c role=postgres'), /may not be set/],
    ['a replication connection', (url: URL) => url.searchParams.set('replication', 'database'), /replication/],
  ])('with %s says so, and leaves one line in the log and one in the record', async (_, change, says) => {
    const lines = logged()
    const { status, stderr } = await psqlAs(change)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(says)
    expect(lines()).toHaveLength(1)
    expect(lines()[0]).not.toContain('cs_')
    await expectAlive()
  })

  it('with an expired token says that it has expired', async () => {
    const file = join(product.home, 'identities.yaml')
    const before = readFileSync(file, 'utf8')
    try {
      const expired = before.replace(/(id: dee-demo[\s\S]*?expiresAt: )'[^']+'/, "$1'2020-01-01T00:00:00.000Z'")
      expect(expired).not.toBe(before)
      writeFileSync(file, expired)
      await expect
        .poll(async () => (await product.psql('dee', '-c', 'select 1')).stderr, { timeout: 10_000 })
        .toMatch(/expired/)
    } finally {
      writeFileSync(file, before)
    }
    await expect.poll(async () => (await product.psql('dee', '-c', 'select 1')).status, { timeout: 10_000 }).toBe(0)
  })
})

describe('a client that does not speak PostgreSQL', () => {
  it.each([
    ['garbage', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['random bytes', Buffer.from('ff00fe01fd02fc03fb04', 'hex')],
    ['a first packet of 2 GiB', Buffer.from('7fffffff00030000', 'hex')],
    ['protocol 2', Buffer.from('0000000800020000', 'hex')],
  ])('and sends %s is told so and closed, with one line in the log', async (_, bytes) => {
    const lines = logged()
    const client = keep(await RawClient.open())
    client.send(bytes)
    await client.untilClosed()
    expect(client.received.toString('latin1')).toMatch(/08P01/)
    expect(lines()).toHaveLength(1)
    await expectAlive()
  })

  it('and sends half a start-up packet, then nothing, is closed at the deadline and keeps nobody waiting', async () => {
    const lines = logged()
    const client = keep(await RawClient.open())
    client.send(startup({ user: 'ana', database: 'shop' }).subarray(0, 11))
    await expectAlive()
    await client.untilClosed(20_000)
    expect(lines()).toEqual([expect.stringMatching(/did not log in in time/)])
  })

  it.each([
    ['a message of 2 GiB', Buffer.concat([Buffer.from('Q'), Buffer.from('7fffffff', 'hex')]), /54000/],
    ['a length of zero', Buffer.from('5100000000', 'hex'), /08P01/],
    ['an unknown message', framed('@', Buffer.alloc(3)), /08P01/],
    ['bytes behind the end of a query', framed('Q', Buffer.from('select 1\0drop table orders\0')), /08P01/],
    ['a query without an end', framed('Q', Buffer.from('select 1')), /08P01/],
    [
      'a Bind that lies about its lengths',
      framed('B', Buffer.from('\0\0\0\0\0\x01\x7f\xff\xff\xff', 'latin1')),
      /08P01/,
    ],
  ])('but logs in and sends %s is told so', async (_, bytes, says) => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.forget()
    client.send(bytes)
    await client.until((received) => says.test(received.toString('latin1')))
    await expectAlive()
  })
})

describe('a statement that cannot be taken', () => {
  it('of 100 MB is refused with its limit, and the connection goes on', async () => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.forget()
    client.send(
      framed('Q', Buffer.concat([Buffer.from("select '"), Buffer.alloc(100 * 1024 * 1024, 0x78), Buffer.from("'\0")])),
    )
    await client.until((received) => /54000/.test(received.toString('latin1')), 30_000)
    client.forget()
    client.send(framed('Q', Buffer.from('select 42\0')))
    await client.until((received) => received.includes(Buffer.from('42')))
  })

  it('that is not valid UTF-8 is refused with 22021', async () => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.forget()
    client.send(framed('Q', Buffer.from("select '\xff\xfe'\0", 'latin1')))
    await client.until((received) => /22021/.test(received.toString('latin1')))
  })

  it('that is no SQL is refused with its place', async () => {
    const { stderr } = await psqlAs(() => {}, 'selekt 1')
    expect(stderr).toMatch(/42601.*syntax error at or near "selekt"/)
    expect(stderr).toMatch(/LINE 1: selekt 1/)
  })

  it('that is nested beyond reason is refused, and the parser goes on', async () => {
    const deep = `select ${'('.repeat(40_000)}1${')'.repeat(40_000)}`
    const file = join(mkdtempSync(join(tmpdir(), 'deep-')), 'deep.sql')
    writeFileSync(file, deep)
    const { stderr } = await run('psql', [product.dsn('ana'), '-X', '-f', file])
    expect(stderr).toMatch(/ERROR/)
    await expectAlive()
  })
})

describe('a start that cannot work', () => {
  const up = (...args: readonly string[]) =>
    run(process.execPath, [join(REPOSITORY, 'services/cli/bin/countersign.mjs'), 'up', ...args])

  it('in a home that is in use says by whom', async () => {
    const { status, stderr } = await up('--home', product.home, '--port-base', '39000')
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/in use by process \d+/)
    await expectAlive()
  })

  it('on a port that is taken says which', async () => {
    const home = mkdtempSync(join(tmpdir(), 'taken-'))
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    try {
      const { status, stderr } = await up('--home', home, '--port-base', `${port}`)
      expect(status).not.toBe(0)
      expect(stderr).toContain(`${port}`)
    } finally {
      server.close()
      rmSync(home, { recursive: true })
    }
  })

  it.each([
    ['a value of the wrong kind', 'port: 17', 'port: seventeen', /countersign\.yaml:\d+: node\.listen\.port/],
    ['a key that nobody knows', 'name: node-1', 'nmae: node-1', /countersign\.yaml:\d+: node/],
    ['YAML that is none', 'log:', 'log: [', /countersign\.yaml:\d+/],
  ])('with %s in its configuration names the line and the reason', async (_, from, to, says) => {
    const text = readFileSync(join(product.home, 'countersign.yaml'), 'utf8')
    const wrong = text.replace(
      from === 'port: 17' ? /(listen: \{ host: [\d.]+, )port: \d+/ : from,
      from === 'port: 17' ? '$1port: seventeen' : to,
    )
    expect(wrong).not.toBe(text)
    const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'countersign.yaml')
    writeFileSync(file, wrong)
    const { status, stderr } = await run(process.execPath, [
      join(REPOSITORY, 'services/proxy/dist/main.js'),
      '--config',
      file,
    ])
    expect(status).toBe(1)
    expect(stderr).toMatch(says)
    expect(stderr).not.toMatch(/password: /)
  })
})
