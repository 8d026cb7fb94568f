import type { AccessEvent } from '@countersign/contracts'
import { CertificateAuthority, freePorts } from '@countersign/testing'
import type { ClientConfig } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { run } from '../../../../../test/support/run.ts'
import { startShopDatabase, type ShopDatabase } from '../../../../../test/support/shop-database.ts'
import { GSSENC_REQUEST, IDLE, password, RawClient, SSL_REQUEST, startup } from '../testing/raw-client.ts'
import { RunningNode, type NodeOptions } from '../testing/running-node.ts'

/*
 * A whole node with a real database behind it, and in front of it real psql, node-postgres, and clients that say what
 * no client would.
 */

const PATIENTLY = { timeout: 20_000 }
const ANA = { id: 'ana', token: 'cs_token_of_ana' }
const BO = { id: 'bo', token: 'cs_token_of_bo' }
const HELLO = startup({ user: 'ana', database: 'shop' })

let database: ShopDatabase
const nodes: RunningNode[] = []
const clients: RawClient[] = []

beforeAll(async () => {
  database = await startShopDatabase()
})
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})
afterAll(async () => {
  for (const node of nodes) await node.stop()
  await database?.postgres.stop()
})

const startNode = async (more: Partial<NodeOptions> = {}): Promise<RunningNode> => {
  const authority = await CertificateAuthority.make('People CA')
  const ports = await freePorts(3)
  const own = { authority, ports, upstream: database.upstream, principals: [ANA, BO] }
  const node = await RunningNode.start({ ...own, ...more })
  nodes.push(node)
  return node
}

const open = async (node: RunningNode): Promise<RawClient> => {
  const client = await RawClient.open(node.port)
  clients.push(client)
  return client
}

type Failed = Extract<AccessEvent, { type: 'auth.failed' }>['data']

/** What the record says of the login that the last line of the log is about. */
const lastFailure = async (node: RunningNode): Promise<Failed | undefined> => {
  const port = node.lines.at(-1)?.['port']
  const found = () => node.recorded('auth.failed').find((each) => each.port === port)
  await expect.poll(found, PATIENTLY).toBeDefined()
  return found()
}

