-- One row per client connection.
CREATE TABLE IF NOT EXISTS sessions
(
    session_id              String COMMENT 'Unique name of the session; its upstream connection carries it in `application_name`',
    worker                  LowCardinality(String) COMMENT 'Worker process that served it: `<node>/<worker>/<boot>`',
    node                    LowCardinality(String) COMMENT 'Node that served it',
    principal_id            LowCardinality(String) COMMENT 'Who acted, as the directory names them',
    principal_kind          LowCardinality(String) COMMENT '`person`, `service` or `agent`',
    person                  LowCardinality(String) COMMENT 'The human who is answerable: the person themselves, or the one that an agent acts for; empty for a service',
    on_behalf_of            LowCardinality(String) COMMENT 'Principal that an agent acts for; empty for everyone else',
    principal_groups        Array(LowCardinality(String)) COMMENT 'Groups that the principal was in when the session was opened',
    credential_id           LowCardinality(String) COMMENT 'Credential that it signed in with',
    client_address          String COMMENT 'Address that the client connected from',
    client_port             Int64 COMMENT 'Port that the client connected from',
    application_name        String COMMENT 'What the client calls itself: a claim, not a fact',
    tls_version             LowCardinality(String) COMMENT 'TLS version of the connection; empty for a plain one from loopback',
    environment             LowCardinality(String) COMMENT 'Environment of the database',
    db_system_name          LowCardinality(String) COMMENT 'Kind of database (OpenTelemetry `db.system.name`)',
    db_namespace            LowCardinality(String) COMMENT 'Database, as clients name it (OpenTelemetry `db.namespace`)',
    db_role                 LowCardinality(String) COMMENT 'Role that the session works as in the database',
    server_address          LowCardinality(String) COMMENT 'Database server behind the node',
    server_process_id       Int64 COMMENT 'Process of the database server that serves the session',
    state                   LowCardinality(String) COMMENT '`open` or `closed`',
    closed_because          LowCardinality(String) COMMENT 'Why it ended, such as `client-terminated`, `revoked` or `node-died`; empty while it is open',
    statements              UInt64 COMMENT 'Statements that it intended, as the node counted them at its end; 0 while it is open',
    opened_at               DateTime64(3, 'UTC') COMMENT 'When it was opened',
    closed_at               Nullable(DateTime64(3, 'UTC')) COMMENT 'When it ended; null while it is open',
    log_topic               LowCardinality(String) COMMENT 'Topic of the records behind this row',
    opened_partition        UInt32 COMMENT 'Partition of the record that opened it',
    opened_offset           UInt64 COMMENT 'Offset of the record that opened it',
    closed_partition        Nullable(UInt32) COMMENT 'Partition of the record that closed it; null while it is open',
    closed_offset           Nullable(UInt64) COMMENT 'Offset of the record that closed it; null while it is open',
    _version                UInt8,
    _ingested_at            DateTime64(3, 'UTC') DEFAULT now64(3),

    INDEX by_session session_id TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX by_time opened_at TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(_version)
PARTITION BY toYYYYMM(opened_at)
ORDER BY (toStartOfHour(opened_at), person, principal_id, opened_at, session_id)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per session: a client connection through a node, who it belongs to and where it came from.';
