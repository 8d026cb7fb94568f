import { hash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCommit, TOPICS, type AccessEvent } from '@countersign/contracts'
import type { EventLog } from '@countersign/eventlog'
import { Config, ensureSelfSigned, type Logger } from '@countersign/platform'
import { Client, type ClientConfig } from 'pg'
import { serveAdmin } from '../../admin.ts'
import type { NodeHealth } from '../../health.ts'
import { ProxyNode } from '../../node.ts'
import { metricsTextOf } from '../../telemetry/node-metrics.ts'
import { AT, FakeControl } from '../../testing/decisions.ts'
import { postgresql } from '../postgresql.ts'
import { alone } from './running-node.ts'

export interface NodeWorldOptions {
  readonly databases: readonly object[]
  readonly telemetry?: object
  readonly limits?: object
  readonly policy?: string
  /** Whether to wait until it is ready. */
  readonly ready?: boolean
}

export interface Said {
  readonly level: string
  readonly message: string
}

export const PERMIT_ALL = '@id("all") permit (principal, action, resource);'
const READY_TIMEOUT_MS = 20_000
const EXPIRES_AT = '2099-01-01T00:00:00.000Z'

/** A whole node in this process, with a policy and principals in force, on a log that is given. */
export class NodeWorld {
  readonly node: ProxyNode
  readonly control: FakeControl
  readonly said: Said[] = []
  readonly #log: EventLog
  readonly #server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.node.welcome(socket))
  #admin: Server | undefined
  readonly #folder: string
  readonly #config: Config

  private constructor(log: EventLog, folder: string, config: Config) {
    this.#log = log
    this.#folder = folder
    this.#config = config
    this.control = new FakeControl(log)
    this.node = new ProxyNode(config, log, this.#logger(), { index: 0, workers: 1, front: alone() }, postgresql)
  }

  static async start(log: EventLog, options: NodeWorldOptions): Promise<NodeWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'node-world-'))
    const tls = { certificate: join(folder, 'node.crt'), key: join(folder, 'node.key') }
    await ensureSelfSigned(tls, new Date())
    const config = Config.parse({
      log: { kind: 'embedded', directory: folder },
      databases: options.databases,
      node: {
        listen: { port: await freePort() },
        admin: { port: await freePort() },
        tls,
        state: join(folder, 'state'),
        ...(options.telemetry && { telemetry: options.telemetry }),
        ...(options.limits && { limits: options.limits }),
      },
      control: CONTROL,
      audit: AUDIT,
    })
    const world = new NodeWorld(log, folder, config)
    await world.obeys(options.policy ?? PERMIT_ALL)
    await world.node.start()
    await world.#listen()
    if (options.ready ?? true) await world.#untilReady()
    return world
  }

  /** What the supervisor does for a worker. */
  async #listen(): Promise<void> {
    const { listen, admin } = this.#config.node
    this.#server.listen(listen.port, listen.host)
    await once(this.#server, 'listening')
    this.#admin = await serveAdmin(
      { admin },
      { health: () => this.node.health(), metrics: () => metricsTextOf([this.node.metrics()]) },
    )
  }

  async #untilReady(): Promise<void> {
    const giveUpAt = performance.now() + READY_TIMEOUT_MS
    while (!this.node.health().ready && performance.now() < giveUpAt) await this.node.usable()
    if (this.node.health().ready) return
    throw new Error(`the node is not ready: ${JSON.stringify([this.node.health(), this.said])}`)
  }

  async obeys(text: string): Promise<void> {
    const version = hash('sha256', text, 'hex').slice(0, 16)
    const files = [{ name: 'test.cedar', text }]
    await this.control.decides('policy', 'policy.in-force', { version, files, owners: '', at: AT })
  }

  /** Someone whose password is `token-<id>`. */
  async knows(id: string, roles: Readonly<Record<string, string>>): Promise<void> {
    await this.control.decides(`credential/${id}`, 'credential.in-force', {
      credentialId: `cr_${id}`,
      principal: { id, kind: 'person', groups: ['developers'] },
      tokenDigest: hash('sha256', `token-${id}`, 'hex'),
      roles,
      expiresAt: EXPIRES_AT,
      revoked: false,
      at: AT,
    })
  }

  /** Where it listens, for clients that are no library. */
  get port(): number {
    return this.#config.node.listen.port
  }

  async connect(user: string, config: ClientConfig = {}): Promise<Client> {
    const { port } = this.#config.node.listen
    const client = new Client({ host: '127.0.0.1', port, user, password: `token-${user}`, database: 'shop', ...config })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** One statement on a connection of its own. */
  async query(user: string, sql: string, config: ClientConfig = {}): Promise<readonly (readonly unknown[])[]> {
    const client = await this.connect(user, config)
    try {
      const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' })
      return rows
    } finally {
      await client.end()
    }
  }

  /** What the node has recorded of this type. */
  async events<Type extends AccessEvent['type']>(type: Type): Promise<readonly DataOf<Type>[]> {
    const records = await this.#log.read(TOPICS.access, {}, 100_000)
    return records
      .flatMap(({ value }) => decodeCommit(value).events)
      .filter((event) => event.type === type)
      .map(({ data }) => data as unknown as DataOf<Type>)
  }

  async admin(path: string): Promise<{ readonly status: number; readonly type: string; readonly text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.#config.node.admin.port}${path}`)
    return {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      text: await response.text(),
    }
  }

  async health(): Promise<NodeHealth & { readonly code: number }> {
    const { status, text } = await this.admin('/readyz')
    return { ...(JSON.parse(text) as NodeHealth), code: status }
  }

  async stop(): Promise<void> {
    this.#server.close()
    this.#admin?.close()
    await this.node.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get certificate(): string {
    return readFileSync(join(this.#folder, 'node.crt'), 'utf8')
  }

  #logger(): Logger {
    const at = (level: string) => (message: string, fields?: object) =>
      void this.said.push({ level, message, ...fields })
    return { info: at('info'), warn: at('warn'), error: at('error') }
  }
}

type DataOf<Type extends AccessEvent['type']> = Extract<AccessEvent, { readonly type: Type }>['data']

const CONTROL = { listen: { port: 1 }, owners: 'DATAOWNERS', identities: 'identities.yaml' }
const AUDIT = { listen: { port: 1 }, clickhouse: { url: 'http://127.0.0.1:1', user: 'u', password: '' } }

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => {
        if (typeof address === 'object' && address) resolve(address.port)
        else reject(new Error('no port'))
      })
    })
  })
