/** What went wrong with one server. A closed list: it is a label in metrics. */
export type FaultKind =
  | 'refused'
  | 'silent'
  | 'unknown-host'
  | 'no-route'
  | 'closed'
  | 'tls'
  | 'not-now'
  | 'misfit'
  | 'login'
  | 'other'

/** One server that was tried in vain. `reason` may be read by clients: it has no value and no secret in it. */
export interface Fault {
  /** `host:port` */
  readonly server: string
  readonly kind: FaultKind
  readonly reason: string
}

/**
 * No server of a database would do. `faults`: each that was tried, and why. `fields`: what one of them said when it
 * refused the login, after which no other is tried.
 */
export class NoServerError extends Error {
  readonly code = 'PROXY_NO_SERVER'
  readonly faults: readonly Fault[]
  readonly fields: { readonly code: string; readonly message: string } | undefined

  constructor(faults: readonly Fault[], fields?: NoServerError['fields'], options?: ErrorOptions) {
    super(faults.map(({ server, reason }) => `${server}: ${reason}`).join('; '), options)
    this.name = 'NoServerError'
    this.faults = faults
    this.fields = fields
  }

  /** Some server answers, so it is worth while to try again soon: a failover may be under way. */
  get answered(): boolean {
    return this.faults.some(({ kind }) => kind === 'not-now' || kind === 'misfit')
  }
}

/** What an error of a connection attempt means. `code` is the operating system's, Node.js's, or an SQLSTATE. */
export const faultOfAttempt = (server: string, error: unknown, timeoutMs: number): Fault => {
  const { code, message } = error as { code?: unknown; message?: unknown }
  const text = typeof message === 'string' ? message : ''
  if (typeof code === 'string') {
    const known = KNOWN[code]
    if (known) return { server, ...known }
    if (code === 'ETIMEDOUT') return { server, kind: 'silent', reason: `no answer in ${timeoutMs} ms` }
    if (isSqlstate(code)) return { server, ...saidBy(code, text) }
    return /CERT|ALTNAME|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code)
      ? { server, kind: 'tls', reason: `TLS fails (${code})` }
      : { server, kind: 'other', reason: code }
  }
  if (/timeout/i.test(text)) return { server, kind: 'silent', reason: `no answer in ${timeoutMs} ms` }
  if (/terminated/i.test(text)) return { server, kind: 'closed', reason: 'it closed the connection' }
  if (/does not support SSL/i.test(text)) return { server, kind: 'tls', reason: 'it does not speak TLS' }
  return { server, kind: 'other', reason: 'the login failed' }
}

const KNOWN: Readonly<Record<string, Omit<Fault, 'server'>>> = {
  ECONNREFUSED: { kind: 'refused', reason: 'connection refused' },
  ENOTFOUND: { kind: 'unknown-host', reason: 'host name not found' },
  EAI_AGAIN: { kind: 'unknown-host', reason: 'host name not found' },
  EHOSTUNREACH: { kind: 'no-route', reason: 'no route to the host' },
  ENETUNREACH: { kind: 'no-route', reason: 'no route to the host' },
  ECONNRESET: { kind: 'closed', reason: 'it closed the connection' },
  EPIPE: { kind: 'closed', reason: 'it closed the connection' },
}

const isSqlstate = (code: string): boolean => /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE'

/** Starting up, shutting down, or crashed just now: another server may do. */
const NOT_NOW = /^57P0[123]$/

const saidBy = (code: string, message: string): Omit<Fault, 'server'> => {
  if (NOT_NOW.test(code)) return { kind: 'not-now', reason: message }
  return { kind: 'login', reason: `it refused the login (${code})` }
}

/** What the server itself said, when it refused the login; undefined for what another server may do better. */
export const refusalIn = (error: unknown): NoServerError['fields'] => {
  const { code, message } = error as { code?: unknown; message?: unknown }
  if (typeof code !== 'string' || !isSqlstate(code) || NOT_NOW.test(code)) return undefined
  return { code, message: String(message) }
}
