import { spawn, type ChildProcess } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { commitHeaders, encodeCommit, TOPICS, writeDecisionEvent, type DecisionEvent } from '@countersign/contracts'
import { openEventLog } from '@countersign/eventlog'
import { defaultPolicies } from '@countersign/policy'
import { freePorts } from '@countersign/testing'
import { installed, startPostgres, type Postgres } from '../corpus/postgres.ts'
import { until } from './until.ts'

/*
 * One node as it is run, in front of a real PostgreSQL, and nothing else: what control would have decided lies in the
 * log. For tests that want a node to themselves, with limits and a database of their own.
 */

const MAIN = fileURLToPath(new URL('../../services/proxy/dist/main.js', import.meta.url))
const TOKEN = 'cs_of_a_test'
const READY_TIMEOUT_MS = 60_000

export interface LoneNodeOptions {
  /** Settings of PostgreSQL, and values of `node.limits` and `node.lockout`. */
  readonly postgres?: Readonly<Record<string, string | number>>
  readonly limits?: Readonly<Record<string, number>>
  readonly lockout?: Readonly<Record<string, number>>
  /** PEM files: with them the node takes TLS as well. */
  readonly tls?: { readonly certificate: string; readonly key: string }
  /** Run in the database before the node reads it. */
  readonly sql?: string
  /** Puts something between the node and its database: from the port of the one to the port for the other. */
  readonly between?: (port: number) => Promise<number>
}

export class LoneNode {
  readonly port: number
  readonly user = 'etl'
  readonly password = TOKEN
  readonly database = 'shop'
  readonly postgres: Postgres
  readonly #admin: number
  readonly #home: string
  readonly #child: ChildProcess

  private constructor(postgres: Postgres, home: string, child: ChildProcess, port: number, admin: number) {
    this.postgres = postgres
    this.port = port
    this.#home = home
    this.#child = child
    this.#admin = admin
  }

