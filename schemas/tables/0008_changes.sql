-- Changes of rules: which alerts came from one, what each did to the alerts of a unit, and whose hours the views measure by.

ALTER TABLE dunghan.alerts
    ADD COLUMN IF NOT EXISTS change Nullable(UInt32) COMMENT 'Version of the rules, when a change of rules led to the action; else null' CODEC(ZSTD(1));

-- One row a unit and partition, when all its open dossiers have been judged by the new rules. A unit is told by the
-- sum over the partitions.
CREATE TABLE IF NOT EXISTS dunghan.changes
(
    change UInt32 COMMENT 'Version of the new rules' CODEC(T64, ZSTD(1)),
    partition UInt32 COMMENT 'Partition of the dossiers' CODEC(T64, ZSTD(1)),
    unit String COMMENT 'Unit that holds them; empty: none' CODEC(ZSTD(1)),
    raised UInt32 COMMENT 'Alerts that the change raised' CODEC(T64, ZSTD(1)),
    replaced UInt32 COMMENT 'Those that a higher level took the place of' CODEC(T64, ZSTD(1)),
    resolved UInt32 COMMENT 'Those that are over' CODEC(T64, ZSTD(1)),
    retracted UInt32 COMMENT 'Those that should never have been' CODEC(T64, ZSTD(1)),
    retimed UInt32 COMMENT 'Those that hold from another instant' CODEC(T64, ZSTD(1)),
    held UInt32 COMMENT 'Those that wait for a silent feed' CODEC(T64, ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (change, partition, unit)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0
COMMENT 'What every change of rules did to the alerts, by unit and partition';

-- Replaced together with calendar_hours and unit_calendars, after them.
CREATE TABLE IF NOT EXISTS dunghan.calendar_rules
(
    version UInt32 COMMENT 'Version of the rules whose calendars stand in calendar_hours and unit_calendars'
)
ENGINE = MergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Whose calendars the views measure by';
