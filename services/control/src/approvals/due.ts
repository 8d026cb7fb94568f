import { requesterOf, type ApprovalCommand, type Granted, type Pending } from '@countersign/approval'
import type { Instant, PrincipalId, RequestId } from '@countersign/contracts'
import { later } from '../clock.ts'

export interface Circumstances {
  readonly now: Instant
  /** A policy version that was in force once and is no longer. */
  readonly isSuperseded: (policyVersion: string) => boolean
  /** A principal whose every credential was taken away. */
  readonly isRevoked: (principalId: PrincipalId) => boolean
  /** Policies that were proposed with this request have been published. */
  readonly isPublished: (requestId: RequestId) => boolean
}

/** Policies that are being published just before their grant ends are not called expired by another replica. */
const PUBLISHING_MS = 60_000

/**
 * What time and circumstances make of an approval that is still open. Derived from how things stand, never from a
 * timer that was set: so nothing is forgotten in a restart.
 */
export const dueOf = (state: Pending | Granted, circumstances: Circumstances): ApprovalCommand | undefined => {
  const { now: at, isSuperseded, isRevoked } = circumstances
  const { request } = state
  const { requestId, expiresAt } = request
  const isPolicy = request.kind === 'policy'
  if (isPolicy && circumstances.isPublished(requestId)) return { type: 'enforce', requestId, at }
  if (state.phase === 'pending' && at >= expiresAt) return { type: 'expire', requestId, at }
  if (state.phase === 'granted' && at >= (isPolicy ? later(state.usableUntil, PUBLISHING_MS) : state.usableUntil)) {
    return { type: 'expireGrant', requestId, at }
  }
  if (isRevoked(requesterOf(request).id)) return { type: 'withdraw', requestId, because: 'revoked', at }
  if (isSuperseded(isPolicy ? request.proposal.base : request.statement.policyVersion))
    return { type: 'void', requestId, because: 'policy-changed', at }
  return undefined
}
