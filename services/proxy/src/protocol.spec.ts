import { hash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { Digest, SessionId, WorkerId } from '@countersign/contracts'
import { Secret, type DatabaseConfig, type Logger, type NodeConfig } from '@countersign/platform'
import { memoryLog } from '@countersign/testing'
import { v7 as uuidv7 } from 'uuid'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { InForce } from './decisions/in-force.ts'
import { entranceOf, welcome } from './listener.ts'
import type { Connected, Database, Greeting, LiveSession, SessionParts, Speaker } from './protocol.ts'
import { Recorder } from './record/recorder.ts'
import { Admission } from './session/admission.ts'
import { StatementAccount } from './session/statement-account.ts'
import { Sessions } from './sessions.ts'
import type { Line } from './startup/line.ts'
import { DatabaseUnavailableError } from './startup/startup-refused.ts'
import { Holds } from './statement/holds.ts'
import type { Judgement, TransactionStatus } from './statement/judgement.ts'
import { StatementRefusedError } from './statement/refusal.ts'
import { AT, FakeControl } from './testing/decisions.ts'
import { HeldLog } from './testing/held-log.ts'
import { SharedCounts } from './workers/shared-counts.ts'

/*
 * What the port promises, with a protocol of lines behind it that is not PostgreSQL's in anything: `user database token`,
 * then one statement a line. A statement that begins with `drop` is denied, and every other is done.
 */

let node: Node

beforeEach(async () => {
  node = await Node.start()
})
afterEach(() => node.stop())

it('lets in who has a token, and writes down who it is', async () => {
  const client = await node.client('ana shop cs_token')
  expect(await client.next()).toBe('welcome')
  expect(await node.soon('session.opened')).toMatchObject([
    { client: { application: 'lines', tls: null }, upstream: { server: 'db:1', role: 'app', processId: 7 } },
  ])
  expect(await node.soon('credential.used')).toMatchObject([{ principalId: 'ana', proof: 'token' }])
})

it('turns away who has none, in the words of the protocol', async () => {
  const client = await node.client('ana shop cs_other')
  expect(await client.next()).toBe('28P01 password authentication failed')
  expect(await node.soon('auth.failed')).toMatchObject([{ user: 'ana', because: 'wrong-token' }])
})

it('turns away who does not speak it', async () => {
  const client = await node.client('what is this?')
  expect(await client.next()).toBe('08P01 three words are wanted')
  expect(node.warnings).toEqual(['a client does not speak lines'])
})

it('says so, and writes it down, when there is no server', async () => {
  node.unavailable = true
  const client = await node.client('ana shop cs_token')
  expect(await client.next()).toBe('08001 nobody is there')
  expect(await node.soon('auth.failed')).toMatchObject([{ because: 'upstream-unavailable' }])
})

it('judges, records and settles each statement', async () => {
  const client = await node.client('ana shop cs_token')
  expect([await client.next(), await client.asks('read it'), await client.asks('drop it')]).toEqual([
    'welcome',
    'done',
    '42501 denied by policy: the rule says so',
  ])
  await client.close()
  expect(await node.soon('session.closed')).toMatchObject([{ because: 'client-gone', statements: 2 }])
  expect(node.log.of('statement.intended')).toMatchObject([
    { sequence: 1, text: 'read it', verdict: 'allow' },
    { sequence: 2, text: 'drop it', verdict: 'deny' },
  ])
  expect(node.log.of('statement.settled')).toMatchObject([
    { sequence: 1, outcome: 'completed' },
    { sequence: 2, outcome: 'refused', sqlstate: '42501' },
  ])
})

it('ends the sessions of a credential that is revoked', async () => {
  const client = await node.client('ana shop cs_token')
  await client.next()
  await node.decides(true)
  expect(await client.next()).toBe('28000 revoked')
  expect(await node.soon('session.closed')).toMatchObject([{ because: 'revoked' }])
  expect(node.sessions.size).toBe(0)
})

it('cancels by a key what another connection waits for', async () => {
  const client = await node.client('ana shop cs_token')
  await client.next()
  const key = node.lastKey
  await (
    await node.client(`cancel ${key}`)
  ).closed
  expect(await client.next()).toBe('cancelled')
})

// -- a protocol of lines ------------------------------------------------------------------------------------------------

class LinesAccount extends StatementAccount<Judgement> {
  readonly status: TransactionStatus = 'idle'
  readonly reason = undefined
  readonly ticket = undefined
}

class LinesSession implements LiveSession {
  readonly #socket: Socket
  readonly #parts: SessionParts
  readonly #account: LinesAccount
  readonly #admission: Admission<Judgement>
  #ended = false

  constructor(socket: Socket, parts: SessionParts) {
    const { identity, recorder, holds } = parts
    this.#socket = socket
    this.#parts = parts
    this.#account = new LinesAccount(identity, recorder)
    this.#admission = new Admission({
      identity,
      account: this.#account,
      recorder,
      holds,
      notice: ({ message }) => say(socket, message),
      notUnderstood: (sql) => judgementOf(sql, 'deny'),
      prepare: async () => undefined,
    })
    createInterface(socket).on('line', (sql) => void this.#run(sql))
    socket.on('close', () => this.#close('client-gone'))
  }

  get identity() {
    return this.#parts.identity
  }

  get idle(): boolean {
    return !this.#admission.busy
  }

  async cancel(): Promise<void> {
    say(this.#socket, 'cancelled')
  }

  leaveHold(): void {
    this.#admission.leaveHold('node-stopping')
  }

  end(because: 'node-stopping', lastWords: Buffer): void {
    this.#socket.end(lastWords)
    this.#close(because)
  }

  interrupt(because: 'node-stopping', lastWords: Buffer): void {
    this.end(because, lastWords)
  }

  async #run(sql: string): Promise<void> {
    const statement = { sql, text: Buffer.from(sql), protocol: 'simple', received: this.identity.clock() } as const
    try {
      const { executions } = await this.#admission.admit(statement, async () => [judgementOf(sql)])
      for (const execution of executions) this.#account.settle(execution, 'completed')
      say(this.#socket, 'done')
    } catch (error) {
      if (!(error instanceof StatementRefusedError)) throw error
      say(this.#socket, `${error.sqlstate} ${error.message}`)
    }
  }

  #close(because: 'client-gone' | 'node-stopping'): void {
    if (this.#ended) return
    this.#ended = true
    this.#account.abandon()
    const { recorder, identity, closed } = this.#parts
    const { sessionId, now } = identity
    const { statements } = this.#account
    recorder.add({ type: 'session.closed', data: { sessionId, because, statements, at: now() } } as never)
    closed(because, undefined)
  }
}

const say = (socket: Socket, words: string): void => void socket.write(`${words}\n`)

const judgementOf = (
  sql: string,
  verdict = sql.startsWith('drop') ? ('deny' as const) : ('allow' as const),
): Judgement => ({
  tag: sql.split(' ')[0] ?? '',
  hidden: undefined,
  span: undefined,
  actions: ['read'],
  relations: [],
  readOnly: true,
  shape: 'a'.repeat(64),
  verdict,
  policies: ['rule'],
  policyVersion: 'p1',
  catalogueVersion: 'c1',
  approvers: [],
  quorum: 1,
  because: 'the rule says so',
  advice: undefined,
  rows: undefined,
  counts: false,
  replacement: undefined,
  sensitive: false,
  touches: [],
})

class BreachError extends Error {}

// -- a node that speaks it ----------------------------------------------------------------------------------------------

class Node {
  readonly log: HeldLog
  readonly sessions = new Sessions()
  readonly warnings: string[] = []
  lastKey = ''
  unavailable = false
  readonly #listener: Server
  readonly #control: FakeControl
  readonly #recorder: Recorder
  readonly #inForce: InForce
  readonly #clients: LinesClient[] = []

  private constructor() {
    const inner = memoryLog()
    this.log = new HeldLog(inner)
    this.#control = new FakeControl(inner)
    const inForce = new InForce(this.log.log, {
      ...UNHEARD,
      revoked: (credentialId) => this.sessions.endCredential(credentialId, lastWords(['28000', 'revoked'])),
    })
    inForce.follow(() => undefined)
    const keys = { seal: () => ({ keyId: 'k', iv: '', tag: '', data: '' }) }
    const recorder = new Recorder({ log: this.log.log, worker: WORKER, keys, newId: uuidv7, now: () => AT })
    const holds = new Holds({ inForce, recorder, config: HOLDS, now: () => AT, ownersOf: () => [], link: () => '' })
    const entrance = entranceOf({
      speaker: { name: 'lines', greet: (line) => this.#greet(line), breachIn, lastWords },
      rules: { limits: LIMITS, lockout: LOCKOUT, tls: undefined },
      counts: new SharedCounts().of('w0'),
      worker: WORKER,
      cancelElsewhere: async () => undefined,
      login: { inForce, databases: [CONFIG], databaseOf: () => DATABASE },
      recorder,
      sessions: this.sessions,
      holds,
      inlineSeconds: 30,
      newSessionId: () => uuidv7() as SessionId,
      now: () => AT,
      clock: () => performance.now(),
      logger: { ...SILENT, warn: (message) => void this.warnings.push(message) },
      observerOf: () => undefined,
    })
    this.#listener = createServer((socket) => void welcome(socket, entrance, () => undefined))
    this.#recorder = recorder
    this.#inForce = inForce
  }

  static async start(): Promise<Node> {
    const node = new Node()
    await node.#control.decides('policy', 'policy.in-force', { version: 'p1', files: [], owners: '', at: AT })
    await node.decides(false)
    await expect.poll(() => node.#inForce.policy && node.#inForce.credential(TOKEN_DIGEST)).toBeTruthy()
    await once(node.#listener.listen(0, '127.0.0.1'), 'listening')
    return node
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.leave()
    this.#listener.close()
    await this.#recorder.close()
    await this.#inForce.close()
    await this.log.log.close()
  }

  async client(first: string): Promise<LinesClient> {
    const { port } = this.#listener.address() as AddressInfo
    const client = new LinesClient(connect(port, '127.0.0.1'))
    this.#clients.push(client)
    client.says(first)
    return client
  }

  /** What is durable of this type, once there is something. */
  async soon<Type extends Parameters<HeldLog['of']>[0]>(type: Type) {
    await expect.poll(() => this.log.of(type).length).toBeGreaterThan(0)
    return this.log.of(type)
  }

  decides(revoked: boolean): Promise<void> {
    return this.#control.decides('credential/1', 'credential.in-force', {
      credentialId: 'c1',
      principal: { id: 'ana', kind: 'person', groups: [] },
      tokenDigest: TOKEN_DIGEST,
      roles: { '*': 'app' },
      expiresAt: '2999-01-01T00:00:00.000Z',
      revoked,
      at: AT,
    })
  }

  async #greet({ socket }: Line): ReturnType<Speaker['greet']> {
    const [bytes] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    const [user = '', database = '', token] = bytes.toString().trim().split(' ')
    if (user === 'cancel') return { kind: 'cancel', processId: 7, secret: Buffer.from(database, 'hex') }
    if (token === undefined || token.endsWith('?')) throw new BreachError()
    return this.#greeting(socket, user, database, token)
  }

  #greeting(socket: Socket, user: string, database: string, token: string): Greeting {
    return {
      kind: 'greeting',
      user,
      database,
      application: 'lines',
      holdSeconds: undefined,
      tls: null,
      howToEncrypt: '',
      certificate: undefined,
      serverName: undefined,
      neverAllowed: undefined,
      cancelKeyBytes: 4,
      askToken: async () => Buffer.from(token),
      done: () => undefined,
      connect: async () => {
        if (this.unavailable) throw new DatabaseUnavailableError('08001', 'nobody is there')
        return this.#connected(socket)
      },
    }
  }

  #connected(socket: Socket): Connected {
    return {
      server: 'db:1',
      processId: 7,
      begin: (parts) => new LinesSession(socket, parts),
      welcome: ({ secret }) => {
        this.lastKey = secret.toString('hex')
        say(socket, 'welcome')
      },
      leave: () => undefined,
    }
  }
}

class LinesClient {
  readonly closed: Promise<unknown>
  readonly #socket: Socket
  readonly #lines: AsyncIterator<string>

  constructor(socket: Socket) {
    this.#socket = socket
    this.closed = once(socket, 'close')
    this.#lines = createInterface(socket)[Symbol.asyncIterator]()
  }

  says(words: string): void {
    say(this.#socket, words)
  }

  async next(): Promise<string | undefined> {
    return (await this.#lines.next()).value
  }

  asks(sql: string): Promise<string | undefined> {
    this.says(sql)
    return this.next()
  }

  async close(): Promise<void> {
    this.#socket.end()
    await this.closed
  }

  leave(): void {
    this.#socket.destroy()
  }
}

const lastWords: Speaker['lastWords'] = ([sqlstate, message]) => Buffer.from(`${sqlstate} ${message}\n`)

const breachIn: Speaker['breachIn'] = (error) =>
  error instanceof BreachError ? ['08P01', 'three words are wanted'] : undefined

const WORKER = 'node-1/w0/boot' as WorkerId
const TOKEN_DIGEST = hash('sha256', 'cs_token', 'hex') as Digest
const HOLDS = { inlineSeconds: 30, heartbeatSeconds: 10, requestMinutes: 15, rerunMinutes: 15 }
const SILENT: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

const UNHEARD = {
  policyChanged: () => undefined,
  catalogueChanged: () => undefined,
  revoked: () => undefined,
  restricted: () => undefined,
  approvalChanged: () => undefined,
  unreadable: () => undefined,
}

const LIMITS: NodeConfig['limits'] = {
  startupTimeoutMs: 10_000,
  startupBytesMax: 10_000,
  statementBytesMax: 100_000,
  messageBytesMax: 200_000,
  rowBytesMax: 100_000,
  sessionBytesMax: 1_000_000,
  connectionsMax: 10,
  connectionsPerPrincipalMax: 10,
  loginsMax: 10,
  loginsPerAddressMax: 10,
}

const LOCKOUT: NodeConfig['lockout'] = {
  failuresMax: 10,
  failuresPerAddressMax: 10,
  failuresPerPrincipalMax: 10,
  windowSeconds: 1,
  lockSeconds: 1,
}

const CONFIG: DatabaseConfig = {
  name: 'shop',
  environment: 'prod',
  upstream: {
    host: 'db',
    port: 1,
    database: 'shop',
    tls: 'disable',
    channelBinding: 'disable',
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
    roles: { app: new Secret('secret') },
    guard: { role: 'guard', password: new Secret('secret') },
  },
}

const DATABASE: Database = {
  config: CONFIG,
  target: { environment: 'prod', database: 'shop' },
  state: {
    name: 'prod/shop',
    schemaKnown: true,
    failure: undefined,
    usable: true,
    servers: [],
    found: 0,
    understood: 0,
  },
  start: () => undefined,
  policyChanged: () => undefined,
  columnsDecided: () => undefined,
  probe: () => undefined,
  close: async () => undefined,
}
