import { hash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionId, WorkerId } from '@countersign/contracts'
import { authenticationOk, backendKeyData } from '@countersign/pgwire'
import { ensureSelfSigned, Secret, type DatabaseConfig, type Logger, type NodeConfig } from '@countersign/platform'
import { memoryLog } from '@countersign/testing'
import { v7 as uuidv7 } from 'uuid'
import type { Target } from '../../../../../test/fuzz/campaign.ts'
import { InForce } from '../../decisions/in-force.ts'
import { entranceOf, welcome } from '../../listener.ts'
import type { Database } from '../../protocol.ts'
import { Recorder } from '../../record/recorder.ts'
import { Sessions } from '../../sessions.ts'
import { gateRulesOf, type GateRules } from '../../startup/gate-rules.ts'
import { Holds } from '../../statement/holds.ts'
import { AT, FakeControl } from '../../testing/decisions.ts'
import { SharedCounts } from '../../workers/shared-counts.ts'
import { ALPN, breachIn, lastWords } from '../postgresql.ts'
import { greetingOf, type SessionSource } from '../startup/greeting.ts'
import { FakeJudge } from '../testing/fake-judge.ts'
import { ModelServer } from '../testing/model-server.ts'
import { NAMES } from '../testing/session-world.ts'
import * as wire from '../testing/wire.ts'
import { Servers } from '../upstream/servers.ts'
import { DATABASE, listenerPlan, TOKEN, USER, type ListenerPlan } from './listener-plan.ts'

const OVER_MS = 10_000

/**
 * The listener on real sockets, from the first byte on, with a database behind it that may be none: nobody is kept
 * waiting, nothing is left open, and no error gets past those who have to handle it.
 */
export const listenerTarget = (world: ListenerWorld): Target<ListenerPlan> => ({
  name: 'listener',
  plan: listenerPlan,
  play: (plan) => world.play(plan),
})

export class ListenerWorld {
  readonly #database: HostileDatabase
  readonly #listener: Server
  readonly #sessions: Sessions
  readonly #close: () => Promise<void>

  private constructor(database: HostileDatabase, listener: Server, sessions: Sessions, close: () => Promise<void>) {
    this.#database = database
    this.#listener = listener
    this.#sessions = sessions
    this.#close = close
  }

  static async start(): Promise<ListenerWorld> {
    const database = await HostileDatabase.start()
    const log = memoryLog()
    const inForce = new InForce(log, UNHEARD)
    inForce.follow(() => undefined)
    await decided(new FakeControl(log), inForce)
    // The record is looked at elsewhere; here it would only grow.
    const recorder = new Recorder({
      log: { ...log, append: async () => ({ partition: 0, offset: 0 }) },
      worker: WORKER,
      keys: { seal: () => ({ keyId: 'k', iv: '', tag: '', data: '' }) },
      newId: uuidv7,
      now: () => AT,
    })
    const holds = new Holds({
      inForce,
      recorder,
      config: { inlineSeconds: 30, heartbeatSeconds: 10, requestMinutes: 15, rerunMinutes: 15 },
      now: () => AT,
      ownersOf: () => [],
      link: () => '',
    })
    const sessions = new Sessions()
    const config = configOf(database.port)
    const source: SessionSource = {
      servers: new Servers(config.upstream, { now: () => AT }),
      sessionParts: () => ({
        judge: new FakeJudge(),
        redactor: { fields: (fields) => fields, text: (text) => text },
        firstTold: { get: () => NAMES, set: () => undefined },
        catalogueChanged: () => undefined,
        schema: () => 1,
      }),
    }
    const entrance = entranceOf({
      speaker: {
        name: 'PostgreSQL',
        greet: (line, rules) => greetingOf(line, rules, () => source),
        breachIn,
        lastWords,
      },
      rules: await rulesOf(CONFIG),
      counts: new SharedCounts().of('w0'),
      worker: WORKER,
      cancelElsewhere: async () => undefined,
      login: { inForce, databases: [config], databaseOf: () => databaseOf(config) },
      recorder,
      sessions,
      holds,
      inlineSeconds: 30,
      newSessionId: () => uuidv7() as SessionId,
      now: () => AT,
      clock: () => performance.now(),
      logger: SILENT,
      observerOf: () => undefined,
    })
    const listener = createServer({ noDelay: true }, (socket) => void welcome(socket, entrance, () => undefined))
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    return new ListenerWorld(database, listener, sessions, async () => {
      listener.close()
      database.close()
      await recorder.close()
      await inForce.close()
      await log.close()
    })
  }

  stop(): Promise<void> {
    return this.#close()
  }

