-- What the projector needs to go on after any crash. Not public.

-- Up to where in the log everything has been written. Stored after what it speaks of.
CREATE TABLE IF NOT EXISTS _positions
(
    name         LowCardinality(String) COMMENT 'What has come that far: `rows` or `statements_by_minute`',
    topic        LowCardinality(String),
    partition    UInt32,
    next_offset  UInt64 COMMENT 'First offset that has not been dealt with',
    _ingested_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(next_offset)
ORDER BY (name, topic, partition)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Up to where in the log everything has been written.';

-- Ends that were read before their beginnings, which may lie in another partition: a settlement before its intent.
CREATE TABLE IF NOT EXISTS _early
(
    type         LowCardinality(String) COMMENT 'Type of the event',
    id           String COMMENT 'Statement or session that it ends',
    event        String COMMENT 'The event, as it would be written today, as JSON' CODEC(ZSTD(3)),
    topic        LowCardinality(String),
    partition    UInt32,
    offset       UInt64,
    event_index  UInt32,
    _ingested_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (type, id, topic, partition, offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Ends that were read before their beginnings.';
