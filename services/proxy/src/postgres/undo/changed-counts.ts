import type { Answer } from '../session/session-question.ts'

/*
 * What a transaction has changed, by its own server's account: of each relation how many rows were inserted, updated and
 * deleted, whatever brought it about (the statement, a foreign key that cascades, a trigger). Numbers of an earlier
 * transaction may still be among them, so what counts is the difference to the ones before the statement.
 */

export interface Changed {
  readonly transaction: string
  readonly relations: ReadonlyMap<number, ChangedCount>
}

export interface ChangedCount {
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

const COUNTS = `SELECT pg_catalog.json_agg(pg_catalog.json_build_array(relid, n_tup_ins, n_tup_upd, n_tup_del))::pg_catalog.text
  FROM pg_catalog.pg_stat_xact_user_tables
  WHERE GREATEST(n_tup_ins, n_tup_upd, n_tup_del) OPERATOR(pg_catalog.>) 0`

/** Before the statement. It must not be what gives the transaction a number. */
export const COUNTS_BEFORE = `SELECT '', (${COUNTS})`

/** After it, when it has a number. */
export const COUNTS_AFTER = `SELECT pg_catalog.pg_current_xact_id()::pg_catalog.xid::pg_catalog.text, (${COUNTS})`

export const changedIn = ([row]: Answer): Changed => {
  const listed = JSON.parse(row?.[1] ?? '[]') as readonly (readonly [number, number, number, number])[]
  return {
    transaction: row?.[0] ?? '',
    relations: new Map(
      listed.map(([number, inserted, updated, deleted]) => [Number(number), { inserted, updated, deleted }]),
    ),
  }
}

export const changedSince = (before: Changed, after: Changed): Changed => ({
  transaction: after.transaction,
  relations: new Map(
    [...after.relations].flatMap(([number, now]) => {
      const then = before.relations.get(number)
      const inserted = now.inserted - (then?.inserted ?? 0)
      const updated = now.updated - (then?.updated ?? 0)
      const deleted = now.deleted - (then?.deleted ?? 0)
      return inserted === 0 && updated === 0 && deleted === 0 ? [] : [[number, { inserted, updated, deleted }]]
    }),
  ),
})
