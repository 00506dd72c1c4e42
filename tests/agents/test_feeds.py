"""What a judge knows of feeds: what it tells, when it claims silence, and what becomes of alerts meanwhile."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agents.clock import FixedClock
from agents.drivers.kafka import partition_of
from agents.drivers.memory import MemoryFeedLog, MemoryLease, MemoryOutbox, MemoryRecord, MemoryStateLog
from agents.drivers.memory_tables import MemoryPast
from agents.feeds import Feeds, outgoing
from agents.judge import Judge
from agents.listen import Listen
from agents.ports import Chunk, Outgoing
from agents.telemetry import Meters
from agents.tick import Tick
from schemas import topics
from schemas.alert import Action
from schemas.dossier import ALERT
from schemas.errors import Unavailable
from schemas.event import Event, canonical
from schemas.feed import FEED, Heard, Release, Silence
from schemas.limits import Limit
from tests.hanoi import at, event, rules

PARTITIONS = 4
CODE = "H26.12-260302-0001"
MINE = partition_of(CODE.encode(), PARTITIONS)
OTHER = (MINE + 1) % PARTITIONS
OFFICE = rules(limit=Limit("working_day", 1))


class LiveClock(FixedClock):
    """A clock that counts as live and stands where it is put."""

    live = True

    def move(self, to: str) -> None:
        self._now = at(to)


class Desk:
    """A judge of one partition with its timers, and a broker that knows how far everybody has read."""

    def __init__(self, now: str, broker: MemoryOutbox | None = None, *, live: bool = True) -> None:
        self.broker = broker or MemoryOutbox(PARTITIONS)
        self.clock = LiveClock(at(now))
        self.clock.live = live
        self.log = MemoryFeedLog(self.broker, topics.FEEDS.name, dict.fromkeys(range(PARTITIONS), 0))
        self.feeds = Feeds(OFFICE, self.log)
        self.meters = Meters()
        state = MemoryStateLog(self.broker, topics.STATE.name)
        past = MemoryPast(self.broker)
        self.judge = Judge(
            OFFICE, self.clock, self.broker, state, past, self.meters, partitions=PARTITIONS, feeds=self.feeds
        )
        self.lease = MemoryLease()

    async def start(self) -> "Desk":
        await self.judge.assigned(MINE)
        return self

    async def take(self, one: Event, *, came: str | None = None, commit: bool = True, topic: str = "") -> None:
        offset = self.log.end[MINE]
        when = at(came) if came is not None else self.clock.now()
        stamp = int(when.timestamp() * 1000)
        record = MemoryRecord(topic or topics.EVENTS.name, MINE, offset, stamp, b"", canonical(one))
        self.log.end[MINE] = offset + 1
        await self.judge.events(Chunk(record.topic, MINE, [record]), self.lease)
        if commit:
            self.log.done[MINE] = offset + 1

    async def turn(self) -> None:
        """Both timers once, and the looks they ask for are answered."""
        before = len(self.broker.records(topics.LOOKS.name))
        await Listen(self.judge).run({})
        await Tick(self.judge).run({MINE: self.lease})
        asked = self.broker.records(topics.LOOKS.name)[before:]
        if asked:
            await self.judge.looks(Chunk(topics.LOOKS.name, MINE, asked), self.lease)

    def told(self) -> list[tuple[Action, str, str]]:
        alerts = [ALERT.validate_json(record.value or b"") for record in self.broker.records(topics.ALERTS.name)]
        return [(alert.action, alert.level.value, alert.reason) for alert in alerts]

    def feed_records(self) -> list[object]:
        return [FEED.validate_json(record.value or b"") for record in self.broker.records(topics.FEEDS.name)]


class Returning:
    """An outbox in whose writes the silent units come back: between a decision and the end of its chunk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def send(self, records: Sequence[Outgoing]) -> None:
        self._desk.feeds.silent = frozenset()
        await self._desk.broker.send(records)


def received(**fields: object) -> Event:
    """Received on Monday at nine, due on Tuesday at 17:00, near due from Tuesday 13:00."""
    return event(2, "2026-03-02T09:00", event_id="start", source="portal", **fields)


async def test_what_was_heard_is_told_with_the_outputs_and_not_for_every_event() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    first = Heard("H26.12", "portal", MINE, at("2026-03-02T09:00"), at("2026-03-02T09:00"))
    assert desk.feed_records() == [first]
    desk.clock.move("2026-03-02T09:01")
    await desk.take(event(4, "2026-03-02T09:00:30", source="portal"))
    assert desk.feed_records() == [first], "a minute is no news, where two hours may be silent"
    desk.clock.move("2026-03-02T09:01:01")
    await desk.take(event(4, "2026-03-02T09:00:31", source="portal"))
    await desk.take(event(4, "2026-03-02T09:00:32", processing_unit="H26.13"))
    assert [record.key for record in desk.broker.records(topics.FEEDS.name)][1:] == [
        f"heard\x1fH26.12\x1fportal\x1f{MINE}".encode(),
        f"heard\x1fH26.13\x1f\x1f{MINE}".encode(),
    ]


