import { once } from 'node:events'
import { createServer } from 'node:net'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { hash } from 'node:crypto'
import { decodeCommit, readAccessEvent, TOPICS, type AccessEvent } from '@countersign/contracts'
import { openEventLog, type EventLog } from '@countersign/eventlog'
import { loadConfig, type Config, type Fields, type Logger } from '@countersign/platform'
import { Client, type ClientConfig } from 'pg'
import { ProxyNode } from '../../node.ts'
import { FakeControl } from '../../testing/decisions.ts'
import type { Front } from '../../workers/front.ts'
import { SharedCounts } from '../../workers/shared-counts.ts'
import { postgresql } from '../postgresql.ts'

export interface Principal {
  readonly id: string
  readonly token: string
  readonly expiresAt?: string
  readonly revoked?: boolean
}

/** Who signs the certificates of the node and of its clients. */
export interface Authority {
  /** PEM. */
  readonly certificate: string
  issue(wanted: {
    readonly commonName: string
    readonly hosts?: readonly string[]
    readonly days?: number
  }): Promise<Issued>
}

interface Issued {
  readonly certificate: string
  readonly key: string
}

export interface NodeOptions {
  readonly authority: Authority
  /** Three that are free. */
  readonly ports: readonly number[]
  /** Where the real database is. */
  readonly upstream: Readonly<Record<string, unknown>>
  readonly principals: readonly Principal[]
  /** Parts of `node` in the configuration, beside those that every one has. */
  readonly node?: Readonly<Record<string, unknown>>
  readonly tls?: Readonly<Record<string, unknown>> | false
}

export interface LogLine extends Fields {
  readonly level: string
  readonly message: string
}

/** A node in this process, with a log of its own and control played by a spec; the database is a real one. */
export class RunningNode {
  readonly config: Config
  readonly authority: Authority
  readonly lines: LogLine[] = []
  readonly events: AccessEvent[] = []
  readonly control: FakeControl
  readonly #folder: string
  readonly #log: EventLog
  readonly #node: ProxyNode
  readonly #server = createServer({ noDelay: true, keepAlive: true }, (socket) => this.#node.welcome(socket))
  readonly #follow: { close(): Promise<void> }

  private constructor(folder: string, config: Config, log: EventLog, authority: Authority) {
    this.#folder = folder
    this.config = config
    this.authority = authority
    this.#log = log
    this.control = new FakeControl(log)
    this.#follow = log.subscribe(
      TOPICS.access,
      {},
      (records) => {
        for (const { value } of records)
          this.events.push(...decodeCommit(value).events.map((each) => readAccessEvent(each)))
      },
      () => {},
    )
    this.#node = new ProxyNode(config, log, this.#logger(), { index: 0, workers: 1, front: alone() }, postgresql)
  }

  static async start(options: NodeOptions): Promise<RunningNode> {
    const folder = mkdtempSync(join(tmpdir(), 'cs-node-'))
    const { authority } = options
    const file = await writeConfig(folder, options)
    const config = loadConfig(file, {})
    if (config.log.kind === 'embedded') mkdirSync(config.log.directory, { recursive: true })
    const node = new RunningNode(folder, config, await openEventLog(config.log), authority)
    await node.#decide(options.principals)
    await node.#node.start()
    await node.#node.usable()
    await node.#listen()
    return node
  }

  get port(): number {
    return this.config.node.listen.port
  }

  file(name: string, text: string): string {
    const path = join(this.#folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }

  /** A certificate for a client, as files. */
  async certificateOf(commonName: string, by = this.authority): Promise<Issued & { cert: string; keyFile: string }> {
    const issued = await by.issue({ commonName })
    const name = `${commonName}-${by === this.authority ? 'ours' : 'theirs'}`
    return {
      ...issued,
      cert: this.file(`${name}.crt`, issued.certificate),
      keyFile: this.file(`${name}.key`, issued.key),
    }
  }

  /** A client of node-postgres, connected. */
  async connect(user: string, password: string, more: ClientConfig = {}): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.port, database: 'shop', user, password, ...more })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** The events of one type, as they are recorded by now. */
  recorded<Type extends AccessEvent['type']>(type: Type): readonly Extract<AccessEvent, { type: Type }>['data'][] {
    return this.events.flatMap((event) => (event.type === type ? [event.data as never] : []))
  }

  async decideCredential({
    id,
    token,
    expiresAt = '2099-01-01T00:00:00.000Z',
    revoked = false,
  }: Principal): Promise<void> {
    await this.control.decides(`credential/${id}-1`, 'credential.in-force', {
      credentialId: `${id}-1`,
      principal: { id, kind: 'person', person: id, groups: ['developers'] },
      tokenDigest: hash('sha256', token, 'hex'),
      roles: { '*': 'app' },
      expiresAt,
      revoked,
      at: '2026-11-23T00:00:00.000Z',
    })
  }

  async stop(): Promise<void> {
    this.#server.close()
    await this.#node.stop()
    await this.#follow.close()
    await this.#log.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #decide(principals: readonly Principal[]): Promise<void> {
    const at = '2026-11-23T00:00:00.000Z'
    const files = [{ name: 'all.cedar', text: '@id("all") permit (principal, action, resource);' }]
    await this.control.decides('policy', 'policy.in-force', { version: 'p1', files, owners: '', at })
    for (const principal of principals) await this.decideCredential(principal)
  }

  async #listen(): Promise<void> {
    const { host, port } = this.config.node.listen
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
  }

  #logger(): Logger {
    const at = (level: string) => (message: string, fields?: Fields) =>
      void this.lines.push({ level, message, ...fields })
    return { info: at('info'), warn: at('warn'), error: at('error') }
  }
}

/** A node of one worker: there is nobody else. */
export const alone = (): Front => ({
  cancelElsewhere: async () => {},
  connectionClosed: () => {},
  counts: new SharedCounts().of('w0'),
})

const writeConfig = async (
  folder: string,
  { authority, ports, upstream, node = {}, tls = {} }: NodeOptions,
): Promise<string> => {
  const at = (name: string) => join(folder, name)
  const { certificate, key } = await authority.issue({ commonName: 'node', hosts: ['localhost', '127.0.0.1'] })
  writeFileSync(at('node.crt'), certificate)
  writeFileSync(at('node.key'), key)
  writeFileSync(at('ca.crt'), authority.certificate)
  const [port = 0, admin = 0, other = 0] = ports
  const own = tls && { tls: { certificate: 'node.crt', key: 'node.key', ...tls } }
  const config = {
    log: { kind: 'embedded', directory: 'log' },
    databases: [{ name: 'shop', environment: 'prod', upstream }],
    node: { listen: { port }, admin: { port: admin }, state: 'state', ...own, ...node },
    control: { listen: { port: other }, owners: 'DATAOWNERS', identities: 'identities.yaml' },
    audit: { listen: { port: other }, clickhouse: { url: 'http://127.0.0.1:1', user: 'x', password: '' } },
  }
  writeFileSync(at('countersign.yaml'), JSON.stringify(config)) // JSON is YAML.
  return at('countersign.yaml')
}
