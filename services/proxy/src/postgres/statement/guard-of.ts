import type { Count, Decision } from '@countersign/policy'
import type { Command, Facts, UseChange } from '@countersign/sql'
import type { Guard } from '../../statement/guard.ts'

export interface Guarded {
  readonly decision: Decision
  readonly facts: Facts
  readonly counts: readonly Count[]
  /** Rows are counted up to here: an answer of as many means "at least". */
  readonly countLimit: number
  /** What runs: what was prepared, of an EXECUTE; undefined when that is not known. */
  readonly runs: Command | undefined
  /** All commands of the text that it stands in. */
  readonly text: readonly Command[]
}

/**
 * The bound that a statement runs under: the rows that are approved with it, or that policy allows it (`@guard`),
 * whichever are fewer. What it has changed is what the server says when it has run (`DELETE 12`).
 */
export const guardOf = (guarded: Guarded): Guard | undefined => {
  const { decision, facts } = guarded
  const changes = changesOf(facts)
  if (changes.length === 0) return undefined
  const unkept = unkeptBecause(guarded, changes)
  const approved = decision.verdict === 'hold' ? approvedGuard(guarded, changes, unkept) : undefined
  const { guard } = decision
  if (!guard || (approved && approved.unkept === undefined && approved.rowsMax <= guard.rowsMax)) return approved
  return { rowsMax: guard.rowsMax, by: 'policy', unkept }
}

/** Nothing was approved by number where nobody has counted, or where there were more than are counted. */
const approvedGuard = (
  { counts, countLimit, runs }: Guarded,
  changes: readonly UseChange[],
  unkept: Guard['unkept'],
): Guard | undefined => {
  const own = changes.filter(({ index }) => index !== undefined)
  const known = own.flatMap(
    ({ index, rowsAtMost }) => counts.find((each) => each.index === index)?.rows ?? rowsAtMost ?? [],
  )
  if (known.length === 0 || known.some((rows) => rows >= countLimit)) return undefined
  const inserts = runs?.changes.some((change) => change.inserts) ? 'merge-inserts' : undefined
  return { rowsMax: Math.max(...known), by: 'approval', unkept: unkept ?? inserts }
}

/** What it is said to change now, by its own text or by code behind it; one change may be two uses (MERGE). */
const changesOf = ({ uses }: Facts): readonly UseChange[] => {
  const changes = uses.flatMap(({ change, deferred, through }) =>
    change && !deferred ? [{ change, own: through === 'statement' }] : [],
  )
  const own = changes.filter((each) => each.own).map(({ change }) => change)
  const distinct = new Map(own.map((change) => [`${change.index} ${change.kind}`, change]))
  return own.length > 0 ? [...distinct.values()] : changes.map(({ change }) => change)
}

/**
 * The server counts what the outermost command changes: not what changes below WITH, nor what EXPLAIN ANALYZE or a
 * function does. What a COMMIT in the same text has made durable cannot be taken back, and while data of COPY come the
 * client must be listened to.
 */
const unkeptBecause = ({ facts, runs, text }: Guarded, changes: readonly UseChange[]): Guard['unkept'] => {
  if (text.some(({ transaction }) => transaction !== undefined)) return 'transaction-control'
  if (text.some(({ copy }) => copy !== undefined)) return 'copy'
  if (changes.length > 1 || (runs?.changes.length ?? 0) > 1) return 'several-changes'
  const isOwn = facts.uses.some(({ change, through, deferred }) => change && through === 'statement' && !deferred)
  return isOwn && runs && COUNTED.has(runs.node) && runs.changes.length === 1 ? undefined : 'not-told'
}

/** Of these the command tag says how many rows they have changed. */
const COUNTED = new Set(['DeleteStmt', 'UpdateStmt', 'InsertStmt', 'MergeStmt'])
