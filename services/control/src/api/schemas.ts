import {
  Action,
  ApproverGroup,
  Blast,
  Channel,
  ClaimObjection,
  ColumnClass,
  DecidedFacts,
  Digest,
  Instant,
  Objection,
  PolicyChange,
  Principal,
  PrincipalId,
  RelationUse,
  Replayed,
  RequestId,
  RowCount,
  SessionId,
  StatementId,
  Target,
  Verdict,
  Vote,
  WorkerId,
} from '@countersign/contracts'
import { z } from 'zod'
import { API_ERROR_CODES } from './api-error.ts'

/*
 * What goes in and out of /api/v1. The one definition: inputs are checked against it, openapi.json is made from it.
 */

export const Phase = z.enum(['pending', 'granted', 'claimed', 'denied', 'expired', 'withdrawn', 'voided'])
export type Phase = z.output<typeof Phase>

const PAGE_MAX = 500

export const RequestFilter = z.strictObject({
  phase: Phase.optional().describe('Only requests in this phase. `pending` are those that wait for signatures.'),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z.string().max(200).optional().describe('`next` of the page before.'),
})
export type RequestFilter = z.output<typeof RequestFilter>

export const RequestPath = z.strictObject({ id: RequestId })

export const VoteInput = z
  .strictObject({
    vote: Vote,
    digest: Digest.describe('Digest of what you were shown, a statement or policies. Another one is refused.'),
    reason: z.string().trim().min(1).max(2_000).optional().describe('Needed to deny.'),
    channel: Channel.default('api').describe('Where the signature was given.'),
  })
  .refine(({ vote, reason }) => vote === 'grant' || reason !== undefined, {
    path: ['reason'],
    message: 'a denial needs a reason',
  })
export type VoteInput = z.output<typeof VoteInput>

export const EventFilter = z.strictObject({
  types: z
    .string()
    .max(1_000)
    .regex(/^[a-z0-9.*-]+(,[a-z0-9.*-]+)*$/, 'must be types such as statement.held,approval.*')
    .optional()
    .describe('Only these types of events, separated by commas. `approval.*` means all that begin so.'),
})
export type EventFilter = z.output<typeof EventFilter>

export const Fault = z.object({
  error: z.object({
    code: z.enum(API_ERROR_CODES),
    message: z.string(),
    remedy: z.string().optional().describe('What to do about it.'),
  }),
})

export const Me = z.object({
  principal: Principal,
  readsAll: z.boolean().describe('Whether you see everything, or what you asked for and what you may sign.'),
})
export type Me = z.output<typeof Me>

const Signature = z.object({
  person: z.string(),
  voter: PrincipalId,
  vote: Vote,
  reason: z.string().optional(),
  at: Instant,
})

const Standing = z
  .object({
    canSign: z.boolean(),
    because: Objection.optional().describe('Why your signature would not count.'),
    message: z.string().optional(),
    canCancel: z.boolean(),
  })
  .describe('What you can do about it.')

export const PolicyProposalView = z
  .object({
    version: z.string().describe('The version that it would be.'),
    base: z.string().describe('The version in force that it was proposed against. Another one voids it.'),
    changes: z
      .array(
        PolicyChange.extend({
          before: z.string().optional().describe('As it is in force; for those who may read the policies.'),
          after: z.string().optional().describe('As it would be.'),
        }),
      )
      .describe('Policies that differ.'),
    owners: z
      .object({ added: z.array(z.string()), removed: z.array(z.string()) })
      .describe('Rules of DATAOWNERS that differ.'),
    replayed: Replayed.optional(),
  })
  .describe('Of a change of policies: what would be in force.')
export type PolicyProposalView = z.output<typeof PolicyProposalView>

/** Everything that an approver must see. Of a change of policies there is no statement, and so nothing that is of one. */
export const RequestView = z.object({
  id: RequestId,
  kind: z.enum(['statement', 'policy']).describe('What is asked for: that a statement runs, or that policies change.'),
  phase: Phase,
  mode: z
    .enum(['inline', 'rerun'])
    .optional()
    .describe('`inline`: a client is kept waiting. `rerun`: it will be run again.'),
  requester: Principal,
  target: Target.optional(),
  role: z.string().optional().describe('The database role that it would run as.'),
  text: z.string().describe('The statement, with secrets and personal data replaced; or what of the policies changes.'),
  digest: Digest.describe(
    'What a signature is bound to: SHA-256 of the exact statement and its parameters, or of all policies and owners.',
  ),
  proposal: PolicyProposalView.optional(),
  actions: z.array(Action),
  relations: z.array(RelationUse),
  rows: RowCount.optional().describe('Rows that it would change, counted before it ran.'),
  blast: Blast.optional().describe('What it would reach. The sample is shown to those who decide, not to who asks.'),
  because: z.string().describe('Which rule held it, in a sentence.'),
  policies: z.array(z.string()),
  policyVersion: z.string(),
  catalogueVersion: z.string().optional(),
  reason: z.string().optional().describe('What the requester said it is for.'),
  ticket: z.string().optional(),
  sessionId: SessionId.optional(),
  statementId: StatementId.optional(),
  groups: z.array(ApproverGroup).describe('Each must sign, by a person of its own.'),
  quorum: z.int().describe('How many people must sign in all.'),
  signatures: z.array(Signature),
  requestedAt: Instant,
  changedAt: Instant,
  expiresAt: Instant.describe('Until then it can be decided.'),
  usableUntil: Instant.optional().describe('Until then the grant can be used, once.'),
  claimedBy: StatementId.optional().describe('The one statement that may run under it.'),
  endedBecause: z.string().optional().describe('Why it was denied, withdrawn or voided.'),
  refusedClaims: z.array(z.object({ statementId: StatementId, because: ClaimObjection })),
  you: Standing,
})
export type RequestView = z.output<typeof RequestView>

