-- Settled statements by the minute in which they started. A minute's rows are computed anew from `statements` whenever
-- one of its statements has been settled; the row that counts more of them is the newer one.
CREATE TABLE IF NOT EXISTS statements_by_minute
(
    minute             DateTime('UTC') COMMENT 'Minute in which the statements started',
    environment        LowCardinality(String) COMMENT 'Environment of the database',
    db_namespace       LowCardinality(String) COMMENT 'Database, as clients name it (OpenTelemetry `db.namespace`)',
    node               LowCardinality(String) COMMENT 'Node that handled them',
    principal_id       LowCardinality(String) COMMENT 'Who sent them',
    principal_kind     LowCardinality(String) COMMENT '`person`, `service` or `agent`',
    db_operation_name  LowCardinality(String) COMMENT 'The command that the database reported; empty when it reported none',
    verdict            LowCardinality(String) COMMENT 'What policy said of them',
    outcome            LowCardinality(String) COMMENT 'How they ended',
    statements         UInt64 COMMENT 'How many',
    masked_statements  UInt64 COMMENT 'Those of them whose result was masked',
    returned_rows      UInt64 COMMENT 'Rows that clients were sent',
    rows_affected      UInt64 COMMENT 'Rows that they changed',
    bytes_returned     UInt64 COMMENT 'Bytes of result that clients were sent',
    understand_us      UInt64 COMMENT 'Microseconds to parse and classify them, in all',
    decide_us          UInt64 COMMENT 'Microseconds to decide them, in all',
    record_us          UInt64 COMMENT 'Microseconds until their intents were durable, in all',
    hold_us            UInt64 COMMENT 'Microseconds that they waited for a countersignature, in all',
    database_us        UInt64 COMMENT 'Microseconds that the database took, in all',
    total_us           UInt64 COMMENT 'Microseconds from arrival to the end of the answer, in all',
    total_us_max       UInt64 COMMENT 'The longest of them',
    total_us_p50       UInt64 COMMENT 'The median of them. Quantiles of several rows cannot be combined: compute those from `statements`',
    total_us_p99       UInt64 COMMENT 'The 99th percentile of them',
    _ingested_at       DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(statements)
PARTITION BY toYYYYMM(minute)
ORDER BY (minute, environment, db_namespace, node, principal_id, principal_kind, db_operation_name, verdict, outcome)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Settled statements by minute. A few seconds behind `statements`, and equal to it.';
