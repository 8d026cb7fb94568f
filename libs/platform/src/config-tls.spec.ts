import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'cs-config-tls-'))
afterAll(() => rmSync(folder, { recursive: true }))

const load = (upstream: string, tls = '') => {
  const file = join(folder, 'countersign.yaml')
  writeFileSync(
    file,
    `
log: { kind: embedded, directory: log }
databases:
  - name: shop
    environment: prod
    upstream: { host: db, port: 5432, database: shop, roles: { app: x }, guard: { role: g, password: y }${upstream} }
node:
  listen: { port: 6432 }
  admin: { port: 6433 }
  state: state${tls}
control: { listen: { port: 1 }, owners: DATAOWNERS, identities: identities.yaml }
audit: { listen: { port: 2 }, clickhouse: { url: 'http://127.0.0.1:8123', user: c, password: '' } }
`,
  )
  return loadConfig(file, {})
}

describe('TLS in the configuration', () => {
  it('is verify-full to the server, with channel binding where it is offered, where nothing is said', () =>
    expect(load('').databases[0]?.upstream).toMatchObject({ tls: 'verify-full', channelBinding: 'prefer' }))

  it.each([
    [', tls: prefer', /6: databases\.0\.upstream\.tls/],
    [', tls: require', /6: databases\.0\.upstream\.tls/],
    [', tls: disable, channelBinding: require', /6: databases\.0\.upstream\.channelBinding: needs TLS/],
    [', certificate: a.pem', /6: databases\.0\.upstream\.certificate: `certificate` and `key` belong together/],
    [', key: a.pem', /6: databases\.0\.upstream\.key: `certificate` and `key` belong together/],
    [', tls: disable, certificate: a, key: b', /6: databases\.0\.upstream\.certificate: needs TLS/],
  ])('is refused to the server with `%s`', (upstream, says) => expect(() => load(upstream)).toThrow(says))

  it.each(['required', 'sufficient'])('is refused for clients with %s certificates that nobody has signed', (how) =>
    expect(() => load('', `\n  tls: { certificate: a, key: b, clientCertificates: ${how} }`)).toThrow(
      /11: node\.tls\.clientCertificates: needs `clientCa`/,
    ),
  )
})
