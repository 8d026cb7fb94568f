import type { Channel, Digest, Instant, Principal, RequestId, Vote } from '@countersign/contracts'
import type { DataOf, PolicyRequest, StatementRequest } from './approval.ts'
import type { Claim } from './claim.ts'

/** What may be asked of an approval. Whatever the rule needs to know, the time above all, comes in with it. */
export type ApprovalCommand = Open | CastVote | Expire | Withdraw | Use | Enforce | Void | ExpireGrant

/** Something is asked for: who may sign for it has been resolved, and nobody who is excluded is among them. */
export type Open = OpenStatement | OpenPolicy

export interface OpenStatement extends StatementRequest {
  readonly type: 'request'
}

export interface OpenPolicy extends PolicyRequest {
  readonly type: 'request'
}

export interface CastVote {
  readonly type: 'vote'
  readonly requestId: RequestId
  readonly voter: Pick<Principal, 'id' | 'kind' | 'person'>
  readonly vote: Vote
  /** Of the statement, or of the policies, that the voter was shown. */
  readonly digest: Digest
  readonly reason?: string | undefined
  readonly channel: Channel
  /** How long the grant may be used if this vote completes it and its client does not wait. */
  readonly usableUntil: Instant
  readonly at: Instant
}

export interface Expire {
  readonly type: 'expire'
  readonly requestId: RequestId
  readonly at: Instant
}

export interface Withdraw {
  readonly type: 'withdraw'
  readonly requestId: RequestId
  readonly because: DataOf<'approval.withdrawn'>['because']
  readonly at: Instant
}

export interface Use extends Claim {
  readonly type: 'claim'
}

/** The policies that were granted are in force. */
export interface Enforce {
  readonly type: 'enforce'
  readonly requestId: RequestId
  readonly at: Instant
}

/** What was approved is no longer what would run. */
export interface Void {
  readonly type: 'void'
  readonly requestId: RequestId
  readonly because: DataOf<'approval.voided'>['because']
  readonly at: Instant
}

export interface ExpireGrant {
  readonly type: 'expireGrant'
  readonly requestId: RequestId
  readonly at: Instant
}
