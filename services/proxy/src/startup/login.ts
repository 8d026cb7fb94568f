import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent, Target, WorkerId } from '@countersign/contracts'
import type { DatabaseConfig } from '@countersign/platform'
import type { Credential, InForce } from '../decisions/in-force.ts'
import { misreadIn } from '../postgres/statement/reading.ts'
import { connectUpstream, type Upstream } from '../postgres/upstream/connect.ts'
import { NoServerError } from '../postgres/upstream/no-server-error.ts'
import type { Servers } from '../postgres/upstream/servers.ts'
import { authenticate, authenticateByCertificate, type Authenticated, type AuthFailure } from './authenticate.ts'
import { principalNamedBy } from './client-certificate.ts'
import { StartupRefusedError, type ClientSettings } from '../postgres/startup/client-settings.ts'
import type { Attempt, FailedLogins } from './failed-logins.ts'
import type { AuthFailed, FailureRecord } from './failure-record.ts'
import type { GateRules } from './gate-rules.ts'
import { greet, type CancelAsked, type Greeting } from '../postgres/startup/handshake.ts'
import type { Line } from './line.ts'
import { isLoopback } from './network.ts'
import type { Leave, Places } from './places.ts'
import { routeTo } from './route.ts'
import { upstreamRefusal } from '../postgres/startup/upstream-refusal.ts'

export type Proof = Extract<AccessEvent, { type: 'credential.used' }>['data']['proof']

export interface LoggedIn {
  readonly kind: 'logged-in'
  readonly greeting: Greeting
  readonly credential: Credential
  /** What was shown, and believed. */
  readonly proof: Proof
  readonly target: Target
  readonly role: string
  readonly upstream: Upstream
  /** Gives the principal's place back, at the end of the session. */
  readonly leave: Leave
}

export interface LoginOptions {
  readonly rules: GateRules
  readonly inForce: InForce
  readonly databases: readonly DatabaseConfig[]
  readonly serversOf: (target: Target) => Servers
  readonly failedLogins: FailedLogins
  readonly failures: FailureRecord
  readonly places: Places
  readonly worker: WorkerId
  readonly now: () => string
  /** Marks the server's session, so that statements that came through a node can be told from others. */
  readonly marks: (settings: ClientSettings) => ReadonlyMap<string, string>
}

type Because = AuthFailed['data']['because']

/** From an accepted socket to a server connection that belongs to a known principal. */
export const login = async (line: Line, options: LoginOptions): Promise<LoggedIn | CancelAsked> => {
  const greeting = await greet(line, options.rules)
  return greeting.kind === 'cancel' ? greeting : new Login(line, greeting, options).run()
}

/** One client that wants in. Each step lets it go on, or throws what it is told. */
class Login {
  readonly #line: Line
  readonly #greeting: Greeting
  readonly #options: LoginOptions
  readonly #attempt: Attempt

  constructor(line: Line, greeting: Greeting, options: LoginOptions) {
    this.#line = line
    this.#greeting = greeting
    this.#options = options
    this.#attempt = { address: line.socket.remoteAddress ?? '', user: greeting.settings.user }
  }

