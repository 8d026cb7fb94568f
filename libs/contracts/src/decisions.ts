import { z } from 'zod'
import { contract, reader, upcast, writer, type EventOf, type Family } from './contract.ts'
import {
  CredentialId,
  Digest,
  Instant,
  Principal,
  PrincipalId,
  RequestId,
  SessionId,
  StatementId,
  Target,
} from './words.ts'
import { ClaimObjection, ClaimObjectionV1 } from './approvals.ts'

/*
 * What control writes to cs.decisions: the state that nodes obey now, whole, one record per subject. The newest
 * record of a subject replaces the older ones, so the topic may be compacted.
 */

const policyInForce = contract(
  'policy.in-force',
  1,
  z.object({
    version: z
      .string()
      .min(1)
      .describe('SHA-256 over the files, shortened to 16 digits: what every statement is recorded with.'),
    files: z
      .array(z.object({ name: z.string(), text: z.string() }))
      .describe('Cedar files: a name for errors, and the text.'),
    owners: z.string().describe('DATAOWNERS, as it is written.'),
    at: Instant,
  }),
)

export const ColumnClass = z
  .object({
    column: z.string().describe('`schema.relation.column`'),
    class: z.string(),
    because: z.string(),
    confidence: z.number().min(0).max(1),
  })
  .describe('What a column holds: a class such as `email`, or `clear`.')
export type ColumnClass = z.output<typeof ColumnClass>

const catalogueInForce = contract(
  'catalogue.in-force',
  1,
  z.object({ target: Target, version: z.string().min(1), columns: z.array(ColumnClass), at: Instant }),
)

const credentialInForce = contract(
  'credential.in-force',
  1,
  z.object({
    credentialId: CredentialId,
    principal: Principal,
    tokenDigest: Digest.describe('SHA-256 of the token. The token itself is never written down.'),
    roles: z
      .record(z.string(), z.string())
      .describe('The database role that this principal works as, by `environment/database`; `*` for every other.'),
    expiresAt: Instant,
    revoked: z.boolean(),
    at: Instant,
  }),
)

const approvalInForceV1 = contract(
  'approval.in-force',
  1,
  z
    .object({
      requestId: RequestId,
      phase: z.enum(['pending', 'granted', 'claimed', 'denied', 'expired', 'withdrawn', 'voided']),
      principalId: PrincipalId,
      sessionId: SessionId,
      digest: Digest,
      target: Target,
      people: z.array(z.string()).describe('Who decided.'),
      reason: z.string().describe('In what words they decided.').optional(),
      usableUntil: Instant.optional(),
      claimedBy: StatementId.describe('When claimed: the one statement that may run under it.').optional(),
      refusedClaim: z
        .object({ statementId: StatementId, because: ClaimObjectionV1 })
        .describe('The latest claim that was refused, and why: told to the node that asked.')
        .optional(),
      at: Instant,
    })
    .describe('How an approval stands, for the node whose client waits or will run the statement again.'),
)

// Version 2 knows of claims that were refused because of what the statement would reach.
const approvalInForce = contract(
  'approval.in-force',
  2,
  approvalInForceV1.schema
    .extend({
      refusedClaim: z
        .object({ statementId: StatementId, because: ClaimObjection })
        .describe('The latest claim that was refused, and why: told to the node that asked.')
        .optional(),
    })
    .describe('How an approval stands, for the node whose client waits or will run the statement again.'),
)

const restrictionInForceV1 = contract(
  'restriction.in-force',
  1,
  z
    .object({ principalId: PrincipalId, restricted: z.boolean(), because: z.string(), at: Instant })
    .describe('While restricted, a principal may do nothing, and its live sessions end.'),
)

// Version 2 may say when it ends by itself. Until then it was until it was taken back.
const restrictionInForce = contract(
  'restriction.in-force',
  2,
  restrictionInForceV1.schema.extend({
    until: Instant.describe('From then on it holds no longer, whether that is written down or not.').optional(),
  }),
)

const decisionContracts = [
  policyInForce,
  catalogueInForce,
  credentialInForce,
  approvalInForce,
  restrictionInForce,
] as const

export type DecisionEvent = EventOf<(typeof decisionContracts)[number]>
export const decisionFamily: Family<(typeof decisionContracts)[number]> = {
  current: decisionContracts,
  history: [
    upcast(approvalInForceV1, approvalInForce, (data) => data),
    upcast(restrictionInForceV1, restrictionInForce, (data) => data),
  ],
}
export const readDecisionEvent = reader(decisionFamily)
export const writeDecisionEvent = writer(decisionFamily)
