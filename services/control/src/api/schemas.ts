import {
  Action,
  ApproverGroup,
  Channel,
  ClaimObjection,
  ColumnClass,
  Digest,
  Instant,
  Objection,
  Principal,
  PrincipalId,
  RelationUse,
  RequestId,
  RowCount,
  SessionId,
  StatementId,
  Target,
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
    digest: Digest.describe('Digest of the statement that you were shown. Another one is refused.'),
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

/** Everything that an approver must see. */
export const RequestView = z.object({
  id: RequestId,
  phase: Phase,
  mode: z.enum(['inline', 'rerun']).describe('`inline`: a client is kept waiting. `rerun`: it will be run again.'),
  requester: Principal,
  target: Target,
  role: z.string().describe('The database role that it would run as.'),
  text: z.string().describe('The statement, with secrets and personal data replaced.'),
  digest: Digest.describe('What a signature is bound to: SHA-256 of the exact statement and its parameters.'),
  actions: z.array(Action),
  relations: z.array(RelationUse),
  rows: RowCount.optional().describe('Rows that it would change, counted before it ran.'),
  because: z.string().describe('Which rule held it, in a sentence.'),
  policies: z.array(z.string()),
  policyVersion: z.string(),
  catalogueVersion: z.string(),
  reason: z.string().optional().describe('What the requester said it is for.'),
  ticket: z.string().optional(),
  sessionId: SessionId,
  statementId: StatementId,
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

export const PolicyView = z.object({
  version: z.string(),
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  at: Instant,
})
export type PolicyView = z.output<typeof PolicyView>

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