  static async start({
    postgres: settings = {},
    limits = {},
    lockout = {},
    tls,
    sql = '',
    between = async (port) => port,
  }: LoneNodeOptions = {}): Promise<LoneNode> {
    const [binaries] = installed()
    if (!binaries) throw new Error('no PostgreSQL here')
    const postgres = await startPostgres(binaries, { settings })
    const home = mkdtempSync(join(tmpdir(), 'countersign-node-'))
    const [port = 0, admin = 0] = await freePorts(2)
    await makeDatabase(postgres, sql)
    await decide(join(home, 'log'))
    const config = join(home, 'countersign.json')
    writeFileSync(
      config,
      JSON.stringify(configOf({ home, port, admin, postgres: await between(postgres.port), limits, lockout, tls })),
    )
    const output = openSync(join(home, 'node.log'), 'a')
    const child = spawn(process.execPath, ['--liftoff-only', MAIN, '--config', config], {
      stdio: ['ignore', output, output],
    })
    const node = new LoneNode(postgres, home, child, port, admin)
    try {
      await until(() => node.#isReady(), READY_TIMEOUT_MS)
    } catch (cause) {
      const { said } = node
      await node.stop()
      throw new Error(`the node does not get ready: ${said}`, { cause })
    }
    return node
  }

  get dsn(): string {
    return `postgres://${this.user}:${this.password}@127.0.0.1:${this.port}/${this.database}`
  }

  /** The same database with no node in between. */
  get upstream(): string {
    return `postgres://app@127.0.0.1:${this.postgres.port}/${this.database}`
  }

  /** Folder of the event log, for those who look at what was recorded. */
  get log(): string {
    return join(this.#home, 'log')
  }

  /** What the node has written to its own log. */
  get said(): string {
    return readFileSync(join(this.#home, 'node.log'), 'utf8')
  }

  get runs(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The node's process, and those that it has started. */
  get pids(): readonly number[] {
    const root = this.#child.pid
    if (root === undefined || !this.runs) return []
    const parents = new Map(allProcesses())
    const isOurs = (pid: number): boolean => {
      const parent = parents.get(pid)
      return pid === root || (parent !== undefined && isOurs(parent))
    }
    return [...parents.keys()].filter(isOurs)
  }

  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${this.#admin}/metrics`)).text()
    const found = text.split('\n').filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    return found.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }

  async stop(): Promise<void> {
    if (this.runs) {
      const ended = once(this.#child, 'exit')
      this.#child.kill('SIGTERM')
      const late = setTimeout(() => this.#child.kill('SIGKILL'), 15_000)
      await ended
      clearTimeout(late)
    }
    await this.postgres.stop()
    rmSync(this.#home, { recursive: true, force: true })
  }

  async #isReady(): Promise<true | undefined> {
    if (!this.runs) throw new Error('it has ended')
    const answer = await fetch(`http://127.0.0.1:${this.#admin}/readyz`).catch(() => undefined)
    return answer?.ok ? true : undefined
  }
}

/** Process and parent of every process of this machine. */
const allProcesses = (): readonly (readonly [number, number])[] =>
  readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8')
      return [[Number(entry), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])] as const]
    } catch {
      return [] // Gone meanwhile.
    }
  })

const makeDatabase = async (postgres: Postgres, sql: string): Promise<void> => {
  const first = await postgres.connect('postgres')
  await first.query('create role app login; create role guard login; grant pg_read_all_data to guard')
  await first.query('create database shop owner app')
  await first.end()
  if (sql === '') return
  const client = await postgres.connect('shop', 'app')
  await client.query(sql)
  await client.end()
}

/** The shipped policies, and one service that may connect. */
const decide = async (directory: string): Promise<void> => {
  const log = await openEventLog({ kind: 'embedded', directory })
  const at = new Date().toISOString()
  const tokenDigest = createHash('sha256').update(TOKEN).digest('hex')
  const principal = { id: 'etl', kind: 'service', groups: [] }
  const expiresAt = new Date(Date.now() + 86_400_000).toISOString()
  const events = [
    ['policy', { type: 'policy.in-force', data: { version: 'test', files: defaultPolicies(), owners: '', at } }],
    [
      'credential/1',
      {
        type: 'credential.in-force',
        data: { credentialId: 'c1', principal, tokenDigest, roles: { '*': 'app' }, expiresAt, revoked: false, at },
      },
    ],
  ] as const
  for (const [stream, event] of events) {
    const stored = writeDecisionEvent(event as unknown as DecisionEvent)
    const commit = { stream, revision: 1, commitId: randomUUID(), events: [stored] }
    const headers = commitHeaders(commit, '/test', at, event.type)
    await log.append(TOPICS.decisions, { key: stream, headers, value: encodeCommit(commit) })
  }
  await log.close()
}

interface Places {
  readonly home: string
  readonly port: number
  readonly admin: number
  readonly postgres: number
  readonly limits: Readonly<Record<string, number>>
  readonly lockout: Readonly<Record<string, number>>
  readonly tls: LoneNodeOptions['tls']
}

/** JSON is YAML. Control and audit are not started, but the file is for all. */
const configOf = ({ home, port, admin, postgres, limits, lockout, tls }: Places): object => ({
  log: { kind: 'embedded', directory: join(home, 'log') },
  databases: [
    {
      name: 'shop',
      environment: 'test',
      upstream: {
        host: '127.0.0.1',
        port: postgres,
        database: 'shop',
        tls: 'disable',
        roles: { app: 'trusted' },
        guard: { role: 'guard', password: 'trusted' },
      },
    },
  ],
  node: {
    listen: { host: '127.0.0.1', port },
    admin: { host: '127.0.0.1', port: admin },
    state: join(home, 'node'),
    limits,
    lockout,
    ...(tls && { tls }),
  },
  control: { listen: { host: '127.0.0.1', port: 1 }, owners: 'DATAOWNERS', identities: 'identities.yaml' },
  audit: {
    listen: { host: '127.0.0.1', port: 2 },
    clickhouse: { url: 'http://127.0.0.1:3', user: 'default', password: '' },
  },
})
