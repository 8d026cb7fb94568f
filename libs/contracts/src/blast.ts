import { z } from 'zod'
import { RowCount } from './words.ts'

/*
 * What a held statement would reach: what its approver is shown, and the bound that is looked at once more before it
 * runs. Bounded in size: what is left out is counted, and stands in the digest.
 */

export const BLAST_LIST_MAX = 200
const TEXT_MAX = 500
const name = z.string().min(1).max(TEXT_MAX)
const line = z.string().min(1).max(TEXT_MAX)

export const LockLevel = z
  .enum([
    'ACCESS SHARE',
    'ROW SHARE',
    'ROW EXCLUSIVE',
    'SHARE UPDATE EXCLUSIVE',
    'SHARE',
    'SHARE ROW EXCLUSIVE',
    'EXCLUSIVE',
    'ACCESS EXCLUSIVE',
  ])
  .describe('How strongly a relation is locked, as PostgreSQL says it; the weakest first.')
export type LockLevel = z.output<typeof LockLevel>

export const BlastEffect = z
  .enum(['inserts', 'updates', 'deletes', 'merges', 'truncates', 'drops', 'alters', 'rebuilds', 'locks'])
  .describe('What happens to a relation. `locks`: nothing else does.')
export type BlastEffect = z.output<typeof BlastEffect>

export const BlastRelation = z
  .object({
    name: name.describe('`schema.relation`'),
    effect: BlastEffect,
    through: line
      .describe('Why it is reached, when the statement does not name it: a foreign key, a partition.')
      .optional(),
    rows: RowCount.describe('Rows that are concerned; not exact: at most so many, or an estimate.').optional(),
    bytes: z.int().nonnegative().describe('Its size with indexes and all that belongs to it.').optional(),
    lock: LockLevel.optional(),
    rewrites: z.literal(true).describe('All of it is written anew.').optional(),
    scans: z.literal(true).describe('All of it is read while it is locked.').optional(),
  })
  .describe('A relation that a statement would reach, and how.')
export type BlastRelation = z.output<typeof BlastRelation>

export const BlastDependent = z
  .object({
    kind: z.string().min(1).max(100).describe('As the server calls it: `view`, `table constraint`, `default value`.'),
    name,
    cascade: z.boolean().describe('It goes only because the statement says CASCADE.'),
  })
  .describe('An object that would go with what is dropped.')
export type BlastDependent = z.output<typeof BlastDependent>

export const BlastSample = z
  .object({
    relation: name,
    columns: z.array(z.string().max(TEXT_MAX)).max(50),
    rows: z.array(z.array(z.string().max(TEXT_MAX).nullable()).max(50)).max(5),
  })
  .describe('The first rows that would be changed, as they are now, masked by the classes of their columns.')
export type BlastSample = z.output<typeof BlastSample>

export const Blast = z
  .object({
    summary: z.string().max(2_000).describe('The same in a few words, for people.'),
    relations: z.array(BlastRelation).max(BLAST_LIST_MAX),
    dependents: z.array(BlastDependent).max(BLAST_LIST_MAX),
    stops: z.array(line).max(50).describe('What the server would refuse it for, as things are.'),
    unknown: z.array(line).max(50).describe('What is not known, and why.'),
    more: z
      .object({
        relations: z.int().nonnegative(),
        dependents: z.int().nonnegative(),
        digest: z.string().max(64).describe('SHA-256 over the names of all of them, in their order.'),
      })
      .describe('So many are not listed.')
      .optional(),
    sample: BlastSample.optional(),
  })
  .describe('What a statement would reach.')
export type Blast = z.output<typeof Blast>
