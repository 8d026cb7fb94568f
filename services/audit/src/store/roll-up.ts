import type { ClickHouseClient } from '@countersign/clickhouse'
import { TOPICS } from '@countersign/contracts'
import { clickhouseTime } from '../projection/place.ts'
import type { Positions } from './positions.ts'

/*
 * `statements_by_minute` is not added to: a minute is counted anew, from the statements themselves, each time one of
 * them has been settled. So it cannot count anything twice, whatever crashed and was written again.
 */

/** Counts these minutes anew, each given in milliseconds since 1970. */
export const rollUp = async (client: ClickHouseClient, minutes: Iterable<number>): Promise<void> => {
  for (const { from, to } of spansOf(minutes)) {
    await client.command({
      query: COUNT,
      query_params: { from: timeOf(from), to: timeOf(to) },
      clickhouse_settings: { max_partitions_per_insert_block: '0' },
    })
  }
}

export const MINUTE_MS = 60_000

/** The minute that a `started_at` belongs to. */
export const minuteOf = (startedAt: string): number =>
  Math.floor(Date.parse(`${startedAt.replace(' ', 'T')}Z`) / MINUTE_MS) * MINUTE_MS

/**
 * The minutes that may have been left uncounted: those of statements that were completed by what lies beyond `counted`
 * in the log, and has been written.
 */
export const uncountedMinutes = async (
  client: ClickHouseClient,
  written: Positions,
  counted: Positions,
): Promise<readonly number[]> => {
  const beyond = Object.keys(written[TOPICS.access] ?? {}).flatMap((partition) => {
    const next = counted[TOPICS.access]?.[Number(partition)] ?? 0
    return ['intended', 'settled'].map((end) => `${end}_partition = ${partition} AND ${end}_offset >= ${next}`)
  })
  if (beyond.length === 0) return []
  const query = `
    SELECT DISTINCT toInt64(toUnixTimestamp64Milli(toStartOfMinute(started_at)::DateTime64(3, 'UTC'))) AS minute
    FROM statements WHERE outcome != 'running' AND (${beyond.join(' OR ')})`
  const answer = await client.query({ query, format: 'JSONEachRow' })
  return (await answer.json<{ minute: number }>()).map(({ minute }) => minute)
}

interface Span {
  readonly from: number
  to: number
}

const GAP_MINUTES_MAX = 5
const SPAN_MINUTES_MAX = 60

/** Minutes that lie close together are counted in one go. */
const spansOf = (minutes: Iterable<number>): readonly Span[] => {
  const spans: Span[] = []
  for (const minute of [...new Set(minutes)].sort((a, b) => a - b)) {
    const last = spans.at(-1)
    const isNear = last && minute - last.to <= GAP_MINUTES_MAX * MINUTE_MS
    if (isNear && minute - last.from < SPAN_MINUTES_MAX * MINUTE_MS) last.to = minute + MINUTE_MS
    else spans.push({ from: minute, to: minute + MINUTE_MS })
  }
  return spans
}

const timeOf = (ms: number): string => clickhouseTime(new Date(ms).toISOString())

const COUNT = `
  INSERT INTO statements_by_minute
  (
      minute, environment, db_namespace, node, principal_id, principal_kind, db_operation_name, verdict, outcome,
      statements, masked_statements, returned_rows, rows_affected, bytes_returned,
      understand_us, decide_us, record_us, hold_us, database_us, total_us, total_us_max, total_us_p50, total_us_p99
  )
  SELECT
      toStartOfMinute(started_at) AS minute,
      environment, db_namespace, node, principal_id, principal_kind, db_operation_name, verdict, outcome,
      count(), countIf(notEmpty(masked_columns)), sum(db_response_returned_rows), sum(rows_affected), sum(bytes_returned),
      sum(understand_us), sum(decide_us), sum(record_us), sum(hold_us), sum(database_us), sum(total_us),
      max(total_us), quantileExact(0.5)(total_us), quantileExact(0.99)(total_us)
  FROM statements FINAL
  WHERE outcome != 'running'
    AND started_at >= {from:DateTime64(3, 'UTC')} AND started_at < {to:DateTime64(3, 'UTC')}
  GROUP BY minute, environment, db_namespace, node, principal_id, principal_kind, db_operation_name, verdict, outcome`
