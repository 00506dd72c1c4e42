-- Office hours, for what drifts: views add the working time since a segment began.
--
-- `dunghan migrate` fills both tables from the configuration and replaces each of them at once when the
-- calendars have changed. The dictionaries hold them in memory, so that a view finds a working time by two
-- searches, in any expression; they log in as `default` from this machine, and are reloaded by `migrate`
-- and, in case that was missed, every few minutes.

CREATE TABLE IF NOT EXISTS dunghan.calendar_hours
(
    calendar LowCardinality(String) COMMENT 'A processing calendar as it is in force for a while: its name, then vn@2, vn@3 …',
    opens_at DateTime64(6, 'UTC') COMMENT 'An opening' CODEC(Delta, ZSTD(1)),
    closes_at DateTime64(6, 'UTC') COMMENT 'The closing after it' CODEC(Delta, ZSTD(1)),
    next_opens_at DateTime64(6, 'UTC') COMMENT 'The opening after that' CODEC(Delta, ZSTD(1)),
    worked_before_seconds Decimal64(6) COMMENT 'Working time before this opening; only differences mean something' CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
ORDER BY (calendar, opens_at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The open hours of every processing calendar';

CREATE TABLE IF NOT EXISTS dunghan.unit_calendars
(
    unit String COMMENT 'A unit; empty: every unit that is not named',
    begins DateTime64(6, 'UTC') COMMENT 'From when on',
    ends DateTime64(6, 'UTC') COMMENT 'Until when, that instant not included',
    calendar LowCardinality(String) COMMENT 'The calendar by which its time is counted, as calendar_hours names it'
)
ENGINE = MergeTree
ORDER BY (unit, begins)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'The processing calendar of every unit, at every time';

CREATE DICTIONARY IF NOT EXISTS dunghan.hours
(
    calendar String,
    opens_at DateTime64(6, 'UTC'),
    next_opens_at DateTime64(6, 'UTC'),
    opened_at DateTime64(6, 'UTC'),
    closes_at DateTime64(6, 'UTC'),
    worked_before_seconds Decimal64(6)
)
PRIMARY KEY calendar
SOURCE(CLICKHOUSE(QUERY 'SELECT calendar, opens_at, next_opens_at, opens_at AS opened_at, closes_at, worked_before_seconds FROM dunghan.calendar_hours'))
LIFETIME(MIN 240 MAX 300)
LAYOUT(COMPLEX_KEY_RANGE_HASHED(RANGE_LOOKUP_STRATEGY 'max'))
RANGE(MIN opens_at MAX next_opens_at)
COMMENT 'calendar_hours in memory';

CREATE DICTIONARY IF NOT EXISTS dunghan.units
(
    unit String,
    begins DateTime64(6, 'UTC'),
    ends DateTime64(6, 'UTC'),
    calendar String
)
PRIMARY KEY unit
SOURCE(CLICKHOUSE(QUERY 'SELECT unit, begins, ends, calendar FROM dunghan.unit_calendars'))
LIFETIME(MIN 240 MAX 300)
LAYOUT(COMPLEX_KEY_RANGE_HASHED(RANGE_LOOKUP_STRATEGY 'max'))
RANGE(MIN begins MAX ends)
COMMENT 'unit_calendars in memory';
