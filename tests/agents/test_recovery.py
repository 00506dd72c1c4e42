"""What a judge does with the outlooks it finds at its start, and when it does not believe them."""

from collections.abc import Callable

import pytest

from agents.drivers.memory import MemoryOutbox
from agents.ports import Outgoing
from agents.recover import read_in
from schemas import topics
from schemas.alert import Action
from schemas.errors import Unavailable
from schemas.limits import Limit
from tests.agents.test_judge import CODE, MINE, PARTITIONS, Desk, desk
from tests.hanoi import calendar_year, event, rules

START = event(2, "2026-03-02T09:00")


def _unread(office: Desk) -> set[str]:
    """The dossiers that were not judged at the start."""
    return set(office.judge.shards[MINE].unread)


async def test_a_judge_that_starts_expects_what_the_one_before_expected_and_judges_nobody() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(START)
    second = await desk("2026-03-02T11:00", outbox=first.outbox)
    assert _unread(second) == {CODE}
    assert second.judge.shards[MINE].looks.at == first.judge.shards[MINE].looks.at


async def test_what_is_due_when_it_starts_is_told_at_once() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(START)
    second = await desk("2026-03-11T10:00", outbox=first.outbox)
    assert _unread(second) == {CODE}
    await second.tick()
    await second.answer_looks()
    assert second.actions() == [(Action.RAISE, "overdue")]


async def test_an_outlook_that_a_crash_left_behind_its_events_is_not_believed() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(START)
    kept = MemoryOutbox(PARTITIONS)
    await first.take(event(5, "2026-03-02T09:30"))
    lost = [record for record in first.outbox.records(topics.STATE.name) if (record.key or b"").endswith(b"outlook")][
        -1
    ]
    for record in first.outbox.records(topics.STATE.name):
        if record is not lost:
            await kept.send([Outgoing(record.topic, record.key or b"", record.value, record.partition)])
    second = await desk("2026-03-02T10:00", outbox=kept)
    assert _unread(second) == set()
    assert second.judge.shards[MINE].looks.at == first.judge.shards[MINE].looks.at


def _other_rules(office: Desk) -> None:
    office.judge.rules = rules(limit=Limit("working_day", 3), calendars=[calendar_year(2026, "vn-saturday")])


def _fixed_clock(office: Desk) -> None:
    office.clock.live = False


@pytest.mark.parametrize("change", [_other_rules, _fixed_clock])
async def test_other_rules_or_another_clock_judge_anew(change: Callable[[Desk], None]) -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(START)
    second = Desk("2026-03-02T11:00", outbox=first.outbox)
    change(second)
    await second.judge.assigned(MINE)
    assert _unread(second) == set()
    assert CODE in second.judge.shards[MINE].looks


async def test_what_a_back_load_left_open_is_judged_at_the_start_and_what_it_left_closed_is_not() -> None:
    first = await desk("2026-03-10T10:00", live=False)
    await first.take(START)
    open_still = await desk("2026-03-10T11:00", outbox=first.outbox)
    assert _unread(open_still) == set()
    await first.take(event(9, "2026-03-09T16:00"))
    closed = await desk("2026-03-10T11:00", outbox=first.outbox)
    assert _unread(closed) == {CODE}
    assert CODE not in closed.judge.shards[MINE].looks


async def test_a_look_at_a_dossier_that_is_not_parsed_yet_is_answered() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(START)
    second = await desk("2026-03-10T08:00", outbox=first.outbox)
    assert CODE in second.judge.shards[MINE]
    await second.tick()
    await second.answer_looks()
    (before, after) = second.judgements()
    assert before.assessment.version < after.assessment.version


def test_a_key_that_is_not_ours_holds_the_partition() -> None:
    with pytest.raises(Unavailable, match="state record"):
        read_in({b"H26\x1fsomething\x1felse": b"{}"})
