-- Facts: what happened, what holds, what was told, what was refused.
--
-- Every row has its key from its meaning and may be written any number of times, in any order and in any
-- batches: a ReplacingMergeTree keeps one row a key, and FINAL shows that one. Nothing in a row drifts, and
-- nothing depends on when or in what company it was written.
--
-- Durations are Decimal64(6): seconds, exact to the microsecond, to be added, compared and read as they stand
-- (an Int64 of microseconds would be as exact, but every reader would have to divide). Instants are UTC.
-- `fsync_after_insert`: archive lets Kafka forget a record once ClickHouse has acknowledged its rows, so the
-- acknowledgement must survive a power cut. The deduplication window is off: retries are harmless without it.

CREATE DATABASE IF NOT EXISTS dunghan
ENGINE = Atomic;

CREATE TABLE IF NOT EXISTS dunghan.migrations
(
    number UInt16 COMMENT 'Number of the file in schemas/tables',
    name String COMMENT 'Its name',
    checksum FixedString(64) COMMENT 'SHA-256 of its text: a file that was applied may not change any more',
    applied_at DateTime64(6, 'UTC') COMMENT 'When it was applied'
)
ENGINE = ReplacingMergeTree
ORDER BY number
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The numbered files that made these tables';

-- The year of `at` is part of the content, the content is part of the key: a row cannot change its partition.
CREATE TABLE IF NOT EXISTS dunghan.events
(
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    event_id String COMMENT 'Name of the event, the same when it was sent again' CODEC(ZSTD(1)),
    digest FixedString(16) COMMENT 'Short hash of the content: two contents under one id are both kept, as evidence',
    at DateTime64(6, 'UTC') COMMENT 'When it happened' CODEC(Delta, ZSTD(1)),
    kind LowCardinality(String) COMMENT 'status, extension, letter or void',
    status Nullable(UInt8) COMMENT 'National status code 1 to 10, of kind status',
    procedure LowCardinality(Nullable(String)) COMMENT 'Procedure code, its first two groups',
    procedure_case LowCardinality(Nullable(String)) COMMENT 'Case of the procedure, where its limit depends on it',
    channel LowCardinality(Nullable(String)) COMMENT 'counter, online or post',
    receiving_unit LowCardinality(Nullable(String)) COMMENT 'Unit that took the dossier in',
    processing_unit LowCardinality(Nullable(String)) COMMENT 'Unit that has to finish it',
    stage LowCardinality(Nullable(String)) COMMENT 'Step within the unit',
    due Nullable(DateTime64(6, 'UTC')) COMMENT 'Appointment, or new due time, as the source sent it' CODEC(ZSTD(1)),
    limit_value Nullable(Float64) COMMENT 'Value of a limit that the source sent' CODEC(ZSTD(1)),
    limit_unit LowCardinality(Nullable(String)) COMMENT 'Unit of that limit',
    voids Nullable(String) COMMENT 'Event id that is cancelled, of kind void' CODEC(ZSTD(1)),
    reason LowCardinality(Nullable(String)) COMMENT 'Code of the reason of a pause, an extension or a stop',
    letter LowCardinality(Nullable(String)) COMMENT 'apology, of kind letter',
    staff Nullable(String) COMMENT 'Opaque id of a member of staff' CODEC(ZSTD(1)),
    source LowCardinality(Nullable(String)) COMMENT 'Publishing system',
    sequence Nullable(UInt64) COMMENT 'Its own counter' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(at)
ORDER BY (dossier_code, event_id, digest)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'Every accepted event, one row a content';

-- No partitions: everything but the key of a row can change with the next event.
-- Deleted rows stay (no cleanup): they keep an older row that comes late from standing up again.
CREATE TABLE IF NOT EXISTS dunghan.assessments
(
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    cycle UInt16 COMMENT 'Its run, from 1; a reopening begins the next',
    version UInt128 COMMENT 'version_events, version_rules and version_as_of in one number; the highest counts' CODEC(ZSTD(1)),
    is_deleted UInt8 COMMENT '1: the dossier has no such cycle (any more)' CODEC(ZSTD(1)),
    version_events UInt32 COMMENT 'Events in the history that was judged' CODEC(T64, ZSTD(1)),
    version_rules UInt32 COMMENT 'Version of the rules it was judged by' CODEC(T64, ZSTD(1)),
    version_as_of DateTime64(6, 'UTC') COMMENT 'Last instant at which the answer changed' CODEC(Delta, ZSTD(1)),
    status UInt8 COMMENT 'Code of the last status event',
    clock LowCardinality(String) COMMENT 'not_started, running, paused, stopped or never',
    verdict LowCardinality(String) COMMENT 'early, on_time, overdue, in_time, no_deadline, withdrawn, refused or not_started',
    verdict_766 LowCardinality(String) COMMENT 'Indicator 2.1 of QĐ 766/QĐ-TTg: on_time, overdue or not_counted',
    verdict_unextended LowCardinality(String) COMMENT 'The verdict with every later due date left out',
    level LowCardinality(String) COMMENT 'none, near_due, due_today, overdue or seriously_overdue',
    procedure LowCardinality(Nullable(String)) COMMENT 'Procedure code, its first two groups',
    procedure_case LowCardinality(Nullable(String)) COMMENT 'Case of the procedure',
    channel LowCardinality(Nullable(String)) COMMENT 'counter, online or post',
    receiving_unit LowCardinality(Nullable(String)) COMMENT 'Unit that took the dossier in',
    unit LowCardinality(Nullable(String)) COMMENT 'Unit that holds it, or held it last',
    stage LowCardinality(Nullable(String)) COMMENT 'Step within that unit',
    limit_applied LowCardinality(Nullable(String)) COMMENT 'The limit it is held to, null without one',
    exact Bool COMMENT 'Compared by instant; else by date',
    policy_version Nullable(UInt32) COMMENT 'Version of the limits it is judged by' CODEC(ZSTD(1)),
    rules_from Nullable(DateTime64(6, 'UTC')) COMMENT 'Since when these limits and calendars are in force together, null: always' CODEC(ZSTD(1)),
    received_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Start of the cycle' CODEC(ZSTD(1)),
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'End of the cycle, null while it is open' CODEC(ZSTD(1)),
    due_original Nullable(DateTime64(6, 'UTC')) COMMENT 'The appointment, else the computed due instant' CODEC(ZSTD(1)),
    due_current Nullable(DateTime64(6, 'UTC')) COMMENT 'The due instant now; null while paused in time' CODEC(ZSTD(1)),
    due_unextended Nullable(DateTime64(6, 'UTC')) COMMENT 'The due instant that pauses alone have moved' CODEC(ZSTD(1)),
    remaining_seconds Nullable(Decimal64(6)) COMMENT 'Working time left, in a pause only: else it drifts' CODEC(ZSTD(1)),
    current_since Nullable(DateTime64(6, 'UTC')) COMMENT 'Begin of the segment that goes on, null when none does' CODEC(ZSTD(1)),
    used_working_seconds Decimal64(6) COMMENT 'Running working time up to current_since, else to the end' CODEC(ZSTD(1)),
    used_paused_seconds Decimal64(6) COMMENT 'Paused working time up to then' CODEC(ZSTD(1)),
    used_off_seconds Decimal64(6) COMMENT 'Time outside office hours up to then, running or paused' CODEC(ZSTD(1)),
    used_late_working_seconds Decimal64(6) COMMENT 'Running working time after due_current up to then; 0 unless overdue' CODEC(ZSTD(1)),
    used_late_unextended_seconds Decimal64(6) COMMENT 'The same after due_unextended' CODEC(ZSTD(1)),
    breached_in LowCardinality(Nullable(String)) COMMENT 'Unit that held the dossier at the due instant, when overdue',
    look_again_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Next instant at which this changes by itself' CODEC(ZSTD(1)),
    flags Array(LowCardinality(String)) COMMENT 'What stands beside verdict and level, sorted' CODEC(ZSTD(1)),
    segments Nested
    (
        begin DateTime64(6, 'UTC'),
        end Nullable(DateTime64(6, 'UTC')),
        paused Bool,
        unit LowCardinality(Nullable(String)),
        stage LowCardinality(Nullable(String)),
        working_seconds Nullable(Decimal64(6))
    ) COMMENT 'Intervals with one holder and one state of the clock, without gaps; working time inside by the holder''s calendar' CODEC(ZSTD(1)),
    spans Nested
    (
        begin DateTime64(6, 'UTC'),
        end Nullable(DateTime64(6, 'UTC')),
        bucket LowCardinality(String),
        unit LowCardinality(Nullable(String))
    ) COMMENT 'Intervals in which the cycle stood in one bucket of the counts' CODEC(ZSTD(1)),
    levels Nested
    (
        level LowCardinality(String),
        begin DateTime64(6, 'UTC'),
        end Nullable(DateTime64(6, 'UTC')),
        due DateTime64(6, 'UTC')
    ) COMMENT 'Intervals in which the cycle stood on a level, and the due instant that it was held to' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (dossier_code, cycle)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'What holds for every cycle of every dossier; read it through desk_assessments';

-- The key holds version, action and content, so an alert keeps its whole story, and a record that was
-- repeated after a crash is there once.
CREATE TABLE IF NOT EXISTS dunghan.alerts
(
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    alert_id UUID COMMENT 'Name of the alert, from dossier, cycle, level and due instant' CODEC(ZSTD(1)),
    sequence UInt32 COMMENT 'Counts the actions on this alert: the last one holds' CODEC(T64, ZSTD(1)),
    action LowCardinality(String) COMMENT 'raise, replace, resolve, retract or retime',
    digest FixedString(16) COMMENT 'Short hash of the whole record',
    version UInt128 COMMENT 'version_events, version_rules and version_as_of in one number' CODEC(ZSTD(1)),
    version_events UInt32 COMMENT 'Events in the history that led to the action' CODEC(T64, ZSTD(1)),
    version_rules UInt32 COMMENT 'Version of the rules that led to it' CODEC(T64, ZSTD(1)),
    version_as_of DateTime64(6, 'UTC') COMMENT 'Last instant at which the answer had changed' CODEC(ZSTD(1)),
    cycle UInt16 COMMENT 'Its run',
    level LowCardinality(String) COMMENT 'The level that was reached',
    reason LowCardinality(String) COMMENT 'Why this action',
    at DateTime64(6, 'UTC') COMMENT 'The instant from which the level holds, or the action does' CODEC(ZSTD(1)),
    due DateTime64(6, 'UTC') COMMENT 'The due instant it is held to' CODEC(ZSTD(1)),
    due_original Nullable(DateTime64(6, 'UTC')) COMMENT 'The appointment, else the computed due instant' CODEC(ZSTD(1)),
    found_late Bool COMMENT 'We learned of it after its time',
    procedure LowCardinality(Nullable(String)) COMMENT 'Procedure code, its first two groups',
    unit LowCardinality(Nullable(String)) COMMENT 'Unit that holds the dossier',
    stage LowCardinality(Nullable(String)) COMMENT 'Step within that unit',
    policy_version Nullable(UInt32) COMMENT 'Version of the limits' CODEC(ZSTD(1)),
    rules_from Nullable(DateTime64(6, 'UTC')) COMMENT 'Since when the limits and calendars of its answer are in force together, null: always' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (dossier_code, alert_id, sequence, digest)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'Every action on every alert';

-- A record that is buried twice (a crash in between) keeps the time of its first burial.
CREATE TABLE IF NOT EXISTS dunghan.dead_letters
(
    topic LowCardinality(String) COMMENT 'Where the record stood',
    partition UInt32 COMMENT 'Its partition',
    offset UInt64 COMMENT 'Its place there' CODEC(Delta, ZSTD(1)),
    sha256 FixedString(64) COMMENT 'Hash of its bytes, which stand in the dead-letter topic alone',
    reason LowCardinality(String) COMMENT 'Why it was buried; an anchor in the runbook',
    detail String COMMENT 'The same in words, without any value of the record' CODEC(ZSTD(1)),
    size UInt32 COMMENT 'Bytes of its value',
    buried_at DateTime64(6, 'UTC') COMMENT 'When it was buried first' CODEC(ZSTD(1)),
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(buried_at)
        COMMENT 'Higher for the earlier burial, which counts' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (topic, partition, offset, sha256)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'Every record that was refused, without its bytes';
