import { hash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server as Listener } from 'node:net'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventLog } from '@countersign/eventlog'
import { Config } from '@countersign/platform'
import { defaultPolicies } from '@countersign/policy'
import { Client, type ClientConfig } from 'pg'
import { ProxyNode } from '../../node.ts'
import { AT, FakeControl } from '../../testing/decisions.ts'
import { postgresql } from '../postgresql.ts'
import { alone } from './running-node.ts'

/** What a client of the node has been told, by whatever path: every byte that came from the node's socket. */
export class WatchedClient extends Client {
  #heard: Buffer[] = []
  /** Messages of the server beside its results. */
  readonly notices: string[] = []

  constructor(config: ClientConfig) {
    super(config)
    const { stream } = (this as unknown as { readonly connection: { readonly stream: NodeJS.ReadableStream } })
      .connection
    stream.on('data', (bytes: Buffer) => this.#heard.push(bytes))
    this.on('notice', ({ message }) => this.notices.push(message ?? ''))
    this.on('error', () => {})
  }

  get heard(): string {
    return Buffer.concat(this.#heard).toString('latin1')
  }

  forget(): void {
    this.#heard = []
    this.notices.length = 0
  }

  /** Rows as lists of texts, of each command; an error as its SQLSTATE. */
  async tries(sql: string): Promise<readonly (readonly (readonly (string | null)[])[])[] | string> {
    try {
      const answered = (await this.query({ text: sql, rowMode: 'array', types: AS_TEXT })) as unknown as Rows | Rows[]
      return (Array.isArray(answered) ? answered : [answered]).map(({ rows }) => rows)
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return code ?? message
    }
  }
}

interface Rows {
  readonly rows: readonly (readonly (string | null)[])[]
}

const AS_TEXT = { getTypeParser: () => (value: string) => value }

export const PRINCIPAL = 'ana'
const TOKEN = 'not-a-secret-in-this-test'
export const ROLE = 'app'
const GUARD = 'guard'

/** A server of the spec's own, which it stops itself. */
export interface Server {
  readonly port: number
  readonly connect: (database: string) => Promise<Client>
}

export interface LiveNodeOptions {
  readonly server: Server
  readonly log: EventLog
  /** Three that nobody uses. */
  readonly ports: readonly number[]
  /** Run by the superuser in the database `shop` before the node sees it. */
  readonly schema: string
  /** Shipped policies that are not in force; their names. */
  readonly without?: readonly string[]
  /** Cedar policies of one's own. */
  readonly policies?: string
}

/** A whole node in this process, between a real client and a real server of its own. */
export class LiveNode {
  readonly admin: Client
  readonly control: FakeControl
  readonly #node: ProxyNode
  readonly #listener: Listener
  readonly #port: number
  /** The folder that the node keeps things in. */
  readonly state: string
  readonly #clients: Client[] = []

  private constructor(
    admin: Client,
    control: FakeControl,
    node: ProxyNode,
    listener: Listener,
    port: number,
    state: string,
  ) {
    this.admin = admin
    this.control = control
    this.#node = node
    this.#listener = listener
    this.#port = port
    this.state = state
  }

  static async start({ server, log, ports, schema, without = [], policies = '' }: LiveNodeOptions): Promise<LiveNode> {
    const first = await server.connect('postgres')
    await first.query(`CREATE ROLE ${GUARD} LOGIN; GRANT pg_read_all_data TO ${GUARD}; CREATE ROLE ${ROLE} LOGIN`)
    await first.query('CREATE DATABASE shop')
    await first.end()
    const admin = await server.connect('shop')
    await admin.query(schema)
    const state = mkdtempSync(join(tmpdir(), 'live-node-'))
    chmodSync(state, 0o700)
    const [listen = 0, operator = 0, unused = 0] = ports
    const config = configOf(server.port, listen, operator, unused, state)
    const node = new ProxyNode(config, log, SILENT, { index: 0, workers: 1, front: alone() }, postgresql)
    const control = new FakeControl(log)
    await control.decides('policy', 'policy.in-force', {
      version: 'v1',
      files: [...policiesWithout(without), { name: 'own.cedar', text: policies }],
      owners: '',
      at: AT,
    })
    await control.decides('credential/ana', 'credential.in-force', {
      credentialId: 'ana-1',
      principal: { id: PRINCIPAL, kind: 'person', groups: ['developers'] },
      tokenDigest: hash('sha256', TOKEN, 'hex'),
      roles: { '*': ROLE },
      expiresAt: '2099-01-01T00:00:00.000Z',
      revoked: false,
      at: AT,
    })
    await node.start()
    await node.usable()
    const listener = createServer({ noDelay: true }, (socket) => node.welcome(socket)).listen(listen, '127.0.0.1')
    await once(listener, 'listening')
    return new LiveNode(admin, control, node, listener, listen, state)
  }

  /** A client that is never kept waiting for an approval. */
  async client(config: ClientConfig = {}): Promise<WatchedClient> {
    const { options = '', ...others } = config
    const client = new WatchedClient({
      host: '127.0.0.1',
      port: this.#port,
      user: PRINCIPAL,
      password: TOKEN,
      database: 'shop',
      options: `-c countersign.hold=0 ${options}`,
      ...others,
    })
    await client.connect()
    this.#clients.push(client)
    return client
  }

  get port(): number {
    return this.#port
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) await client.end().catch(() => {})
    this.#listener.close()
    await this.#node.stop()
    await this.admin.end()
    rmSync(this.state, { recursive: true, force: true })
  }
}

export const LOGIN = { user: PRINCIPAL, token: TOKEN, database: 'shop' }

const policiesWithout = (names: readonly string[]) =>
  defaultPolicies().map(({ name, text }) => ({
    name,
    text: text
      .split(/(?=^@id\()/m)
      .filter((rule) => !names.includes(/^@id\("([^"]+)"\)/.exec(rule)?.[1] ?? ''))
      .join(''),
  }))

const configOf = (server: number, listen: number, operator: number, unused: number, state: string): Config =>
  Config.parse({
    log: { kind: 'embedded', directory: state },
    databases: [
      {
        name: 'shop',
        environment: 'prod',
        upstream: {
          host: '127.0.0.1',
          port: server,
          database: 'shop',
          tls: 'disable',
          guard: { role: GUARD, password: 'trusted' },
          roles: { [ROLE]: 'trusted' },
        },
      },
    ],
    node: { listen: { port: listen }, admin: { port: operator }, state },
    control: { listen: { port: unused }, owners: 'none', identities: 'none' },
    audit: { listen: { port: unused }, clickhouse: { url: 'http://127.0.0.1:1', user: 'none', password: '' } },
  })

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
