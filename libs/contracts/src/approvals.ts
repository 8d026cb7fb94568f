import { z } from 'zod'
import { HeldStatement, HeldStatementV1, HoldMode } from './access.ts'
import { contract, reader, upcast, writer, type EventOf, type Family } from './contract.ts'
import { Digest, Instant, Principal, PrincipalId, RequestId, SessionId, StatementId } from './words.ts'

/*
 * What control writes to cs.approvals: the life of each approval, one stream per request.
 */

export const ApproverGroup = z
  .object({
    name: z.string().min(1),
    people: z.array(z.string().min(1)).describe('Directory names of people, never of agents or services.'),
  })
  .describe('A group of which someone must sign, with the people who were in it when the request was opened.')
export type ApproverGroup = z.output<typeof ApproverGroup>

const requestedV1 = contract(
  'approval.requested',
  1,
  z.object({
    requestId: RequestId,
    kind: z.literal('statement'),
    statement: HeldStatementV1,
    mode: HoldMode,
    groups: z.array(ApproverGroup).min(1).describe('Every group must be satisfied, by different people.'),
    quorum: z.int().positive().describe('How many different people must sign in all.'),
    excluded: z.array(z.string()).describe('Who may not sign: the requester, and the human behind an agent.'),
    expiresAt: Instant,
    at: Instant,
  }),
)

// Version 2 says what the statement would reach.
const requested = contract('approval.requested', 2, requestedV1.schema.extend({ statement: HeldStatement }))

/** What another set of policies would have said of what is on record. */
export const Replayed = z
  .object({
    since: Instant,
    until: Instant.describe('How far it came.'),
    complete: z.boolean().describe('False when there was more than there was time for.'),
    statements: z.int().nonnegative(),
    unchanged: z.int().nonnegative(),
    stricter: z.int().nonnegative(),
    looser: z.int().nonnegative(),
    untold: z.int().nonnegative().describe('Of which cannot be told what it would have said.'),
    policies: z
      .array(z.object({ policy: z.string(), stricter: z.int().nonnegative(), looser: z.int().nonnegative() }))
      .describe(
        'By the policy that says so now, or no longer does: those that change most first, the others left out.',
      ),
    principals: z
      .array(z.object({ principal: z.string(), stricter: z.int().nonnegative(), looser: z.int().nonnegative() }))
      .describe('By who asked: those for whom most changes first, the others left out.'),
  })
  .describe('What a set of policies would have said of recorded statements.')
export type Replayed = z.output<typeof Replayed>

export const PolicyChange = z
  .object({ id: z.string(), file: z.string(), change: z.enum(['added', 'removed', 'changed']) })
  .describe('A policy, by its name, in which two sets differ. `file` is where it stands, or stood.')
export type PolicyChange = z.output<typeof PolicyChange>

export const PolicyProposal = z
  .object({
    principal: Principal.describe('Who proposes it.'),
    digest: Digest.describe('SHA-256 over files and owners (policy-version/1): what a signature is bound to.'),
    version: z.string().min(1).describe('The version that it would be: the beginning of the digest.'),
    base: z.string().min(1).describe('The version in force that it was proposed against. Another one voids it.'),
    reason: z.string(),
    changes: z.array(PolicyChange),
    owners: z
      .object({ added: z.array(z.string()), removed: z.array(z.string()) })
      .describe('Rules of DATAOWNERS that differ: a pattern and its groups each.'),
    replayed: Replayed.optional(),
  })
  .describe('A change of policies and owners that waits for signatures. Its texts are in `policy.proposed`.')
export type PolicyProposal = z.output<typeof PolicyProposal>

const policyRequested = contract(
  'approval.policy-requested',
  1,
  z.object({
    requestId: RequestId,
    kind: z.literal('policy'),
    proposal: PolicyProposal,
    groups: z.array(ApproverGroup).min(1).describe('Every group must be satisfied, by different people.'),
    quorum: z.int().positive().describe('How many different people must sign in all.'),
    excluded: z.array(z.string()).describe('Who may not sign: the one who proposes it.'),
    expiresAt: Instant,
    at: Instant,
  }),
)

export const Channel = z.enum(['cli', 'api', 'console', 'slack'])
export type Channel = z.output<typeof Channel>

export const Vote = z.enum(['grant', 'deny'])
export type Vote = z.output<typeof Vote>

const voted = contract(
  'approval.voted',
  1,
  z.object({
    requestId: RequestId,
    person: z.string().min(1).describe('The human who signed.'),
    voter: PrincipalId.describe('The identity that they signed with.'),
    vote: Vote,
    groups: z.array(z.string()).describe('The groups for which this signature counts.'),
    reason: z.string().optional(),
    channel: Channel,
    at: Instant,
  }),
)

