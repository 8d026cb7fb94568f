import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startNodeService, type Running } from '@countersign/platform'
import { freePorts } from '@countersign/testing'

export interface AllowingNode {
  readonly port: number
  /** What the node has logged so far. */
  readonly logged: () => string
  readonly stop: () => Promise<void>
}

export interface Behind {
  /** Port of the PostgreSQL behind it, on 127.0.0.1. It trusts whoever comes from this machine. */
  readonly port: number
  readonly databases: readonly string[]
  /** Passwords of the database roles, which differ. Each is a principal of the same name, with it as its token. */
  readonly roles: Readonly<Record<string, string>>
}

/** A node that allows everything and masks nothing, with a control of its own and a new record. */
export const startAllowingNode = async (behind: Behind): Promise<AllowingNode> => {
  const home = mkdtempSync(join(tmpdir(), 'countersign-suites-'))
  const [proxy, nodeAdmin, control, audit] = await freePorts(4)
  const config = join(home, 'countersign.yaml')
  mkdirSync(join(home, 'policies'))
  writeFileSync(join(home, 'policies', 'all.cedar'), EVERYTHING)
  writeFileSync(join(home, 'DATAOWNERS'), 'suites/*.* @owners\n')
  writeFileSync(
    join(home, 'identities.yaml'),
    JSON.stringify({ principals: Object.entries(behind.roles).map(principalOf) }),
  )
  writeFileSync(config, JSON.stringify(configOf(home, behind, { proxy, nodeAdmin, control, audit })))

  const services: Running[] = []
  const start = async (name: 'control' | 'proxy', nodeArgs: readonly string[]) => {
    const entry = createRequire(import.meta.resolve('../../services/cli/package.json')).resolve(`@countersign/${name}`)
    const service = { name, entry, args: ['--config', config], nodeArgs, env: process.env, readyTimeoutMs: 60_000 }
    services.unshift(await startNodeService({ ...service, logFile: join(home, `${name}.log`) }, NEVER))
  }
  const stop = async () => {
    for (const service of services) await service.stop(5_000)
    rmSync(home, { recursive: true, force: true })
  }
  try {
    await start('control', [])
    await start('proxy', ['--liftoff-only'])
  } catch (error) {
    await stop()
    throw error
  }
  return { port: proxy ?? 0, logged: () => readFileSync(join(home, 'proxy.log'), 'utf8'), stop }
}

const NEVER = new AbortController().signal

const EVERYTHING = '@id("everything")\npermit (principal, action, resource);\n'

const principalOf = ([role, password]: [string, string]) => ({
  id: role,
  kind: 'service',
  groups: ['suites'],
  credential: {
    id: `${role}-suites`,
    tokenDigest: createHash('sha256').update(password).digest('hex'),
    expiresAt: '2100-01-01T00:00:00Z',
    roles: { '*': role },
  },
})

/** YAML is a superset of JSON. */
const configOf = (
  home: string,
  { port, databases, roles }: Behind,
  ports: Readonly<Record<'proxy' | 'nodeAdmin' | 'control' | 'audit', number | undefined>>,
) => ({
  log: { kind: 'embedded', directory: join(home, 'log') },
  databases: databases.map((name) => ({
    name,
    environment: 'suites',
    upstream: {
      host: '127.0.0.1',
      port,
      database: name,
      tls: 'disable',
      roles,
      guard: { role: 'postgres', password: 'trusted' },
    },
  })),
  node: {
    name: 'node-suites',
    listen: { host: '127.0.0.1', port: ports.proxy },
    admin: { host: '127.0.0.1', port: ports.nodeAdmin },
    state: join(home, 'state'),
    // As much as PostgreSQL itself takes.
    limits: { statementBytesMax: 2 ** 30 - 1, messageBytesMax: 2 ** 30 - 1, rowBytesMax: 2 ** 30 - 1 },
  },
  control: {
    listen: { host: '127.0.0.1', port: ports.control },
    policies: join(home, 'policies'),
    owners: join(home, 'DATAOWNERS'),
    identities: join(home, 'identities.yaml'),
  },
  // Nobody runs it here; the configuration is one for all services.
  audit: {
    listen: { host: '127.0.0.1', port: ports.audit },
    clickhouse: { url: 'http://127.0.0.1:1', user: 'nobody', password: '', database: 'none' },
  },
})
