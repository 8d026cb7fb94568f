import { TOPICS, type Topic } from '@countersign/contracts'
import type { Heads } from '@countersign/eventlog'
import type { ApprovalRow } from './rows/approval-row.ts'
import type { Rows } from './rows/index.ts'
import type { SessionRow } from './rows/session-row.ts'
import { RUNNING, type StatementRow } from './rows/statement-row.ts'

/**
 * What the projection remembers between batches. All of it can be had again from ClickHouse, so it may forget
 * anything at any time; what it remembers only saves asking.
 */
export interface Memory {
  readonly heads: Readonly<Record<Topic, Heads>>
  readonly sessions: Map<string, SessionRow>
  /** Those that are running, mostly. */
  readonly statements: Map<string, StatementRow>
  readonly approvals: Map<string, ApprovalRow>
  /** Whether an end was ever read before its beginning. Hardly ever; then each beginning has to be looked up. */
  sawEarly: boolean
}

export const emptyMemory = (sawEarly: boolean): Memory => ({
  heads: {
    [TOPICS.access]: new Map(),
    [TOPICS.approvals]: new Map(),
    [TOPICS.governance]: new Map(),
    [TOPICS.decisions]: new Map(),
    [TOPICS.seals]: new Map(),
  },
  sessions: new Map(),
  statements: new Map(),
  approvals: new Map(),
  sawEarly,
})

const ENTRIES_MAX = 20_000

/** After a batch: what has ended will not be asked for, and of the rest what was learnt first goes first. */
export const forget = (memory: Memory, { statements }: Rows): void => {
  for (const { statement_id, outcome } of statements) if (outcome !== RUNNING) memory.statements.delete(statement_id)
  for (const map of [...Object.values(memory.heads), memory.sessions, memory.statements, memory.approvals]) shorten(map)
}

const shorten = (map: Map<string, unknown>): void => {
  for (const key of map.keys()) {
    if (map.size <= ENTRIES_MAX) return
    map.delete(key)
  }
}
