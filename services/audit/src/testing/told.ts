import type { AuditDatabase } from '../store/generations.ts'
import type { Truth } from './story.ts'
import { select, type Row } from './test-server.ts'

/** What the tables say of a story, and what they must say: nothing missing, nothing twice, nothing made up. */
export interface Told {
  /** Statement, and how it ended. */
  readonly statements: readonly unknown[]
  readonly sessions: readonly unknown[]
  readonly approvals: readonly unknown[]
  readonly counts: Row | undefined
  /** Partitions in which an offset is missing. */
  readonly gaps: readonly Row[]
}

export const truthOf = ({ statements, sessions, approvals, ...counts }: Truth): Told => ({
  statements: sorted(statements),
  sessions: sorted(sessions),
  approvals: sorted(approvals),
  counts: { ...counts, nobody: 0 },
  gaps: [],
})

const sorted = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1))

export const toldBy = async (server: AuditDatabase): Promise<Told> => {
  const pairs = async (query: string) => (await select(server, query)).map(({ k, v }) => [k, v])
  const [statements, sessions, approvals, counts, gaps] = await Promise.all([
    pairs('SELECT statement_id AS k, outcome AS v FROM statements ORDER BY k'),
    pairs('SELECT session_id AS k, state AS v FROM sessions ORDER BY k'),
    pairs('SELECT request_id AS k, phase AS v FROM approvals ORDER BY k'),
    select(server, COUNTS),
    select(server, GAPS),
  ])
  return { statements, sessions, approvals, counts: counts[0], gaps }
}

const COUNTS = `
  SELECT
      (SELECT count() FROM touches) AS touches,
      (SELECT count() FROM votes) AS votes,
      (SELECT count() FROM coverage) AS coverage,
      (SELECT count() FROM quarantine) AS quarantine,
      (SELECT count() FROM events) AS events,
      (SELECT countIf(void) FROM events) AS voidEvents,
      (SELECT count() FROM statements WHERE principal_id = '' OR environment = '' OR worker = '') AS nobody`

const GAPS = `
  SELECT topic, partition, max(offset) + 1 - uniqExact(offset) AS missing
  FROM events GROUP BY topic, partition HAVING missing != 0`

/** The rollup as it is, and as the statements say it must be. */
export const rolledUp = async (server: AuditDatabase) => ({
  is: await select(server, 'SELECT * EXCEPT (total_us_p50, total_us_p99) FROM statements_by_minute ORDER BY ALL'),
  mustBe: await select(server, BY_MINUTE),
})

const BY_MINUTE = `
  SELECT
      toStartOfMinute(started_at) AS minute, environment, db_namespace, node, principal_id, principal_kind,
      db_operation_name, verdict, outcome, count() AS statements,
      countIf(length(masked_columns) > 0) AS masked_statements, sum(db_response_returned_rows) AS returned_rows,
      sum(s.rows_affected) AS rows_affected, sum(s.bytes_returned) AS bytes_returned,
      sum(s.understand_us) AS understand_us, sum(s.decide_us) AS decide_us, sum(s.record_us) AS record_us,
      sum(s.hold_us) AS hold_us, sum(s.database_us) AS database_us, sum(s.total_us) AS total_us,
      max(s.total_us) AS total_us_max
  FROM statements AS s WHERE outcome != 'running'
  GROUP BY minute, environment, db_namespace, node, principal_id, principal_kind, db_operation_name, verdict, outcome
  ORDER BY ALL`
