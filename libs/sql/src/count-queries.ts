import { nameText } from './action.ts'
import type { Change, Command } from './command.ts'
import { constantsOf } from './shape.ts'

/** A query that answers with one number: how many rows a change would concern. */
export interface CountQuery {
  /** Which of the command's changes; `Use.change.index` names it. */
  readonly index: number
  readonly relation: string
  readonly sql: string
  /** For each parameter of the query, `$1` first, the statement's parameter that has its value. */
  readonly parameters: readonly number[]
  /** Otherwise the change concerns at most as many. An answer of `limit` means: at least as many. */
  readonly exact: boolean
}

/**
 * Queries to run on a side connection, READ ONLY and with a timeout, before the statement runs; only when
 * `facts.countable`. A change without one cannot be counted, or needs no count because `rowsAtMost` is known.
 *
 * `text` is the text at hand: the command may have been understood from another one of the same shape.
 */
export const countQueries = (command: Command, text: string, limit: number): readonly CountQuery[] => {
  const values = constantsOf(text).map(({ start, end }) => text.slice(start, end))
  return command.changes.flatMap((change, index) => {
    const sql = countSql(change, values, limit)
    const { parameters = [], exact = false } = change.count ?? {}
    return sql === undefined ? [] : [{ index, relation: nameText(change.relation), sql, parameters, exact }]
  })
}

const countSql = ({ count }: Change, values: readonly string[], limit: number): string | undefined => {
  if (!count) return undefined
  const pieces = count.pieces.map((piece) => (typeof piece === 'string' ? piece : values[piece.constant]))
  if (!pieces.every((piece) => piece !== undefined)) return undefined
  return `SELECT count(*) FROM (${pieces.join('')} LIMIT ${limit}) counted`
}
