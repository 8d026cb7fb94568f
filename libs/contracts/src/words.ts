import { z } from 'zod'

/*
 * The words that every event uses (DESIGN.md, section 2). Descriptions are published: they go into the JSON Schemas.
 */

export const Instant = z.iso
  .datetime({ precision: 3 })
  .brand<'Instant'>()
  .describe('UTC, always with three decimals: of fixed width, so that the order of the text is the order of time.')
export type Instant = z.output<typeof Instant>

export const PrincipalId = z
  .string()
  .min(1)
  .max(200)
  .brand<'PrincipalId'>()
  .describe('Who acts, as the directory names them: `ana`, `copilot`, `etl`.')
export type PrincipalId = z.output<typeof PrincipalId>

export const SessionId = z.uuid().brand<'SessionId'>()
export type SessionId = z.output<typeof SessionId>

export const StatementId = z
  .string()
  .regex(/^[0-9a-f-]{36}\.[1-9]\d*$/)
  .brand<'StatementId'>()
  .describe('`<session>.<sequence>`: the sequence is dense, so a missing statement shows as a gap.')
export type StatementId = z.output<typeof StatementId>

// Short, because people type it: ten characters of Crockford's base 32 hold 50 bits.
export const RequestId = z
  .string()
  .regex(/^rq_[0-9abcdefghjkmnpqrstvwxyz]{10}$/)
  .brand<'RequestId'>()
  .describe('Names one approval.')
export type RequestId = z.output<typeof RequestId>

export const Digest = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .brand<'Digest'>()
  .describe('SHA-256 in lower-case hexadecimal.')
export type Digest = z.output<typeof Digest>

export const CredentialId = z.string().min(1).max(200).brand<'CredentialId'>()
export type CredentialId = z.output<typeof CredentialId>

export const WorkerId = z
  .string()
  .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/)
  .brand<'WorkerId'>()
  .describe('One worker process of one node, from its start to its end: `<node>/<worker>/<boot>`.')
export type WorkerId = z.output<typeof WorkerId>

export const Principal = z
  .object({
    id: PrincipalId,
    kind: z.enum(['person', 'service', 'agent']),
    person: z
      .string()
      .min(1)
      .describe(
        'The human who is answerable: for a person themselves, for an agent the one it acts for. Two identities of ' +
          'one human share it, which is how nobody approves their own request.',
      )
      .optional(),
    onBehalfOf: PrincipalId.describe('The person for whom an agent acts.').optional(),
    groups: z.array(z.string().min(1)),
  })
  .describe('A person, a service, or an agent that acts for a person.')
export type Principal = z.output<typeof Principal>

export const Target = z
  .object({ environment: z.string().min(1), database: z.string().min(1) })
  .describe('One database in one environment, as the configuration names them.')
export type Target = z.output<typeof Target>

export const Verdict = z
  .enum(['allow', 'mask', 'hold', 'deny'])
  .describe('What policy says of a statement, in order of severity.')
export type Verdict = z.output<typeof Verdict>

// The names are Cedar actions (libs/policy).
export const Action = z
  .enum([
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
    'configure',
    'transact',
    'maintain',
    'administer',
    'unknown',
  ])
  .describe(
    'What a statement does to a resource. `configure`: settings of the session (SET, RESET, DISCARD, SET ROLE). ' +
      '`transact`: BEGIN, COMMIT, SAVEPOINT and the like. `maintain`: VACUUM, ANALYZE, REINDEX, REFRESH and other ' +
      'upkeep. `administer`: what reaches beyond the database (server files, programs, extensions, ALTER SYSTEM, ' +
      'other back ends). `unknown`: what could not be understood; policy treats it as the most dangerous thing it ' +
      'could be.',
  )
export type Action = z.output<typeof Action>

export const RelationUse = z
  .object({ name: z.string().min(1), actions: z.array(Action).min(1) })
  .describe('A relation (`public.orders`) or another named thing, and what the statement does to it.')
export type RelationUse = z.output<typeof RelationUse>

export const RowCount = z
  .object({ rows: z.int().nonnegative(), exact: z.boolean() })
  .describe("How many rows a statement would change: exact up to the limit of the count, else the planner's estimate.")
export type RowCount = z.output<typeof RowCount>
