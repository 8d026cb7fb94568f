-- What says whether capture was running: the life of each worker, and the times in which the log could not be written.
CREATE TABLE IF NOT EXISTS coverage
(
    worker         LowCardinality(String) COMMENT 'Worker process: `<node>/<worker>/<boot>`',
    node           LowCardinality(String) COMMENT 'Node that it belongs to',
    time           DateTime64(3, 'UTC') COMMENT 'When',
    what           LowCardinality(String) COMMENT '`started`, `heartbeat`, `stopped`, `degraded` (the log could not be written; statements are refused) or `recovered`',
    because        String COMMENT 'Why it stopped or degraded; empty otherwise',
    version        LowCardinality(String) COMMENT 'Version of the software; only with `started`',
    host           LowCardinality(String) COMMENT 'Machine that it runs on; only with `started`',
    process_id     Int64 COMMENT 'Process on that machine; only with `started`',
    sessions       Nullable(UInt64) COMMENT 'Open sessions; only with `heartbeat`',
    statements     Nullable(UInt64) COMMENT 'Statements intended since the worker started; only with `heartbeat`',
    policy_version LowCardinality(String) COMMENT 'Policy set in force; only with `heartbeat`',
    degraded_at    Nullable(DateTime64(3, 'UTC')) COMMENT 'When the log had become unwritable; only with `recovered`',
    refused        Nullable(UInt64) COMMENT 'Statements refused since then; only with `recovered`',
    log_topic      LowCardinality(String) COMMENT 'Topic of the record behind this row',
    log_partition  UInt32 COMMENT 'Partition of the record',
    log_offset     UInt64 COMMENT 'Offset of the record',
    event_index    UInt32 COMMENT 'Place of the event within its record, counted from 0',
    _ingested_at   DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (node, worker, time, log_partition, log_offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The coverage ledger: when each worker lived, and when it could not record and therefore refused.';

-- Verdicts of checking the log against its seals. Nothing writes it before there are seals.
CREATE TABLE IF NOT EXISTS integrity
(
    checked_at    DateTime64(3, 'UTC') COMMENT 'When it was checked',
    log_origin    LowCardinality(String) COMMENT 'Log that was checked, as its checkpoints name it',
    integrity     LowCardinality(String) COMMENT 'Whether the records are the ones that were sealed: `verified`, `failed` or `incomplete`',
    completeness  LowCardinality(String) COMMENT 'Whether none is missing: `verified`, `failed` or `incomplete`',
    tree_size     UInt64 COMMENT 'Leaves of the tree that was checked',
    root_hash     String COMMENT 'Root of the tree that was checked, in hexadecimal',
    checkpoint_at Nullable(DateTime64(3, 'UTC')) COMMENT 'When its checkpoint was signed',
    witnesses     Array(String) COMMENT 'Witnesses that cosigned the checkpoint',
    problems      Array(String) COMMENT 'What was found wrong, the first of each kind',
    log_topic     LowCardinality(String) COMMENT 'Topic of the record behind this row',
    log_partition UInt32 COMMENT 'Partition of the record',
    log_offset    UInt64 COMMENT 'Offset of the record',
    event_index   UInt32 COMMENT 'Place of the event within its record, counted from 0',
    _ingested_at  DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (log_origin, checked_at, log_partition, log_offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Verdicts of checking the log against its signed checkpoints: integrity and completeness, separately.';
