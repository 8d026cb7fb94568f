import { setTimeout as sleep } from 'node:timers/promises'
import type { AccessEvent, SessionId, Target, WorkerId } from '@countersign/contracts'
import type { DatabaseConfig } from '@countersign/platform'
import type { Credential, InForce } from '../decisions/in-force.ts'
import type { Connected, Database, Destination, Greeting } from '../protocol.ts'
import { authenticate, authenticateByCertificate, type Authenticated, type AuthFailure } from './authenticate.ts'
import { principalNamedBy } from './client-certificate.ts'
import type { Attempt, FailedLogins } from './failed-logins.ts'
import type { AuthFailed, FailureRecord } from './failure-record.ts'
import type { GateRules } from './gate-rules.ts'
import type { Line } from './line.ts'
import { isLoopback } from './network.ts'
import type { Leave, Places } from './places.ts'
import { routeTo } from './route.ts'
import { restrictedText } from './restricted-text.ts'
import { DatabaseUnavailableError, StartupRefusedError, type RefusalText } from './startup-refused.ts'

export type Proof = Extract<AccessEvent, { type: 'credential.used' }>['data']['proof']

export interface LoggedIn {
  readonly credential: Credential
  /** What was shown, and believed. */
  readonly proof: Proof
  readonly database: Database
  readonly role: string
  readonly connected: Connected
  /** Gives the principal's place back, at the end of the session. */
  readonly leave: Leave
}

export interface LoginOptions {
  readonly rules: GateRules
  readonly inForce: InForce
  readonly databases: readonly DatabaseConfig[]
  readonly databaseOf: (target: Target) => Database
  readonly failedLogins: FailedLogins
  readonly failures: FailureRecord
  readonly places: Places
  readonly worker: WorkerId
  readonly sessionId: SessionId
  readonly now: () => string
}

type Because = AuthFailed['data']['because']

/** From what a client claims to a server connection that belongs to a known principal. */
export const login = (line: Line, greeting: Greeting, options: LoginOptions): Promise<LoggedIn> =>
  new Login(line, greeting, options).run()

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
    this.#attempt = { address: line.socket.remoteAddress ?? '', user: greeting.user }
  }

  async run(): Promise<LoggedIn> {
    this.#mayTry()
    const proof = this.#proofNeeded()
    const credential = await this.#authenticated(proof)
    this.#greeting.done()
    const { config, database, role } = this.#destination(credential)
    const leave = await this.#place(credential)
    const { sessionId, rules } = this.#options
    const withinMs = rules.limits.startupTimeoutMs * UPSTREAM_SHARE
    const { principal } = credential
    try {
      const connected = await this.#greeting.connect({ config, database, role, principal, sessionId, withinMs })
      return { credential, proof, database, role, connected, leave }
    } catch (error) {
      leave()
      if (!(error instanceof DatabaseUnavailableError)) throw error
      return this.#refuse('upstream-unavailable', error)
    }
  }

  /** What can be said before anything is asked. */
  #mayTry(): void {
    const { rules, inForce, failedLogins, places } = this.#options
    const needed = rules.tls?.certificates === 'required' || !isLoopback(this.#attempt.address)
    if (!this.#greeting.tls && needed)
      this.#fail('tls-required', '28000', 'TLS is required', this.#greeting.howToEncrypt)
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
    const { certificate, user } = this.#greeting
    const use = this.#options.rules.tls?.certificates ?? 'never'
    if (!certificate) {
      if (use === 'required') this.#fail('wrong-certificate', '28000', 'a client certificate is required')
      return 'token'
    }
    if (certificate.fault !== undefined) {
      this.#fail('wrong-certificate', '28000', `the client certificate is not accepted: ${certificate.fault}`)
    }
    if (principalNamedBy(certificate) !== user) {
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
    if ('restriction' in found) {
      return this.#refuse('restricted', new StartupRefusedError(...restrictedText(found.restriction)))
    }
    return found.credential
  }

  async #ask(proof: Proof): Promise<Authenticated> {
    const { inForce, now } = this.#options
    const { user } = this.#greeting
    if (proof === 'certificate') return authenticateByCertificate(inForce, user, now())
    const token = await this.#greeting.askToken()
    try {
      return authenticate(inForce, user, token, now())
    } finally {
      token.fill(0)
    }
  }

  #destination(credential: Credential): Pick<Destination, 'config' | 'database' | 'role'> {
    const { user, database: name, neverAllowed, serverName } = this.#greeting
    if (neverAllowed) this.#refuse('not-allowed', new StartupRefusedError(...neverAllowed))
    const config = routeTo(this.#options.databases, name, serverName)
    if (!config) {
      const hint = serverName === undefined ? undefined : `The host name that you connect to counts: ${serverName}.`
      const refusal = new StartupRefusedError('3D000', `database "${name}" does not exist here`, hint)
      return this.#refuse('unknown-database', refusal)
    }
    const target = { environment: config.environment, database: config.name }
    const role = roleOf(credential, target)
    if (role === undefined || config.upstream.roles[role] === undefined) {
      return this.#refuse('not-allowed', new StartupRefusedError('42501', `${user} may not connect to ${name}`))
    }
    return { config, database: this.#options.databaseOf(target), role }
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
    const { user, database } = this.#greeting
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

const roleOf = ({ roles }: Credential, { environment, database }: Target): string | undefined =>
  roles[`${environment}/${database}`] ?? roles['*']

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
