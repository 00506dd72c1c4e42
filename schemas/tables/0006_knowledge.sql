-- What was known when: the arrival of every event, and everything that judge said for the first time.
--
-- Both are written from the judgements, and writing them again adds nothing: the first arrival of an event counts, and
-- the first time that something was said. `desk_verdict_changes` tells what changed, before and after. A back-load
-- (a judge whose clock is not live) tells nobody anything, and so has no rows in `verdict_changes`.

CREATE TABLE IF NOT EXISTS dunghan.arrivals
(
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    event_id String COMMENT 'Name of the event' CODEC(ZSTD(1)),
    digest FixedString(16) COMMENT 'Short hash of its content, as in events',
    seen_at SimpleAggregateFunction(min, DateTime64(3, 'UTC')) COMMENT 'When Kafka took it in first (LogAppendTime)' CODEC(Delta, ZSTD(1))
)
ENGINE = AggregatingMergeTree
ORDER BY (dossier_code, event_id, digest)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'When every event arrived; read it with FINAL';

-- The version is part of the key, so what was said of it first stays. A judge without its state, or one that went live
-- after a back-load, says once what stands: nobody knows what was said last, and the view leaves out what was no change.
CREATE TABLE IF NOT EXISTS dunghan.verdict_changes
(
    dossier_code String COMMENT 'The dossier' CODEC(ZSTD(1)),
    cycle UInt16 COMMENT 'Its run',
    version UInt128 COMMENT 'version_events, version_rules and version_as_of in one number' CODEC(ZSTD(1)),
    version_events UInt32 COMMENT 'Events that were known' CODEC(T64, ZSTD(1)),
    version_rules UInt32 COMMENT 'Version of the rules it was judged by' CODEC(T64, ZSTD(1)),
    version_as_of DateTime64(6, 'UTC') COMMENT 'Last instant at which the answer had changed' CODEC(ZSTD(1)),
    verdict LowCardinality(Nullable(String)) COMMENT 'The verdict from then on, null: there is no such cycle any more',
    level LowCardinality(Nullable(String)) COMMENT 'The level from then on',
    due Nullable(DateTime64(6, 'UTC')) COMMENT 'The due instant from then on; null without one, or while paused in time' CODEC(ZSTD(1)),
    cause LowCardinality(String) COMMENT 'events: they arrived; look: an instant came; rules: some came into force',
    causing_events Array(String) COMMENT 'Ids of the events that arrived' CODEC(ZSTD(1)),
    seen_at DateTime64(6, 'UTC') COMMENT 'When judge said so first' CODEC(ZSTD(1)),
    precedence UInt64 MATERIALIZED 18446744073709551615 - toUnixTimestamp64Micro(seen_at)
        COMMENT 'Higher for what was said earlier, which counts' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(precedence)
ORDER BY (dossier_code, cycle, version)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'What judge said of every cycle, and when; read it through desk_verdict_changes';

CREATE OR REPLACE VIEW dunghan.desk_verdict_changes
DEFINER = default SQL SECURITY DEFINER
AS
SELECT
    dossier_code,
    cycle,
    nullIf(verdict_said, '') AS verdict_before,
    nullIf(level_said, '') AS level_before,
    due_said AS due_before,
    verdict AS verdict_after,
    level AS level_after,
    due AS due_after,
    if(cause = 'look' AND told > 1 AND version_rules != rules_said, 'rules', cause) AS cause,
    causing_events,
    seen_at,
    version_events,
    version_rules,
    version_as_of
FROM
(
    SELECT
        *,
        row_number() OVER said AS told,
        lagInFrame(ifNull(toString(verdict), '')) OVER said AS verdict_said,
        lagInFrame(ifNull(toString(level), '')) OVER said AS level_said,
        lagInFrame(due) OVER said AS due_said,
        lagInFrame(version_rules) OVER said AS rules_said
    FROM dunghan.verdict_changes FINAL
    WINDOW said AS (PARTITION BY dossier_code, cycle ORDER BY version ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
WHERE (verdict_said, level_said) != (ifNull(toString(verdict), ''), ifNull(toString(level), ''))
    OR isNull(due_said) != isNull(due)
    OR due_said != due;
