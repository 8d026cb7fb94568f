import { z } from 'zod'
import { ColumnClass } from './decisions.ts'
import { contract, reader, upcast, writer, type EventOf, type Family } from './contract.ts'
import { CredentialId, Digest, Instant, Principal, PrincipalId, RequestId, StatementId, Target } from './words.ts'

/*
 * What control writes to cs.governance: who may do what, and who said so. The history behind cs.decisions.
 */

const policyPublishedV1 = contract(
  'policy.published',
  1,
  z.object({
    version: z.string().min(1),
    files: z.array(z.object({ name: z.string(), digest: Digest })),
    by: PrincipalId.optional(),
    at: Instant,
  }),
)

// Version 2 says who signed. Until then whoever could write to control's files could publish.
const policyPublished = contract(
  'policy.published',
  2,
  policyPublishedV1.schema.extend({
    requestId: RequestId.describe('The approval that it was published by; absent when it came from files.').optional(),
    signedBy: z.array(z.string()).min(1).describe('The people who signed for it.').optional(),
  }),
)

const policyProposed = contract(
  'policy.proposed',
  1,
  z
    .object({
      requestId: RequestId.describe('The approval that decides about it.'),
      digest: Digest.describe('SHA-256 over files and owners (policy-version/1).'),
      version: z.string().min(1),
      base: z.string().min(1).describe('The version in force that it was proposed against.'),
      files: z.array(z.object({ name: z.string(), text: z.string() })).describe('Cedar files, whole.'),
      owners: z.string().describe('DATAOWNERS, whole.'),
      by: PrincipalId,
      reason: z.string(),
      at: Instant,
    })
    .describe('Policies and owners, exactly as they come into force when they are signed for.'),
)

const ownerAssigned = contract(
  'owner.assigned',
  1,
  z.object({ digest: Digest, lines: z.int().nonnegative(), by: PrincipalId.optional(), at: Instant }),
)

const identityRegistered = contract(
  'identity.registered',
  1,
  z.object({ principal: Principal, credentialId: CredentialId, expiresAt: Instant, at: Instant }),
)

const identityRevoked = contract(
  'identity.revoked',
  1,
  z.object({ principalId: PrincipalId, credentialId: CredentialId, by: PrincipalId.optional(), at: Instant }),
)

const principalRestricted = contract(
  'principal.restricted',
  1,
  z
    .object({
      principalId: PrincipalId,
      because: z.string().min(1).describe('A sentence for people.'),
      attempts: z.array(StatementId).min(1).describe('Statements that were denied. None of them counts a second time.'),
      until: Instant.describe('Then it ends by itself.'),
      at: Instant,
    })
    .describe('Until then the principal may do nothing: its sessions end, and no new one is let in.'),
)

const principalReleased = contract(
  'principal.released',
  1,
  z
    .object({
      principalId: PrincipalId,
      because: z.enum(['expired', 'lifted']),
      by: PrincipalId.describe('Who lifted it.').optional(),
      reason: z.string().describe('In whose words.').optional(),
      at: Instant,
    })
    .describe('A restriction is over.'),
)

const dataClassified = contract(
  'data.classified',
  1,
  z.object({
    target: Target,
    version: z.string().min(1),
    changed: z.array(ColumnClass).describe('Only what changed against the version before.'),
    by: PrincipalId.optional(),
    at: Instant,
  }),
)

const configLoaded = contract('config.loaded', 1, z.object({ service: z.string(), digest: Digest, at: Instant }))

const eventQuarantined = contract(
  'event.quarantined',
  1,
  z
    .object({
      topic: z.string(),
      partition: z.int().nonnegative(),
      offset: z.int().nonnegative(),
      index: z
        .int()
        .nonnegative()
        .describe('Which event of the record, counted from 0; absent when the record as a whole could not be read.')
        .optional(),
      type: z.string().optional(),
      version: z.int().optional(),
      because: z.string(),
      digest: Digest.describe("SHA-256 over the record's value."),
      bytes: z.int().nonnegative().describe("Length of the record's value."),
      at: Instant,
    })
    .describe(
      'A record or an event that no contract knows. Kept byte for byte in its own place; pointed to from here.',
    ),
)

const governanceContracts = [
  policyPublished,
  policyProposed,
  ownerAssigned,
  identityRegistered,
  identityRevoked,
  principalRestricted,
  principalReleased,
  dataClassified,
  configLoaded,
  eventQuarantined,
] as const

export type GovernanceEvent = EventOf<(typeof governanceContracts)[number]>
export const governanceFamily: Family<(typeof governanceContracts)[number]> = {
  current: governanceContracts,
  history: [upcast(policyPublishedV1, policyPublished, (data) => data)],
}
export const readGovernanceEvent = reader(governanceFamily)
export const writeGovernanceEvent = writer(governanceFamily)
