import type { Client } from 'pg'
import type { Target } from '@countersign/contracts'
import { quoted } from './quoted.ts'
import type { Changed, ChangedCount } from './changed-counts.ts'
import type { Image, ImageColumn, RelationImage } from './image.ts'

/*
 * While the transaction is open, everybody else still sees its rows as they were, and the server has marked each row
 * that it has changed or deleted with the transaction's number (xmax). So the rows are read from another connection,
 * whatever changed them: the statement itself, a foreign key that cascades, a trigger. They are locked by the
 * transaction, so nobody changes them meanwhile.
 *
 * A row that was found must be one that was changed, and the other way round: the server's count has to agree. It does
 * not where a row was changed twice, or where somebody else has locked one as well (its mark is another number then),
 * or where row security hides some from the node. Then nothing is captured.
 */

/** Nothing was captured; why, for people. */
export class NotCapturedError extends Error {
  override readonly name = 'NotCapturedError'
  readonly code = 'PROXY_NOT_CAPTURED'
}

const BYTES_MAX = 16 * 1024 * 1024
const TIMEOUT_MS = 30_000

/** What texts of values look like does not depend on the session that reads them, nor on the one that writes them back. */
const SETTINGS = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL statement_timeout = ${TIMEOUT_MS};
  SET LOCAL search_path = ''; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'iso_8601';
  SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'; SET LOCAL timezone = 'UTC'`

export const capture = (client: Client, target: Target, changed: Changed, rowsAffected: number): Promise<Image> =>
  reading(client, async () => {
    const relations: RelationImage[] = []
    let bytes = 0
    for (const [number, count] of changed.relations) {
      const relation = await captureRelation(client, number, count, changed.transaction, BYTES_MAX - bytes)
      bytes += relation.rows.reduce((sum, row) => sum + Buffer.byteLength(row), 0)
      relations.push(relation)
    }
    const all = relations.reduce((sum, { rows, added }) => sum + rows.length + added, 0)
    if (all >= rowsAffected) return { target, transaction: changed.transaction, relations }
    throw new NotCapturedError(`${rowsAffected} rows were changed, and the server knows of ${all}`)
  })

/** The first relation that is not what it was when it was captured; undefined when all are. */
export const structureChanged = (client: Client, { relations }: Image): Promise<string | undefined> =>
  reading(client, async () => {
    for (const { number, schema, name, columns, key } of relations) {
      const now = await describeRelation(client, number)
      if (JSON.stringify(now) !== JSON.stringify({ schema, name, columns, key })) return `${schema}.${name}`
    }
    return undefined
  })

const reading = async <T>(client: Client, work: () => Promise<T>): Promise<T> => {
  await client.query(SETTINGS)
  try {
    return await work()
  } finally {
    await client.query('ROLLBACK')
  }
}

const captureRelation = async (
  client: Client,
  number: number,
  { inserted, updated, deleted }: ChangedCount,
  transaction: string,
  bytesMax: number,
): Promise<RelationImage> => {
  const what = await describeRelation(client, number)
  const { schema, name } = what
  const expected = updated + deleted
  const from = `FROM ONLY ${quoted(schema)}.${quoted(name)} AS "countersign row" WHERE "countersign row".xmax = $1::xid`
  const { rows: sizes } = await client.query<{ rows: string; bytes: string | null }>(
    `SELECT count(*) AS rows, sum(octet_length(("countersign row")::text)) AS bytes ${from}`,
    [transaction],
  )
  const found = Number(sizes[0]?.rows ?? 0)
  if (found !== expected) {
    throw new NotCapturedError(`of ${schema}.${name} ${expected} rows were changed, and ${found} can be told`)
  }
  if (Number(sizes[0]?.bytes ?? 0) > bytesMax) throw new NotCapturedError(`more than ${BYTES_MAX} bytes would be kept`)
  const { rows } = await client.query<{ text: string }>(`SELECT ("countersign row")::text AS text ${from}`, [
    transaction,
  ])
  return { ...what, number, rows: rows.map(({ text }) => text), left: inserted + updated, added: inserted }
}

interface Described {
  readonly schema: string
  readonly name: string
  readonly persistence: string
  readonly columns: readonly ImageColumn[]
  readonly key: RelationImage['key'] | null
}

const DESCRIBE = `SELECT n.nspname AS schema, c.relname AS name, c.relpersistence AS persistence,
    (SELECT json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
        'generated', a.attgenerated <> '', 'always', a.attidentity = 'a') ORDER BY a.attnum)
      FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT json_agg(json_build_object('name', a.attname, 'equals', format('OPERATOR(%I.%s)', o.nspname, p.oprname))
        ORDER BY k.place)
      FROM pg_index i
      CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indclass::oid[]) WITH ORDINALITY AS k (number, class, place)
      JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
      JOIN pg_opclass oc ON oc.oid = k.class
      JOIN pg_amop m ON m.amopfamily = oc.opcfamily AND m.amopstrategy = 3
        AND m.amoplefttype = oc.opcintype AND m.amoprighttype = oc.opcintype
      JOIN pg_operator p ON p.oid = m.amopopr JOIN pg_namespace o ON o.oid = p.oprnamespace
      WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS key
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1`

const describeRelation = async (client: Client, number: number) => {
  const { rows } = await client.query<Described>(DESCRIBE, [number])
  const [found] = rows
  if (!found) throw new NotCapturedError(`relation ${number} is not there`)
  const { schema, name, persistence, columns, key } = found
  if (persistence === 't') throw new NotCapturedError(`${schema}.${name} is temporary`)
  if (!key) throw new NotCapturedError(`${schema}.${name} has no primary key`)
  return { schema, name, columns, key }
}
