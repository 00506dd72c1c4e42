"""evict on the memory drivers: who may go, what stays, what a late event finds, and what a crash leaves."""

from datetime import timedelta

import pytest

from agents.drivers.memory import MemoryOutbox
from agents.evict import AGAIN, Evict
from agents.ports import Outgoing
from schemas import topics
from schemas.alert import Action
from schemas.errors import LeaseLost, Unavailable
from schemas.event import Event
from tests.agents.test_judge import CODE, MINE, Desk, desk
from tests.hanoi import at, event

START, END = event(2, "2026-03-02T09:00"), event(9, "2026-03-10T09:00")
RETURNED = event(10, "2026-03-11T09:00")
LATE = event(5, "2026-03-04T09:00")
KEEP = timedelta(days=30)
SOON, LATER = "2026-03-12T09:00", "2026-04-20T09:00"


def evicting(office: Desk) -> Evict:
    """The timer of an office whose archive is never behind."""
    return Evict(office.judge, office.past, keep=KEEP)


async def evict(office: Desk) -> None:
    await evicting(office).run({MINE: office.lease})


async def over(outbox: MemoryOutbox | None = None) -> Desk:
    """An office with one dossier that was late, told, ended and resolved, and forty days later."""
    office = await desk("2026-03-02T10:00", outbox=outbox)
    await office.take(START)
    office.clock.move(at("2026-03-10T08:00"))  # type: ignore[attr-defined]
    await office.tick()
    await office.answer_looks()
    office.clock.move(at(SOON))  # type: ignore[attr-defined]
    await office.take(END, RETURNED)
    office.clock.move(at(LATER))  # type: ignore[attr-defined]
    return office


async def evicted() -> Desk:
    office = await over()
    await evict(office)
    assert CODE in office.judge.shards[MINE].evicted
    return office


def state(office: Desk) -> list[str]:
    """The kinds of records that the state holds of dossiers, compacted."""
    latest = {record.key or b"": record.value for record in office.outbox.records(topics.STATE.name)}
    kinds = (key.decode().split("\x1f")[1] for key, value in latest.items() if value is not None)
    return sorted(kind for kind in kinds if kind != "rules")


async def successor(office: Desk, now: str = LATER) -> Desk:
    return await desk(now, outbox=office.outbox)


async def never_evicted(*events: Event) -> Desk:
    """What a judge says that never evicted anybody."""
    office = await over()
    await office.take(*events)
    return office


async def test_a_dossier_that_was_over_for_long_leaves_a_stub_alone() -> None:
    office = await evicted()
    assert state(office) == ["stub"]
    assert len(office.judge.shards[MINE]) == 0
    other = await successor(office)
    assert (len(other.judge.shards[MINE]), list(other.judge.shards[MINE].evicted)) == (0, [CODE])


async def test_nobody_goes_before_the_time_and_nobody_who_is_still_open() -> None:
    office = await over()
    office.clock.move(at(RETURNED.at.isoformat()) + KEEP - timedelta(microseconds=1))  # type: ignore[attr-defined]
    await evict(office)
    assert "stub" not in state(office)
    still_open = await desk("2026-03-02T10:00")
    await still_open.take(START)
    still_open.clock.move(at(LATER))  # type: ignore[attr-defined]
    await evict(still_open)
    assert "stub" not in state(still_open)


async def test_what_clickhouse_does_not_hold_stays_and_is_asked_about_again_later() -> None:
    office = await over()
    office.past.lose(CODE)
    await evict(office)
    assert "stub" not in state(office)
    office.past.find(CODE)
    await evict(office)
    assert "stub" not in state(office), "not at once"
    office.clock.move(at(LATER) + AGAIN)  # type: ignore[attr-defined]
    await evict(office)
    assert state(office) == ["stub"]


async def test_while_clickhouse_is_down_nobody_is_evicted_and_afterwards_they_are() -> None:
    office = await over()
    office.past.fail_next(1)
    with pytest.raises(Unavailable):
        await evict(office)
    assert "stub" not in state(office)
    await evict(office)
    assert state(office) == ["stub"]


@pytest.mark.parametrize("restarted", [False, True], ids=["same-judge", "restarted"])
@pytest.mark.parametrize(
    "late",
    [
        pytest.param((LATE,), id="late-event"),
        pytest.param((END,), id="repeated-event"),
        pytest.param((event(4, "2026-04-15T09:00"),), id="reopened"),
        pytest.param((event(None, "2026-04-15T09:00", kind="void", voids=END.event_id),), id="voided-end"),
    ],
)
async def test_a_late_event_is_judged_as_if_the_dossier_had_never_left(
    late: tuple[Event, ...], restarted: bool
) -> None:
    office = await evicted()
    told = len(office.actions())
    if restarted:
        office = await successor(office)
    await office.take(*late)
    calm = await never_evicted(*late)
    assert office.judgements()[-1] == calm.judgements()[-1]
    assert office.actions()[told:] == calm.actions()[told:]
    third = await successor(office)
    shard = third.judge.shards[MINE]
    if CODE in shard:
        third.past.fail_next(9)
        assert shard.dossier(CODE).history == calm.judge.shards[MINE].dossier(CODE).history, "all of it is back"
        assert shard.dossier(CODE).sent == calm.judge.shards[MINE].dossier(CODE).sent
    else:
        assert late == (END,), "it is known as a stub still"


