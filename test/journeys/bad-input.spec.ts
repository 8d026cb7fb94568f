import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { framed, RawClient, startup } from '../support/raw-client.ts'
import { run, type Ran } from '../support/run.ts'
import { product } from '../support/shared-product.ts'
import { until } from '../support/until.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

const SYNC = framed('S', Buffer.alloc(0))
const OURS = /the statement is not valid UTF-8/

/** Parse, Bind and Execute with one text parameter, of these bytes. */
const bindingOf = (value: Buffer): Buffer =>
  Buffer.concat([
    framed('P', Buffer.from('\0select $1::text\0\0\0')),
    framed('B', Buffer.concat([Buffer.from('\0\0\0\0\0\x01\0\0\0\x02', 'latin1'), value, Buffer.from('\0\0')])),
    framed('E', Buffer.from('\0\0\0\0\0', 'latin1')),
  ])

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

/** What the record has of the login that a line of the log is about. */
const recordedOf = async (line: string | undefined): Promise<string> => {
  const { port } = JSON.parse(line ?? '{}') as { port: number }
  return until(async () => {
    const [row] = await product.clickhouse<{ data: string }>(
      `select data from events where type = 'auth.failed' and position(data, '"port":${port},') > 0 order by time desc`,
    )
    return row?.data
  })
}

