"""The views `desk_feeds` and `desk_sources`: who was heard of, who is silent, who sends what cannot be used."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agents.drivers.clickhouse import INSERT
from agents.drivers.local import Services
from agents.rows import COLUMNS, DEAD_LETTERS, FEEDS, SILENCES, Row, dead_letter_row, heard_row, silence_row
from schemas.dossier import DeadLetter
from schemas.feed import Heard, Silence
from tests.hanoi import at
from tests.tables import Tables, fresh_tables

pytestmark = pytest.mark.system

NINE, TEN, ELEVEN = at("2026-03-02T09:00"), at("2026-03-02T10:00"), at("2026-03-02T11:00:01")


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


@pytest.fixture
def tables(database: Tables) -> Tables:
    database.empty()
    return database


def store(tables: Tables, table: str, *rows: Row) -> None:
    names = ", ".join(COLUMNS[table])
    tables.client.execute(f"INSERT INTO {tables.database}.{table} ({names}) VALUES", list(rows), settings=INSERT)


def heard(when: datetime, *, unit: str = "H26.12", source: str = "portal", partition: int = 0) -> Row:
    return heard_row(Heard(unit, source, partition, when, when - timedelta(seconds=1.5)))


def refused(offset: int, source: str, when: datetime, reason: str = "naive_time") -> Row:
    return dead_letter_row(DeadLetter("dossier.events.v1", 0, offset, reason, "why", 10, "0" * 64, when, source=source))


def test_a_feed_is_as_old_as_the_last_sign_of_life_on_any_partition_in_any_order(tables: Tables) -> None:
    store(tables, FEEDS, heard(TEN, partition=3), heard(NINE, partition=1))
    store(tables, FEEDS, heard(NINE, partition=3))  # an older record that comes late
    (feed,) = tables.rows("desk_feeds")
    assert (feed["unit"], feed["source"], feed["heard_at"]) == ("H26.12", "portal", TEN)
    assert (feed["lag_seconds"], feed["silent"], feed["silent_since"]) == (Decimal("1.5"), False, None)


def test_a_clock_that_is_ahead_is_a_negative_lag(tables: Tables) -> None:
    store(tables, FEEDS, heard_row(Heard("H26.12", "", 0, NINE, NINE + timedelta(microseconds=250))))
    assert [feed["lag_seconds"] for feed in tables.rows("desk_feeds")] == [Decimal("-0.000250")]


def test_a_unit_is_silent_until_one_of_its_sources_is_heard_again(tables: Tables) -> None:
    store(tables, FEEDS, heard(NINE), heard(at("2026-03-02T08:00"), source="post"), heard(NINE, unit="H26.13"))
    store(tables, SILENCES, silence_row(Silence("H26.12", NINE, ELEVEN)))

    def silent() -> dict[tuple[object, object], object]:
        return {(feed["unit"], feed["source"]): feed["silent_since"] for feed in tables.rows("desk_feeds")}

    assert silent() == {("H26.12", "portal"): ELEVEN, ("H26.12", "post"): ELEVEN, ("H26.13", "portal"): None}
    store(tables, FEEDS, heard(at("2026-03-02T13:30"), source="post", partition=2))
    assert set(silent().values()) == {None}


def test_the_last_silence_counts_and_all_are_kept(tables: Tables) -> None:
    afternoon = at("2026-03-02T15:00")
    store(tables, FEEDS, heard(afternoon))
    store(
        tables,
        SILENCES,
        silence_row(Silence("H26.12", afternoon, at("2026-03-03T08:00:01"))),
        silence_row(Silence("H26.12", NINE, ELEVEN)),
        silence_row(Silence("H26.12", NINE, ELEVEN)),
    )
    assert [feed["silent_since"] for feed in tables.rows("desk_feeds")] == [at("2026-03-03T08:00:01")]
    assert [row["heard_at"] for row in tables.rows("silences")] == [NINE, afternoon]


def test_what_a_source_sent_that_cannot_be_used_stands_beside_its_feeds(tables: Tables) -> None:
    now = datetime.now(UTC)
    store(tables, FEEDS, heard(NINE), heard(NINE, unit="H26.13"), heard(NINE, source="post"))
    store(
        tables,
        DEAD_LETTERS,
        refused(1, "portal", now - timedelta(hours=2)),
        refused(2, "portal", now - timedelta(hours=1), "unknown_status"),
        refused(3, "portal", now - timedelta(days=3), "unreadable"),
        refused(4, "", now),
    )
    feeds = {(feed["unit"], feed["source"]): feed for feed in tables.rows("desk_feeds")}
    assert {name: feed["refused_in_a_day"] for name, feed in feeds.items()} == {
        ("H26.12", "portal"): 2,
        ("H26.13", "portal"): 2,
        ("H26.12", "post"): 0,
    }
    assert feeds["H26.12", "portal"]["last_refused_at"] == now - timedelta(hours=1)
    assert feeds["H26.12", "post"]["last_refused_at"] is None
    sources = {row["source"]: row for row in tables.rows("desk_sources")}
    assert sources.keys() == {"", "portal", "post"}
    portal, nobody = sources["portal"], sources[""]
    assert (portal["units"], portal["refused"], portal["refused_in_a_day"]) == (2, 3, 2)
    assert portal["reasons_in_a_day"] == ["naive_time", "unknown_status"]
    assert (nobody["units"], nobody["heard_at"], nobody["last_refused_at"]) == (0, None, now)
