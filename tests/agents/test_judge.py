"""judge on the memory drivers: fates of records, the order of writes, what is said again, and looks."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from agents.clock import FixedClock
from agents.drivers.kafka import partition_of
from agents.drivers.memory import MemoryLease, MemoryOutbox, MemoryRecord, MemoryStateLog
from agents.drivers.memory_tables import MemoryPast
from agents.judge import Judge
from agents.ports import Chunk, Outgoing
from agents.telemetry import Meters
from agents.tick import Tick
from schemas import topics
from schemas.alert import Action
from schemas.dossier import ALERT, JUDGEMENT, LOOK, MEMORY, Judgement, Memory
from schemas.errors import LeaseLost, Unavailable
from schemas.event import Event, canonical
from schemas.limits import Limit
from schemas.outlook import Outlook
from tests.faults.bench import Wire
from tests.hanoi import at, event, rules

PARTITIONS = 4
CODE = "H26.12-260302-0001"
MINE = partition_of(CODE.encode(), PARTITIONS)

IMPOSSIBLE = canonical(event(2, "2026-03-02T09:00", dossier_code="H26.12-260231-0001"))


class LiveClock(FixedClock):
    """A clock that counts as live and stands where it is put."""

    live = True

    def move(self, to: datetime) -> None:
        self._now = to


class Desk:
    """A judge, what it writes, and a hand that gives it chunks."""

    def __init__(self, now: str, *, live: bool = True, outbox: MemoryOutbox | None = None) -> None:
        self.clock = LiveClock(at(now)) if live else FixedClock(at(now))
        self.outbox = outbox or MemoryOutbox(PARTITIONS)
        self.state = MemoryStateLog(self.outbox, topics.STATE.name)
        self.past = MemoryPast(self.outbox)
        self.lease = MemoryLease()
        self.wire = Wire(self.outbox)
        self.judge = Judge(
            rules(limit=Limit("working_day", 5)),
            self.clock,
            self.wire,
            self.state,
            self.past,
            Meters(),
            partitions=PARTITIONS,
        )
        self._offset = 0

    def chunk(self, topic: topics.Topic, values: Sequence[bytes | None], partition: int = MINE) -> Chunk:
        records = []
        for value in values:
            records.append(MemoryRecord(topic.name, partition, self._offset, 0, b"", value))
            self._offset += 1
        return Chunk(topic.name, partition, records)

    async def take(self, *events: Event) -> None:
        await self.judge.events(self.chunk(topics.EVENTS, [canonical(one) for one in events]), self.lease)

    async def take_bytes(self, *values: bytes | None, partition: int = MINE) -> None:
        await self.judge.events(self.chunk(topics.EVENTS, values, partition), self.lease)

    async def tick(self) -> None:
        await Tick(self.judge).run({MINE: self.lease})

    async def answer_looks(self) -> None:
        looks = [record.value for record in self.outbox.records(topics.LOOKS.name)]
        await self.judge.looks(self.chunk(topics.LOOKS, looks), self.lease)

    def judgements(self) -> list[Judgement]:
        records = self.outbox.records(topics.ASSESSMENTS.name)
        return [JUDGEMENT.validate_json(record.value or b"") for record in records]

    def actions(self) -> list[tuple[Action, str]]:
        alerts = [ALERT.validate_json(record.value or b"") for record in self.outbox.records(topics.ALERTS.name)]
        return [(alert.action, alert.level.value) for alert in alerts]

    def memories(self) -> list[Memory]:
        return [MEMORY.validate_json(record.value or b"") for record in self.outbox.records(topics.STATE.name)]

    def reasons(self) -> list[str]:
        records = self.outbox.records(topics.DEAD_LETTERS.name)
        return [dict(record.headers)["reason"].decode() for record in records]


async def desk(now: str, *, live: bool = True, outbox: MemoryOutbox | None = None) -> Desk:
    made = Desk(now, live=live, outbox=outbox)
    await made.judge.assigned(MINE)
    return made


async def test_an_event_is_judged_sent_and_remembered() -> None:
    office = await desk("2026-03-02T10:00")
    start = event(2, "2026-03-02T09:00")
    await office.take(start)
    (judgement,) = office.judgements()
    assert judgement.events == (start,)
    assert judgement.assessment.cycles[0].due_current == at("2026-03-09T17:00")
    judged_by, memory, outlook, said = office.memories()
    assert judged_by.rules == office.judge.book
    assert memory.event == start
    assert outlook.outlook == Outlook(judgement.assessment.version, judgement.assessment.look_again_at)
    assert said.said is not None


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(b"\xff\xfe", "unreadable", id="bytes"),
        pytest.param(None, "unreadable", id="tombstone"),
        pytest.param(b'{"event_id": "x"}', "missing_field", id="half"),
        pytest.param(IMPOSSIBLE, "invalid_code", id="31-february"),
        pytest.param(canonical(event(2, "2026-03-02T10:05:01")), "future_time", id="beyond-the-skew"),
    ],
)
async def test_a_record_that_cannot_be_used_is_buried_and_the_rest_goes_on(value: bytes | None, reason: str) -> None:
    office = await desk("2026-03-02T10:00")
    await office.take_bytes(value, canonical(event(2, "2026-03-02T10:04:59")))
    assert office.reasons() == [reason]
    (letter,) = office.outbox.records(topics.DEAD_LETTERS.name)
    assert letter.value == value
    assert dict(letter.headers)["offset"] == b"0"
    assert len(office.judgements()) == 1


async def test_a_record_on_another_partition_is_sent_on_to_its_own_once_and_marked() -> None:
    office = await desk("2026-03-02T10:00")
    other = (MINE + 1) % PARTITIONS
    await office.judge.assigned(other)
    told = event(2, "2026-03-02T09:00", source="one-stop")
    misplaced = office.chunk(topics.EVENTS, [b" " * 900_000 + canonical(told)], other)
    await office.judge.events(misplaced, office.lease)
    assert (office.reasons(), office.judgements()) == ([], [])
    (sent,) = office.outbox.records(topics.REROUTED.name)
    assert (sent.partition, sent.key, sent.value) == (MINE, CODE.encode(), canonical(told))
    assert dict(sent.headers) == {"topic": b"dossier.events.v1", "partition": b"%d" % other, "offset": b"0"}
    await office.judge.events(misplaced, office.lease)
    successor = Desk("2026-03-02T10:00", outbox=office.outbox)
    await successor.judge.assigned(other)
    await successor.judge.events(misplaced, successor.lease)
    assert len(office.outbox.records(topics.REROUTED.name)) == 1, "a replay, also by another worker, reroutes nothing"
    assert len(successor.judge.shards[other]) == 0
    await office.judge.events(Chunk(topics.REROUTED.name, MINE, [sent]), office.lease)
    (judged,) = office.judgements()
    assert judged.events == (told,)


async def test_a_rerouting_that_was_not_acknowledged_is_done_again() -> None:
    office = await desk("2026-03-02T10:00")
    other = (MINE + 1) % PARTITIONS
    await office.judge.assigned(other)
    misplaced = office.chunk(topics.EVENTS, [canonical(event(2, "2026-03-02T09:00"))], other)
    office.outbox.fail_next(1)
    with pytest.raises(Unavailable):
        await office.judge.events(misplaced, office.lease)
    await office.judge.events(misplaced, office.lease)
    assert len(office.outbox.records(topics.REROUTED.name)) == 1


async def test_a_rerouted_record_on_a_wrong_partition_is_buried_and_goes_round_no_more() -> None:
    office = await desk("2026-03-02T10:00")
    other = (MINE + 1) % PARTITIONS
    await office.judge.assigned(other)
    lost = office.chunk(topics.REROUTED, [canonical(event(2, "2026-03-02T09:00"))], other)
    await office.judge.events(lost, office.lease)
    assert office.reasons() == ["wrong_partition"]
    assert office.outbox.records(topics.REROUTED.name) == []


async def test_state_is_written_only_when_the_outputs_are_acknowledged() -> None:
    office = await desk("2026-03-02T10:00")
    office.outbox.fail_next(1)
    with pytest.raises(Unavailable):
        await office.take(event(2, "2026-03-02T09:00"))
    assert office.outbox.records(topics.STATE.name) == []


async def test_a_repeated_event_sends_everything_of_its_dossier_again() -> None:
    office = await desk("2026-03-02T10:00")
    start = event(2, "2026-03-02T09:00")
    await office.take(start)
    await office.take(start)
    first, second = office.judgements()
    assert replace(first, news=None) == second, "only what is new is said once"
    records = [record.key for record in office.outbox.records(topics.STATE.name)]
    assert (len(records), len(set(records))) == (6, 4), "the state records, too; not what was said"


async def test_a_lost_lease_stops_before_the_first_write() -> None:
    office = await desk("2026-03-02T10:00")
    office.lease.lose()
    with pytest.raises(LeaseLost):
        await office.take(event(2, "2026-03-02T09:00"))
    assert office.outbox.topics == {} or office.judgements() == []


async def test_a_lease_lost_between_outputs_and_state_leaves_the_state_alone() -> None:
    office = await desk("2026-03-02T10:00")
    office.lease.lose_after(2)
    with pytest.raises(LeaseLost):
        await office.take(event(2, "2026-03-02T09:00"))
    assert len(office.judgements()) == 1
    assert [memory.event for memory in office.memories()] == [None], "only by which rules"


async def test_nobody_is_asked_about_before_its_time_and_then_once() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take(event(2, "2026-03-02T09:00"))
    look_at = office.judgements()[0].assessment.look_again_at
    assert look_at is not None
    office.clock.move(look_at - timedelta(microseconds=1))  # type: ignore[attr-defined]
    await office.tick()
    assert office.outbox.records(topics.LOOKS.name) == []
    office.clock.move(look_at)  # type: ignore[attr-defined]
    await office.tick()
    await office.tick()
    (look,) = office.outbox.records(topics.LOOKS.name)
    assert LOOK.validate_json(look.value or b"").at == look_at


async def test_what_was_late_at_its_last_event_in_a_back_load_is_told_when_judge_goes_live() -> None:
    start, hand_over = event(2, "2026-03-02T09:00"), event(4, "2026-03-10T09:00", stage="review")
    back_load = await desk("2026-03-10T09:00", live=False)
    await back_load.take(start, hand_over)
    assert back_load.actions() == []
    live = await desk("2026-03-10T10:00", outbox=back_load.outbox)
    await live.tick()
    await live.answer_looks()
    assert live.actions() == [(Action.RAISE, "overdue")]
    successor = await desk("2026-03-10T10:05", outbox=back_load.outbox)
    await successor.tick()
    assert len(live.outbox.records(topics.LOOKS.name)) == 1, "and what was told is not asked about again"


async def test_a_look_that_cannot_be_sent_is_asked_again() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take(event(2, "2026-03-02T09:00"))
    office.clock.move(at("2026-03-10T00:00"))  # type: ignore[attr-defined]
    office.outbox.fail_next(1)
    with pytest.raises(Unavailable):
        await office.tick()
    await office.tick()
    assert len(office.outbox.records(topics.LOOKS.name)) == 1


async def test_an_alert_that_went_out_before_a_crash_is_taken_back_although_the_repeated_chunk_brings_more() -> None:
    start, done = event(2, "2026-03-02T09:00"), event(9, "2026-03-09T16:30")
    first = await desk("2026-03-10T08:00")
    first.lease.lose_after(2)  # intents and outputs are written, the state is not
    with pytest.raises(LeaseLost):
        await first.take(start)
    assert first.actions() == [(Action.RAISE, "overdue")]
    second = await desk("2026-03-10T08:01", outbox=first.outbox)
    await second.take(start, done)
    assert [action for action, _ in second.actions()] == [Action.RAISE, Action.RAISE, Action.RETRACT]


async def test_what_is_told_last_counts_last_although_a_smaller_chunk_after_a_crash_rests_on_fewer_events() -> None:
    start, early = event(2, "2026-03-02T09:00"), event(9, "2026-03-09T16:30")
    void = event(None, "2026-03-09T17:00", kind="void", voids=early.event_id)
    first = await desk("2026-03-10T08:00")
    first.lease.lose_after(2)
    with pytest.raises(LeaseLost):
        await first.take(start, early, void)
    second = await desk("2026-03-10T08:01", outbox=first.outbox)
    await second.take(start, early)
    records = second.outbox.records(topics.ALERTS.name)
    alerts = [ALERT.validate_json(record.value or b"") for record in records]
    assert [(alert.action, alert.sequence) for alert in alerts] == [
        (Action.RAISE, 1),
        (Action.RAISE, 1),
        (Action.RETRACT, 2),
    ]
    assert alerts[2].version < alerts[0].version


async def test_an_alert_of_which_nobody_knows_whether_it_was_told_is_told_again() -> None:
    start = event(2, "2026-03-02T09:00")
    first = await desk("2026-03-10T08:00")
    await first.take(start)
    first.clock.move(at("2026-03-12T17:00"))  # type: ignore[attr-defined]
    await first.tick()
    first.lease.lose_after(1)  # only the intents are written
    with pytest.raises(LeaseLost):
        await first.answer_looks()
    assert first.actions() == [(Action.RAISE, "overdue")]
    second = await desk("2026-03-12T17:01", outbox=first.outbox)
    await second.tick()
    await second.answer_looks()
    assert second.actions()[1:] == [(Action.REPLACE, "overdue"), (Action.RAISE, "seriously_overdue")]
    third = await desk("2026-03-12T17:02", outbox=first.outbox)
    await third.answer_looks()
    assert len(third.actions()) == 3, "and then it is known"


async def test_a_row_that_went_out_before_a_crash_is_deleted_although_the_repeated_chunk_has_no_such_cycle() -> None:
    start, end, again = event(2, "2026-03-02T09:00"), event(9, "2026-03-04T09:00"), event(4, "2026-03-05T09:00")
    first = await desk("2026-03-06T10:00")
    first.lease.lose_after(2)
    with pytest.raises(LeaseLost):
        await first.take(start, end, again)
    second = await desk("2026-03-06T10:00", outbox=first.outbox)
    await second.take(start, end, again, event(7, "2026-03-03T09:00"))
    last = second.judgements()[-1]
    assert (len(last.assessment.cycles), last.highest_cycle) == (1, 2)


async def test_an_alert_is_raised_at_its_time_and_retracted_by_a_late_completion() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take(event(2, "2026-03-02T09:00"))
    office.clock.move(at("2026-03-10T00:00"))  # type: ignore[attr-defined]
    await office.tick()
    await office.answer_looks()
    assert office.actions() == [(Action.RAISE, "overdue")]
    office.clock.move(at("2026-03-10T08:05"))  # type: ignore[attr-defined]
    await office.take(event(9, "2026-03-09T16:30"))
    assert office.actions()[1:] == [(Action.RETRACT, "overdue")]


async def test_a_back_load_sends_no_alert() -> None:
    office = await desk("2026-03-10T08:00", live=False)
    await office.take(event(2, "2026-03-02T09:00"))
    assert office.judgements()[0].assessment.cycles[0].verdict == "overdue"
    assert office.actions() == []


async def test_a_new_judge_reads_the_state_and_goes_on_where_the_other_stopped() -> None:
    first = await desk("2026-03-10T08:00")
    await first.take(event(2, "2026-03-02T09:00"))
    assert first.actions() == [(Action.RAISE, "overdue")]
    second = await desk("2026-03-10T08:01", outbox=first.outbox)
    await second.take(event(4, "2026-03-10T08:00:30"))
    assert second.judgements()[-1].assessment.version.events == 2
    assert second.actions() == [(Action.RAISE, "overdue")], "it was told already"


async def test_what_changed_while_nobody_judged_is_told_after_the_start() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(event(2, "2026-03-02T09:00"))
    second = await desk("2026-03-10T08:00", outbox=first.outbox)
    await second.tick()
    await second.answer_looks()
    assert second.actions() == [(Action.RAISE, "overdue")]


async def test_a_voided_reopening_deletes_its_cycle_for_good() -> None:
    office = await desk("2026-03-06T10:00")
    again = event(4, "2026-03-05T09:00")
    await office.take(event(2, "2026-03-02T09:00"), event(9, "2026-03-04T09:00"), again)
    await office.take(event(None, "2026-03-06T09:00", kind="void", voids=again.event_id))
    before, after = office.judgements()
    assert (len(before.assessment.cycles), before.highest_cycle) == (2, 2)
    assert (len(after.assessment.cycles), after.highest_cycle) == (1, 2)
    other = await desk("2026-03-06T10:00", outbox=office.outbox)
    await other.take(event(5, "2026-03-03T09:00"))
    assert other.judgements()[-1].highest_cycle == 2, "also after a restart"


async def test_a_look_at_a_dossier_that_nobody_knows_is_done_and_rubbish_is_buried() -> None:
    office = await desk("2026-03-02T10:00")
    look = b'{"dossier_code": "H26.12-260302-0009", "at": "2026-03-02T02:00:00+00:00"}'
    await office.judge.looks(office.chunk(topics.LOOKS, [look, b"rubbish"]), office.lease)
    assert (office.judgements(), office.reasons()) == ([], ["unreadable"])


async def test_a_state_record_that_cannot_be_read_holds_the_partition() -> None:
    outbox = MemoryOutbox(PARTITIONS)
    await outbox.send([Outgoing(topics.STATE.name, b"key", b"{}x", MINE)])
    with pytest.raises(Unavailable, match="state record"):
        await desk("2026-03-02T10:00", outbox=outbox)


async def test_an_alert_of_the_state_that_cannot_be_read_holds_the_partition_when_its_dossier_is_asked_for() -> None:
    first = await desk("2026-03-02T10:00")
    await first.take(event(2, "2026-03-02T09:00"))
    await first.outbox.send([Outgoing(topics.STATE.name, f"{CODE}\x1falert\x1fa".encode(), b"{}x", MINE)])
    second = await desk("2026-03-02T10:05", outbox=first.outbox)
    assert len(second.judge.shards[MINE]) == 1
    for _ in range(2):
        with pytest.raises(Unavailable, match="state record"):
            await second.take(event(4, "2026-03-02T10:00"))


async def test_a_revoked_partition_is_forgotten() -> None:
    office = await desk("2026-03-02T10:00")
    office.judge.revoked(frozenset({MINE}))
    assert office.judge.shards == {}