describe('a node with TLS', () => {
  let node: RunningNode
  beforeAll(async () => {
    node = await startNode()
  })

  const dsn = (parameters: string) =>
    `postgresql://ana:${ANA.token}@localhost:${node.port}/shop?hostaddr=127.0.0.1&${parameters}`

  it('lets psql in, which verifies it', async () => {
    const ca = node.file('for-psql.crt', node.authority.certificate)
    const verified = await run('psql', [dsn(`sslmode=verify-full&sslrootcert=${ca}`), '-XAtc', 'select 1'])
    expect(verified).toMatchObject({ status: 0, stdout: '1\n' })
    const stranger = await CertificateAuthority.make('Another CA')
    const other = node.file('other.crt', stranger.certificate)
    const unverified = await run('psql', [dsn(`sslmode=verify-full&sslrootcert=${other}`), '-XAtc', 'select 1'])
    expect(unverified.stderr).toContain('certificate verify failed')
  })

  it.each(['TLSv1.2', 'TLSv1.3'])('speaks %s', async (version) => {
    const { status, stdout } = await run('psql', [
      dsn(`sslmode=require&ssl_min_protocol_version=${version}&ssl_max_protocol_version=${version}`),
      '-XAtc',
      'select 1',
    ])
    expect([status, stdout]).toEqual([0, '1\n'])
    await expect.poll(() => node.recorded('session.opened').at(-1)?.client.tls, PATIENTLY).toBe(version)
  })

  it('speaks nothing older', async () => {
    const client = await open(node)
    client.send(SSL_REQUEST)
    await client.until(/^S$/)
    await expect(
      client.secure({ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
    ).rejects.toThrow(/alert|refused|wrong version number|packet length/)
  })

  it('takes TLS at once, from who says that it means PostgreSQL', async () => {
    const ssl = { ca: node.authority.certificate }
    const client = await node.connect('ana', ANA.token, { ssl, sslnegotiation: 'direct' } as ClientConfig)
    expect((await client.query('select 6 * 7 as n')).rows).toEqual([{ n: 42 }])
    await client.end()
  })

  it('refuses TLS at once without that', async () => {
    const client = await open(node)
    await client.secure()
    client.send(HELLO)
    expect(await client.untilClosed()).toMatch(/FATAL.*08P01.*ALPN/s)
  })

  it('refuses TLS for another protocol', async () => {
    const client = await open(node)
    await expect(client.secure({ ALPNProtocols: ['h2', 'http/1.1'] })).rejects.toThrow(
      /alert|refused|wrong version number|packet length/,
    )
    const asking = await open(node)
    asking.send(SSL_REQUEST)
    await asking.until(/^S$/)
    await expect(asking.secure({ ALPNProtocols: ['h2'] })).rejects.toThrow(
      /alert|refused|wrong version number|packet length/,
    )
  })

  it('takes TLS at once byte by byte', async () => {
    const client = await open(node)
    client.socket.setNoDelay(true)
    const write = client.socket.write.bind(client.socket)
    client.socket.write = ((bytes: Buffer) => {
      for (const byte of Buffer.from(bytes)) write(Buffer.from([byte]))
      return true
    }) as typeof client.socket.write
    await client.secure({ ALPNProtocols: ['postgresql'] })
    client.send(HELLO)
    await client.until(/^R/)
  })

  it('politely refuses GSSAPI, and goes on with TLS or without', async () => {
    const client = await open(node)
    client.send(GSSENC_REQUEST)
    await client.until(/^N$/)
    client.send(SSL_REQUEST)
    await client.until(/^NS$/)
    await client.secure()
    client.send(HELLO)
    await client.until(/R/)
    client.send(password(ANA.token))
    await client.until(IDLE)

    const plain = await open(node)
    plain.send(GSSENC_REQUEST)
    await plain.until(/^N$/)
    plain.send(HELLO)
    await plain.until(/^NR/)
  })

  it.each([
    ['a name behind SSLRequest', [SSL_REQUEST, HELLO]],
    ['one byte behind SSLRequest', [SSL_REQUEST, Buffer.from([0])]],
    ['a name behind GSSENCRequest', [GSSENC_REQUEST, HELLO]],
    ['both requests in one', [SSL_REQUEST, GSSENC_REQUEST]],
  ])('refuses %s: what is clear must not be taken for encrypted', async (_, bytes) => {
    const client = await open(node)
    client.send(...bytes)
    expect(await client.untilClosed()).toMatch(/^E.*FATAL.*08P01.*clear bytes behind/s)
  })

  it('refuses a name in clear text where it has agreed to TLS', async () => {
    const client = await open(node)
    client.send(SSL_REQUEST)
    await client.until(/^S$/)
    client.send(HELLO)
    expect(await client.untilClosed()).not.toContain('R')
  })

  it.each([['GSSAPI', GSSENC_REQUEST, /^N$/]])('refuses to be asked twice for %s', async (_, request, answer) => {
    const client = await open(node)
    client.send(request)
    await client.until(answer)
    client.send(request)
    expect(await client.untilClosed()).toMatch(/FATAL.*08P01.*a second/s)
  })

  it('refuses another request through TLS', async () => {
    const client = await open(node)
    client.send(SSL_REQUEST)
    await client.until(/^S$/)
    await client.secure()
    client.send(SSL_REQUEST)
    expect(await client.untilClosed()).toMatch(/FATAL.*08P01.*SSLRequest through TLS/s)
  })

  it('outlives clients that go away in the middle of it', async () => {
    for (const until of ['hello', 'tls', 'name', 'token'] as const) {
      const client = await open(node)
      client.send(SSL_REQUEST)
      await client.until(/^S$/)
      if (until === 'hello') client.send(Buffer.from('160301', 'hex'))
      if (until !== 'hello') await client.secure()
      if (until === 'name' || until === 'token') client.send(HELLO)
      if (until === 'token') {
        await client.until(/R/)
        client.send(password(ANA.token))
      }
      client.reset()
    }
    const after = await node.connect('ana', ANA.token, { ssl: { ca: node.authority.certificate } })
    expect((await after.query('select 1 as n')).rows).toEqual([{ n: 1 }])
    await after.end()
  })
})

describe('a node without TLS', () => {
  let node: RunningNode
  beforeAll(async () => {
    node = await startNode({ tls: false })
  })

  it('says so, once, and goes on with who is on the same machine', async () => {
    const client = await open(node)
    client.send(SSL_REQUEST)
    await client.until(/^N$/)
    client.send(HELLO)
    await client.until(/^NR/)
    const stubborn = await open(node)
    stubborn.send(SSL_REQUEST)
    await stubborn.until(/^N$/)
    stubborn.send(SSL_REQUEST)
    expect(await stubborn.untilClosed()).toMatch(/FATAL.*08P01.*a second SSLRequest/s)
  })

  it('refuses TLS at once', async () => {
    const client = await open(node)
    await expect(client.secure({ ALPNProtocols: ['postgresql'] })).rejects.toThrow(
      /alert|refused|wrong version number|packet length/,
    )
  })
})

describe.each(['optional', 'required', 'sufficient'] as const)('a node for which client certificates are %s', (use) => {
  let node: RunningNode
  beforeAll(async () => {
    node = await startNode({ tls: { clientCa: 'ca.crt', clientCertificates: use } })
  })

  interface Shown {
    readonly user?: string
    readonly token?: string
    readonly certificate?: { readonly cert: string; readonly keyFile: string }
    readonly sslmode?: string
  }

  const psql = ({ user = 'ana', token, certificate, sslmode = 'require' }: Shown) =>
    run('psql', ['-XAt', '-v', 'VERBOSITY=verbose', '-w', '-c', 'select 1'], {
      env: {
        PGHOST: '127.0.0.1',
        PGPORT: `${node.port}`,
        PGDATABASE: 'shop',
        PGUSER: user,
        PGSSLMODE: sslmode,
        PGPASSWORD: token ?? '',
        PGSSLCERT: certificate?.cert ?? '/nonexistent',
        PGSSLKEY: certificate?.keyFile ?? '/nonexistent',
      },
    })

  const letsIn = async (shown: Shown, proof: string) => {
    const before = node.recorded('credential.used').length
    expect(await psql(shown)).toMatchObject({ status: 0, stdout: '1\n' })
    await expect.poll(() => node.recorded('credential.used').length, PATIENTLY).toBe(before + 1)
    const used = node.recorded('credential.used').at(-1)
    expect(used).toMatchObject({ proof, principalId: shown.user ?? 'ana' })
    if (!shown.certificate) expect(used).not.toHaveProperty('certificate')
    else expect(used?.certificate).toMatchObject({ fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) })
  }

  const refuses = async (shown: Shown, sqlstate: string, says: RegExp, because: Failed['because']) => {
    const { status, stderr } = await psql(shown)
    expect(status).not.toBe(0)
    expect(stderr).toMatch(says)
    expect(node.lines.at(-1)).toMatchObject({ level: 'warn', sqlstate, reason: expect.stringMatching(says) })
    expect(await lastFailure(node)).toMatchObject({ because, user: shown.user ?? 'ana' })
  }

  const alone = { optional: 'needs a token', required: 'needs a token', sufficient: 'is let in' }[use]

  it(`who shows a certificate alone ${alone}`, async () => {
    const certificate = await node.certificateOf('ana')
    if (use === 'sufficient') await letsIn({ certificate }, 'certificate')
    else expect((await psql({ certificate })).stderr).toMatch(/no password supplied/)
  })

  it(`who shows a token alone ${use === 'required' ? 'is refused' : 'is let in'}`, async () => {
    if (use !== 'required') await letsIn({ token: ANA.token }, 'token')
    else await refuses({ token: ANA.token }, '28000', /a client certificate is required/, 'wrong-certificate')
  })

  it('who shows both is let in', async () => {
    const certificate = await node.certificateOf('ana')
    await letsIn({ certificate, token: ANA.token }, use === 'sufficient' ? 'certificate' : 'token-and-certificate')
  })

  it('who shows the certificate of somebody else is refused, whatever the token', async () => {
    const certificate = await node.certificateOf('bo')
    const says = /the client certificate is for another name/
    await refuses({ certificate, token: ANA.token }, '28000', says, 'wrong-certificate')
    await refuses({ certificate, token: BO.token }, '28000', says, 'wrong-certificate')
  })

  it('who shows a certificate that nobody trusts is refused, whatever the token', async () => {
    const stranger = await CertificateAuthority.make('People CA')
    const certificate = await node.certificateOf('ana', stranger)
    await refuses(
      { certificate, token: ANA.token },
      '28000',
      /the client certificate is not accepted/,
      'wrong-certificate',
    )
  })

  it('who shows an expired certificate is refused, whatever the token', async () => {
    const { certificate, key } = await node.authority.issue({ commonName: 'ana', days: -1 })
    const expired = { cert: node.file('old.crt', certificate), keyFile: node.file('old.key', key) }
    await refuses(
      { certificate: expired, token: ANA.token },
      '28000',
      /not accepted: CERT_HAS_EXPIRED/,
      'wrong-certificate',
    )
  })

  it('who shows a server’s certificate is refused', async () => {
    const { certificate, key } = await node.authority.issue({ commonName: 'ana', hosts: ['localhost'] })
    const server = { cert: node.file('server.crt', certificate), keyFile: node.file('server.key', key) }
    await refuses(
      { certificate: server, token: ANA.token },
      '28000',
      /not accepted: INVALID_PURPOSE/,
      'wrong-certificate',
    )
  })

  if (use !== 'sufficient') {
    it('who shows the right certificate and a wrong token is refused', async () => {
      const certificate = await node.certificateOf('ana')
      await refuses({ certificate, token: BO.token }, '28P01', /password authentication failed/, 'wrong-token')
    })
  }

  it(`who comes without TLS from this machine ${use === 'required' ? 'is refused' : 'needs a token'}`, async () => {
    const shown = { token: ANA.token, sslmode: 'disable' }
    if (use === 'required') await refuses(shown, '28000', /TLS is required/, 'tls-required')
    else await letsIn(shown, 'token')
  })

  it('what was taken away from a principal is taken from its certificate too', async () => {
    const certificate = await node.certificateOf('bo')
    const shown = { user: 'bo', certificate, token: BO.token }
    await letsIn(shown, use === 'sufficient' ? 'certificate' : 'token-and-certificate')
    await node.decideCredential({ ...BO, expiresAt: '2026-01-01T00:00:00.000Z' })
    await expect.poll(async () => (await psql(shown)).stderr, { timeout: 5_000 }).toContain('expired')
    await refuses(shown, use === 'sufficient' ? '28000' : '28P01', /has expired/, 'expired-token')
    await node.decideCredential({ ...BO, revoked: true })
    await expect.poll(async () => (await psql(shown)).stderr, { timeout: 5_000 }).toContain('revoked')
    await refuses(shown, '28000', /access has been revoked/, 'revoked')
  })

  it('a name that nobody knows is let in by no certificate', async () => {
    const certificate = await node.certificateOf('nobody')
    await refuses(
      { user: 'nobody', certificate, token: 'cs_x' },
      use === 'sufficient' ? '28000' : '28P01',
      /authentication failed/,
      'unknown-principal',
    )
  })
})