export const RequestPage = z.object({
  requests: z.array(RequestView).describe('The newest first.'),
  next: z.string().optional().describe('Cursor of the next page. Absent on the last.'),
})
export type RequestPage = z.output<typeof RequestPage>

export const SessionView = z.object({
  id: SessionId,
  principal: Principal,
  target: Target,
  role: z.string(),
  client: z.object({
    address: z.string(),
    port: z.int(),
    application: z.string().optional(),
    tls: z.string().nullable(),
  }),
  worker: WorkerId,
  openedAt: Instant,
})
export const SessionList = z.object({ sessions: z.array(SessionView) })
export type SessionList = z.output<typeof SessionList>

export const RestrictionPath = z.strictObject({ id: PrincipalId })

export const LiftInput = z.strictObject({
  reason: z.string().trim().min(1).max(2_000).describe('Kept with the release.'),
})
export type LiftInput = z.output<typeof LiftInput>

export const RestrictionView = z.object({
  principalId: PrincipalId,
  because: z.string(),
  attempts: z.array(StatementId).describe('The statements that were denied.'),
  since: Instant,
  until: Instant.describe('Then it ends by itself.'),
})
export type RestrictionView = z.output<typeof RestrictionView>

export const RestrictionList = z.object({ restrictions: z.array(RestrictionView) })
export type RestrictionList = z.output<typeof RestrictionList>

export const PolicyView = z.object({
  version: z.string(),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  at: Instant,
})
export type PolicyView = z.output<typeof PolicyView>

const TEXT_MAX = 262_144

export const PolicyCandidate = z.strictObject({
  files: z
    .array(z.strictObject({ name: z.string().regex(/^[^/\\\s]{1,100}\.cedar$/), text: z.string().max(TEXT_MAX) }))
    .min(1)
    .max(200)
    .optional()
    .describe('Cedar files, the whole set. Absent: as it is in force.'),
  owners: z.string().max(TEXT_MAX).optional().describe('DATAOWNERS, whole. Absent: as it is in force.'),
})
export type PolicyCandidate = z.output<typeof PolicyCandidate>

export const ProposalInput = PolicyCandidate.extend({
  reason: z.string().trim().min(1).max(2_000).describe('What it is for. Approvers read it.'),
}).refine(({ files, owners }) => files !== undefined || owners !== undefined, {
  path: ['files'],
  message: 'a change has files, owners, or both',
})
export type ProposalInput = z.output<typeof ProposalInput>

export const WhatIfInput = PolicyCandidate.extend({
  since: Instant.describe('Statements from then on.'),
  until: Instant.optional().describe('Up to then; absent: up to now.'),
}).refine(({ since, until }) => until === undefined || since < until, { path: ['until'], message: 'is before `since`' })
export type WhatIfInput = z.output<typeof WhatIfInput>

const Said = z.object({ verdict: Verdict, policies: z.array(z.string()) })

/** One line each, as JSON (NDJSON). The last is the summary, or says why there is none. */
export const WhatIfLine = z.discriminatedUnion('type', [
  z
    .object({
      type: z.literal('change'),
      statementId: StatementId,
      at: Instant,
      principal: Principal.pick({ id: true, kind: true, onBehalfOf: true }),
      target: Target,
      text: z.string(),
      outcome: z.enum(['stricter', 'looser']),
      before: Said.describe('As it was recorded.'),
      after: Said.extend({ because: z.string() }),
      facts: DecidedFacts.describe('What policy was asked with: as a test case has them.').optional(),
    })
    .describe('A statement of which the verdict would have been another.'),
  z.object({ type: z.literal('progress'), statements: z.int(), at: Instant }).describe('How far it has come.'),
  Replayed.extend({ type: z.literal('summary') }),
  z.object({ type: z.literal('failed'), message: z.string() }),
])
export type WhatIfLine = z.output<typeof WhatIfLine>

export const OwnersView = z.object({
  text: z.string().describe('DATAOWNERS, as it is in force.'),
  groups: z
    .array(z.object({ name: z.string(), people: z.array(z.string()) }))
    .describe('The groups that own anything.'),
})
export type OwnersView = z.output<typeof OwnersView>

export const CatalogueView = z.object({
  databases: z.array(z.object({ target: Target, version: z.string(), columns: z.array(ColumnClass), at: Instant })),
})
export type CatalogueView = z.output<typeof CatalogueView>

/** One event as it is shown: who, what, where. Never a value from a database, a token or its digest. */
export const EventView = z.object({
  topic: z.string(),
  partition: z.int(),
  offset: z.int(),
  index: z.int(),
  type: z.string(),
  at: Instant.optional(),
  summary: z.string().describe('A line for people.'),
  principal: PrincipalId.optional(),
  sessionId: SessionId.optional(),
  statementId: StatementId.optional(),
  requestId: RequestId.optional(),
  text: z.string().optional(),
  outcome: z.string().optional(),
})
export type EventView = z.output<typeof EventView>
