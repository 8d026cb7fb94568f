import type { ApprovalCommand, Granted, Pending } from '@countersign/approval'
import type { Instant, PrincipalId } from '@countersign/contracts'

export interface Circumstances {
  readonly now: Instant
  /** A policy version that was in force once and is no longer. */
  readonly isSuperseded: (policyVersion: string) => boolean
  /** A principal whose every credential was taken away. */
  readonly isRevoked: (principalId: PrincipalId) => boolean
}

/**
 * What time and circumstances make of an approval that is still open. Derived from how things stand, never from a
 * timer that was set: so nothing is forgotten in a restart.
 */
export const dueOf = (state: Pending | Granted, circumstances: Circumstances): ApprovalCommand | undefined => {
  const { now: at, isSuperseded, isRevoked } = circumstances
  const { requestId, expiresAt, statement } = state.request
  if (state.phase === 'pending' && at >= expiresAt) return { type: 'expire', requestId, at }
  if (state.phase === 'granted' && at >= state.usableUntil) return { type: 'expireGrant', requestId, at }
  if (isRevoked(statement.principal.id)) return { type: 'withdraw', requestId, because: 'revoked', at }
  if (isSuperseded(statement.policyVersion)) return { type: 'void', requestId, because: 'policy-changed', at }
  return undefined
}
