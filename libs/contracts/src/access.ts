import { z } from 'zod'
import { Blast } from './blast.ts'
import { SealedPart } from './commit.ts'
import { contract, reader, upcast, writer, type EventOf, type Family } from './contract.ts'
import { DecidedFacts } from './decided-facts.ts'
import {
  Action,
  CredentialId,
  Digest,
  Instant,
  Principal,
  PrincipalId,
  RelationUse,
  RequestId,
  RowCount,
  SessionId,
  StatementId,
  Target,
  Verdict,
  WorkerId,
} from './words.ts'

/*
 * What nodes write to cs.access: sessions, statements, credentials, and the nodes' own life.
 */

const nodeStarted = contract(
  'node.started',
  1,
  z.object({ worker: WorkerId, version: z.string(), host: z.string(), processId: z.int(), at: Instant }),
)

const nodeHeartbeat = contract(
  'node.heartbeat',
  1,
  z.object({
    worker: WorkerId,
    sessions: z.int().nonnegative(),
    statements: z.int().nonnegative().describe('Statements intended since the worker started.'),
    policyVersion: z.string().optional(),
    at: Instant,
  }),
)

const nodeStopped = contract(
  'node.stopped',
  1,
  z.object({ worker: WorkerId, because: z.enum(['asked', 'found-dead']), at: Instant }),
)

const nodeReloaded = contract(
  'node.reloaded',
  1,
  z
    .object({
      worker: WorkerId,
      changed: z.array(z.string()).min(1).describe('Names of the values that are others now, never the values.'),
      at: Instant,
    })
    .describe('A worker has taken up another configuration. Sessions that it had go on as they began.'),
)

const auditDegraded = contract(
  'audit.degraded',
  1,
  z
    .object({ worker: WorkerId, reason: z.string(), at: Instant })
    .describe('The log could not be written: from then on statements were refused.'),
)

const auditRecovered = contract(
  'audit.recovered',
  1,
  z.object({
    worker: WorkerId,
    degradedAt: Instant,
    recoveredAt: Instant,
    refused: z.int().nonnegative().describe('Statements refused with ZA010 in between.'),
  }),
)

const sessionOpened = contract(
  'session.opened',
  1,
  z.object({
    sessionId: SessionId,
    worker: WorkerId,
    principal: Principal,
    credentialId: CredentialId,
    client: z.object({
      address: z.string(),
      port: z.int(),
      application: z.string().describe('What the client calls itself; a claim, not a fact.').optional(),
      tls: z.string().nullable().describe('The TLS version, or null for a plain connection from loopback.'),
    }),
    target: Target,
    upstream: z.object({ server: z.string(), role: z.string(), processId: z.int() }),
    at: Instant,
  }),
)

const sessionClosedV1 = contract(
  'session.closed',
  1,
  z.object({
    sessionId: SessionId,
    because: z.enum([
      'client-terminated',
      'client-gone',
      'upstream-gone',
      'protocol-error',
      'revoked',
      'limit-exceeded',
      'node-stopping',
      'node-died',
    ]),
    statements: z.int().nonnegative(),
    at: Instant,
  }),
)

// Version 2 knows sessions that a policy ended for what was tried in them, and those of a principal that is restricted.
const sessionClosed = contract(
  'session.closed',
  2,
  sessionClosedV1.schema.extend({
    because: z.enum([...sessionClosedV1.schema.shape.because.options, 'policy', 'restricted']),
  }),
)

const authFailedV1 = contract(
  'auth.failed',
  1,
  z.object({
    worker: WorkerId,
    user: z.string().max(200).describe('As claimed. Never the password, and never what was sent in its place.'),
    database: z.string().max(200).describe('As claimed.'),
    address: z.string(),
    port: z.int(),
    because: z.enum([
      'unknown-principal',
      'wrong-token',
      'expired-token',
      'revoked',
      'unknown-database',
      'not-allowed',
      'tls-required',
      'not-ready',
      'upstream-unavailable',
    ]),
    at: Instant,
  }),
)