  async run(): Promise<LoggedIn> {
    const { settings } = this.#greeting
    this.#mayTry()
    const proof = this.#proofNeeded()
    const credential = await this.#authenticated(proof)
    this.#greeting.done()
    const { database, target, role } = this.#destination(credential)
    const leave = await this.#place(credential)
    try {
      const told = new Map([...settings.server, ...this.#options.marks(settings)])
      const servers = this.#options.serversOf(target)
      const withinMs = this.#options.rules.limits.startupTimeoutMs * UPSTREAM_SHARE
      const upstream = await connectUpstream(database, servers, role, told, withinMs)
      refuseMisread(upstream)
      return { kind: 'logged-in', greeting: this.#greeting, credential, proof, target, role, upstream, leave }
    } catch (error) {
      leave()
      if (!(error instanceof NoServerError)) throw error
      return this.#refuse('upstream-unavailable', upstreamRefusal(error))
    }
  }

  /** What can be said before anything is asked. */
  #mayTry(): void {
    const { rules, inForce, failedLogins, places } = this.#options
    const needed = rules.tls?.certificates === 'required' || !isLoopback(this.#attempt.address)
    if (!this.#greeting.tls && needed) this.#fail('tls-required', ...TLS_REQUIRED)
    const until = failedLogins.lockedUntil(this.#attempt)
    if (until !== undefined) this.#refuseLocked(until)
    if (places.isFull(rules.limits)) throw new StartupRefusedError(...TOO_MANY.all)
    if (!inForce.policy) this.#refuse('not-ready', new StartupRefusedError(...NOT_READY))
  }

  /**
   * CONTROL one-principal: what the client shows must all name the same principal. A certificate that is shown and not
   * believed is refused even where none is needed.
   */
  #proofNeeded(): Proof {
    const { certificate, settings } = this.#greeting
    const use = this.#options.rules.tls?.certificates ?? 'never'
    if (!certificate) {
      if (use === 'required') this.#fail('wrong-certificate', '28000', 'a client certificate is required')
      return 'token'
    }
    if (certificate.fault !== undefined) {
      this.#fail('wrong-certificate', '28000', `the client certificate is not accepted: ${certificate.fault}`)
    }
    if (principalNamedBy(certificate) !== settings.user) {
      this.#fail('wrong-certificate', '28000', 'the client certificate is for another name than the one given')
    }
    return use === 'sufficient' ? 'certificate' : 'token-and-certificate'
  }

  async #authenticated(proof: Proof): Promise<Credential> {
    const { failedLogins } = this.#options
    const found = await this.#ask(proof)
    if ('because' in found) {
      if (failedLogins.underAttack(this.#attempt.user)) await sleep(SLOW_MS)
      const text = proof === 'certificate' ? CERTIFICATE_TEXT : TOKEN_TEXT
      return this.#fail(found.because, ...text[found.because])
    }
    failedLogins.succeeded(this.#attempt)
    return found.credential
  }

  async #ask(proof: Proof): Promise<Authenticated> {
    const { inForce, now } = this.#options
    const { user } = this.#greeting.settings
    if (proof === 'certificate') return authenticateByCertificate(inForce, user, now())
    const token = await this.#greeting.askToken()
    try {
      return authenticate(inForce, user, token, now())
    } finally {
      token.fill(0)
    }
  }

  #destination(credential: Credential): { database: DatabaseConfig; target: Target; role: string } {
    const { user, database: name, replication } = this.#greeting.settings
    // What a replication stream holds cannot be understood, decided or masked row by row.
    if (replication) this.#refuse('not-allowed', new StartupRefusedError(...REPLICATION))
    const { serverName } = this.#greeting
    const database = routeTo(this.#options.databases, name, serverName)
    if (!database) {
      const hint = serverName === undefined ? undefined : `The host name that you connect to counts: ${serverName}.`
      const refusal = new StartupRefusedError('3D000', `database "${name}" does not exist here`, hint)
      return this.#refuse('unknown-database', refusal)
    }
    const target = { environment: database.environment, database: database.name }
    const role = roleOf(credential, target)
    if (role === undefined || database.upstream.roles[role] === undefined) {
      return this.#refuse('not-allowed', new StartupRefusedError('42501', `${user} may not connect to ${name}`))
    }
    return { database, target, role }
  }

  async #place({ principal }: Credential): Promise<Leave> {
    const { places, rules } = this.#options
    const taken = await places.take(principal.id, rules.limits)
    if (typeof taken === 'function') return taken
    return this.#refuse('too-many-connections', new StartupRefusedError(...TOO_MANY[taken]))
  }

  /** Something was tried that is wrong. It is counted, and recorded with what is locked by it. */
  #fail(because: Because, sqlstate: string, message: string, hint?: string): never {
    const { failedLogins, failures, rules } = this.#options
    const lock = failedLogins.failed(this.#attempt, rules.lockout)
    const until = lock && new Date(lock.until).toISOString()
    failures.add(this.#failure(because, lock && { lock: { scope: lock.scope, until } }))
    throw new StartupRefusedError(sqlstate, message, hint)
  }

  #refuse(because: Because, refusal: StartupRefusedError): never {
    this.#options.failures.add(this.#failure(because))
    throw refusal
  }

  #refuseLocked(until: number): never {
    this.#options.failures.addRefused(this.#failure('locked-out'), this.#attempt, until)
    const seconds = Math.max(1, Math.ceil((until - Date.parse(this.#options.now())) / 1000))
    throw new StartupRefusedError(
      '28000',
      `too many failed logins: try again in ${seconds} s`,
      'Only logins from this address are refused. Operators find them in the record as auth.failed.',
    )
  }

  #failure(because: Because, more: object = {}): AuthFailed {
    const { worker, now } = this.#options
    const { user, database } = this.#greeting.settings
    const { remoteAddress: address = '', remotePort: port = 0 } = this.#line.socket
    const claimed = { user: user.slice(0, TEXT_MAX), database: database.slice(0, TEXT_MAX) }
    return {
      type: 'auth.failed',
      data: { worker, ...claimed, address, port, because, ...more, at: now() },
    } as AuthFailed
  }
}

const TEXT_MAX = 200
/** Of the time that a client has to log in, what the servers may take: it is still there to be told. */
const UPSTREAM_SHARE = 0.8
/** How long a wrong answer takes while somebody tries a name from everywhere. */
const SLOW_MS = 1_000

/** A role or a database may have settings of its own, which nobody asked for. */
const refuseMisread = ({ parameters, stream }: Upstream): void => {
  const why = misreadIn(parameters)
  if (why === undefined) return
  stream.destroy()
  const hint = 'An administrator can take the setting back with ALTER ROLE or ALTER DATABASE.'
  throw new StartupRefusedError('22023', `the database behind this node cannot be used: ${why}`, hint)
}

const roleOf = ({ roles }: Credential, { environment, database }: Target): string | undefined =>
  roles[`${environment}/${database}`] ?? roles['*']

export type RefusalText = readonly [sqlstate: string, message: string, hint?: string]

const TLS_REQUIRED: RefusalText = ['28000', 'TLS is required', 'connect with sslmode=require, or verify-full']
const REPLICATION: RefusalText = [
  '0A000',
  'replication connections do not go through Countersign',
  'Nobody could say what a stream of all changes shows: let replicas and change capture connect to the server itself.',
]
const NOT_READY: RefusalText = ['57P03', 'this node has no policy in force yet: try again']

export const TOO_MANY: Readonly<Record<'all' | 'principal', RefusalText>> = {
  all: ['53300', 'too many clients already', 'Operators raise node.limits.connectionsMax.'],
  principal: [
    '53300',
    'too many connections for this principal',
    'Close some, or have node.limits.connectionsPerPrincipalMax raised.',
  ],
}

/** Whether the name or the token was wrong is not for the client to learn. */
const WRONG: RefusalText = ['28P01', 'password authentication failed']
const REVOKED: RefusalText = ['28000', 'access has been revoked']

const TOKEN_TEXT: Readonly<Record<AuthFailure, RefusalText>> = {
  'unknown-principal': WRONG,
  'wrong-token': WRONG,
  'expired-token': ['28P01', 'the token has expired', 'Get a new one with countersign login.'],
  revoked: REVOKED,
  'not-allowed': WRONG,
}

const NOT_CERTIFIED: RefusalText = ['28000', 'certificate authentication failed']

const CERTIFICATE_TEXT: Readonly<Record<AuthFailure, RefusalText>> = {
  'unknown-principal': NOT_CERTIFIED,
  'wrong-token': NOT_CERTIFIED,
  'expired-token': ['28000', 'the credential of this principal has expired'],
  revoked: REVOKED,
  'not-allowed': ['28000', 'a certificate alone does not tell which credential is meant', 'Give the token as well.'],
}
