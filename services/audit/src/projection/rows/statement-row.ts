import type { AccessEvent } from '@countersign/contracts'
import { clickhouseTime, type Place } from '../place.ts'
import type { SessionRow } from './session-row.ts'

type DataOf<Type extends AccessEvent['type']> = Extract<AccessEvent, { type: Type }>['data']

export type StatementRow = Readonly<ReturnType<typeof intendedStatement>>

/** The row of a statement whose end is not known yet. Without its session nothing is known of who sent it. */
export const intendedStatement = (
  data: DataOf<'statement.intended'>,
  session: SessionRow | undefined,
  place: Place,
) => ({
  statement_id: data.statementId as string,
  session_id: data.sessionId as string,
  sequence: data.sequence,
  ...senderOf(session),
  protocol: data.protocol as string,
  transaction_state: data.transaction as string,
  db_query_text: data.text,
  db_query_summary: summaryOf(data),
  db_collection_name: data.relations.length === 1 ? (data.relations[0]?.name ?? '') : '',
  query_bytes: data.textBytes,
  digest: data.digest as string,
  shape: data.shape as string,
  actions: data.actions as readonly string[],
  relations: data.relations.map(({ name }) => name) as readonly string[],
  relation_actions: Object.fromEntries(data.relations.map(({ name, actions }) => [name, actions as readonly string[]])),
  read_only: data.readOnly,
  counted_rows: data.rows?.rows ?? null,
  counted_exactly: data.rows?.exact ?? false,
  verdict: data.verdict as string,
  policies: data.policies as readonly string[],
  policy_version: data.policyVersion,
  catalogue_version: data.catalogueVersion,
  request_id: (data.requestId ?? '') as string,
  reason: data.reason ?? '',
  ticket: data.ticket ?? '',
  traceparent: data.traceparent ?? '',
  ...running,
  started_at: clickhouseTime(data.at),
  log_topic: place.topic as string,
  intended_partition: place.partition,
  intended_offset: place.offset,
  _version: 1,
})

const senderOf = (session: SessionRow | undefined) => ({
  worker: session?.worker ?? '',
  node: session?.node ?? '',
  principal_id: session?.principal_id ?? '',
  principal_kind: session?.principal_kind ?? '',
  person: session?.person ?? '',
  on_behalf_of: session?.on_behalf_of ?? '',
  principal_groups: session?.principal_groups ?? [],
  credential_id: session?.credential_id ?? '',
  client_address: session?.client_address ?? '',
  client_port: session?.client_port ?? 0,
  application_name: session?.application_name ?? '',
  environment: session?.environment ?? '',
  db_system_name: session?.db_system_name ?? '',
  db_namespace: session?.db_namespace ?? '',
  db_role: session?.db_role ?? '',
  server_address: session?.server_address ?? '',
})

const SUMMARY_LENGTH_MAX = 255

/** OpenTelemetry's `db.query.summary`: operations and their targets, short and without values. */
const summaryOf = ({ actions, relations }: DataOf<'statement.intended'>): string => {
  const uses = relations.map((relation) => `${relation.actions.join('+')} ${relation.name}`)
  return (uses.length > 0 ? uses.join(', ') : actions.join('+')).slice(0, SUMMARY_LENGTH_MAX)
}

interface Ending {
  readonly outcome: string
  readonly db_response_status_code: string
  readonly command_tag: string
  readonly db_operation_name: string
  readonly db_response_returned_rows: number
  readonly rows_affected: number
  readonly bytes_returned: number
  readonly masked_columns: readonly string[]
  readonly understand_us: number
  readonly decide_us: number
  readonly record_us: number
  readonly hold_us: number
  readonly database_us: number
  readonly total_us: number
  readonly ended_at: string | null
  readonly settled_partition: number | null
  readonly settled_offset: number | null
}

export const RUNNING = 'running'

const running: Ending = {
  outcome: RUNNING,
  db_response_status_code: '',
  command_tag: '',
  db_operation_name: '',
  db_response_returned_rows: 0,
  rows_affected: 0,
  bytes_returned: 0,
  masked_columns: [],
  understand_us: 0,
  decide_us: 0,
  record_us: 0,
  hold_us: 0,
  database_us: 0,
  total_us: 0,
  ended_at: null,
  settled_partition: null,
  settled_offset: null,
}

/** A statement that was held after it was intended now waits for this request. */
export const heldStatement = (row: StatementRow, requestId: string): StatementRow =>
  row.outcome === RUNNING && row.request_id === '' ? { ...row, request_id: requestId, _version: 2 } : row

/**
 * A statement is settled once: whoever settles it again, elsewhere in the log, is not believed. The settlement that
 * the row has already may come again, after a crash, and then makes the same row.
 */
export const settledStatement = (row: StatementRow, data: DataOf<'statement.settled'>, place: Place): StatementRow =>
  row.outcome !== RUNNING ? row : { ...row, ...endingOf(data, place), _version: 3 }

/** Whether it is this settlement that the row was completed with. */
export const isSettledBy = (row: StatementRow, { partition, offset }: Place): boolean =>
  row.settled_partition === partition && row.settled_offset === offset

const endingOf = (data: DataOf<'statement.settled'>, place: Place): Ending => ({
  outcome: data.outcome,
  db_response_status_code: data.sqlstate ?? '',
  command_tag: data.command ?? '',
  db_operation_name: operationOf(data.command ?? ''),
  db_response_returned_rows: data.rowsReturned,
  rows_affected: data.rowsAffected,
  bytes_returned: data.bytesReturned,
  masked_columns: data.maskedColumns,
  understand_us: data.durations.understand,
  decide_us: data.durations.decide,
  record_us: data.durations.record,
  hold_us: data.durations.hold,
  database_us: data.durations.database,
  total_us: data.durations.total,
  ended_at: clickhouseTime(data.at),
  settled_partition: place.partition,
  settled_offset: place.offset,
})

/** `INSERT 0 12` is an INSERT, `CREATE TABLE` a CREATE TABLE. */
const operationOf = (commandTag: string): string => commandTag.replace(/[\s\d]+$/, '')
