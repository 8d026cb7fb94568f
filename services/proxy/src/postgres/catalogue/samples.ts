import { DatabaseError } from 'pg'
import type { RelationSummary } from '../understanding/parser-jobs.ts'
import type { SideConnection } from '../upstream/side-connection.ts'

/** Some rows, each a value of every column in its text form. They are looked at and forgotten: no value is kept. */
export type Samples = readonly (readonly (string | null)[])[]

const ROWS = 200
const VALUE_LENGTH_MAX = 500
const TIMEOUT_MS = 2_000
/** Statements wait for the schema meanwhile: a table that somebody alters is looked into later. */
const LOCK_TIMEOUT_MS = 100

/**
 * A look at what a table holds, READ ONLY. Views are not looked into: to read one runs whatever is behind it. A role
 * that may not read the data sees nothing, and columns are then classified by their names alone. Undefined when it
 * could not be looked at now.
 */
export const sampleOf = async (side: SideConnection, relation: RelationSummary): Promise<Samples | undefined> => {
  if (!['r', 'p', 'm'].includes(relation.kind) || relation.columns.length === 0) return []
  const columns = relation.columns.map(({ name }) => `left(${quoted(name)}::text, ${VALUE_LENGTH_MAX})`).join(', ')
  const sql = `SELECT ${columns} FROM ${quoted(relation.schema)}.${quoted(relation.name)} LIMIT ${ROWS}`
  try {
    return await side.run(async (client) => {
      await client.query(
        `BEGIN READ ONLY; SET LOCAL statement_timeout = ${TIMEOUT_MS}; SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`,
      )
      try {
        return (await client.query<(string | null)[]>({ text: sql, rowMode: 'array' })).rows
      } finally {
        await client.query('ROLLBACK')
      }
    })
  } catch (error) {
    return error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE ? undefined : []
  }
}

const LOCK_NOT_AVAILABLE = '55P03'

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`