export const Objection = z.enum([
  'unknown-request',
  'not-open',
  'expired',
  'own-request',
  'not-an-owner',
  'already-voted',
  'not-a-person',
  'other-statement',
])
export type Objection = z.output<typeof Objection>

const voteRefused = contract(
  'approval.vote-refused',
  1,
  z
    .object({
      requestId: RequestId,
      person: z.string().min(1).optional(),
      voter: PrincipalId,
      vote: Vote,
      because: Objection,
      channel: Channel,
      at: Instant,
    })
    .describe('A vote that does not count, which is evidence too.'),
)

const granted = contract(
  'approval.granted',
  1,
  z.object({
    requestId: RequestId,
    people: z.array(z.string()).min(1),
    usableUntil: Instant.describe('Until then the grant may be used, once.'),
    at: Instant,
  }),
)

const denied = contract(
  'approval.denied',
  1,
  z.object({
    requestId: RequestId,
    person: z.string().describe('Absent when nobody could have approved.').optional(),
    because: z.enum(['owner', 'no-approver']),
    reason: z.string().optional(),
    at: Instant,
  }),
)

const expired = contract('approval.expired', 1, z.object({ requestId: RequestId, at: Instant }))

const withdrawn = contract(
  'approval.withdrawn',
  1,
  z.object({
    requestId: RequestId,
    because: z.enum(['cancelled', 'client-gone', 'hold-over', 'revoked', 'node-stopping', 'node-died']),
    at: Instant,
  }),
)

const voidedV1 = contract(
  'approval.voided',
  1,
  z
    .object({ requestId: RequestId, because: z.enum(['policy-changed', 'more-rows', 'schema-changed']), at: Instant })
    .describe('What was approved is no longer what would run.'),
)

// Version 2 says it also of what the statement would reach.
const voided = contract(
  'approval.voided',
  2,
  voidedV1.schema
    .extend({
      because: z.enum([...voidedV1.schema.shape.because.options, 'wider-reach', 'stronger-lock', 'new-rewrite']),
    })
    .describe('What was approved is no longer what would run.'),
)

const grantClaimed = contract(
  'grant.claimed',
  1,
  z
    .object({ requestId: RequestId, statementId: StatementId, sessionId: SessionId, at: Instant })
    .describe('The one use of a grant. From here on it is spent, whatever becomes of the statement.'),
)

export const ClaimObjectionV1 = z.enum([
  'unknown-request',
  'not-granted',
  'spent',
  'expired',
  'other-principal',
  'other-statement',
  'other-target',
  'policy-changed',
  'more-rows',
])

export const ClaimObjection = z
  .enum([...ClaimObjectionV1.options, 'wider-reach', 'stronger-lock', 'new-rewrite'])
  .describe(
    '`wider-reach`: it would reach something that was not shown to its approvers. `stronger-lock`, `new-rewrite`: it ' +
      'would lock a relation more strongly, or write or read all of one that it would not have.',
  )
export type ClaimObjection = z.output<typeof ClaimObjection>

const grantClaimRefusedV1 = contract(
  'grant.claim-refused',
  1,
  z.object({
    requestId: RequestId,
    statementId: StatementId,
    sessionId: SessionId,
    because: ClaimObjectionV1,
    at: Instant,
  }),
)

// Version 2 says it also of what the statement would reach.
const grantClaimRefused = contract(
  'grant.claim-refused',
  2,
  grantClaimRefusedV1.schema.extend({ because: ClaimObjection }),
)

const grantUsed = contract(
  'grant.used',
  1,
  z
    .object({ requestId: RequestId, at: Instant })
    .describe('What was granted has been done: the policies are in force.'),
)

const grantExpired = contract('grant.expired', 1, z.object({ requestId: RequestId, at: Instant }))

const approvalContracts = [
  requested,
  policyRequested,
  voted,
  voteRefused,
  granted,
  denied,
  expired,
  withdrawn,
  voided,
  grantClaimed,
  grantClaimRefused,
  grantUsed,
  grantExpired,
] as const

export type ApprovalEvent = EventOf<(typeof approvalContracts)[number]>
export const approvalFamily: Family<(typeof approvalContracts)[number]> = {
  current: approvalContracts,
  history: [
    upcast(requestedV1, requested, (data) => data),
    upcast(voidedV1, voided, (data) => data),
    upcast(grantClaimRefusedV1, grantClaimRefused, (data) => data),
  ],
}
export const readApprovalEvent = reader(approvalFamily)
export const writeApprovalEvent = writer(approvalFamily)
