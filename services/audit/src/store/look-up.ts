import type { ClickHouseClient } from '@countersign/clickhouse'
import { readAccessEvent, type StoredEvent, type Topic } from '@countersign/contracts'
import type { Cursor } from '@countersign/eventlog'
import type { Memory } from '../projection/memory.ts'
import type { Needs } from '../projection/needs.ts'
import type { EarlyEndings, Ending } from '../projection/project.ts'
import type { Placed } from '../projection/read-batch.ts'
import type { ApprovalRow } from '../projection/rows/approval-row.ts'
import type { EarlyRow } from '../projection/rows/index.ts'
import type { SessionRow } from '../projection/rows/session-row.ts'
import type { StatementRow } from '../projection/rows/statement-row.ts'

/*
 * What the projection does not remember, it asks ClickHouse for. The rows come back exactly as they were written.
 */

/** Takes into memory the sessions, statements and approvals that are needed and exist. */
export const recall = async (client: ClickHouseClient, needs: Needs, memory: Memory): Promise<EarlyEndings> => {
  const [sessions, statements, approvals, early] = await Promise.all([
    rowsById<SessionRow>(client, 'sessions', 'session_id', needs.sessions),
    rowsById<StatementRow>(client, 'statements', 'statement_id', needs.statements),
    rowsById<ApprovalRow>(client, 'approvals', 'request_id', needs.approvals),
    rowsById<EarlyRow>(client, '_early', 'id', needs.beginnings),
  ])
  for (const row of sessions) memory.sessions.set(row.session_id, row)
  for (const row of statements) memory.statements.set(row.statement_id, row)
  for (const row of approvals) memory.approvals.set(row.request_id, row)
  return new Map(early.map((row) => [row.id, endingOf(row)]))
}

const endingOf = ({ topic, partition, offset, event_index, event }: EarlyRow): Placed<Ending> => {
  const ending = readAccessEvent(JSON.parse(event) as StoredEvent)
  if (ending.type !== 'session.closed' && ending.type !== 'statement.settled') {
    throw new Error(`\`_early\` holds what is not an end: ${ending.type}`)
  }
  return { event: ending, place: { topic: topic as Topic, partition, offset, index: event_index } }
}

export const hasEarly = async (client: ClickHouseClient): Promise<boolean> =>
  (await select(client, 'SELECT 1 FROM _early LIMIT 1')).length > 0

/**
 * The heads of streams as they were before the given cursor: what comes after it may have been written already, by a
 * run that crashed before it could say so, and is about to be read again.
 */
export const headsBefore = async (
  client: ClickHouseClient,
  topic: Topic,
  streams: readonly string[],
  cursor: Cursor,
): Promise<ReadonlyMap<string, number>> => {
  const before = Object.entries(cursor).map(([partition, next]) => `partition = ${partition} AND offset < ${next}`)
  if (before.length === 0) return new Map()
  const query = `
    SELECT stream, max(revision) AS head FROM events
    WHERE topic = {topic:String} AND stream IN {ids:Array(String)} AND NOT void AND (${before.join(' OR ')})
    GROUP BY stream`
  const rows = await inChunks(streams, (ids) => select<{ stream: string; head: number }>(client, query, { topic, ids }))
  return new Map(rows.map(({ stream, head }) => [stream, head]))
}

const rowsById = <Row>(client: ClickHouseClient, table: string, key: string, all: readonly string[]) => {
  const query = `SELECT * EXCEPT _ingested_at FROM ${table} FINAL WHERE ${key} IN {ids:Array(String)}`
  return inChunks(all, (ids) => select<Row>(client, query, { ids }))
}

// They travel in the address of the request, whose length is limited.
const IDS_PER_QUERY = 500

const inChunks = async <Row>(all: readonly string[], ask: (ids: readonly string[]) => Promise<readonly Row[]>) => {
  const rows: Row[] = []
  for (let i = 0; i < all.length; i += IDS_PER_QUERY) rows.push(...(await ask(all.slice(i, i + IDS_PER_QUERY))))
  return rows
}

const select = async <Row>(client: ClickHouseClient, query: string, query_params: Record<string, unknown> = {}) =>
  (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Row>()