// Version 2 knows client certificates, lock-outs, and limits on connections.
const authFailedV2 = contract(
  'auth.failed',
  2,
  authFailedV1.schema.extend({
    because: z.enum([
      ...authFailedV1.schema.shape.because.options,
      'wrong-certificate',
      'locked-out',
      'too-many-connections',
    ]),
    attempts: z
      .int()
      .min(2)
      .describe('How many this stands for, where they were too many to be recorded one by one; else it is one.')
      .optional(),
    lock: z
      .object({
        scope: z
          .enum(['principal-at-address', 'address', 'principal'])
          .describe('`principal`: from wherever. Wrong tokens are then answered slowly; nobody is locked out by it.'),
        until: Instant,
      })
      .describe('There were too many: with this one, this is locked.')
      .optional(),
  }),
)

// Version 3 knows principals that are restricted: their token is right, and they may do nothing for a while.
const authFailed = contract(
  'auth.failed',
  3,
  authFailedV2.schema.extend({
    because: z.enum([...authFailedV2.schema.shape.because.options, 'restricted']),
  }),
)

const credentialUsedV1 = contract(
  'credential.used',
  1,
  z.object({ credentialId: CredentialId, principalId: PrincipalId, sessionId: SessionId, at: Instant }),
)

// Version 2 says what was shown. Until then it was always a token.
const credentialUsed = contract(
  'credential.used',
  2,
  credentialUsedV1.schema.extend({
    proof: z.enum(['token', 'certificate', 'token-and-certificate']).describe('What was shown, and believed.'),
    certificate: z
      .object({
        fingerprint: Digest.describe('SHA-256 of the certificate (DER).'),
        serial: z.string().max(100),
        issuer: z.string().max(500),
      })
      .describe('The client certificate, where one was shown.')
      .optional(),
  }),
)

const statementIntendedV1 = contract(
  'statement.intended',
  1,
  z
    .object({
      statementId: StatementId,
      sessionId: SessionId,
      sequence: z.int().positive(),
      protocol: z.enum(['simple', 'extended', 'function']),
      text: z.string().describe('For people to read: shortened, with passwords and detected values replaced.'),
      textBytes: z.int().nonnegative().describe('Length of the exact text.'),
      digest: Digest.describe('SHA-256 over the exact bytes and parameters (statement-digest/1).'),
      shape: Digest.describe('SHA-256 over the text with its constants taken out: what statements of one kind share.'),
      sealed: SealedPart.optional(),
      actions: z.array(Action),
      relations: z.array(RelationUse),
      readOnly: z.boolean().describe('Proven to change nothing. Only then may it start before its intent is durable.'),
      transaction: z.enum(['idle', 'open', 'failed']),
      verdict: Verdict,
      policies: z.array(z.string()),
      policyVersion: z.string(),
      catalogueVersion: z.string(),
      rows: RowCount.describe('Rows that it would change, counted before it ran.').optional(),
      requestId: RequestId.describe('The approval that it waits for or runs under.').optional(),
      reason: z.string().optional(),
      ticket: z.string().optional(),
      traceparent: z.string().optional(),
      at: Instant,
    })
    .describe('A statement is understood and decided, and nothing of it has had an effect yet.'),
)

// Version 2 says what policy was asked with, so that another policy can be asked the same later.
const statementIntended = contract(
  'statement.intended',
  2,
  statementIntendedV1.schema.extend({
    facts: DecidedFacts.describe(
      'What policy was asked with. Absent when it was not recorded: by older nodes, and where there was too much of it.',
    ).optional(),
  }),
)

const TouchV1 = z
  .object({
    relation: z.string(),
    column: z.string().optional(),
    how: z.enum(['read', 'written', 'returned-clear', 'returned-masked']),
    class: z.string().optional(),
  })
  .describe('A relation, or one column of it, that a statement read, wrote or returned.')

export const Touch = TouchV1.extend({
  how: z
    .enum(['read', 'written', 'predicate', 'returned-clear', 'returned-masked'])
    .describe(
      '`read`: looked at, by the statement itself or by a view or code behind it. `predicate`: it decided which rows ' +
        'count. `returned-…`: values of it, or made of it, may have been in the result. `written`: a value was stored ' +
        'in it, or, without a column, rows came or went.',
    ),
}).describe('A relation, or one column of it, that a statement read, compared, wrote or returned.')
export type Touch = z.output<typeof Touch>

export const Durations = z
  .object({
    understand: z.int().nonnegative(),
    decide: z.int().nonnegative(),
    record: z.int().nonnegative(),
    hold: z.int().nonnegative(),
    database: z.int().nonnegative(),
    total: z.int().nonnegative(),
  })
  .describe('Microseconds spent in each stage. Together they need not make `total`: stages overlap.')
