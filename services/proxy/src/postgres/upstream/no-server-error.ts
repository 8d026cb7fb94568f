import type { FaultKind } from '../../telemetry/labels.ts'
import { upstreamErrorOf, type UpstreamError } from './upstream-error.ts'

/** One server that was tried in vain. `reason` may be read by clients: it has no value and no secret in it. */
export interface Fault {
  /** `host:port` */
  readonly server: string
  readonly kind: FaultKind
  readonly reason: string
}

/**
 * No server of a database would do. `faults`: each that was tried, and why. `fields`: what one of them said when it
 * refused the login, after which no other is tried. The `cause` is what the last of them failed with.
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

/** One attempt that failed: as is said of it, and with what the server said when another one would say the same. */
export interface Failed {
  readonly fault: Fault
  readonly fields: NoServerError['fields']
  readonly error: UpstreamError
}

export const failedAttempt = (server: string, thrown: unknown, timeoutMs: number): Failed => {
  const error = upstreamErrorOf(thrown)
  const { fields, fault: kind } = error
  if (fields && NOT_NOW.test(fields.code)) {
    return { fault: { server, kind: 'not-now', reason: fields.message }, fields: undefined, error }
  }
  const reason = fields ? `it refused the login (${fields.code})` : reasonOf(error, timeoutMs)
  return { fault: { server, kind, reason }, fields, error }
}

/** Starting up, shutting down, or crashed just now: another server may do. */
const NOT_NOW = /^57P0[123]$/

const reasonOf = ({ fault, message, cause }: UpstreamError, timeoutMs: number): string => {
  if (fault === 'timeout') return `no answer in ${timeoutMs} ms`
  if (fault !== 'unreachable') return message
  const { code } = (cause ?? {}) as { readonly code?: unknown }
  return (typeof code === 'string' ? SAID[code] : undefined) ?? 'it cannot be reached'
}

const SAID: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name not found',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
}