async def test_of_a_chunk_the_last_event_to_come_counts_and_of_those_the_last_to_happen() -> None:
    feeds = Feeds(OFFICE)
    later, earlier = event(4, "2026-03-02T09:00"), event(4, "2026-03-02T08:00")

    def came(one: Event, second: int) -> tuple[MemoryRecord, Event]:
        return MemoryRecord(topics.EVENTS.name, 0, 0, 1_772_416_800_000 + 1000 * second, None, None), one

    brought = [came(later, 5), came(earlier, 7), came(later, 7), came(earlier, 7), came(later, 6)]
    (heard,) = feeds.heard(brought, now=at("2026-03-02T10:00"))
    assert (heard.heard_at, heard.at) == (datetime.fromtimestamp(1_772_416_807, UTC), later.at)


async def test_an_event_read_again_is_no_sign_of_life_and_a_rerouted_one_was_heard_where_it_came_in() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    desk.clock.move("2026-03-02T16:00")
    await desk.take(received(), came="2026-03-02T09:00")
    await desk.take(event(4, "2026-03-02T15:00"), topic=topics.REROUTED.name)
    await desk.take(event(None, "2026-03-02T15:00", kind="letter", letter="apology"))
    assert len(desk.feed_records()) == 1


async def test_an_event_whose_outputs_are_not_acknowledged_was_not_told() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    desk.broker.fail_next(1)
    with pytest.raises(Unavailable):
        await desk.take(received())
    desk.log.end[MINE] -= 1
    await desk.take(received())
    assert len(desk.feed_records()) == 1


async def fallen_silent() -> Desk:
    """Heard at nine on Monday, and nothing since; it is half past twelve on Tuesday."""
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    await desk.turn()
    desk.clock.move("2026-03-02T11:01")
    await desk.turn()
    assert desk.feeds.silent == frozenset(), "two hours and the minute that is not told"
    desk.clock.move("2026-03-02T11:01:01")
    await desk.turn()
    assert desk.feeds.silent == {"H26.12"}
    return desk


async def test_a_unit_that_falls_silent_is_told_of_once_and_its_alerts_are_held_until_it_is_back() -> None:
    desk = await fallen_silent()
    silence = Silence("H26.12", at("2026-03-02T09:00"), at("2026-03-02T11:00:01"))
    assert desk.feed_records()[1:] == [silence]
    assert b'dunghan_silent_feeds{unit="H26.12"} 1.0' in desk.meters.exposition()
    for now in ("2026-03-03T13:00", "2026-03-03T14:00", "2026-03-04T00:00"):
        desk.clock.move(now)
        await desk.turn()
    held = [(level, why) for action, level, why in desk.told() if action is Action.HOLD]
    assert held == [(level, "feed_silent") for level in ("due_today", "overdue")]
    assert Action.RAISE not in {action for action, *_ in desk.told()}
    desk.clock.move("2026-03-04T09:00")
    await desk.take(event(4, "2026-03-04T09:00", dossier_code="H26.12-260302-0009", processing_unit="H26.12"))
    await desk.turn()
    assert desk.told()[-1] == (Action.RAISE, "overdue", "feed_returned")
    assert desk.feeds.silent == frozenset()
    assert b"dunghan_silent_feeds{" not in desk.meters.exposition()
    assert [record for record in desk.feed_records() if isinstance(record, Silence)] == [silence]
    before = len(desk.told())
    await desk.turn()
    assert len(desk.told()) == before


async def test_what_was_completed_in_the_silence_is_never_told() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-04T00:00")
    await desk.turn()
    desk.clock.move("2026-03-04T09:00")
    await desk.take(event(9, "2026-03-03T10:00", source="portal"))
    await desk.turn()
    assert {action for action, *_ in desk.told()} <= {Action.HOLD, Action.RETRACT, Action.RESOLVE, Action.REPLACE}
    assert not any(dossier.held for dossier in desk.judge.shards[MINE].dossiers.values())


async def test_while_something_is_left_to_read_nobody_falls_silent() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    desk.log.end[OTHER] = 5  # another judge's partition, or nobody's
    desk.clock.move("2026-03-02T16:00")
    for _ in range(3):
        await desk.turn()
    assert (desk.feeds.silent, desk.feeds.read_until) == (frozenset(), at("2026-03-02T09:00"))
    desk.log.done[OTHER] = 5
    await desk.turn()
    assert desk.feeds.silent == {"H26.12"}, "all that stood there at four is read"


