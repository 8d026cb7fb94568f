import { z } from 'zod'

/*
 * The words that every event uses (DESIGN.md, section 2).
 */

/** UTC, always three decimals: of fixed width, so that the order of the text is the order of time. */
export const Instant = z.iso.datetime({ precision: 3 }).brand<'Instant'>()
export type Instant = z.output<typeof Instant>

/** Who acts, as the directory names them: `ana`, `copilot`, `etl`. */
export const PrincipalId = z.string().min(1).max(200).brand<'PrincipalId'>()
export type PrincipalId = z.output<typeof PrincipalId>

export const SessionId = z.uuid().brand<'SessionId'>()
export type SessionId = z.output<typeof SessionId>

/** `<session>.<sequence>`: the sequence is dense, so a missing statement shows as a gap. */
export const StatementId = z
  .string()
  .regex(/^[0-9a-f-]{36}\.[1-9]\d*$/)
  .brand<'StatementId'>()
export type StatementId = z.output<typeof StatementId>

/** Names one approval. Short, because people type it: ten characters of Crockford's base 32 hold 50 bits. */
export const RequestId = z
  .string()
  .regex(/^rq_[0-9abcdefghjkmnpqrstvwxyz]{10}$/)
  .brand<'RequestId'>()
export type RequestId = z.output<typeof RequestId>

/** SHA-256 in lower-case hexadecimal. */
export const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Digest'>()
export type Digest = z.output<typeof Digest>

export const CredentialId = z.string().min(1).max(200).brand<'CredentialId'>()
export type CredentialId = z.output<typeof CredentialId>

/** One worker process of one node, from its start to its end: `<node>/<worker>/<boot>`. */
export const WorkerId = z
  .string()
  .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/)
  .brand<'WorkerId'>()
export type WorkerId = z.output<typeof WorkerId>

/**
 * A person, a service, or an agent that acts for a person.
 *
 * `person` is the directory's name of the human who is answerable: for a person themselves, for an agent the one
 * it acts for. Two identities of one human share it, which is how nobody approves their own request.
 */
export const Principal = z.object({
  id: PrincipalId,
  kind: z.enum(['person', 'service', 'agent']),
  person: z.string().min(1).optional(),
  onBehalfOf: PrincipalId.optional(),
  groups: z.array(z.string().min(1)),
})
export type Principal = z.output<typeof Principal>

/** One database in one environment, as the configuration names them. */
export const Target = z.object({ environment: z.string().min(1), database: z.string().min(1) })
export type Target = z.output<typeof Target>

/** What policy says of a statement, in order of severity. */
export const Verdict = z.enum(['allow', 'mask', 'hold', 'deny'])
export type Verdict = z.output<typeof Verdict>

/** What a statement does to a resource. The names are Cedar actions (libs/policy). */
export const Action = z.enum([
  'read',
  'write',
  'delete',
  'truncate',
  'create',
  'alter',
  'drop',
  'grant',
  'execute',
  'copyOut',
  'copyIn',
  /** Settings of the session: SET, RESET, DISCARD, SET ROLE. */
  'configure',
  /** BEGIN, COMMIT, SAVEPOINT and the like. */
  'transact',
  /** VACUUM, ANALYZE, REINDEX, REFRESH and other upkeep. */
  'maintain',
  /** What reaches beyond the database: server files, programs, extensions, ALTER SYSTEM, other back ends. */
  'administer',
  /** What could not be understood. Policy treats it as the most dangerous thing it could be. */
  'unknown',
])
export type Action = z.output<typeof Action>

/** A relation (`public.orders`) or another named thing, and what the statement does to it. */
export const RelationUse = z.object({ name: z.string().min(1), actions: z.array(Action).min(1) })
export type RelationUse = z.output<typeof RelationUse>

/** How many rows a statement would change: exact up to the limit of the count, else the planner's estimate. */
export const RowCount = z.object({ rows: z.int().nonnegative(), exact: z.boolean() })
export type RowCount = z.output<typeof RowCount>