export type Durations = z.output<typeof Durations>

export const Outcome = z
  .enum(['completed', 'failed', 'refused', 'cancelled', 'withdrawn', 'outcome_unknown'])
  .describe(
    '`refused`: the node did not let it through (denied, held and not granted, or the log was down). `withdrawn`: the ' +
      'client took it back, or went away, while it was held. `outcome_unknown`: the node or the database went away in ' +
      'between, so that nobody was told how it ended.',
  )
export type Outcome = z.output<typeof Outcome>

const statementGuarded = contract(
  'statement.guarded',
  1,
  z
    .object({
      statementId: StatementId,
      sessionId: SessionId,
      rowsMax: z.int().nonnegative().describe('So many rows it may change.'),
      by: z.enum(['approval', 'policy']).describe('`approval`: as many as were approved. `policy`: by `@guard`.'),
      kept: z
        .boolean()
        .describe(
          'Whether the node can keep to it. Then a statement that changes more is rolled back, and settled as `failed` ' +
            'with ZA003, with the rows that it had changed.',
        ),
      because: z
        .enum(['several-changes', 'merge-inserts', 'not-told', 'transaction-control', 'copy'])
        .describe(
          'Why it cannot be kept: the number that the server gives in the end is not the number of rows that were ' +
            'counted, or comes when they are committed already.',
        )
        .optional(),
      at: Instant,
    })
    .describe('A statement may change so many rows when it runs, and no more.'),
)

const statementSettledV1 = contract(
  'statement.settled',
  1,
  z
    .object({
      statementId: StatementId,
      sessionId: SessionId,
      sequence: z.int().positive(),
      outcome: Outcome,
      sqlstate: z.string().length(5).optional(),
      command: z.string().describe("The server's command tag: `SELECT 5`, `DELETE 12`.").optional(),
      rowsReturned: z.int().nonnegative(),
      rowsAffected: z.int().nonnegative(),
      bytesReturned: z.int().nonnegative(),
      durations: Durations,
      touches: z.array(TouchV1),
      maskedColumns: z.array(z.string()),
      at: Instant,
    })
    .describe('How a statement ended. Every intended statement gets exactly one.'),
)

// Until then nobody could say by which columns rows had been looked for.
const statementSettled = contract(
  'statement.settled',
  2,
  statementSettledV1.schema
    .extend({ touches: z.array(Touch) })
    .describe('How a statement ended. Every intended statement gets exactly one.'),
)

export const HeldStatementV1 = z
  .object({
    statementId: StatementId,
    sessionId: SessionId,
    principal: Principal,
    target: Target,
    role: z.string(),
    digest: Digest,
    text: z.string(),
    actions: z.array(Action),
    relations: z.array(RelationUse),
    rows: RowCount.describe('Rows that it would change. More than this at release voids the approval.').optional(),
    policies: z.array(z.string()),
    policyVersion: z.string(),
    catalogueVersion: z.string(),
    because: z.string().describe('One sentence for people: which rule held it.'),
    reason: z.string().optional(),
    ticket: z.string().optional(),
  })
  .describe('What an approver must know of the statement that waits: the approval is bound to it.')

// Version 2 says what the statement would reach beyond what it names.
export const HeldStatement = HeldStatementV1.extend({
  blast: Blast.describe('What it would reach. More than this at release voids the approval.').optional(),
}).describe('What an approver must know of the statement that waits: the approval is bound to it.')
export type HeldStatement = z.output<typeof HeldStatement>

export const HoldMode = z
  .enum(['inline', 'rerun'])
  .describe(
    '`inline`: the client is kept waiting until `expiresAt`. `rerun`: the client was told so at once, and the same ' +
      'statement may be run once when it has been granted.',
  )
export type HoldMode = z.output<typeof HoldMode>

const statementHeldV1 = contract(
  'statement.held',
  1,
  z
    .object({
      requestId: RequestId,
      statement: HeldStatementV1,
      mode: HoldMode,
      approvers: z
        .array(z.string())
        .min(1)
        .describe("Groups of which each must be satisfied: the word `owners`, or a group's name."),
      quorum: z.int().positive(),
      expiresAt: Instant,
      at: Instant,
    })
    .describe('A statement waits for a countersignature.'),
)

const statementHeld = contract(
  'statement.held',
  2,
  statementHeldV1.schema.extend({ statement: HeldStatement }).describe('A statement waits for a countersignature.'),
)