describe('a login that must fail', () => {
  const failing = async (change: (url: URL) => void, says: RegExp): Promise<string> => {
    const lines = logged()
    const { status, stderr } = await psqlAs(change)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(says)
    expect(lines()).toHaveLength(1)
    expect(lines()[0]).not.toContain('cs_')
    await expectAlive()
    return lines()[0] ?? ''
  }

  it.each([
    ['a wrong token', (url: URL) => (url.password = 'cs_wrong'), /password authentication failed/, 'wrong-token'],
    ['somebody else’s token', (url: URL) => (url.username = 'bo'), /password authentication failed/, 'wrong-token'],
    ['an unknown name', (url: URL) => (url.username = 'nobody'), /password authentication failed/, 'unknown-principal'],
    [
      'an unknown database',
      (url: URL) => (url.pathname = '/nosuch'),
      /database "nosuch" does not exist/,
      'unknown-database',
    ],
  ])('with %s says so, and leaves one line in the log and one in the record', async (_, change, says, because) => {
    const recorded = await recordedOf(await failing(change, says))
    expect(recorded).toMatch(new RegExp(`"because":"${because}"`))
    expect(recorded).not.toContain('cs_')
  })

  it.each([
    ['another role', (url: URL) => url.searchParams.set('options', '-c role=postgres'), /may not be set/],
    ['a replication connection', (url: URL) => url.searchParams.set('replication', 'database'), /replication/],
  ])('with %s says so before anybody is asked for a token, and leaves one line in the log', async (_, change, says) => {
    await failing(change, says)
  })

  it('with an expired token says that it has expired, in the log and in the record as well', async () => {
    const file = join(product.home, 'identities.yaml')
    const before = readFileSync(file, 'utf8')
    const asDee = (url: URL) => (url.href = product.dsn('dee', { sslmode: 'require' }))
    try {
      const expired = before.replace(/(id: dee-demo[\s\S]*?expiresAt: )'[^']+'/, "$1'2020-01-01T00:00:00.000Z'")
      expect(expired).not.toBe(before)
      writeFileSync(file, expired)
      await expect.poll(async () => (await psqlAs(asDee)).stderr, { timeout: 10_000 }).toMatch(/expired/)
      const line = await failing(
        asDee,
        /FATAL: {2}the token has expired\nHINT: {2}Get a new one with countersign login/,
      )
      expect(JSON.parse(line)).toMatchObject({ sqlstate: '28P01' })
      expect(await recordedOf(line)).toContain('"because":"expired-token"')
    } finally {
      writeFileSync(file, before)
    }
    await expect.poll(async () => (await psqlAs(asDee)).status, { timeout: 10_000 }).toBe(0)
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

  it('and stops in the middle of its login is closed at the deadline, and keeps nobody waiting', async () => {
    const lines = logged()
    const hello = startup({ user: 'ana', database: 'shop' })
    const unfinished = [
      [], // Nothing at all.
      [hello.subarray(0, 3)],
      [hello.subarray(0, 11)],
      [SSL_REQUEST.subarray(0, 5)],
      [SSL_REQUEST], // And no TLS behind it.
      [hello],
      [hello, framed('p', Buffer.from('cs_half\0')).subarray(0, 7)],
    ]
    const silent = await Promise.all(
      unfinished.map(async (said) => {
        const client = keep(await RawClient.open())
        for (const bytes of said) client.send(bytes)
        return client
      }),
    )
    await expectAlive()
    await Promise.all(silent.map((client) => client.untilClosed(20_000)))
    expect(lines()).toEqual(unfinished.map(() => expect.stringMatching(/did not log in in time/)))
    await expectAlive()
  })

  it('and lies about the length of its password is told so at once', async () => {
    const lines = logged()
    const client = keep(await RawClient.open())
    client.send(startup({ user: 'ana', database: 'shop' }))
    await client.until((bytes) => bytes.length > 0)
    client.send(Buffer.from('707fffffff', 'hex'))
    await client.untilClosed(5_000)
    expect(client.received.toString('latin1')).toMatch(/FATAL.*08P01/s)
    expect(lines()).toHaveLength(1)
  })

  it.each([
    ['a length of zero', Buffer.from('5100000000', 'hex'), /08P01/],
    ['an unknown message', framed('@', Buffer.alloc(3)), /08P01/],
    ['bytes behind the end of a query', framed('Q', Buffer.from('select 1\0drop table orders\0')), /08P01/],
    ['a query without an end', framed('Q', Buffer.from('select 1')), /08P01/],
    [
      'a Bind that lies about its lengths',
      framed('B', Buffer.from('\0\0\0\0\0\x01\x7f\xff\xff\xff', 'latin1')),
      /08P01/,
    ],
  ])('but logs in and sends %s is told so and closed, with one line in the log', async (_, bytes, says) => {
    const client = keep(await RawClient.loggedIn('ana'))
    const lines = logged()
    client.forget()
    client.send(bytes)
    await client.untilClosed(5_000)
    expect(client.received.toString('latin1')).toMatch(/FATAL/)
    expect(client.received.toString('latin1')).toMatch(says)
    expect(lines()).toHaveLength(1)
    await expectAlive()
  })

  it('but logs in and announces a message of 2 GiB is told at once that it is too long', async () => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.forget()
    client.send(Buffer.concat([Buffer.from('Q'), Buffer.from('7fffffff', 'hex')]))
    await client.until((received) => /54000/.test(received.toString('latin1')))
    await expectAlive()
  })

  it('but logs in and sends half a message, then nothing, keeps nobody waiting', async () => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.send(framed('Q', Buffer.from('select 1\0')).subarray(0, 9))
    await expectAlive()
    client.send(framed('Q', Buffer.from('select 1\0')).subarray(9))
    await client.until((received) => received.includes('SELECT 1'))
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

  it('of 100 MB is refused to psql as well, which goes on with its script', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'long-')), 'long.sql')
    writeFileSync(file, `select '${'x'.repeat(100 * 1024 * 1024)}';\nselect 6 * 7 as answer;\n`)
    try {
      const peak = () =>
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${product.pid('proxy')}/status`, 'utf8'))?.[1])
      const before = peak()
      const { stdout, stderr } = await run('psql', [
        product.dsn('ana'),
        '-X',
        '-At',
        '-v',
        'VERBOSITY=verbose',
        '-f',
        file,
      ])
      expect(stderr).toMatch(/ERROR: {2}54000: .*\n(.*\n)*HINT/)
      expect(stderr.length).toBeLessThan(2_000)
      expect(stdout).toBe('42\n')
      expect(peak() - before).toBeLessThan(100 * 1024) // Passed over as it comes, and never there as a whole.
    } finally {
      rmSync(dirname(file), { recursive: true })
    }
  })

  it.each([
    ['as a query', [framed('Q', Buffer.from("select '\xff\xfe'\0", 'latin1'))], OURS],
    ['with a surrogate', [framed('Q', Buffer.from("select '\xed\xa0\x80'\0", 'latin1'))], OURS],
    ['to be prepared', [framed('P', Buffer.from("\0select '\xc3('\0\0\0", 'latin1')), SYNC], OURS],
    ['in a parameter', [bindingOf(Buffer.from([0xff, 0xfe])), SYNC], /invalid byte sequence/],
  ])('that is not valid UTF-8, %s, is refused with 22021, and the connection goes on', async (_, said, says) => {
    const client = keep(await RawClient.loggedIn('ana'))
    client.forget()
    client.send(Buffer.concat(said))
    await client.until((received) => /22021/.test(received.toString('latin1')))
    expect(client.received.toString('latin1')).toMatch(says)
    client.forget()
    client.send(framed('Q', Buffer.from('select 6 * 7\0')))
    await client.until((received) => received.includes('42'))
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
    const before = product.ready
    const { status, stderr } = await up('--home', product.home, '--port-base', '39000')
    expect(status).not.toBe(0)
    expect(stderr).toMatch(/in use by process \d+/)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(product.ready).toEqual(before)
    await expectAlive()
  })

  it('on a port that is taken says which', async () => {
    const home = mkdtempSync(join(tmpdir(), 'taken-'))
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    try {
      for (const base of [port, port - 3]) {
        const { status, stderr } = await up('--home', home, '--port-base', `${base}`)
        expect(status).not.toBe(0)
        expect(stderr).toMatch(new RegExp(`port.* ${port} \\(.+\\).* in use .*--port-base`))
      }
    } finally {
      server.close()
      rmSync(home, { recursive: true })
    }
  })

  describe.each(['proxy', 'control', 'audit'])('of %s', (service) => {
    const startWith = async (text: string, env: NodeJS.ProcessEnv = {}) => {
      const folder = mkdtempSync(join(tmpdir(), 'config-'))
      const file = join(folder, 'countersign.yaml')
      try {
        writeFileSync(file, text)
        const entry = join(REPOSITORY, 'services', service, 'dist/main.js')
        return await run(process.execPath, [entry, '--config', file], { env })
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
    const right = () => readFileSync(join(product.home, 'countersign.yaml'), 'utf8')
    const expectRefused = ({ status, stdout, stderr }: Ran, says: RegExp) => {
      expect(status).toBe(1)
      expect(stderr).toMatch(says)
      expect((stdout + stderr).trim().split('\n')).toHaveLength(1)
      for (const [, secret = ''] of right().matchAll(/(?:password|shop_\w+): "([^"]{8,})"/g))
        expect(stdout + stderr).not.toContain(secret)
    }

    it.each([
      [
        'a value of the wrong kind',
        /(listen: \{ host: [\d.]+, )port: \d+/,
        '$1port: seventeen',
        /countersign\.yaml:\d+: node\.listen\.port/,
      ],
      ['a key that nobody knows', 'name: node-1', 'nmae: node-1', /countersign\.yaml:\d+: node/],
      ['a key that is missing', /guard:\n\s+role: \w+\n/, 'guard:\n', /countersign\.yaml:\d+: databases.*guard.*role/],
      ['YAML that is none', 'log:', 'log: [', /countersign\.yaml:\d+/],
      ['a key twice', 'name: node-1', 'name: node-1\n  name: node-2', /countersign\.yaml:\d+/],
    ])('with %s in its configuration names the line and the reason', async (_, from, to, says) => {
      const wrong = right().replace(from, to)
      expect(wrong).not.toBe(right())
      expectRefused(await startWith(wrong), says)
    })

    it('with a wrong value in its environment names the variable', async () => {
      const env = { COUNTERSIGN_NODE_LISTEN_PORT: 'seventeen' }
      expectRefused(await startWith(right(), env), /COUNTERSIGN_NODE_LISTEN_PORT/)
    })

    it('without a configuration says which file there is none', async () => {
      const entry = join(REPOSITORY, 'services', service, 'dist/main.js')
      expectRefused(
        await run(process.execPath, [entry, '--config', '/nowhere/countersign.yaml']),
        /\/nowhere\/countersign\.yaml/,
      )
    })
  })

  it('with a wrong value in the environment names the variable, and starts nothing', async () => {
    const home = mkdtempSync(join(tmpdir(), 'wrong-'))
    try {
      const args = [join(REPOSITORY, 'services/cli/bin/countersign.mjs'), 'up', '--home', home, '--port-base', '39100']
      const { status, stderr } = await run(process.execPath, args, {
        env: { COUNTERSIGN_HOLDS_INLINE_SECONDS: 'soon' },
      })
      expect(status).not.toBe(0)
      expect(stderr).toMatch(/COUNTERSIGN_HOLDS_INLINE_SECONDS/)
      expect(existsSync(join(home, 'postgres'))).toBe(false)
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})

const SSL_REQUEST = Buffer.from('0000000804d2162f', 'hex')
