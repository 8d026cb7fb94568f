-- One row per relation or column that a statement read, wrote or returned.
CREATE TABLE IF NOT EXISTS touches
(
    environment             LowCardinality(String) COMMENT 'Environment of the database',
    db_namespace            LowCardinality(String) COMMENT 'Database, as clients name it (OpenTelemetry `db.namespace`)',
    relation                LowCardinality(String) COMMENT 'Relation that was touched, such as `public.customers`',
    column                  LowCardinality(String) COMMENT 'Column of it; empty when the relation as a whole was touched',
    how                     LowCardinality(String) COMMENT '`read`, `written`, `returned-clear` or `returned-masked`',
    class                   LowCardinality(String) COMMENT 'What the column holds, such as `email`; empty when it holds nothing sensitive',
    statement_id            String COMMENT 'Statement that touched it',
    touch_index             UInt32 COMMENT 'Place of this touch among those of the statement, counted from 0',
    session_id              String COMMENT 'Session of the statement',
    principal_id            LowCardinality(String) COMMENT 'Who acted, as the directory names them',
    principal_kind          LowCardinality(String) COMMENT '`person`, `service` or `agent`',
    person                  LowCardinality(String) COMMENT 'The human who is answerable: the person themselves, or the one that an agent acts for; empty for a service',
    on_behalf_of            LowCardinality(String) COMMENT 'Principal that an agent acts for; empty for everyone else',
    principal_groups        Array(LowCardinality(String)) COMMENT 'Groups that the principal was in when the session was opened',
    db_role                 LowCardinality(String) COMMENT 'Role that the statement ran as in the database',
    verdict                 LowCardinality(String) COMMENT 'What policy said of the statement',
    outcome                 LowCardinality(String) COMMENT 'How the statement ended',
    request_id              String COMMENT 'Approval that the statement ran under; empty when it needed none',
    reason                  String COMMENT 'Reason that the client gave',
    ticket                  String COMMENT 'Ticket that the client gave',
    db_response_returned_rows UInt64 COMMENT 'Rows that the statement returned',
    rows_affected           UInt64 COMMENT 'Rows that the statement changed',
    started_at              DateTime64(3, 'UTC') COMMENT 'When the statement was understood and decided',
    ended_at                DateTime64(3, 'UTC') COMMENT 'When the statement was settled',
    log_topic               LowCardinality(String) COMMENT 'Topic of the record behind this row',
    settled_partition       UInt32 COMMENT 'Partition of the record that holds the settlement',
    settled_offset          UInt64 COMMENT 'Offset of the record that holds the settlement',
    _ingested_at            DateTime64(3, 'UTC') DEFAULT now64(3),

    INDEX by_time started_at TYPE minmax GRANULARITY 1,
    INDEX by_statement statement_id TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX by_principal principal_id TYPE set(100) GRANULARITY 1,
    INDEX by_person person TYPE set(100) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(started_at)
ORDER BY (environment, db_namespace, relation, toStartOfHour(started_at), started_at, statement_id, touch_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per relation or column that a settled statement read, wrote or returned, masked or in clear.';
