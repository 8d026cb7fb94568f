import { z } from 'zod'
import { Action } from './words.ts'

/*
 * What a decision of policy rested on, as a record keeps it: small, because every statement has it. What is usual is
 * left out; the rest of a question (who, where, when, why, in which transaction) is in the record already.
 */

const yes = z.literal(true).optional()

export const DecidedUse = z
  .object({
    action: Action,
    kind: z.string().describe('What is named: `relation`, `routine`, `role`, `setting` …'),
    schema: z.string().optional(),
    name: z.string(),
    temporary: yes,
    system: yes,
    through: z.enum(['function', 'trigger', 'rule', 'cascade']).describe('Absent: the statement itself.').optional(),
    change: z
      .enum(['insert', 'update', 'delete', 'merge', 'truncate', 'drop'])
      .describe('What happens to rows; absent when none are changed.')
      .optional(),
    unbounded: yes,
    tautological: yes,
    uncounted: yes.describe('The number of rows was not known, and would have had to be.'),
    rows: z.int().nonnegative().optional(),
    rowsExact: yes,
    rowsShare: z.int().nonnegative().describe('Of all rows of the relation, in percent.').optional(),
  })
  .describe('One action on one object, as policy was asked about it.')
export type DecidedUse = z.output<typeof DecidedUse>

export const DecidedFacts = z.object({
  statement: z.string().describe('Its kind: `DELETE`, `DROP TABLE`.'),
  uses: z.array(DecidedUse).describe('Empty: policy was not asked, because the node answered or refused by itself.'),
  unresolved: yes,
  fails: yes,
  dangers: z.array(z.string()).min(1).optional(),
  sensitiveClasses: z.array(z.string()).min(1).optional(),
  sensitiveStored: yes,
  sensitiveSteering: yes,
  returned: z
    .array(z.object({ column: z.string(), class: z.string() }))
    .min(1)
    .describe('Sensitive columns that its result would give out.')
    .optional(),
  notCounted: yes.describe('Rows could have been counted, and policy did not need them.'),
})
export type DecidedFacts = z.output<typeof DecidedFacts>
