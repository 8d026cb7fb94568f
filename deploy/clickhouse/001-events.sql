-- One row per event of the log: everything else in this database could be derived from here.
CREATE TABLE IF NOT EXISTS events
(
    topic        LowCardinality(String) COMMENT 'Topic of the log that the record lies in, such as `cs.access.v1`',
    partition    UInt32 COMMENT 'Partition of the topic',
    offset       UInt64 COMMENT 'Offset of the record within its partition',
    event_index  UInt32 COMMENT 'Place of the event within its record, counted from 0',
    time         DateTime64(3, 'UTC') COMMENT 'When the record was written, as its writer says (CloudEvents `time`)',
    source       LowCardinality(String) COMMENT 'Who wrote the record, as it says (CloudEvents `source`)',
    stream       String COMMENT 'Stream that the commit belongs to; empty when the record could not be read',
    revision     UInt64 COMMENT 'Place of the commit within its stream, counted from 1',
    commit_id    String COMMENT 'Unique name of the commit',
    type         LowCardinality(String) COMMENT 'Type of the event, such as `statement.intended`; empty when the record could not be read',
    version      UInt32 COMMENT 'Version of the contract that the event was written in',
    data         String COMMENT 'The event itself, as JSON; empty when the record could not be read' CODEC(ZSTD(3)),
    void         Bool COMMENT 'Another commit had taken this revision of the stream before: nothing in this one ever took effect',
    quarantined  Bool COMMENT 'No contract fits it: kept in `quarantine`, and not counted anywhere else',
    _ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),

    INDEX by_time time TYPE minmax GRANULARITY 1,
    INDEX by_type type TYPE set(100) GRANULARITY 1,
    INDEX by_stream stream TYPE bloom_filter(0.01) GRANULARITY 1
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(time)
ORDER BY (topic, partition, offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per event of the log, in the order of the log.';

-- Records and events that no contract fits, byte for byte.
CREATE TABLE IF NOT EXISTS quarantine
(
    topic         LowCardinality(String) COMMENT 'Topic of the log that the record lies in',
    partition     UInt32 COMMENT 'Partition of the topic',
    offset        UInt64 COMMENT 'Offset of the record within its partition',
    event_index   Int32 COMMENT 'Place of the event within its record, counted from 0; -1 when the record as a whole could not be read',
    time          DateTime64(3, 'UTC') COMMENT 'When the record was written, as its writer says',
    stream        String COMMENT 'Stream that the commit belongs to; empty when the record could not be read',
    type          String COMMENT 'Type that the event claims; empty when the record could not be read',
    version       UInt64 COMMENT 'Version that the event claims; 0 when the record could not be read',
    because       String COMMENT 'What is wrong with it: names of fields, never their values',
    record_key    String COMMENT 'Key of the record',
    headers       Map(String, String) COMMENT 'Headers of the record',
    digest        String COMMENT 'SHA-256 over the value of the record, in hexadecimal',
    bytes         UInt64 COMMENT 'Length of the value of the record',
    _value_base64 String EPHEMERAL,
    value         String DEFAULT base64Decode(_value_base64) COMMENT 'The value of the record, byte for byte' CODEC(ZSTD(3)),
    _ingested_at  DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Records and events that no contract fits. Kept for whoever can read them, and not counted anywhere else.';
