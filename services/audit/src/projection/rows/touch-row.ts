import type { Touch } from '@countersign/contracts'
import type { Place } from '../place.ts'
import type { StatementRow } from './statement-row.ts'

export type TouchRow = Readonly<ReturnType<typeof touchRow>>

/** What a settled statement touched, with enough of the statement that no join is needed to say who and when. */
export const touchRow = (touch: Touch, index: number, statement: StatementRow, place: Place) => ({
  environment: statement.environment,
  db_namespace: statement.db_namespace,
  relation: touch.relation,
  column: touch.column ?? '',
  how: touch.how as string,
  class: touch.class ?? '',
  statement_id: statement.statement_id,
  touch_index: index,
  session_id: statement.session_id,
  principal_id: statement.principal_id,
  principal_kind: statement.principal_kind,
  person: statement.person,
  on_behalf_of: statement.on_behalf_of,
  principal_groups: statement.principal_groups,
  db_role: statement.db_role,
  verdict: statement.verdict,
  outcome: statement.outcome,
  request_id: statement.request_id,
  reason: statement.reason,
  ticket: statement.ticket,
  db_response_returned_rows: statement.db_response_returned_rows,
  rows_affected: statement.rows_affected,
  started_at: statement.started_at,
  ended_at: statement.ended_at,
  log_topic: place.topic as string,
  settled_partition: place.partition,
  settled_offset: place.offset,
})
