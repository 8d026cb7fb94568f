/*
 * deploy/clickhouse/README.md, made from the comments in the migrations as a real server gives them back. The spec
 * beside the views (store/public-views.live.spec.ts) keeps the file up to date.
 */

export interface DocumentedTable {
  readonly name: string
  readonly comment: string
  readonly columns: readonly DocumentedColumn[]
}

export interface DocumentedColumn {
  readonly name: string
  readonly type: string
  readonly comment: string
}

export interface Example {
  readonly question: string
  readonly sql: string
}

/** Questions that people ask, each of which the spec runs. */
export const EXAMPLES: readonly Example[] = [
  {
    question: 'What was held or denied today, and how did it end?',
    sql: `SELECT started_at, principal_id, person, db_namespace, db_query_text, verdict, outcome, request_id
FROM statements
WHERE verdict IN ('hold', 'deny') AND started_at >= today()
ORDER BY started_at DESC`,
  },
  {
    question: 'What did ana, or an agent on her behalf, do that day?',
    sql: `SELECT started_at, principal_id, db_query_summary, db_response_returned_rows, rows_affected, outcome
FROM statements
WHERE person = 'ana' AND started_at >= '2026-11-22' AND started_at < '2026-11-23'
ORDER BY started_at`,
  },
  {
    question: 'Who touched this table in the last week, and which columns did they see in clear?',
    sql: `SELECT person, principal_id, column, how, count() AS times, uniqExact(statement_id) AS statements
FROM touches
WHERE environment = 'demo' AND db_namespace = 'shop' AND relation = 'public.customers'
  AND started_at >= now() - INTERVAL 7 DAY
GROUP BY ALL ORDER BY times DESC`,
  },
  {
    question: 'Everything of one session, in order',
    sql: `SELECT sequence, started_at, db_query_text, verdict, outcome, total_us
FROM statements
WHERE session_id = '00000000-0000-4000-8000-000000000000'
ORDER BY sequence`,
  },
  {
    question: 'How long do statements take, and where does the time go?',
    sql: `SELECT minute, sum(statements) AS n, sum(total_us) / n AS mean_us, sum(record_us) / n AS record_us,
    sum(database_us) / n AS database_us, max(total_us_max) AS longest_us
FROM statements_by_minute
WHERE minute >= now() - INTERVAL 1 HOUR
GROUP BY minute ORDER BY minute`,
  },
  {
    question: 'Who tried to approve what they may not?',
    sql: `SELECT voted_at, person, voter, request_id, requester_person, refused_because
FROM votes WHERE NOT counted ORDER BY voted_at DESC`,
  },
  {
    question: 'When could statements not be recorded, so that they were refused?',
    sql: `SELECT worker, degraded_at, time AS recovered_at, refused FROM coverage WHERE what = 'recovered' ORDER BY time`,
  },
  {
    question: 'Is any record of the log missing here? (No row: none is.)',
    sql: `SELECT topic, partition, max(offset) - min(offset) + 1 - uniqExact(offset) AS missing
FROM events GROUP BY topic, partition HAVING missing > 0`,
  },
  {
    question: 'The event itself, for what has no column of its own',
    sql: `SELECT time, JSONExtractString(data, 'user') AS claimed_user, JSONExtractString(data, 'because') AS because
FROM events WHERE type = 'auth.failed' AND NOT void ORDER BY time DESC LIMIT 100`,
  },
]

export const tablesReadme = (tables: readonly DocumentedTable[]): string =>
  [INTRODUCTION, ...tables.map(tableText), '## Questions\n', ...EXAMPLES.map(exampleText)].join('\n')

const INTRODUCTION = `# The audit tables

*Made from the comments in the migrations beside this file. Do not edit it; run*
\`npx vitest run --project live services/audit/src/store/public-views -u\` *instead.*

What countersign records, for people who speak SQL. The tables are a contract: columns are added, and neither renamed nor
taken away. Names follow OpenTelemetry's \`db.*\` where it has one. All instants are UTC.

The tables below are views in the database that \`audit.clickhouse.database\` names (\`countersign\`). They are complete and
exact at any moment: a row that was written twice, after a crash, is one row here. The rows lie in a database beside it
(\`countersign_g1\`, after a rebuild \`countersign_g2\` and so on), which is not public, and neither are names that begin
with \`_\`. Whoever reads needs \`SELECT\` on \`countersign.*\` alone; the service needs all rights on \`countersign\` and
\`countersign_g*\`, and \`SELECT\` on \`system.databases\`, \`system.tables\` and \`system.columns\`.

Files \`NNN-name.sql\` are applied in the order of their numbers when the audit service starts, each once. One that was released
is never edited: a change is a new file, of statements that can be run twice.
`

const tableText = ({ name, comment, columns }: DocumentedTable): string =>
  [
    `## ${name}\n`,
    `${comment}\n`,
    '| column | type | |',
    '| --- | --- | --- |',
    ...columns.map(
      (column) => `| \`${column.name}\` | \`${column.type}\` | ${column.comment.replaceAll('|', '\\|')} |`,
    ),
    '',
  ].join('\n')

const exampleText = ({ question, sql }: Example): string => `${question}\n\n\`\`\`sql\n${sql}\n\`\`\`\n`