async def test_a_late_event_waits_while_clickhouse_is_down_and_is_judged_when_it_is_back() -> None:
    office = await evicted()
    office.past.fail_next(1)
    with pytest.raises(Unavailable) as held:
        await office.take(LATE)
    assert held.value.reason == "clickhouse_unavailable"
    await office.take(LATE)
    assert office.judgements()[-1] == (await never_evicted(LATE)).judgements()[-1]


async def test_a_late_event_waits_while_a_part_of_the_history_is_missing() -> None:
    office = await evicted()
    office.past.lose(CODE)
    with pytest.raises(Unavailable) as held:
        await office.take(LATE)
    assert held.value.reason == "history_missing"
    assert CODE not in held.value.message


@pytest.mark.parametrize("accepted", range(6))
async def test_a_crash_while_the_records_are_deleted_leaves_a_stub_and_the_next_judge_deletes_the_rest(
    accepted: int,
) -> None:
    office = await over()
    office.wire.break_at(1, accepted)
    with pytest.raises(Unavailable):
        await evict(office)
    other = await successor(office)
    assert (len(other.judge.shards[MINE]), list(other.judge.shards[MINE].evicted)) == (0, [CODE])
    await evict(other)
    assert state(other) == ["stub"]
    await other.take(LATE)
    assert other.judgements()[-1] == (await never_evicted(LATE)).judgements()[-1]


async def test_a_crash_before_the_stub_leaves_the_dossier_as_it_was() -> None:
    office = await over()
    before = state(office)
    office.wire.break_at(0, 0)
    with pytest.raises(Unavailable):
        await evict(office)
    assert state(office) == before
    await evict(office)
    assert state(office) == ["stub"]


async def test_a_lease_lost_after_the_stub_deletes_nothing() -> None:
    office = await over()
    before = state(office)
    office.lease.lose_after(1)
    with pytest.raises(LeaseLost):
        await evict(office)
    assert state(office) == sorted([*before, "stub"])


async def test_the_late_deletions_of_a_stalled_worker_take_nothing_away() -> None:
    stalled = await over()
    stalled.wire.break_at(1, 0)
    with pytest.raises(Unavailable):
        await evict(stalled)  # the stub is written, then it stands still
    successful = await successor(stalled)
    await successful.take(LATE)
    calm = await never_evicted(LATE)
    late = [Outgoing(topics.STATE.name, key, None, MINE) for key in stalled.judge.shards[MINE].covered[CODE]]
    assert len(late) > len(calm.judge.shards[MINE].dossier(CODE).history.events)
    await stalled.outbox.send(late)
    third = await successor(stalled)
    assert CODE in third.judge.shards[MINE].evicted
    more = event(None, "2026-04-16T09:00", kind="letter", letter="apology")
    await third.tick()
    await third.answer_looks()
    await third.take(more)
    assert third.judgements()[-1].assessment == (await never_evicted(LATE, more)).judgements()[-1].assessment
    assert third.actions() == stalled.actions(), "and nobody is told again"
    fourth = await successor(stalled)
    assert CODE not in fourth.judge.shards[MINE].evicted, "and all of it is written down again"


async def test_the_late_stub_of_a_stalled_worker_hides_nothing() -> None:
    first = await evicted()
    early = [record for record in first.outbox.records(topics.STATE.name) if b"\x1fstub" in (record.key or b"")]
    await first.take(LATE)
    first.clock.move(at(LATER) + KEEP)  # type: ignore[attr-defined]
    await evict(first)
    assert state(first) == ["stub"]
    await first.outbox.send([Outgoing(record.topic, record.key or b"", record.value, MINE) for record in early])
    second = await successor(first, "2026-06-01T09:00")
    await evict(second)
    assert state(second) == ["stub"], "the older one is deleted"
    second.past.fail_next(0)
    await second.take(END)
    assert second.judgements()[-1].assessment.version.events == 4


async def test_two_stubs_of_which_neither_covers_the_other_both_count() -> None:
    one, other = await evicted(), await over()
    await other.take(LATE)
    other.clock.move(at(LATER) + KEEP)  # type: ignore[attr-defined]
    await evict(other)
    await one.outbox.send(
        [
            Outgoing(r.topic, r.key or b"", r.value, MINE)
            for r in other.outbox.records(topics.STATE.name)
            if b"stub" in (r.key or b"")
        ]
    )
    both = await successor(one)
    with pytest.raises(Unavailable, match="does not hold all"):
        await both.take(END)


async def test_a_cycle_that_a_crash_left_beside_a_stub_is_not_forgotten() -> None:
    office = await evicted()
    again = event(4, "2026-04-15T09:00")
    office.lease.lose_after(2)  # the cycle is written, the outputs are, the state is not
    with pytest.raises(LeaseLost):
        await office.take(again)
    other = await successor(office)
    await other.take(again, event(None, "2026-04-16T09:00", kind="void", voids=again.event_id))
    last = other.judgements()[-1]
    assert (len(last.assessment.cycles), last.highest_cycle) == (1, 2)


async def test_what_was_told_of_an_evicted_dossier_is_not_told_again() -> None:
    office = await evicted()
    assert office.actions() == [(Action.RAISE, "overdue"), (Action.RESOLVE, "overdue")]
    await office.take(event(None, "2026-04-15T09:00", kind="letter", letter="apology"))
    assert len(office.actions()) == 2
