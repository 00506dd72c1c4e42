"""judge says once what is new, with its cause and its time, and a judge that takes over says what stands."""

import pytest

from agents.drivers.memory import MemoryRecord
from agents.ports import Chunk
from agents.rows import change_rows
from schemas import topics
from schemas.dossier import Judgement
from schemas.errors import Unavailable
from schemas.event import canonical
from schemas.standing import Standing
from tests.agents.test_judge import MINE, Desk, LiveClock, desk
from tests.hanoi import at, event

STARTED = event(2, "2026-03-02T09:00", event_id="start")
PAUSED = event(5, "2026-03-03T10:00", event_id="pause")


def last(office: Desk) -> Judgement:
    return office.judgements()[-1]


def said(office: Desk) -> tuple[Standing, ...]:
    news = last(office).news
    return news.standings if news is not None else ()


def moved(office: Desk, to: str) -> None:
    assert isinstance(office.clock, LiveClock)
    office.clock.move(at(to))


async def test_an_answer_is_news_once_with_what_arrived_as_its_cause() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take(STARTED)
    news = last(office).news
    assert news is not None
    assert (news.cause, news.seen_at) == ("events", at("2026-03-02T10:00"))
    assert [(one.cycle, one.verdict, one.due) for one in news.standings] == [(1, "in_time", at("2026-03-09T17:00"))]
    await office.take(STARTED)
    assert last(office).news is None, "a repeated event is no news"
    moved(office, "2026-03-03T11:00")
    await office.take(PAUSED)
    assert [one.due for one in said(office)] == [None]


async def test_what_a_look_finds_is_news() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take(STARTED)
    moved(office, "2026-03-12T09:00")
    await office.tick()
    await office.answer_looks()
    news = last(office).news
    assert news is not None
    assert news.cause == "look"
    assert news.standings[0].verdict == "overdue"


async def test_a_cycle_that_vanished_is_news() -> None:
    office = await desk("2026-03-06T10:00")
    await office.take(STARTED, event(9, "2026-03-04T10:00"), event(4, "2026-03-05T10:00", event_id="again"))
    assert [one.cycle for one in said(office)] == [1, 2]
    await office.take(event(None, "2026-03-05T11:00", kind="void", voids="again"))
    assert said(office) == (Standing(2, None, None, None),)


async def test_a_chunk_that_failed_says_its_news_again() -> None:
    office = await desk("2026-03-02T10:00")
    office.outbox.fail_next(1)
    with pytest.raises(Unavailable):
        await office.take(STARTED)
    await office.take(STARTED)
    assert len(said(office)) == 1


async def test_a_judge_that_takes_over_knows_what_was_said() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(STARTED)
    second = await desk("2026-03-02T12:00", outbox=first.outbox)
    await second.take(STARTED)
    assert last(second).news is None


async def test_what_was_said_before_a_crash_is_said_again_under_the_same_key() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(STARTED)
    first.outbox.topics[topics.STATE.name].clear()
    second = await desk("2026-03-02T12:00", outbox=first.outbox)
    await second.take(STARTED)
    (before,), (after,) = (list(change_rows(judgement)) for judgement in second.judgements())
    assert before[:-1] == after[:-1], "only the time is another, and the first one stays"


async def test_a_back_load_says_nothing_to_anybody() -> None:
    office = await desk("2026-03-12T10:00", live=False)
    await office.take(STARTED)
    assert last(office).news is None


async def test_every_event_says_when_kafka_took_it_in() -> None:
    office = await desk("2026-03-02T10:00")
    taken = int(at("2026-03-02T09:30").timestamp() * 1000)
    record = MemoryRecord(topics.EVENTS.name, MINE, 0, taken, b"", canonical(STARTED))
    await office.judge.events(Chunk(topics.EVENTS.name, MINE, [record]), office.lease)
    assert last(office).arrived == (at("2026-03-02T09:30"),)
