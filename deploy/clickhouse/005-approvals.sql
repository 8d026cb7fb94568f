-- One row per approval, with the phase that it is in.
CREATE TABLE IF NOT EXISTS approvals
(
    request_id              String COMMENT 'Unique name of the request, such as `rq_7k3m9x2c4d`',
    kind                    LowCardinality(String) COMMENT 'What is to be approved: `statement`',
    phase                   LowCardinality(String) COMMENT '`pending`, `granted`, `claimed`, `denied`, `expired`, `withdrawn` or `voided`',
    mode                    LowCardinality(String) COMMENT '`inline`: its client waits. `rerun`: its client may run the statement again once it is granted',
    statement_id            String COMMENT 'Statement that was held',
    session_id              String COMMENT 'Session of that statement',
    principal_id            LowCardinality(String) COMMENT 'Who acted, as the directory names them',
    principal_kind          LowCardinality(String) COMMENT '`person`, `service` or `agent`',
    person                  LowCardinality(String) COMMENT 'The human who is answerable: the person themselves, or the one that an agent acts for; empty for a service',
    on_behalf_of            LowCardinality(String) COMMENT 'Principal that an agent acts for; empty for everyone else',
    principal_groups        Array(LowCardinality(String)) COMMENT 'Groups that the principal was in when the session was opened',
    environment             LowCardinality(String) COMMENT 'Environment of the database',
    db_namespace            LowCardinality(String) COMMENT 'Database, as clients name it (OpenTelemetry `db.namespace`)',
    db_role                 LowCardinality(String) COMMENT 'Role that the statement would run as',
    db_query_text           String COMMENT 'The statement as people may read it' CODEC(ZSTD(3)),
    digest                  String COMMENT 'SHA-256 over the exact bytes and parameters: what is approved is this and nothing else',
    actions                 Array(LowCardinality(String)) COMMENT 'What the statement does',
    relations               Array(LowCardinality(String)) COMMENT 'Relations and other things that it names',
    counted_rows            Nullable(UInt64) COMMENT 'Rows that it would change: more than this at release voids the approval; null when they were not counted',
    counted_exactly         Bool COMMENT 'Whether that count is exact',
    policies                Array(LowCardinality(String)) COMMENT 'Policies that held it',
    policy_version          LowCardinality(String) COMMENT 'Version of the policy set that held it',
    catalogue_version       LowCardinality(String) COMMENT 'Version of the catalogue of sensitive columns then',
    held_because            String COMMENT 'One sentence for people: which rule held it',
    reason                  String COMMENT 'Reason that the client gave',
    ticket                  String COMMENT 'Ticket that the client gave',
    approver_groups         Map(String, Array(String)) COMMENT 'Groups that must each sign, with the people who were in them when the request was opened',
    quorum                  UInt64 COMMENT 'How many different people must sign in all',
    excluded                Array(String) COMMENT 'People who may not sign: the requester, and the human behind an agent',
    people_for              Array(String) COMMENT 'People whose vote to grant counted',
    people_against          Array(String) COMMENT 'People whose vote to deny counted',
    decision_reason         String COMMENT 'Why it was denied, withdrawn or voided, in a word or in the words of who decided',
    requested_at            Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was asked for',
    expires_at              Nullable(DateTime64(3, 'UTC')) COMMENT 'When it expires unless it is decided',
    granted_at              Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was granted; null when it was not',
    usable_until            Nullable(DateTime64(3, 'UTC')) COMMENT 'Until when the grant may be used',
    claimed_at              Nullable(DateTime64(3, 'UTC')) COMMENT 'When the grant was used, which it can be once; null when it was not',
    claimed_statement_id    String COMMENT 'Statement that the grant was used for; empty when it was not used',
    claimed_session_id      String COMMENT 'Session that the grant was used in; empty when it was not used',
    closed_at               Nullable(DateTime64(3, 'UTC')) COMMENT 'When it was denied, expired, withdrawn or voided, before or after it was granted; null when none of these',
    refused_claims          Map(String, String) COMMENT 'Statements that asked for the grant and were refused it, and why',
    log_topic               LowCardinality(String) COMMENT 'Topic of the records behind this row',
    last_partition          UInt32 COMMENT 'Partition of the record that changed it last',
    last_offset             UInt64 COMMENT 'Offset of the record that changed it last',
    _version                UInt64,
    _ingested_at            DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree(_version)
ORDER BY request_id
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per approval: what was asked, of whom, and what became of it.';

-- One row per vote, those that did not count included.
CREATE TABLE IF NOT EXISTS votes
(
    request_id              String COMMENT 'Request that was voted on',
    voted_at                DateTime64(3, 'UTC') COMMENT 'When',
    person                  LowCardinality(String) COMMENT 'Human who signed; empty when a principal without one tried to',
    voter                   LowCardinality(String) COMMENT 'Identity that they signed with',
    vote                    LowCardinality(String) COMMENT '`grant` or `deny`',
    counted                 Bool COMMENT 'Whether it counted',
    refused_because         LowCardinality(String) COMMENT 'Why it did not, such as `own-request`, `not-an-owner` or `expired`; empty when it counted',
    counted_for             Array(String) COMMENT 'Groups that it counted for',
    reason                  String COMMENT 'What the voter gave as a reason',
    channel                 LowCardinality(String) COMMENT 'Where it was cast: `cli`, `api`, `console` or `slack`',
    environment             LowCardinality(String) COMMENT 'Environment of the database of the request; empty when the request is unknown',
    db_namespace            LowCardinality(String) COMMENT 'Database of the request',
    requester_id            LowCardinality(String) COMMENT 'Principal whose statement it was',
    requester_person        LowCardinality(String) COMMENT 'Human who is answerable for that principal',
    digest                  String COMMENT 'Digest of the statement of the request',
    log_topic               LowCardinality(String) COMMENT 'Topic of the record behind this row',
    log_partition           UInt32 COMMENT 'Partition of the record',
    log_offset              UInt64 COMMENT 'Offset of the record',
    event_index             UInt32 COMMENT 'Place of the event within its record, counted from 0',
    _ingested_at            DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ReplacingMergeTree
ORDER BY (request_id, voted_at, log_partition, log_offset, event_index)
SETTINGS non_replicated_deduplication_window = 1000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'One row per vote on an approval, refused ones included.';
