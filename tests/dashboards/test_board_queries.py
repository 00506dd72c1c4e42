"""Every ClickHouse query of every board, as Grafana sends it, on a real ClickHouse with known dossiers."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from clickhouse_driver import Client

from agents.drivers.clickhouse import INSERT
from agents.drivers.local import Services
from agents.rows import ASSESSMENTS, COLUMNS, assessment_rows
from dashboards import queries, words
from dashboards.words import Standing
from schemas.dossier import Judgement
from schemas.event import Event
from schemas.limits import Limit, LimitRule, Match, NearDue
from streams.history import History, add
from streams.verdict import assess
from tests.dashboards.test_boards import BOARDS, shown
from tests.hanoi import at, event, rules
from tests.tables import Tables, fresh_tables

pytestmark = pytest.mark.system

STATEMENTS = [
    pytest.param(target["rawSql"], id=panel["title"])
    for board in BOARDS.values()
    for panel in shown(board)
    for target in panel["targets"]
    if "rawSql" in target
]
#: Tuesday morning; every dossier has five working days, and is near due in the last two.
NOW = at("2026-03-10T09:00")
OFFICE = rules(LimitRule(Match(), Limit(value=5, unit="working_day"), NearDue(working_days=2)))


def events(*told: tuple[int, str]) -> list[Event]:
    return [event(status, when) for status, when in told]


#: One dossier of each standing.
DOSSIERS: Mapping[Standing, list[Event]] = {
    "in_time": events((2, "2026-03-10T08:00")),
    "near_due": events((2, "2026-03-04T10:00")),
    "due_today": events((2, "2026-03-03T10:00")),
    "overdue": events((2, "2026-02-23T09:00"), (4, "2026-02-24T09:00")),
    "paused": events((2, "2026-03-09T09:00"), (5, "2026-03-09T11:00")),
    "early": events((2, "2026-03-02T09:00"), (9, "2026-03-03T09:00")),
    "on_time": events((2, "2026-03-02T09:00"), (9, "2026-03-09T09:00")),
    "finished_overdue": events((2, "2026-02-23T09:00"), (9, "2026-03-09T09:00")),
    "withdrawn": events((2, "2026-03-09T09:00"), (7, "2026-03-09T10:00")),
    "without_deadline": events((1, "2026-03-09T09:00")),
}


@pytest.fixture(scope="module")
def tables(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


def store(tables: Tables, *, now: datetime = NOW) -> None:
    """All these dossiers as archive writes them."""
    tables.empty()
    rows: list[tuple[object, ...]] = []
    for number, told in enumerate(DOSSIERS.values(), start=1):
        history = History(f"H26.12-260302-{number:04d}")
        for one in told:
            history = add(history, replace(one, dossier_code=history.dossier_code))
        answer = assess(history, OFFICE, now=now)
        rows += assessment_rows(Judgement(answer, len(answer.cycles)))
    names = ", ".join(f"`{name}`" for name in COLUMNS[ASSESSMENTS])
    tables.client.execute(f"INSERT INTO {tables.database}.assessments ({names}) VALUES", rows, settings=INSERT)


def asked(tables: Tables, sql: str) -> tuple[list[dict[str, object]], dict[str, str]]:
    """The rows by the names of their columns, and the types of these; asked as somebody who may only read."""
    settings = tables.settings
    with Client(
        settings.clickhouse_host, settings.clickhouse_port, user=settings.clickhouse_user, database=tables.database
    ) as client:
        rows, columns = client.execute(sql, with_column_types=True, settings={"readonly": 1})
    return [dict(zip((name for name, _ in columns), row, strict=True)) for row in rows], dict(columns)


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_query_runs_and_has_only_types_that_the_plugin_shows(tables: Tables, sql: str) -> None:
    store(tables)
    rows, types = asked(tables, sql)
    assert rows
    known = ("String", "UInt64", "Int64", "Float64", "DateTime('UTC')", "Nullable(UInt64)", "Nullable(Int64)")
    assert set(types.values()) <= {*known, "Nullable(DateTime('UTC'))", "LowCardinality(String)"}


@pytest.mark.parametrize("sql", STATEMENTS)
def test_a_query_on_an_empty_database_says_that_there_is_nothing(tables: Tables, sql: str) -> None:
    tables.empty()
    rows, _ = asked(tables, sql)
    assert all(value is None for row in rows for value in row.values())


def test_every_dossier_is_counted_once_where_it_stands(tables: Tables) -> None:
    store(tables)
    (row,), _ = asked(tables, queries.BY_UNIT)
    counted = {standing: row[word] for standing, word in words.STANDINGS.items()}
    assert counted == dict.fromkeys(words.STANDINGS, 1)
    assert (row[words.UNIT], row[words.TOTAL]) == ("H26.12", len(DOSSIERS))
    (open_now,), _ = asked(tables, queries.OPEN_NOW)
    assert open_now == {words.STANDINGS[standing]: 1 for standing in words.OPEN}


def test_the_slowest_are_named_by_the_end_of_their_codes_alone(tables: Tables) -> None:
    store(tables)
    (row,), _ = asked(tables, queries.SLOWEST)
    number = list(DOSSIERS).index("overdue") + 1
    assert row[words.CODE] == f"…{number:04d}"
    assert not any("260302" in str(value) for value in row.values())
    assert row[words.DUE] == at("2026-03-02T17:00")


def test_the_newest_event_is_as_old_as_it_is(tables: Tables) -> None:
    store(tables)
    (row,), _ = asked(tables, queries.LAST_EVENT)
    newest = max(one.at for told in DOSSIERS.values() for one in told)
    age = datetime.now(UTC) - newest
    assert abs(int(str(row[words.LAST_EVENT])) - age.total_seconds()) < 60
