"""The port `Past`: what archive stored of a dossier is read back equal to the last field, or `Unavailable`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.local import Services
from agents.drivers.memory import MemoryOutbox
from agents.drivers.memory_tables import MemoryPast
from agents.drivers.past import CODES, ClickHousePast
from agents.ports import Archived, Outgoing, Past
from agents.rows import (
    ALERTS,
    ASSESSMENTS,
    COLUMNS,
    EVENTS,
    VERDICT_CHANGES,
    alert_row,
    assessment_rows,
    change_rows,
    event_row,
)
from agents.settings import Settings
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import Judgement, dump
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.limits import Limit
from schemas.standing import News, Standing
from streams.alerts import decide
from streams.standing import standings
from streams.verdict import assess
from tests.hanoi import at, event, history, rules
from tests.tables import clickhouse_settings, fresh_tables

OFFICE = rules(limit=Limit("working_day", 5))
START = event(
    *(2, "2026-03-02T09:00:00.123456"),
    receiving_unit="H26.12",
    stage="thẩm định",
    case="a",
    channel="online",
    due="2026-03-09T17:00",
    limit=Limit("working_day", 2.5),
    staff="s1",
    source="one-stop",
    sequence=2**62,
)
STORY = (
    START,
    event(5, "2026-03-03T10:00", reason="x"),
    event(9, "2026-03-12T10:00"),
    event(4, "2026-03-13T10:00"),
    event(9, "2026-03-16T10:00"),
    event(None, "2026-03-17T10:00", kind="letter", letter="apology"),
    event(None, "2026-03-17T11:00", kind="void", voids="nothing"),
    event(None, "2026-03-17T12:00", kind="extension", due="2026-04-01T17:00"),
)
CODE = START.dossier_code


@dataclass
class Store:
    """A `Past`, and how what it holds comes there."""

    past: Past
    archive: Callable[[Judgement, Sequence[Alert]], Awaitable[None]]


@asynccontextmanager
async def memory_store() -> AsyncIterator[Store]:
    outbox = MemoryOutbox()

    async def archive(judgement: Judgement, alerts: Sequence[Alert]) -> None:
        await outbox.send([Outgoing(topics.ASSESSMENTS.name, b"", dump(judgement))])
        await outbox.send([Outgoing(topics.ALERTS.name, b"", dump(alert)) for alert in alerts])

    yield Store(MemoryPast(outbox), archive)


@asynccontextmanager
async def real_store(services: Services) -> AsyncIterator[Store]:
    with fresh_tables(services) as tables:
        async with ClickHouseFacts(tables.settings) as facts, ClickHousePast(tables.settings) as past:

            async def archive(judgement: Judgement, alerts: Sequence[Alert]) -> None:
                await facts.insert(EVENTS, COLUMNS[EVENTS], [event_row(one) for one in judgement.events])
                await facts.insert(ASSESSMENTS, COLUMNS[ASSESSMENTS], list(assessment_rows(judgement)))
                await facts.insert(ALERTS, COLUMNS[ALERTS], [alert_row(alert) for alert in alerts])
                await facts.insert(VERDICT_CHANGES, COLUMNS[VERDICT_CHANGES], list(change_rows(judgement)))

            yield Store(past, archive)


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.system)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """An empty store."""
    if request.param == "memory":
        async with memory_store() as store:
            yield store
    else:
        async with real_store(request.getfixturevalue("services")) as store:
            yield store


def told(*events: Event) -> tuple[Judgement, list[Alert]]:
    """What is said of a dossier after these events, and what was told on the way."""
    late = at("2026-03-11T09:00")
    raised = decide(assess(history(events[0]), OFFICE, now=late), (), now=late)
    answer = assess(history(*events), OFFICE, now=events[-1].at)
    ended = decide(answer, raised, now=events[-1].at)
    fresh = News(events[-1].at, "events", standings(answer, len(answer.cycles)))
    return Judgement(answer, len(answer.cycles), events, news=fresh), [*raised, *ended]


async def test_of_a_dossier_that_is_not_known_nothing_is_held(store: Store) -> None:
    assert await store.past.read(["H26.12-260302-0009"]) == {"H26.12-260302-0009": Archived()}


async def test_what_was_stored_is_read_back_equal_to_the_last_field(store: Store) -> None:
    judgement, alerts = told(*STORY)
    assert {alert.sequence for alert in alerts} == {1, 2}
    await store.archive(judgement, alerts)
    found = (await store.past.read([CODE]))[CODE]
    assert set(found.events) == set(STORY)
    assert sorted(found.alerts, key=repr) == sorted(alerts, key=repr)
    version = judgement.assessment.version
    assert found.rows == {1: (version.events, version.as_of), 2: (version.events, version.as_of)}
    assert found.standings == standings(judgement.assessment, 2)


async def test_the_newest_row_counts_whatever_comes_last_and_a_deleted_cycle_has_one(store: Store) -> None:
    later, _ = told(*STORY)
    earlier, _ = told(*STORY[:3])
    void = event(None, "2026-03-18T10:00", kind="void", voids=STORY[3].event_id)
    answer = assess(history(*STORY, void), OFFICE, now=at("2026-03-18T10:00"))
    await store.archive(replace(later, events=()), [])
    gone = News(void.at, "events", standings(answer, 2)[1:])
    await store.archive(Judgement(answer, 2, (), news=gone), [])
    await store.archive(replace(earlier, events=()), [])
    newest = (answer.version.events, answer.version.as_of)
    found = (await store.past.read([CODE]))[CODE]
    assert found.rows == {1: newest, 2: newest}
    assert found.standings == (standings(later.assessment, 2)[0], Standing(2, None, None, None))


async def test_more_dossiers_than_one_question_may_have_are_all_answered(store: Store) -> None:
    codes = [f"H26.12-260302-{number:05}" for number in range(2 * CODES + 1)]
    one = replace(START, dossier_code=codes[-1])
    answer = assess(history(one), OFFICE, now=one.at)
    await store.archive(Judgement(answer, 1, (one,)), [])
    found = await store.past.read(codes)
    assert found.keys() == set(codes)
    assert [code for code, archived in found.items() if archived.events] == [codes[-1]]


async def test_two_may_ask_at_once(store: Store) -> None:
    judgement, alerts = told(*STORY)
    await store.archive(judgement, alerts)
    both = await asyncio.gather(store.past.read([CODE]), store.past.read([CODE]))
    assert [len(set(found[CODE].events)) for found in both] == [len(STORY)] * 2


async def test_the_memory_past_fails_when_told() -> None:
    past = MemoryPast(MemoryOutbox())
    past.fail_next(1)
    with pytest.raises(Unavailable):
        await past.read([CODE])
    assert await past.read([CODE]) == {CODE: Archived()}


@pytest.mark.system
async def test_a_clickhouse_that_does_not_listen_is_unavailable() -> None:
    async with ClickHousePast(Settings(clickhouse_port=1)) as past:
        with pytest.raises(Unavailable) as refused:
            await past.read([CODE])
    assert refused.value.reason == "clickhouse_unavailable"


@pytest.mark.system
async def test_tables_that_are_not_there_are_unavailable_to_judge(services: Services) -> None:
    async with ClickHousePast(clickhouse_settings(services, database="nowhere")) as past:
        with pytest.raises(Unavailable) as refused:
            await past.read([CODE])
    assert refused.value.reason == "not_migrated"
