import type { Count } from '@countersign/policy'
import type { CountQuery } from '@countersign/sql'
import type { SideConnection } from '../upstream/side-connection.ts'
import { rowsWith } from './bound-query.ts'
import type { BoundParameters } from './judge.ts'

/** A count may take this long; a statement whose rows cannot be counted in time counts as one of unknown size. */
const TIMEOUT_MS = 2_000

/**
 * Counts the rows that a statement would change, READ ONLY, before it runs. What cannot be counted is left out: policy
 * then knows only that it was not counted.
 */
export const countRows = async (
  side: SideConnection,
  queries: readonly CountQuery[],
  searchPath: readonly string[],
  bound: BoundParameters | undefined,
  limit: number,
): Promise<readonly Count[]> => {
  const counts: Count[] = []
  for (const query of queries) {
    const rows = await countOne(side, query, searchPath, bound).catch(() => undefined)
    if (rows !== undefined) counts.push({ index: query.index, rows, exact: query.exact && rows < limit })
  }
  return counts
}

const countOne = (
  side: SideConnection,
  { sql, parameters }: CountQuery,
  searchPath: readonly string[],
  bound: BoundParameters | undefined,
): Promise<number | undefined> =>
  side.run(async (client) => {
    if (parameters.length > 0 && !bound) return undefined
    const path = searchPath.map((schema) => `"${schema.replaceAll('"', '""')}"`).join(', ') || "''"
    await client.query(
      // Rows that row security hides from the guard's role are there all the same: the server refuses rather than
      // leave them out, and then they are not counted.
      `BEGIN READ ONLY; SET LOCAL row_security = off; SET LOCAL statement_timeout = ${TIMEOUT_MS}; ` +
        `SET LOCAL search_path = ${path}`,
    )
    try {
      const [row] = (await rowsWith(client, sql, parameters, bound)) ?? []
      return row && Number(row[0])
    } finally {
      await client.query('ROLLBACK')
    }
  })
