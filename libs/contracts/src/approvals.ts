import { z } from 'zod'
import { HeldStatement, HoldMode } from './access.ts'
import { contract, reader, writer, type EventOf, type Family } from './contract.ts'
import { Instant, PrincipalId, RequestId, SessionId, StatementId } from './words.ts'

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

const requested = contract(
  'approval.requested',
  1,
  z.object({
    requestId: RequestId,
    kind: z.literal('statement'),
    statement: HeldStatement,
    mode: HoldMode,
    groups: z.array(ApproverGroup).min(1).describe('Every group must be satisfied, by different people.'),
    quorum: z.int().positive().describe('How many different people must sign in all.'),
    excluded: z.array(z.string()).describe('Who may not sign: the requester, and the human behind an agent.'),
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

const voided = contract(
  'approval.voided',
  1,
  z
    .object({ requestId: RequestId, because: z.enum(['policy-changed', 'more-rows', 'schema-changed']), at: Instant })
    .describe('What was approved is no longer what would run.'),
)

const grantClaimed = contract(
  'grant.claimed',
  1,
  z
    .object({ requestId: RequestId, statementId: StatementId, sessionId: SessionId, at: Instant })
    .describe('The one use of a grant. From here on it is spent, whatever becomes of the statement.'),
)

export const ClaimObjection = z.enum([
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
export type ClaimObjection = z.output<typeof ClaimObjection>

const grantClaimRefused = contract(
  'grant.claim-refused',
  1,
  z.object({
    requestId: RequestId,
    statementId: StatementId,
    sessionId: SessionId,
    because: ClaimObjection,
    at: Instant,
  }),
)

const grantExpired = contract('grant.expired', 1, z.object({ requestId: RequestId, at: Instant }))

const approvalContracts = [
  requested,
  voted,
  voteRefused,
  granted,
  denied,
  expired,
  withdrawn,
  voided,
  grantClaimed,
  grantClaimRefused,
  grantExpired,
] as const

export type ApprovalEvent = EventOf<(typeof approvalContracts)[number]>
export const approvalFamily: Family<(typeof approvalContracts)[number]> = { current: approvalContracts, history: [] }
export const readApprovalEvent = reader(approvalFamily)
export const writeApprovalEvent = writer(approvalFamily)
