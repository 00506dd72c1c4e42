-- Releases: until when, and on whose word, judges buried what most sources sent at once (`dunghan release`).

CREATE TABLE IF NOT EXISTS dunghan.releases
(
    until DateTime64(6, 'UTC') COMMENT 'Up to then what is refused is buried, however many sources send it' CODEC(ZSTD(1)),
    at DateTime64(6, 'UTC') COMMENT 'When it was said' CODEC(ZSTD(1)),
    by String COMMENT 'Who: the user of the machine, or the name that was given with --by' CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree
ORDER BY (until, at, by)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 0
COMMENT 'Every release of what judges held';

CREATE OR REPLACE VIEW dunghan.desk_releases
DEFINER = default SQL SECURITY DEFINER
AS
SELECT at, until, by FROM dunghan.releases FINAL;
