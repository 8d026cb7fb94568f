import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { ConfigError } from './config-error.ts'
import { serversOf } from './config-databases.ts'
import { loadConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'cs-databases-'))
afterAll(() => rmSync(folder, { recursive: true }))

const ONE = { host: 'db1', port: 5432 }
const TWO = { host: 'db2', port: 5433 }

describe('the servers of a database', () => {
  it('are one', () => expect(loaded(database({}))).toEqual([ONE]))

  it('are several, in their order', () => expect(loaded(database({}, { hosts: [TWO, ONE] }))).toEqual([TWO, ONE]))

  it.each([
    [{ ...ONE, hosts: [TWO] }, 'databases.0.upstream.hosts: give `host` and `port`, or `hosts`, not both'],
    [{}, 'databases.0.upstream.host: is missing: give `host` and `port`, or `hosts`'],
    [{ host: 'db1' }, 'databases.0.upstream.port: is missing'],
    [{ hosts: [] }, 'databases.0.upstream.hosts: '],
    [{ ...ONE, standbyRoles: ['nobody'] }, 'databases.0.upstream.standbyRoles: names a role that is not in `roles`'],
    [{ ...ONE, targetSessionAttrs: 'master' }, 'databases.0.upstream.targetSessionAttrs: '],
  ])('are not %j', (upstream, message) => expect(fault(database({}, upstream))).toContain(message))
})

describe('the way to a database', () => {
  it('may be told apart by server name alone', () =>
    expect(() =>
      load(
        database({ serverNames: ['prod.example.net'] }),
        database({ environment: 'staging', serverNames: ['*.staging.example.net'] }),
        database({ environment: 'demo' }),
      ),
    ).not.toThrow())

  it.each([
    [[database({}), database({ environment: 'staging' })], 'databases.1.serverNames: another database of this name'],
    [
      [
        database({ serverNames: ['db.example.net'] }),
        database({ environment: 'staging', serverNames: ['DB.example.net', 'other'] }),
      ],
      'databases.1.serverNames: another database of this name is reached in the same way',
    ],
    [[database({}), database({ serverNames: ['a'] })], 'databases.1.name: there is another `prod/shop`'],
    [[database({ serverNames: ['a.*.b'] })], 'databases.0.serverNames.0: must be a host name'],
    [[database({ serverNames: [] })], 'databases.0.serverNames: '],
  ])('leads to one only: %#', (databases, message) => expect(fault(...databases)).toContain(message))
})

const database = (parts: object, upstream: object = ONE) => ({
  name: 'shop',
  environment: 'prod',
  upstream: { database: 'shop', roles: { app: 'p' }, guard: { role: 'g', password: 'p' }, ...upstream },
  ...parts,
})

const load = (...databases: readonly object[]) => {
  const file = join(folder, 'countersign.yaml')
  writeFileSync(file, stringify({ ...REST, databases }))
  return loadConfig(file, {})
}

const loaded = (one: object) => load(one).databases.map(({ upstream }) => serversOf(upstream))[0]

const fault = (...databases: readonly object[]): string => {
  try {
    load(...databases)
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return 'none'
}

const listen = { port: 1 }
const REST = {
  log: { kind: 'embedded', directory: 'log' },
  node: { listen, admin: listen, state: 'state' },
  control: { listen, owners: 'DATAOWNERS', identities: 'identities.yaml' },
  audit: { listen, clickhouse: { url: 'http://localhost:8123', user: 'u', password: '' } },
}
