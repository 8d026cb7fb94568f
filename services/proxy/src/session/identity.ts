import type { CredentialId, Principal, SessionId, Target } from '@countersign/contracts'
import type { StatementObserver } from '../telemetry/statement-observer.ts'

/** Who a session belongs to and where it leads. Fixed for its life. */
export interface Identity {
  readonly sessionId: SessionId
  readonly principal: Principal
  readonly credentialId: CredentialId
  readonly target: Target
  readonly role: string
  /** The number of the server's process that serves it. */
  readonly processId: number
  /** What its client called itself when it came. */
  readonly application: string
  /** How long its client may be kept waiting for an approval; undefined: it is told at once to come back. */
  readonly holdSeconds: number | undefined
  /** The wall clock, as an instant; and the monotonic clock, in milliseconds. */
  readonly now: () => string
  readonly clock: () => number
  /** Told how each of its statements ended, for metrics and traces. */
  readonly observer?: StatementObserver | undefined
}
