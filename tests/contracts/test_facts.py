"""The port `Facts`: acknowledged means there; unavailable is said within bounds, and a bug is not called that."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from clickhouse_driver.errors import ServerException

from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.local import Services
from agents.drivers.memory_tables import MemoryFacts
from agents.drivers.tables import fill_calendars, migrate
from agents.ports import Facts
from agents.rows import ALERTS, ASSESSMENTS, COLUMNS, DEAD_LETTERS, EVENTS, Row, alert_row, assessment_rows, event_row
from agents.settings import Settings
from schemas.dossier import Judgement
from schemas.errors import Unavailable
from schemas.limits import Limit
from streams.verdict import assess
from tests.agents.test_archive import an_alert
from tests.hanoi import at, event, history, rules
from tests.tables import asking, clickhouse_settings, fresh_tables


@dataclass
class Store:
    """A `Facts`, and what a test can look up in it."""

    facts: Facts
    read: Callable[[str], Awaitable[list[dict[str, object]]]]


@asynccontextmanager
async def memory_store() -> AsyncIterator[Store]:
    facts = MemoryFacts()

    async def read(table: str) -> list[dict[str, object]]:
        return facts.tables.get(table, [])

    yield Store(facts, read)


@asynccontextmanager
async def real_store(services: Services) -> AsyncIterator[Store]:
    with fresh_tables(services) as tables:
        async with ClickHouseFacts(tables.settings) as facts:

            async def read(table: str) -> list[dict[str, object]]:
                return await asyncio.to_thread(tables.rows, table)

            yield Store(facts, read)


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.system)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store."""
    if request.param == "memory":
        async with memory_store() as store:
            yield store
    else:
        async with real_store(request.getfixturevalue("services")) as store:
            yield store


def letter(offset: int) -> Row:
    return (
        "dossier.events.v1",
        3,
        offset,
        f"{offset:064d}",
        "unreadable",
        "no JSON",
        5,
        "portal",
        at("2026-03-02T09:00"),
    )


async def test_what_is_acknowledged_is_there(store: Store) -> None:
    rows = [letter(offset) for offset in range(300)]
    await store.facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], rows)
    stored = await store.read(DEAD_LETTERS)
    assert [tuple(row[name] for name in COLUMNS[DEAD_LETTERS]) for row in stored] == rows


async def test_many_may_insert_at_once(store: Store) -> None:
    inserts = [store.facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(offset)]) for offset in range(8)]
    await asyncio.gather(*inserts)
    assert {row["offset"] for row in await store.read(DEAD_LETTERS)} == set(range(8))


async def test_every_value_comes_back_as_it_was_to_the_microsecond(store: Store) -> None:
    events = [
        event(2, "2026-03-02T09:00:00.000001", event_id="ä\U0001f600", stage="tiếp nhận", due="2026-03-09T17:00"),
        event(4, "2026-03-03T09:00:00.999999", limit=Limit("working_day", 0.1), sequence=2**63 - 1, source="a"),
    ]
    told = Judgement(assess(history(*events), rules(), now=at("2026-03-30T09:00")), 2)
    table_rows = {
        EVENTS: [event_row(one) for one in events],
        ASSESSMENTS: [row for row in assessment_rows(told) if not row[2]],
        ALERTS: [alert_row(an_alert(found_late=True, stage="x"))],
    }
    for table, rows in table_rows.items():
        await store.facts.insert(table, COLUMNS[table], rows)
        stored = [tuple(_plain(row[name]) for name in COLUMNS[table]) for row in await store.read(table)]
        assert sorted(stored, key=str) == sorted((tuple(map(_plain, row)) for row in rows), key=str)


def _plain(value: object) -> object:
    """Numbers as numbers, names as text: a database knows no `StrEnum`, and a UUID is its text here."""
    if isinstance(value, list):
        return [_plain(part) for part in value]
    if isinstance(value, str) or type(value).__name__ == "UUID":
        return str(value)
    return float(value) if type(value).__name__ == "Decimal" else value  # type: ignore[arg-type]


async def test_the_memory_store_fails_when_told() -> None:
    facts = MemoryFacts()
    facts.fail_next(1)
    with pytest.raises(Unavailable):
        await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(1)])
    assert facts.tables == {}


async def test_a_server_that_does_not_listen_is_unavailable() -> None:
    async with ClickHouseFacts(Settings(clickhouse_port=1)) as facts:
        with pytest.raises(Unavailable) as refused:
            await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(1)])
    assert refused.value.reason == "clickhouse_unavailable"


@pytest.mark.system
async def test_a_user_who_may_not_log_in_is_unavailable_and_says_so(services: Services) -> None:
    async with ClickHouseFacts(clickhouse_settings(services, user="nobody")) as facts:
        with pytest.raises(Unavailable) as refused:
            await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(1)])
    assert refused.value.reason == "clickhouse_login"


@pytest.mark.system
@pytest.mark.parametrize(("table", "columns"), [("no_such_table", ("topic",)), ("dead_letters", ("no_such_column",))])
async def test_a_table_or_column_that_does_not_exist_is_a_bug(
    services: Services, table: str, columns: tuple[str, ...]
) -> None:
    async with real_store(services) as store:
        with pytest.raises(ServerException):
            await store.facts.insert(table, columns, [("x",)])
        await store.facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(1)])


@pytest.mark.system
async def test_a_value_that_does_not_fit_is_a_bug_and_writes_nothing(services: Services) -> None:
    async with real_store(services) as store:
        with pytest.raises(Exception, match=r"int|format|argument") as refused:
            await store.facts.insert(DEAD_LETTERS, ("topic", "partition"), [("t", 1), ("t", "x")])
        assert not isinstance(refused.value, Unavailable)
        assert await store.read(DEAD_LETTERS) == []


@pytest.mark.system
async def test_a_server_that_is_killed_or_frozen_is_unavailable_and_inserts_go_on_when_it_is_back(
    tmp_path: Path,
) -> None:
    server = Services(tmp_path).clickhouse_server
    server.start()
    try:
        server.wait_ready()
        settings = Settings(clickhouse_port=server.ports["native"], clickhouse_user="writer")
        with asking(settings) as client:
            migrate(client)
            fill_calendars(client, rules())
        async with ClickHouseFacts(settings, answer_seconds=1) as facts:

            async def insert(offset: int) -> None:
                await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], [letter(offset)])

            await insert(1)
            server.kill()
            await _refused_soon(insert(2))
            server.restart()
            await insert(2)
            server.freeze()
            await _refused_soon(insert(3))
            server.thaw()
            await insert(3)
        with asking(settings) as client:
            ((count,),) = client.execute("SELECT count() FROM dunghan.dead_letters FINAL")
        assert count == 3
    finally:
        server.kill()


async def _refused_soon(insert: Awaitable[None]) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable) as refused:
        await insert
    assert refused.value.reason == "clickhouse_unavailable"
    assert time.monotonic() - began < 8
