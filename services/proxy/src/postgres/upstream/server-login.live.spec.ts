import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { query } from '@countersign/pgwire'
import { Secret, type DatabaseConfig } from '@countersign/platform'
import { CertificateAuthority, type Issued, type Wanted } from '@countersign/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { installed, startPostgres, type Postgres } from '../../../../../test/corpus/postgres.ts'
import * as fake from '../testing/fake-server.ts'
import { FakeServer } from '../testing/fake-server.ts'
import { connectUpstream, type Upstream } from './connect.ts'
import { guardLogin } from './guard-login.ts'
import { NoServerError } from './no-server-error.ts'
import { clientOf, innerOf } from './server-login.ts'
import { Servers } from './servers.ts'
import { UpstreamError } from './upstream-error.ts'

/*
 * The login to the server: with real servers of each version that this machine has, and with ones that are not what
 * they should be.
 */

const PASSWORD = 'pāssword-of-app-8f2a'
const folder = mkdtempSync(join(tmpdir(), 'cs-upstream-'))
let authority: CertificateAuthority
let stranger: CertificateAuthority
let right: Issued

const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

type Settings = DatabaseConfig['upstream']

const upstreamAt = (port: number, more: Partial<Settings> = {}): Settings => ({
  host: 'localhost',
  port,
  database: 'postgres',
  tls: 'verify-full',
  ca: file('ca.pem', authority.certificate),
  channelBinding: 'prefer',
  targetSessionAttrs: 'any',
  loadBalanceHosts: 'disable',
  connectTimeoutMs: 5_000,
  roles: { app: new Secret(PASSWORD), certified: new Secret('unused'), old: new Secret(PASSWORD) },
  guard: { role: 'app', password: new Secret(PASSWORD) },
  ...more,
})

const addressOf = ({ host = 'localhost', port = 5432 }: Settings) => ({ host, port })

const open: Upstream[] = []
const fakes: FakeServer[] = []
const connect = async (upstream: Settings, role = 'app'): Promise<Upstream> => {
  const database = { name: 'shop', environment: 'prod', upstream }
  const connected = await connectUpstream(database, new Servers(upstream, { now: () => '' }), role, new Map())
  open.push(connected)
  return connected
}

/** What becomes of a login that must fail. It says nothing of the password, however one looks at it. */
const failureOf = async (upstream: Settings, role = 'app'): Promise<UpstreamError> => {
  const error: unknown = await connect(upstream, role).then(
    () => new Error('it was let in'),
    (error: unknown) => (error instanceof NoServerError ? error.cause : error),
  )
  if (!(error instanceof UpstreamError)) throw error
  const seen = inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error)
  expect(seen).not.toContain(PASSWORD)
  expect(error.message).not.toContain(folder)
  return error
}

beforeAll(async () => {
  authority = await CertificateAuthority.make('Database CA')
  stranger = await CertificateAuthority.make('Database CA')
  right = await authority.issue({ commonName: 'db', hosts: ['localhost'] })
})
afterEach(() => {
  for (const { stream } of open.splice(0)) stream.destroy()
  for (const server of fakes.splice(0)) server.stop()
})
afterAll(() => rmSync(folder, { recursive: true }))

const HBA = `
host    all postgres  127.0.0.1/32 trust
hostssl all certified 127.0.0.1/32 cert
hostssl all old       127.0.0.1/32 password
hostssl all all       127.0.0.1/32 scram-sha-256
`

