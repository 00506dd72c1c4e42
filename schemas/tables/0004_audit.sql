-- The audit: what people did by hand, and why.
--
-- `begun` is written before anything is sent, `done` when Kafka has acknowledged it. Nothing is changed or taken
-- out. An action has its name from its meaning: whoever does it again, after a crash or at the same time, adds
-- nothing, and the earliest row of a step counts. `desk_audit` has one row an action; without `done_at` nobody knows
-- whether the event was sent, and doing the same again is safe.

CREATE TABLE IF NOT EXISTS dunghan.audit
(
    audit_id UUID COMMENT 'Name of the action, the same when it is done again',
    step LowCardinality(String) COMMENT 'begun: nothing was sent yet; done: the broker has acknowledged the event',
    at DateTime64(6, 'UTC') COMMENT 'When' CODEC(Delta, ZSTD(1)),
    by String COMMENT 'Who: the user of the machine, or the name that was given with --by' CODEC(ZSTD(1)),
    action LowCardinality(String) COMMENT 'resend: a dead letter went back onto the events; void: an event was taken back',
    record String COMMENT 'The dead letter (topic/partition/offset of the refused record), or the id of the event that is voided' CODEC(ZSTD(1)),
    record_sha256 FixedString(64) COMMENT 'Hash of the bytes of that record',
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    event_id String COMMENT 'Id of the event that is sent' CODEC(ZSTD(1)),
    sha256 FixedString(64) COMMENT 'Hash of the bytes that are sent: another one than record_sha256 was edited',
    reason LowCardinality(String) COMMENT 'Of a resend why the letter had been buried, of a void the code that was given',
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(at)
        COMMENT 'Higher for the earlier row, which counts' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (audit_id, step)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0
COMMENT 'Every step of what was done by hand';

CREATE OR REPLACE VIEW dunghan.desk_audit
DEFINER = default SQL SECURITY DEFINER
AS
SELECT
    min(written.at) AS at,
    argMin(written.by, written.at) AS by,
    any(written.action) AS action,
    any(written.record) AS record,
    any(written.dossier_code) AS dossier_code,
    any(written.event_id) AS event_id,
    argMin(written.reason, written.at) AS reason,
    any(written.record_sha256) != argMin(written.sha256, written.at) AND action = 'resend' AS edited,
    minOrNullIf(written.at, written.step = 'done') AS done_at,
    audit_id
FROM dunghan.audit AS written FINAL
GROUP BY audit_id;
