"""What judge took is read again as judge took it: in the order of arrival, and no matter how long it was held."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agents.again import Again
from agents.clock import FixedClock, RealClock
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_past import KafkaPast
from agents.drivers.memory import MemoryRecord
from agents.known import Known, know
from agents.ports import Clock, Record
from schemas import topics
from schemas.dossier import Memory, dump
from schemas.event import Event, canonical
from schemas.stub import covering, names
from schemas.topics import Topic
from streams.history import History
from tests.hanoi import at, event, rules

PARTITIONS = 4
ARRIVED = at("2026-03-02T10:00")
FIRST = event(2, "2026-03-02T09:00", event_id="first")
EARLY = event(4, "2026-03-02T10:06", event_id="early")
MINE = partition_of(FIRST.dossier_code.encode(), PARTITIONS)


class Told(KafkaPast):
    """Topics on which these records stand."""

    def __init__(self, *records: MemoryRecord) -> None:
        self._records = records

    async def read(
        self, topic: Topic, partition: int, begin: int | None = None, end: int | None = None
    ) -> AsyncIterator[Record]:
        for record in self._records:
            if record.topic == topic.name and (end is None or record.offset < end):
                yield record


def record(one: Event, arrived: datetime = ARRIVED, *, offset: int = 0, topic: Topic = topics.EVENTS) -> MemoryRecord:
    return MemoryRecord(topic.name, MINE, offset, int(arrived.timestamp() * 1000), b"", canonical(one))


async def read(
    *records: MemoryRecord,
    known: Mapping[str, Known] | None = None,
    clock: Clock | None = None,
    ends: Mapping[str, int] | None = None,
) -> tuple[list[str], Again]:
    again = Again(rules(), clock or RealClock(), Told(*records), partitions=PARTITIONS)
    histories: dict[str, History] = {}
    found = [one.event_id async for one, _ in again.events(MINE, known or {}, histories, ends or {})]
    assert sorted(one.event_id for history in histories.values() for one in history.events) == sorted(found)
    return found, again


async def test_both_topics_come_in_the_order_of_arrival_up_to_where_judge_was() -> None:
    later = ARRIVED + timedelta(seconds=1)
    sent_on = replace(FIRST, event_id="sent on")
    records = (
        record(replace(FIRST, event_id="last"), later + timedelta(seconds=1), offset=1),
        record(replace(FIRST, event_id="beyond"), later + timedelta(seconds=2), offset=2),
        record(sent_on, later, topic=topics.REROUTED),
    )
    found, again = await read(record(FIRST), *records, ends={topics.EVENTS.name: 2})
    assert found == ["first", "sent on", "last"]
    assert (again.records, again.misplaced, again.refused) == (3, 0, {})


async def test_what_judge_refused_or_sent_on_is_left_out_and_counted() -> None:
    code = next(f"{FIRST.dossier_code}{n}" for n in range(99) if _elsewhere(f"{FIRST.dossier_code}{n}"))
    there = replace(FIRST, dossier_code=code)
    found, again = await read(
        record(there), record(there, topic=topics.REROUTED), record(EARLY), replace(record(FIRST), value=b"?")
    )
    assert found == []
    assert (again.records, again.misplaced) == (4, 1)
    assert again.refused == {"wrong_partition": 1, "future_time": 1, "unreadable": 1}


@pytest.mark.parametrize("evicted", [False, True])
async def test_an_event_that_was_held_until_it_was_no_future_counts_because_judge_has_it(evicted: bool) -> None:
    memory = Memory(EARLY.dossier_code, event=EARLY)
    kept = Memory(EARLY.dossier_code, stub=covering(3, names([memory.key()]))) if evicted else memory
    known = await know(MINE, {kept.key(): dump(kept)})
    found, again = await read(record(FIRST), record(EARLY), known=known)
    assert (found, again.refused) == (["first", "early"], {})
    assert (await read(record(replace(EARLY, event_id="another")), known=known))[1].refused == {"future_time": 1}


async def test_where_the_clock_stands_nothing_is_too_early() -> None:
    assert (await read(record(EARLY), clock=FixedClock(ARRIVED)))[0] == ["early"]


async def test_the_highest_cycle_is_known_from_its_record_or_from_the_stub() -> None:
    memories = [Memory("A", cycle=2), Memory("A", cycle=3), Memory("B", stub=covering(4, ())), Memory("C", rerouted=7)]
    known = await know(MINE, {memory.key(): dump(memory) for memory in memories})
    assert {code: each.highest_cycle for code, each in known.items()} == {"A": 3, "B": 4}


def _elsewhere(code: str) -> bool:
    return partition_of(code.encode(), PARTITIONS) != MINE
