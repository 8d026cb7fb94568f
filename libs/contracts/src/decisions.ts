import { z } from 'zod'
import { contract, reader, writer, type EventOf, type Family } from './contract.ts'
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
import { ClaimObjection } from './approvals.ts'

/*
 * What control writes to cs.decisions: the state that nodes obey now, whole, one record per subject. The newest
 * record of a subject replaces the older ones, so the topic may be compacted.
 */

const policyInForce = contract(
  'policy.in-force',
  1,
  z.object({
    /** SHA-256 over the files, shortened to 16 digits: what every statement is recorded with. */
    version: z.string().min(1),
    /** Cedar files: a name for errors, and the text. */
    files: z.array(z.object({ name: z.string(), text: z.string() })),
    /** DATAOWNERS, as it is written. */
    owners: z.string(),
    at: Instant,
  }),
)

/** What a column holds: a class such as `email`, or `clear`. */
export const ColumnClass = z.object({
  /** `schema.relation.column` */
  column: z.string(),
  class: z.string(),
  because: z.string(),
  confidence: z.number().min(0).max(1),
})
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
    /** SHA-256 of the token. The token itself is never written down. */
    tokenDigest: Digest,
    /** The database role that this principal works as, by `environment/database`; `*` for every other. */
    roles: z.record(z.string(), z.string()),
    expiresAt: Instant,
    revoked: z.boolean(),
    at: Instant,
  }),
)

/** How an approval stands, for the node whose client waits or will run the statement again. */
const approvalInForce = contract(
  'approval.in-force',
  1,
  z.object({
    requestId: RequestId,
    phase: z.enum(['pending', 'granted', 'claimed', 'denied', 'expired', 'withdrawn', 'voided']),
    principalId: PrincipalId,
    sessionId: SessionId,
    digest: Digest,
    target: Target,
    /** Who decided, and in what words. */
    people: z.array(z.string()),
    reason: z.string().optional(),
    usableUntil: Instant.optional(),
    /** When claimed: the one statement that may run under it. */
    claimedBy: StatementId.optional(),
    /** The latest claim that was refused, and why: told to the node that asked. */
    refusedClaim: z.object({ statementId: StatementId, because: ClaimObjection }).optional(),
    at: Instant,
  }),
)

/** A principal that may do nothing for now; its live sessions end. */
const restrictionInForce = contract(
  'restriction.in-force',
  1,
  z.object({ principalId: PrincipalId, restricted: z.boolean(), because: z.string(), at: Instant }),
)

const decisionContracts = [
  policyInForce,
  catalogueInForce,
  credentialInForce,
  approvalInForce,
  restrictionInForce,
] as const

export type DecisionEvent = EventOf<(typeof decisionContracts)[number]>
export const decisionFamily: Family<(typeof decisionContracts)[number]> = { current: decisionContracts, history: [] }
export const readDecisionEvent = reader(decisionFamily)
export const writeDecisionEvent = writer(decisionFamily)
