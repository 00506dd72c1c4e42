-- Feeds: whether what happens at a unit still reaches us, and what each source sent that could not be used.
--
-- Keys and versions come from meaning, as in 0001_facts.sql: writing a row again changes nothing.

CREATE TABLE IF NOT EXISTS dunghan.feeds
(
    unit LowCardinality(String) COMMENT 'Processing unit',
    source LowCardinality(String) COMMENT 'Publishing system; empty where its events do not name it',
    partition UInt32 COMMENT 'Partition of the events on which it was heard: each is written by itself',
    version UInt128 COMMENT 'heard_at and at in one number' CODEC(ZSTD(1)),
    heard_at DateTime64(6, 'UTC') COMMENT 'When its last event reached the broker, or up to a 120th of the allowed silence before' CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'When that event happened, by the clock of the source' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (unit, source, partition)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'The last sign of life of each unit, source and partition; read it through desk_feeds';

-- Only judge can tell a silence: it knows the office hours, and whether we ourselves are behind.
CREATE TABLE IF NOT EXISTS dunghan.silences
(
    unit LowCardinality(String) COMMENT 'Processing unit',
    heard_at DateTime64(6, 'UTC') COMMENT 'Its last sign of life, feeds.heard_at: the silence is over as soon as there is a later one' CODEC(ZSTD(1)),
    since DateTime64(6, 'UTC') COMMENT 'From when on nobody could tell: silent for longer than the office allows' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(since)
ORDER BY (unit, heard_at)
SETTINGS index_granularity = 2048, fsync_after_insert = 1, fsync_part_directory = 1,
    non_replicated_deduplication_window = 0
COMMENT 'Every silence of every unit, for ever';

ALTER TABLE dunghan.dead_letters
    ADD COLUMN IF NOT EXISTS source LowCardinality(String)
        COMMENT 'Publishing system, as far as the record can be read; else empty' AFTER size;

-- One row a unit and source. `silent` is of the unit: while it is true nobody can tell how its dossiers stand.
CREATE OR REPLACE VIEW dunghan.desk_feeds
DEFINER = default SQL SECURITY DEFINER
AS
WITH
    heard AS
    (
        SELECT
            toString(unit) AS unit,
            toString(source) AS source,
            max(heard_at) AS last_heard_at,
            argMax(at, version) AS last_at
        FROM dunghan.feeds FINAL
        GROUP BY unit, source
    ),
    last_silence AS
    (
        SELECT toString(unit) AS unit, max(heard_at) AS silent_after, argMax(since, heard_at) AS since
        FROM dunghan.silences FINAL
        GROUP BY unit
    ),
    refused AS
    (
        SELECT toString(source) AS source, count() AS records, max(buried_at) AS last_buried_at
        FROM dunghan.dead_letters FINAL
        WHERE buried_at > now64(6, 'UTC') - INTERVAL 1 DAY
        GROUP BY source
    )
SELECT
    heard.unit AS unit,
    heard.source AS source,
    last_heard_at AS heard_at,
    last_at AS at,
    toDecimal64(dateDiff('microsecond', last_at, last_heard_at), 6) / 1000000 AS lag_seconds,
    last_silence.unit != '' AND silent_after >= max(last_heard_at) OVER (PARTITION BY heard.unit) AS silent,
    if(silent, since, NULL) AS silent_since,
    refused.records AS refused_in_a_day,
    if(refused_in_a_day > 0, last_buried_at, NULL) AS last_refused_at
FROM heard
LEFT JOIN last_silence ON last_silence.unit = heard.unit
LEFT JOIN refused ON refused.source = heard.source;

-- One row a source of which anything was heard or refused; the empty one sent what does not say where it is from.
CREATE OR REPLACE VIEW dunghan.desk_sources
DEFINER = default SQL SECURITY DEFINER
AS
SELECT
    source,
    sum(units_heard) AS units,
    max(last_heard_at) AS heard_at,
    sum(refusals) AS refused,
    max(last_buried_at) AS last_refused_at,
    sum(refusals_in_a_day) AS refused_in_a_day,
    arraySort(arrayDistinct(arrayFlatten(groupArray(why)))) AS reasons_in_a_day
FROM
(
    SELECT
        toString(source) AS source,
        uniqExact(unit) AS units_heard,
        toNullable(max(heard_at)) AS last_heard_at,
        0 AS refusals,
        CAST(NULL, 'Nullable(DateTime64(6, \'UTC\'))') AS last_buried_at,
        0 AS refusals_in_a_day,
        CAST([], 'Array(String)') AS why
    FROM dunghan.feeds FINAL
    GROUP BY source
    UNION ALL
    SELECT
        toString(source),
        0,
        NULL,
        count(),
        toNullable(max(buried_at)),
        countIf(buried_at > now64(6, 'UTC') - INTERVAL 1 DAY),
        groupUniqArrayIf(toString(reason), buried_at > now64(6, 'UTC') - INTERVAL 1 DAY)
    FROM dunghan.dead_letters FINAL
    GROUP BY source
)
GROUP BY source;
