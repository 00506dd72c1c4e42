"""Inserts that fail halfway, or succeed unheard, or are refused for now: the same rows in the end, each once."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from clickhouse_driver.errors import ErrorCodes

from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.local import Services
from agents.drivers.memory import MemoryLease
from agents.gatherer import Gatherer
from agents.rows import COLUMNS, DEAD_LETTERS, EVENTS, Row, event_row
from agents.telemetry import Meters
from schemas.errors import Unavailable
from tests.contracts.test_facts import letter
from tests.hanoi import event
from tests.system.faults.wire import Wire, wire_to
from tests.tables import Tables, fresh_tables

pytestmark = pytest.mark.system


@pytest.fixture
def tables(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


@pytest.fixture
def wire(tables: Tables) -> Iterator[Wire]:
    with wire_to(tables.settings.clickhouse_port) as wire:
        yield wire


def facts_over(wire: Wire, tables: Tables) -> ClickHouseFacts:
    return ClickHouseFacts(tables.settings.model_copy(update={"clickhouse_port": wire.port}), answer_seconds=1)


async def stored(tables: Tables, table: str) -> list[dict[str, object]]:
    return await asyncio.to_thread(tables.rows, table)


async def test_an_insert_that_was_done_unheard_is_done_again_and_every_row_is_there_once(
    tables: Tables, wire: Wire
) -> None:
    rows = [letter(offset) for offset in range(100)]
    async with facts_over(wire, tables) as facts:
        wire.deaf = True
        with pytest.raises(Unavailable) as refused:
            await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], rows)
        assert refused.value.reason == "clickhouse_unavailable"
        wire.deaf = False
        await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], rows)
    assert [row["offset"] for row in await stored(tables, DEAD_LETTERS)] == list(range(100))


@pytest.mark.parametrize("after", [0, 2_000, 100_000])
async def test_an_insert_whose_connection_breaks_at_any_byte_is_done_again_and_nothing_is_lost(
    tables: Tables, wire: Wire, after: int
) -> None:
    rows = [letter(offset) for offset in range(20_000)]
    async with facts_over(wire, tables) as facts:
        wire.cut_after = after
        with pytest.raises(Unavailable):
            await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], rows)
        assert wire.cut_after < 0
        wire.cut_after = None
        await facts.insert(DEAD_LETTERS, COLUMNS[DEAD_LETTERS], rows)
    assert [row["offset"] for row in await stored(tables, DEAD_LETTERS)] == list(range(20_000))


def _of_years(*years: int) -> list[Row]:
    return [event_row(event(2, f"{year}-03-02T09:00", event_id=f"{year}")) for year in years]


async def test_a_batch_of_which_a_part_is_refused_is_held_and_whole_when_it_is_sent_again(tables: Tables) -> None:
    """A batch over two partitions is two parts, and ClickHouse may take the first and refuse the second."""
    async with ClickHouseFacts(tables.settings) as facts:
        await facts.insert(EVENTS, COLUMNS[EVENTS], _of_years(2025))
        _limit_parts(tables, 1)  # of 2025 there is one already; 2024 has none
        with pytest.raises(Unavailable) as refused:
            await facts.insert(EVENTS, COLUMNS[EVENTS], [*_of_years(2024), *_of_years(2025, 2025)])
        assert refused.value.reason == "clickhouse_busy"
        _limit_parts(tables, 3_000)
        await facts.insert(EVENTS, COLUMNS[EVENTS], [*_of_years(2024), *_of_years(2025, 2025)])
    assert [row["event_id"] for row in await stored(tables, EVENTS)] == ["2024", "2025"]


async def test_too_many_parts_hold_the_archive_and_its_chunks_are_stored_when_there_are_fewer(tables: Tables) -> None:
    async with ClickHouseFacts(tables.settings) as facts:
        await facts.insert(EVENTS, COLUMNS[EVENTS], _of_years(2025))
        _limit_parts(tables, 1)
        gatherer = Gatherer(facts, Meters(), pace=0)
        chunks = [{EVENTS: _of_years(2025)}, {EVENTS: [event_row(replace(event(2, "2025-04-01T09:00"), event_id="x"))]}]
        said = await asyncio.gather(*(gatherer.write(chunk, MemoryLease()) for chunk in chunks), return_exceptions=True)
        assert [isinstance(each, Unavailable) and each.reason for each in said] == ["clickhouse_busy"] * 2
        _limit_parts(tables, 3_000)
        await asyncio.gather(*(gatherer.write(chunk, MemoryLease()) for chunk in chunks))
    assert [row["event_id"] for row in await stored(tables, EVENTS)] == ["2025", "x"]


def _limit_parts(tables: Tables, most: int) -> None:
    """ClickHouse refuses inserts into a partition that has so many parts."""
    assert ErrorCodes.TOO_MANY_PARTS == 252
    table = f"{tables.database}.{EVENTS}"
    tables.client.execute(
        f"ALTER TABLE {table} MODIFY SETTING parts_to_delay_insert = {most + 1}, parts_to_throw_insert = {most}"
    )