const statementWithdrawn = contract(
  'statement.withdrawn',
  1,
  z.object({
    requestId: RequestId,
    statementId: StatementId,
    because: z.enum(['cancelled', 'client-gone', 'hold-over', 'revoked', 'node-stopping', 'node-died']),
    at: Instant,
  }),
)

const grantClaimAskedV1 = contract(
  'grant.claim-asked',
  1,
  z
    .object({
      requestId: RequestId,
      statementId: StatementId,
      sessionId: SessionId,
      principalId: PrincipalId,
      digest: Digest,
      target: Target,
      role: z.string(),
      policyVersion: z.string(),
      rows: RowCount.optional(),
      at: Instant,
    })
    .describe(
      'A node asks to use a grant for a statement that its client has run again. Control decides, so that one wins.',
    ),
)

// Version 2 says what it would reach now.
const grantClaimAsked = contract(
  'grant.claim-asked',
  2,
  grantClaimAskedV1.schema
    .extend({ blast: Blast.describe('What it would reach now, without rows of it.').optional() })
    .describe(
      'A node asks to use a grant for a statement that its client has run again. Control decides, so that one wins.',
    ),
)

const undoRelations = z
  .array(
    z.object({
      relation: z.string(),
      rows: z.int().nonnegative().describe('Rows that were changed or deleted, as they were before.'),
      added: z.int().nonnegative().describe('Rows that were added.'),
    }),
  )
  .describe('Names and numbers; no values.')

const undoCaptured = contract(
  'undo.captured',
  1,
  z
    .object({
      requestId: RequestId,
      statementId: StatementId,
      sessionId: SessionId,
      relations: undoRelations,
      digest: Digest.describe('SHA-256 of what was captured, before it was encrypted.'),
      expiresAt: Instant,
      at: Instant,
    })
    .describe(
      'What a statement has changed was kept as it was before, encrypted, at the node; written down before it is ' +
        'committed, so its settlement says whether it was.',
    ),
)

const undoUsed = contract(
  'undo.used',
  1,
  z
    .object({
      requestId: RequestId,
      statementId: StatementId.describe('The statement that has undone it.'),
      sessionId: SessionId,
      relations: undoRelations,
      at: Instant,
    })
    .describe('What was approved under this request was undone, and what was kept for it is erased.'),
)

const undoExpired = contract(
  'undo.expired',
  1,
  z.object({ requestId: RequestId, at: Instant }).describe('It cannot be undone any more: what was kept is erased.'),
)

const databaseObserved = contract(
  'database.observed',
  1,
  z
    .object({
      worker: WorkerId,
      target: Target,
      catalogueVersion: z.string(),
      columns: z.array(
        z.object({
          column: z.string(),
          dataType: z.string(),
          class: z.string(),
          confidence: z.number().min(0).max(1),
          because: z.string(),
        }),
      ),
      at: Instant,
    })
    .describe('What a node found in a database: columns and what their names, types and samples suggest. No values.'),
)

const accessContracts = [
  nodeStarted,
  nodeHeartbeat,
  nodeStopped,
  nodeReloaded,
  auditDegraded,
  auditRecovered,
  sessionOpened,
  sessionClosed,
  authFailed,
  credentialUsed,
  statementIntended,
  statementGuarded,
  statementSettled,
  statementHeld,
  statementWithdrawn,
  grantClaimAsked,
  undoCaptured,
  undoUsed,
  undoExpired,
  databaseObserved,
] as const

export type AccessEvent = EventOf<(typeof accessContracts)[number]>
export const accessFamily: Family<(typeof accessContracts)[number]> = {
  current: accessContracts,
  history: [
    upcast(statementSettledV1, statementSettled, (data) => data),
    upcast(sessionClosedV1, sessionClosed, (data) => data),
    upcast(authFailedV1, authFailedV2, (data) => data),
    upcast(authFailedV2, authFailed, (data) => data),
    upcast(credentialUsedV1, credentialUsed, (data) => ({ ...data, proof: 'token' as const })),
    upcast(statementIntendedV1, statementIntended, (data) => data),
    upcast(statementHeldV1, statementHeld, (data) => data),
    upcast(grantClaimAskedV1, grantClaimAsked, (data) => data),
  ],
}
export const readAccessEvent = reader(accessFamily)
export const writeAccessEvent = writer(accessFamily)
