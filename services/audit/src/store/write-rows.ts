import type { ClickHouseClient } from '@countersign/clickhouse'
import type { Rows } from '../projection/rows/index.ts'

type Row = Readonly<Record<string, unknown>>

/**
 * Writes what a batch became, every table at once. A retry may carry the same token: what had arrived is then not
 * written again. Nothing depends on that, because a row that is there twice reads as one; it saves the work.
 */
export const writeRows = async (client: ClickHouseClient, rows: Rows, token: string): Promise<void> => {
  const tables: [string, readonly Row[]][] = Object.entries(rows)
  await Promise.all(tables.map(([table, ofTable]) => insert(client, table, ofTable, token)))
}

const insert = async (client: ClickHouseClient, table: string, rows: readonly Row[], token: string): Promise<void> => {
  const [first] = rows
  if (!first) return
  const columns = Object.keys(first)
  await client.insert({
    table,
    columns: nonEmpty(columns),
    format: 'JSONCompactEachRow',
    values: rows.map((row) => columns.map((column) => wellFormed(row[column]))),
    clickhouse_settings: {
      insert_deduplication_token: `${table}:${token}`,
      max_partitions_per_insert_block: '0',
    },
  })
}

const nonEmpty = (columns: string[]): [string, ...string[]] => {
  const [first = '', ...rest] = columns
  return [first, ...rest]
}

/** Half of a surrogate pair is valid in JSON and in JavaScript, but no text: ClickHouse would refuse the whole batch. */
const wellFormed = (value: unknown): unknown => {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.toWellFormed(), wellFormed(inner)]))
}
