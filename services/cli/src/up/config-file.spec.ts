import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type LogConfig } from '@countersign/platform'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { homeAt } from '../home.ts'
import { renderConfig } from './config-file.ts'
import { portsFrom } from './ports.ts'
import { readyOf } from './ready.ts'
import { ensureSecrets, type Secrets } from './secrets.ts'

let folder: string
let secrets: Secrets
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-config-'))
  secrets = ensureSecrets(homeAt(folder))
})
afterAll(() => rmSync(folder, { recursive: true }))

describe('countersign.yaml of the quick start', () => {
  it('is what every service can read, whatever the home is called', () => {
    const name = `a "quoted" 'home': #1 \\ {x} – ü`
    const { config, home } = written({ name })
    expect(config.log).toEqual({ kind: 'embedded', directory: home.eventLog })
    expect(config.control).toMatchObject({ owners: home.owners, identities: home.identities })
    expect(config.node).toMatchObject({ state: home.node, tls: { certificate: home.certificate, key: home.key } })
    expect(config.databases[0]).toMatchObject({
      name: 'shop',
      environment: 'demo',
      upstream: { port: 7003, database: 'shop', tls: 'disable' },
    })
    expect(config.databases[0]?.upstream.roles['shop_app']?.reveal()).toBe(secrets.roles.shop_app)
  })

  it('names the brokers of Kafka', () => {
    const log: LogConfig = {
      kind: 'kafka',
      brokers: ['a:9092', 'b:9093'],
      clientId: 'countersign',
      replicationFactor: 2,
      accessPartitions: 6,
    }
    expect(written({ name: 'kafka', log }).config.log).toEqual(log)
  })

  it('can be overridden, and ready.json tells what is in force', () => {
    const { config } = written({
      name: 'over',
      env: { COUNTERSIGN_NODE_LISTEN_PORT: '7100', COUNTERSIGN_NODE_LISTEN_HOST: '0.0.0.0' },
    })
    const ready = readyOf(config, secrets, config.audit.clickhouse, new Map([['proxy', 12]]))
    expect(ready.proxy).toEqual({ host: '127.0.0.1', port: 7100 })
    expect(ready.principals[0]?.dsn).toBe(`postgresql://ana:${secrets.tokens.ana}@127.0.0.1:7100/shop`)
    expect(ready.upstream).toBe(`postgresql://shop_app:${secrets.roles.shop_app}@127.0.0.1:7003/shop`)
    expect(ready.processes).toEqual([{ name: 'proxy', pid: 12 }])
  })
})

const written = ({ name, log, env = {} }: { name: string; log?: LogConfig; env?: NodeJS.ProcessEnv }) => {
  const home = homeAt(join(folder, name))
  const clickhouse = { url: 'http://127.0.0.1:7002', user: 'countersign', password: 'p"w', database: 'countersign' }
  const embedded: LogConfig = { kind: 'embedded', directory: home.eventLog }
  mkdirSync(home.directory, { recursive: true })
  writeFileSync(home.config, renderConfig({ home, ports: portsFrom(7000), log: log ?? embedded, clickhouse, secrets }))
  return { home, config: loadConfig(home.config, env) }
}
