import type { Channel, Digest, Instant, Principal, RequestId, Vote } from '@countersign/contracts'
import type { DataOf, Request } from './approval.ts'
import type { Claim } from './claim.ts'

/** What may be asked of an approval. Whatever the rule needs to know, the time above all, comes in with it. */
export type ApprovalCommand = Open | CastVote | Expire | Withdraw | Use | Void | ExpireGrant

/** A statement is held: who may sign for it has been resolved, and nobody who is excluded is among them. */
export interface Open extends Request {
  readonly type: 'request'
}

export interface CastVote {
  readonly type: 'vote'
  readonly requestId: RequestId
  readonly voter: Pick<Principal, 'id' | 'kind' | 'person'>
  readonly vote: Vote
  /** Of the statement that the voter was shown. */
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
