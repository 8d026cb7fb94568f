import type { ApprovalRow } from './approval-row.ts'
import type { CoverageRow } from './coverage-row.ts'
import type { EventRow, QuarantineRow } from './event-row.ts'
import type { SessionRow } from './session-row.ts'
import type { StatementRow } from './statement-row.ts'
import type { TouchRow } from './touch-row.ts'
import type { VoteRow } from './vote-row.ts'

/** An end that was read before its beginning: kept until the beginning is read. */
export interface EarlyRow {
  readonly type: string
  readonly id: string
  /** The event as it would be written today, as JSON. */
  readonly event: string
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly event_index: number
}

/** What a batch of records becomes. The names are those of the tables (deploy/clickhouse). */
export interface Rows {
  readonly events: readonly EventRow[]
  readonly quarantine: readonly QuarantineRow[]
  readonly sessions: readonly SessionRow[]
  readonly statements: readonly StatementRow[]
  readonly touches: readonly TouchRow[]
  readonly approvals: readonly ApprovalRow[]
  readonly votes: readonly VoteRow[]
  readonly coverage: readonly CoverageRow[]
  readonly _early: readonly EarlyRow[]
}