  async play(plan: ListenerPlan): Promise<void> {
    this.#database.plan = plan
    const address = this.#listener.address()
    if (typeof address !== 'object' || address === null) throw new Error('nobody listens')
    const socket = connect({ port: address.port, host: '127.0.0.1', noDelay: true })
    socket.on('error', () => undefined)
    socket.resume()
    for (const piece of plan.client) {
      socket.write(piece)
      if (piece.length % 7 === 0) await sleep(0)
    }
    if (plan.clientEnds === 'reset') await sleep(3)
    if (plan.clientEnds === 'reset') socket.destroy()
    else socket.end()
    const deadline = performance.now() + OVER_MS
    while (!socket.closed || this.#sessions.size > 0 || this.#database.connected > 0) {
      if (performance.now() > deadline) throw new Error(this.#leftOver(socket.closed))
      await sleep(1)
    }
  }

  #leftOver(closed: boolean): string {
    const what = [
      ...(closed ? [] : ['the client waits']),
      ...(this.#sessions.size > 0 ? [`${this.#sessions.size} sessions`] : []),
      ...(this.#database.connected > 0 ? [`${this.#database.connected} connections to the database`] : []),
    ]
    this.#database.hangUp()
    return `left over: ${what.join(', ')}`
  }
}

/** A database that does as its plan says: takes a login and talks like PostgreSQL, or says anything. */
class HostileDatabase {
  plan: ListenerPlan | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  port = 0

  private constructor() {
    this.#server = createServer((socket) => this.#serve(socket))
  }

  static async start(): Promise<HostileDatabase> {
    const database = new HostileDatabase()
    await new Promise<void>((resolve) => database.#server.listen(0, '127.0.0.1', resolve))
    const address = database.#server.address()
    if (typeof address === 'object' && address) database.port = address.port
    return database
  }

  get connected(): number {
    return this.#sockets.size
  }

  hangUp(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  close(): void {
    this.#server.close()
    this.hangUp()
  }

  #serve(socket: Socket): void {
    const { plan } = this
    const model = new ModelServer({ say: (bytes) => void socket.write(bytes) })
    let begun = false
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.on('end', () => socket.end())
    socket.on('data', (bytes) => {
      if (begun && plan?.server) return // Whatever is said to a server that is none.
      if (begun) return this.#hear(model, bytes, socket)
      begun = true
      this.#welcome(socket, plan)
    })
  }

  #hear(model: ModelServer, bytes: Buffer, socket: Socket): void {
    try {
      model.hear(bytes)
    } catch {
      // It has lied itself into this. What may reach a server that tells the truth is looked at elsewhere.
      socket.destroy()
    }
    if (model.closed) socket.end()
  }

  #welcome(socket: Socket, plan: ListenerPlan | undefined): void {
    for (const piece of plan?.server ?? LOGIN) socket.write(piece)
    for (const piece of plan?.later ?? []) setTimeout(() => void (socket.destroyed || socket.write(piece)), 2)
    // What a client has asked before its goodbye is waited for, as PostgreSQL does it: so a server that is none must end.
    if (plan?.serverEnds || plan?.server || plan?.later.length) setTimeout(() => socket.end(), 5)
  }
}

const LOGIN: readonly Buffer[] = [
  authenticationOk(),
  wire.parameterStatus('client_encoding', 'UTF8'),
  wire.parameterStatus('standard_conforming_strings', 'on'),
  backendKeyData(7, Buffer.from([1, 2, 3, 4])),
  wire.readyForQuery('idle'),
]

const WORKER = 'node-1/w0/boot' as WorkerId

const NEVER = 1_000_000_000

const CONFIG: NodeConfig = {
  name: 'node-1',
  // Port 0 is one that is free; the configuration has no word for it, because nobody could find it.
  listen: { host: '127.0.0.1', port: 0 },
  admin: { host: '127.0.0.1', port: 0 },
  state: '',
  telemetry: {},
  drainSeconds: 1,
  limits: {
    startupTimeoutMs: 1_000,
    statementBytesMax: 100_000,
    messageBytesMax: 200_000,
    rowBytesMax: 100_000,
    connectionsMax: 100,
    startupBytesMax: 10_000,
    sessionBytesMax: 1_000_000,
    connectionsPerPrincipalMax: 100,
    loginsMax: 100,
    loginsPerAddressMax: 100,
  },
  // Whoever plays a million conversations from one address fails a lot.
  lockout: {
    failuresMax: NEVER,
    failuresPerAddressMax: NEVER,
    failuresPerPrincipalMax: NEVER,
    windowSeconds: 1,
    lockSeconds: 1,
  },
}

const configOf = (port: number): DatabaseConfig => ({
  name: DATABASE,
  environment: 'prod',
  upstream: {
    host: '127.0.0.1',
    port,
    database: DATABASE,
    tls: 'disable',
    channelBinding: 'disable',
    targetSessionAttrs: 'any',
    loadBalanceHosts: 'disable',
    connectTimeoutMs: 5_000,
    roles: { app: new Secret('secret') },
    guard: { role: 'guard', password: new Secret('secret') },
  },
})

/** What of a database is asked where nobody judges. */
const databaseOf = (config: DatabaseConfig): Database => ({
  config,
  target: { environment: config.environment, database: config.name },
  state: {
    name: DATABASE,
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
})

const decided = async (control: FakeControl, inForce: InForce): Promise<void> => {
  await control.decides('policy', 'policy.in-force', { version: 'v1', files: [], owners: '', at: AT })
  await control.decides('credential/1', 'credential.in-force', {
    credentialId: 'c1',
    principal: { id: USER, kind: 'person', groups: [] },
    tokenDigest: hash('sha256', Buffer.from(TOKEN), 'hex'),
    roles: { '*': 'app' },
    expiresAt: '2999-01-01T00:00:00.000Z',
    revoked: false,
    at: AT,
  })
  while (!inForce.policy) await sleep(1)
  await sleep(10)
}

const rulesOf = async (config: NodeConfig): Promise<GateRules> => {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-fuzz-'))
  const tls = { certificate: join(folder, 'node.crt'), key: join(folder, 'node.key') }
  await ensureSelfSigned(tls, new Date())
  const rules = gateRulesOf({ ...config, tls: { ...tls, clientCertificates: 'optional' } }, ALPN)
  rmSync(folder, { recursive: true })
  return rules
}

const SILENT: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined }

const UNHEARD = {
  policyChanged: () => undefined,
  catalogueChanged: () => undefined,
  revoked: () => undefined,
  restricted: () => undefined,
  approvalChanged: () => undefined,
  unreadable: () => undefined,
}
