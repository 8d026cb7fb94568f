import type { SecureContext } from 'node:tls'
import type { AccessEvent, Target, WorkerId } from '@countersign/contracts'
import type { DatabaseConfig } from '@countersign/platform'
import type { Credential, InForce } from '../decisions/in-force.ts'
import { connectUpstream, type Upstream } from '../upstream/connect.ts'
import type { Servers } from '../upstream/servers.ts'
import { NoServerError } from '../upstream/no-server-error.ts'
import { authenticate, type AuthFailure } from './authenticate.ts'
import { StartupRefusedError, type ClientSettings } from './client-settings.ts'
import { greet, type CancelAsked, type Greeting } from './handshake.ts'
import type { Line } from './line.ts'
import { routeTo } from './route.ts'
import { upstreamRefusal } from './upstream-refusal.ts'

export interface LoggedIn {
  readonly kind: 'logged-in'
  readonly greeting: Greeting
  readonly credential: Credential
  readonly target: Target
  readonly role: string
  readonly upstream: Upstream
}

export interface LoginOptions {
  readonly inForce: InForce
  readonly databases: readonly DatabaseConfig[]
  readonly serversOf: (target: Target) => Servers
  /** How long all servers of a database together may take: the client is still there then, and is told. */
  readonly upstreamTimeoutMs: number
  readonly secure: SecureContext | undefined
  readonly worker: WorkerId
  readonly now: () => string
  readonly record: (event: AccessEvent) => void
  /** Marks the server's session, so that statements that came through a node can be told from others. */
  readonly marks: () => ReadonlyMap<string, string>
}

type Because = Extract<AccessEvent, { type: 'auth.failed' }>['data']['because']

/** From an accepted socket to a server connection that belongs to a known principal. */
export const login = async (line: Line, options: LoginOptions): Promise<LoggedIn | CancelAsked> => {
  const greeting = await greet(line, options.secure)
  if (greeting.kind === 'cancel') return greeting
  const { settings, password, serverName } = greeting
  const fail = (because: Because, sqlstate: string, message: string, hint?: string): never => {
    options.record(failure(settings, line, because, options))
    throw new StartupRefusedError(sqlstate, message, hint)
  }

  if (!options.inForce.policy) fail('not-ready', '57P03', 'this node has no policy in force yet: try again')
  const authenticated = authenticate(options.inForce, settings.user, password, options.now())
  password.fill(0)
  if ('because' in authenticated) return fail(authenticated.because, ...AUTH_TEXT[authenticated.because])

  const { credential } = authenticated
  const database = routeTo(options.databases, settings.database, serverName)
  if (!database) return fail('unknown-database', '3D000', ...unknownDatabase(settings.database, serverName))
  const target = { environment: database.environment, database: database.name }
  const role = roleOf(credential, target)
  if (role === undefined || database.upstream.roles[role] === undefined) {
    return fail('not-allowed', '42501', `${settings.user} may not connect to ${settings.database}`)
  }
  try {
    const asked = new Map([...settings.server, ...options.marks()])
    const servers = options.serversOf(target)
    const upstream = await connectUpstream(database, servers, role, asked, options.upstreamTimeoutMs)
    return { kind: 'logged-in', greeting, credential, target, role, upstream }
  } catch (error) {
    if (!(error instanceof NoServerError)) throw error
    options.record(failure(settings, line, 'upstream-unavailable', options))
    throw upstreamRefusal(error)
  }
}

const unknownDatabase = (name: string, serverName: string | undefined): [message: string, hint?: string] => {
  const message = `database "${name}" does not exist here`
  return serverName === undefined ? [message] : [message, `The host name that you connect to counts: ${serverName}.`]
}

const roleOf = ({ roles }: Credential, { environment, database }: Target): string | undefined =>
  roles[`${environment}/${database}`] ?? roles['*']

/** Whether the name or the token was wrong is not for the client to learn. */
const AUTH_TEXT: Readonly<Record<AuthFailure, [sqlstate: string, message: string, hint?: string]>> = {
  'wrong-token': ['28P01', 'password authentication failed'],
  'expired-token': ['28P01', 'the token has expired', 'Get a new one with countersign login.'],
  revoked: ['28000', 'access has been revoked'],
}

const TEXT_MAX = 200

const failure = (
  { user, database }: ClientSettings,
  { socket }: Line,
  because: Because,
  { worker, now }: LoginOptions,
): AccessEvent =>
  ({
    type: 'auth.failed',
    data: {
      worker,
      user: user.slice(0, TEXT_MAX),
      database: database.slice(0, TEXT_MAX),
      address: socket.remoteAddress ?? '',
      port: socket.remotePort ?? 0,
      because,
      at: now(),
    },
  }) as AccessEvent
