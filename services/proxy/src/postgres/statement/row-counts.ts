import { formatAt } from '@countersign/pgwire'
import type { Count } from '@countersign/policy'
import type { CountQuery } from '@countersign/sql'
import type { Client } from 'pg'
import type { SideConnection } from '../upstream/side-connection.ts'
import { converse } from '../upstream/submit.ts'
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
    await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = ${TIMEOUT_MS}; SET LOCAL search_path = ${path}`)
    try {
      return await numberFrom(client, sql, parameters, bound)
    } finally {
      await client.query('ROLLBACK')
    }
  })

/** With the client's own parameters, of the types and in the formats that it gave them. */
const numberFrom = (
  client: Client,
  text: string,
  parameters: readonly number[],
  bound: BoundParameters | undefined,
): Promise<number | undefined> => {
  const types = parameters.map((number) => bound?.types[number - 1] ?? 0)
  const values = parameters.map((number) => valueOf(bound, number))
  let found: number | undefined
  return converse<number | undefined>(client, {
    submit: (connection) => {
      connection.parse({ text, name: '', types })
      connection.bind({ portal: '', statement: '', values, binary: false, valueMapper: (value) => value })
      connection.execute({ portal: '', rows: 0 })
      connection.sync()
    },
    row: ([count]) => {
      found = Number(count)
    },
    failed: () => undefined,
    done: () => found,
  })
}

/** `pg` sends a Buffer in binary format, and a string as text. */
const valueOf = (bound: BoundParameters | undefined, number: number): Buffer | string | null => {
  const value = bound?.values[number - 1] ?? null
  return value === null || formatAt(bound?.formats ?? [], number - 1) === 1 ? value : value.toString('utf8')
}
