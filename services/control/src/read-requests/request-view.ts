import { isLive, standingOf, type Asked } from '@countersign/approval'
import type { Instant, Objection, Principal } from '@countersign/contracts'
import { isOneOf } from '../api/readers.ts'
import type { RequestView } from '../api/schemas.ts'

/** A request as its reader sees it. */
export const requestView = (state: Asked, reader: Principal, at: Instant): RequestView => {
  const { statement, ...request } = state.request
  return {
    id: request.requestId,
    phase: state.phase,
    mode: request.mode,
    requester: statement.principal,
    target: statement.target,
    role: statement.role,
    text: statement.text,
    digest: statement.digest,
    actions: statement.actions,
    relations: statement.relations,
    rows: statement.rows,
    because: statement.because,
    policies: statement.policies,
    policyVersion: statement.policyVersion,
    catalogueVersion: statement.catalogueVersion,
    reason: statement.reason,
    ticket: statement.ticket,
    sessionId: statement.sessionId,
    statementId: statement.statementId,
    groups: request.groups,
    quorum: request.quorum,
    signatures: [...state.signatures],
    requestedAt: request.at,
    changedAt: state.changedAt,
    expiresAt: request.expiresAt,
    usableUntil: 'usableUntil' in state ? state.usableUntil : undefined,
    claimedBy: 'claimedBy' in state ? state.claimedBy : undefined,
    endedBecause: 'because' in state ? state.because : undefined,
    refusedClaims: [...state.refusedClaims],
    you: standing(state, reader, at),
  }
}

const standing = (state: Asked, reader: Principal, at: Instant): RequestView['you'] => {
  const { statement } = state.request
  const found = standingOf({ voter: reader, vote: 'grant', digest: statement.digest, at }, state)
  const canCancel = isLive(state) && isOneOf(reader, statement.principal)
  if (!('because' in found)) return { canSign: true, canCancel }
  return { canSign: false, because: found.because, message: MESSAGES[found.because].message, canCancel }
}

/** What someone is told whose signature does not count. */
export const MESSAGES: Readonly<Record<Objection, { readonly message: string; readonly remedy: string }>> = {
  'unknown-request': { message: 'there is no such request', remedy: 'see `countersign requests ls`' },
  'not-open': { message: 'it is no longer open', remedy: 'look at how it ended' },
  expired: { message: 'it has expired', remedy: 'have the statement run again' },
  'own-request': {
    message: 'nobody signs for their own request, nor for that of an agent that acts for them',
    remedy: 'ask another of its owners',
  },
  'not-an-owner': { message: 'you are in none of the groups that must sign', remedy: 'ask one of its owners' },
  'already-voted': { message: 'you have signed already; others must', remedy: 'ask another of its owners' },
  'not-a-person': { message: 'only people sign', remedy: 'ask one of its owners' },
  'other-statement': {
    message: 'this is not the statement that you were shown',
    remedy: 'look at the request again, and sign what it shows',
  },
}