async def test_a_unit_is_heard_through_any_partition_and_any_judge() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    await desk.broker.send([outgoing(Heard("H26.12", "post", OTHER, at("2026-03-02T10:30"), at("2026-03-02T10:29")))])
    desk.clock.move("2026-03-02T11:30")
    await desk.turn()
    assert desk.feeds.silent == frozenset()


async def test_a_unit_that_comes_back_with_a_backlog_stays_silent_until_it_is_read() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-04T09:00")
    desk.log.end[OTHER] = 1_000
    await desk.take(event(4, "2026-03-04T09:00", source="portal", dossier_code="H26.12-260302-0009"))
    await desk.turn()
    assert desk.feeds.silent == {"H26.12"}
    assert Action.RAISE not in {action for action, *_ in desk.told()}
    desk.log.done[OTHER] = 1_000
    desk.clock.move("2026-03-04T09:00:02")
    await desk.turn()
    assert desk.feeds.silent == frozenset()
    assert desk.told()[-1] == (Action.RAISE, "overdue", "feed_returned")


async def test_a_silence_stands_after_a_restart_and_is_not_told_again() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-04T00:00")
    await desk.turn()
    again = Desk("2026-03-04T08:30", desk.broker)
    again.log.end.update(desk.log.end)
    again.log.done.update({MINE: 0})  # it has everything to read again
    await again.start()
    assert again.feeds.silent == {"H26.12"}
    await again.turn()
    assert len([record for record in again.feed_records() if isinstance(record, Silence)]) == 1
    assert Action.RAISE not in {action for action, *_ in again.told()}
    again.log.done.update(again.log.end)
    again.clock.move("2026-03-04T09:00")
    await again.take(event(4, "2026-03-04T09:00", source="portal"))
    await again.turn()
    assert again.told()[-1] == (Action.RAISE, "overdue", "feed_returned")


async def test_a_unit_that_came_back_while_nobody_judged_is_decided_at_the_next_start() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-04T00:00")
    await desk.turn()
    await desk.broker.send([outgoing(Heard("H26.12", "post", OTHER, at("2026-03-04T08:00"), at("2026-03-04T08:00")))])
    again = await Desk("2026-03-04T08:30", desk.broker).start()
    await again.turn()
    assert again.told()[-1] == (Action.RAISE, "overdue", "feed_returned")


async def test_a_replay_hears_nothing_new_and_announces_nothing() -> None:
    desk = await fallen_silent()
    before = desk.feed_records()
    again = Desk("2026-03-02T16:00", desk.broker)
    again.log.end[MINE] = 0
    await again.start()
    await again.take(received(), came="2026-03-02T09:00")
    await again.turn()
    assert again.feed_records() == before


async def test_a_judge_whose_clock_tells_nobody_anything_claims_nothing() -> None:
    desk = await Desk("2026-03-02T16:00", live=False).start()
    await desk.take(received(), came="2026-03-02T09:00")
    await desk.turn()
    assert [type(record) for record in desk.feed_records()] == [Heard]
    assert b"dunghan_silent_feeds{" not in desk.meters.exposition()


async def test_when_kafka_does_not_answer_what_was_known_stands() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-02T16:00")
    desk.log.fail_next(1)
    with pytest.raises(Unavailable):
        await Listen(desk.judge).run({})
    assert desk.feeds.silent == {"H26.12"}


async def test_a_judge_does_not_begin_before_it_knows_the_feeds() -> None:
    desk = Desk("2026-03-02T16:00")
    desk.log.fail_next(1)
    with pytest.raises(Unavailable):
        await desk.start()
    await desk.start()


async def test_a_dossier_judged_while_its_unit_comes_back_is_looked_at_again() -> None:
    desk = await fallen_silent()
    desk.clock.move("2026-03-04T00:00")
    await desk.turn()
    desk.judge.outbox = Returning(desk)
    desk.clock.move("2026-03-04T08:00")
    await desk.take(event(4, "2026-03-04T08:00"))
    assert desk.judge.shards[MINE].looks.at[CODE] == desk.clock.now()


async def test_a_record_that_cannot_be_read_stops_nobody() -> None:
    desk = await Desk("2026-03-02T09:00").start()
    await desk.take(received())
    (record,) = desk.broker.topics[topics.FEEDS.name]
    desk.broker.topics[topics.FEEDS.name].append(
        MemoryRecord(record.topic, 0, 9, 0, b"heard\x1fx", b'{"kind": "smelt"}')
    )
    await desk.turn()
    assert desk.feeds.read_until == desk.clock.now()


def test_what_is_older_than_what_is_known_changes_nothing() -> None:
    feeds = Feeds(OFFICE)
    until = datetime.now(UTC) + timedelta(minutes=1)
    feeds.tell([Release(until, until, "Lan"), Release(until - timedelta(hours=1), until, "Lan")])
    assert feeds.released
    over = Feeds(OFFICE)
    over.tell([Release(until - timedelta(hours=1), until, "Lan")])
    assert not over.released