describe.each(installed())('a login to $label', (binaries) => {
  let server: Postgres

  beforeAll(async () => {
    server = await startPostgres(binaries, {
      files: {
        'pg_hba.conf': HBA,
        'server.crt': right.certificate,
        'server.key': right.key,
        'clients.crt': authority.certificate,
      },
      settings: { ssl: 'on', ssl_ca_file: 'clients.crt', password_encryption: 'scram-sha-256' },
    })
    const admin = await server.connect('postgres')
    for (const role of ['app', 'certified', 'old'])
      await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD '${PASSWORD}'`)
    await admin.end()
  })
  afterAll(() => server?.stop())

  const mechanismsUsed = async (upstream: Settings): Promise<readonly string[]> => {
    const client = clientOf(upstream, addressOf(upstream), { user: 'app', password: new Secret(PASSWORD) })
    const used: string[] = []
    const connection = innerOf(client).connection as unknown as {
      sendSASLInitialResponseMessage: (mechanism: string, response: string) => void
    }
    const send = connection.sendSASLInitialResponseMessage.bind(connection)
    connection.sendSASLInitialResponseMessage = (mechanism, response) => {
      used.push(mechanism)
      send(mechanism, response)
    }
    await client.connect()
    const { rows } = await client.query('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()')
    await client.end()
    expect(rows).toEqual([{ ssl: true, version: expect.stringMatching(/^TLSv1\.[23]$/) }])
    return used
  }

  it('is verified, and bound to the certificate of the server', async () => {
    expect(await mechanismsUsed(upstreamAt(server.port))).toEqual(['SCRAM-SHA-256-PLUS'])
    expect(await mechanismsUsed(upstreamAt(server.port, { channelBinding: 'require' }))).toEqual(['SCRAM-SHA-256-PLUS'])
    expect(await mechanismsUsed(upstreamAt(server.port, { channelBinding: 'disable' }))).toEqual(['SCRAM-SHA-256'])
  })

  it('is ready for the relay, which hears when the server goes away', async () => {
    const { stream, parameters, processId } = await connect(upstreamAt(server.port))
    expect(parameters.get('server_encoding')).toBe('UTF8')
    const heard: string[] = []
    const gone = new Promise<void>((resolve) => {
      stream.listener = {
        received: (bytes, length) => heard.push(bytes.toString('latin1', 0, length)),
        drained: () => {},
        closed: resolve,
      }
    })
    stream.write(query('select 66'))
    await expect.poll(() => heard.join('')).toContain('SELECT 1')
    const admin = await server.connect('postgres')
    await admin.query(`select pg_terminate_backend(${processId})`)
    await admin.end()
    await gone
    expect(heard.join('')).toContain('57P01')
  })

  it('is cancelled through TLS, with a key that nobody overhears', async () => {
    const middle = await FakeServer.between(right, server.port)
    fakes.push(middle)
    const { stream, cancel } = await connect(upstreamAt(middle.port, { channelBinding: 'disable' }))
    const heard: string[] = []
    stream.listener = {
      received: (bytes, length) => heard.push(bytes.toString('latin1', 0, length)),
      drained: () => {},
      closed: () => {},
    }
    stream.write(query('select pg_sleep(60)'))
    await sleep(200)
    cancel()
    await expect.poll(() => heard.join(''), { timeout: 5_000 }).toContain('57014')
    // The man in the middle, who is trusted here, has seen it in the second connection, and only behind TLS.
    expect(middle.heard[1]?.subarray(0, 8).toString('hex')).toBe('0000001004d2162e')
  })

  it('cannot be cancelled when the files for TLS are gone, and nothing else happens', async () => {
    const upstream = { ...upstreamAt(server.port), ca: file('short.crt', authority.certificate) }
    const { cancel } = await connect(upstream)
    rmSync(upstream.ca)
    await cancel()
  })

  it.each([
    ['is signed by a stranger', () => stranger, { hosts: ['localhost'] }, 'certificate-untrusted'],
    ['is for another host', () => authority, { hosts: ['db.example.net'] }, 'certificate-of-another'],
    ['has expired', () => authority, { hosts: ['localhost'], days: -1 }, 'certificate-expired'],
  ] as const)('is refused when the certificate %s, and nothing was said', async (_, by, wanted, fault) => {
    const pem = await by().issue({ commonName: 'localhost', ...(wanted as Partial<Wanted>) })
    const middle = await FakeServer.between(pem, server.port)
    fakes.push(middle)
    expect((await failureOf(upstreamAt(middle.port))).fault).toBe(fault)
    await sleep(50)
    expect(middle.heard.map((bytes) => bytes.length)).toEqual([0])
  })

  it('is refused at an address that the certificate does not name', async () => {
    expect((await failureOf(upstreamAt(server.port, { host: '127.0.0.1' }))).fault).toBe('certificate-of-another')
  })

  it('is refused without the authority, whatever the environment says', async () => {
    const { ca: _, ...upstream } = upstreamAt(server.port)
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      expect((await failureOf(upstream)).fault).toBe('certificate-untrusted')
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })

  it('is not changed by what the environment of the node says for other clients', async () => {
    const foreign = { PGOPTIONS: '-c search_path=elsewhere', PGSSLNEGOTIATION: 'direct', PGSSLMODE: 'disable' }
    Object.assign(process.env, foreign)
    try {
      const client = clientOf(upstreamAt(server.port), addressOf(upstreamAt(server.port)), {
        user: 'app',
        password: new Secret(PASSWORD),
      })
      await client.connect()
      const { rows } = await client.query('show search_path')
      await client.end()
      expect(rows).toEqual([{ search_path: '"$user", public' }])
    } finally {
      for (const name of Object.keys(foreign)) delete process.env[name]
    }
  })

  it('of the node itself compiles no queries', async () => {
    const upstream = upstreamAt(server.port, { guard: { role: 'app', password: new Secret(PASSWORD) } })
    const { connection } = await guardLogin(upstream, 'a test')(addressOf(upstream), 5_000, false)
    const { rows } = await connection.query(
      "select current_setting('jit') as jit, current_setting('application_name') as name",
    )
    await connection.end()
    expect(rows).toEqual([{ jit: 'off', name: 'a test' }])
  })

  it('is refused by a man in the middle whose certificate is trusted, because the login is bound to the other', async () => {
    const another = await authority.issue({ commonName: 'db', hosts: ['localhost'] })
    const middle = await FakeServer.between(another, server.port)
    fakes.push(middle)
    expect(await failureOf(upstreamAt(middle.port))).toMatchObject({ fault: 'authentication-failed' })
    const unbound = await connect(upstreamAt(middle.port, { channelBinding: 'disable' }))
    expect(unbound.processId).toBeGreaterThan(0)
  })

  it('shows a certificate of the node where one is configured, and is refused where one is missing', async () => {
    const own = await authority.issue({ commonName: 'certified' })
    const shown = { certificate: file('own.crt', own.certificate), key: file('own.key', own.key) }
    expect((await connect(upstreamAt(server.port, shown), 'certified')).processId).toBeGreaterThan(0)
    expect((await failureOf(upstreamAt(server.port), 'certified')).fault).toBe('authentication-failed')
    const wrong = await stranger.issue({ commonName: 'certified' })
    const foreign = { certificate: file('bad.crt', wrong.certificate), key: file('bad.key', wrong.key) }
    expect((await failureOf(upstreamAt(server.port, foreign), 'certified')).fault).toMatch(/^(tls-failed|closed)$/)
  })

  it('gives a password in clear text to a server that is verified, and not where binding is required', async () => {
    expect((await connect(upstreamAt(server.port), 'old')).processId).toBeGreaterThan(0)
    const bound = upstreamAt(server.port, { channelBinding: 'require' })
    expect((await failureOf(bound, 'old')).fault).toBe('channel-binding-missing')
  })

  it('with a wrong password says nothing of it', async () => {
    const roles = { app: new Secret(`${PASSWORD}x`) }
    const failure = await failureOf(upstreamAt(server.port, { roles }))
    expect(failure).toMatchObject({ fault: 'authentication-failed', fields: { code: '28P01' } })
  })

  it('is refused when the files cannot be used, and says which', async () => {
    const missing = await failureOf(upstreamAt(server.port, { ca: '/nowhere/ca.pem' }))
    expect([missing.fault, String(missing.cause)]).toEqual([
      'misconfigured',
      expect.stringContaining('/nowhere/ca.pem'),
    ])
    const { key } = await authority.issue({ commonName: 'x' })
    const torn = { certificate: file('x.crt', right.certificate), key: file('x.key', key) }
    expect((await failureOf(upstreamAt(server.port, torn))).fault).toBe('misconfigured')
  })
})

describe('a server that is not what it should be', () => {
  const plain = async (answers: fake.Answers): Promise<FakeServer> => {
    const server = await FakeServer.plain(answers)
    fakes.push(server)
    return server
  }
  const secured = async (answers: fake.Answers): Promise<FakeServer> => {
    const server = await FakeServer.secured(right, answers)
    fakes.push(server)
    return server
  }
  /** Says one thing after the other, whatever it hears. */
  const says = (...answers: readonly Buffer[]): fake.Answers => {
    const left = [...answers]
    return () => left.shift()
  }
  const inTheClear = (port: number) => upstreamAt(port, { tls: 'disable' })

  it.each([
    ['N', 'tls-not-offered'],
    ['E', 'tls-failed'],
    ['EFATAL', 'tls-failed'],
    ['Sxx', 'tls-failed'],
    ['S\x15\x03\x03\x00\x02\x02\x28', 'tls-failed'],
    ['Z', 'tls-failed'],
  ])('and answers the request for TLS with %j gets nothing in clear text', async (answer, fault) => {
    const server = await plain(says(Buffer.from(answer, 'latin1')))
    expect((await failureOf(upstreamAt(server.port))).fault).toBe(fault)
    await sleep(20)
    expect(server.heard).toEqual([fake.SSL_REQUEST])
  })

  it('and hangs up on the request for TLS', async () => {
    const server = await plain(() => undefined)
    setTimeout(() => server.stop(), 100)
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('closed')
  })

  it('and asks for the password in clear text gets none without TLS', async () => {
    const server = await plain(says(fake.asksCleartext(), fake.loggedIn()))
    expect((await failureOf(inTheClear(server.port))).fault).toBe('password-in-clear')
    await sleep(20)
    expect(server.heard[0]?.includes(PASSWORD)).toBe(false)
  })

  it.each([
    ['clear text', () => [fake.asksCleartext(), fake.loggedIn()]],
    ['MD5', () => [fake.asksMd5(), fake.loggedIn()]],
    ['SCRAM without binding', () => [fake.asksSasl('SCRAM-SHA-256'), fake.loggedIn()]],
    ['no password at all', () => [fake.loggedIn()]],
  ])('and asks for %s gets nothing where binding is required', async (_, answers) => {
    const server = await secured(says(...answers()))
    const failure = await failureOf(upstreamAt(server.port, { channelBinding: 'require' }))
    expect(failure.fault).toBe('channel-binding-missing')
    await sleep(20)
    expect(server.heard[0]?.includes(PASSWORD)).toBe(false)
    expect(server.heard[0]?.includes('SCRAM')).toBe(false)
  })

  it.each([
    ['at once', () => [fake.loggedIn()]],
    ['with a signature of its own', () => [Buffer.concat([fake.saslFinal('v=AAAA'), fake.loggedIn()])]],
    ['with nothing', () => [Buffer.concat([fake.saslFinal(''), fake.loggedIn()])]],
  ])('and does not know the password, but lets us in %s, is not believed', async (_, then) => {
    let nonce = ''
    let step = 0
    const server = await secured((heard) => {
      step += 1
      if (step === 1) return fake.asksSasl('SCRAM-SHA-256')
      nonce ||= /r=([^,]+)$/.exec(heard.toString('latin1'))?.[1] ?? ''
      if (step === 2) return fake.saslContinue(`r=${nonce}server,s=c2FsdA==,i=4096`)
      return then()[step - 3]
    })
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('server-not-proven')
  })

  it('and skips the whole exchange is not believed', async () => {
    const server = await secured(says(fake.asksSasl('SCRAM-SHA-256'), fake.loggedIn()))
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('server-not-proven')
  })

  it('and asks for what nobody here speaks does not end the node', async () => {
    const server = await secured(says(fake.asksGssapi()))
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('authentication-unsupported')
  })

  it('and asks for a hundred million rounds of hashing is not obeyed', async () => {
    let step = 0
    const server = await secured((heard) => {
      step += 1
      if (step === 1) return fake.asksSasl('SCRAM-SHA-256')
      const nonce = /r=([^,]+)$/.exec(heard.toString('latin1'))?.[1]
      return step === 2 ? fake.saslContinue(`r=${nonce}server,s=c2FsdA==,i=100000000`) : undefined
    })
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('server-not-proven')
  })

  it('and says what is not PostgreSQL is told apart from one that is not there', async () => {
    const server = await secured(says(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect((await failureOf(upstreamAt(server.port))).fault).toBe('not-postgresql')
  })

  it('is not there', async () => {
    const server = await plain(() => undefined)
    const { port } = server
    server.stop()
    expect((await failureOf(upstreamAt(port))).fault).toBe('unreachable')
  })
})
