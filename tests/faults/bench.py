"""A judge on a broker in memory, and what happens to both as values: chunks, crashes, outages, moved partitions.

`Bench` plays the part of Kafka and Faust: it keeps the log of one partition and the committed offset, hands out
chunks, and starts a new judge after a crash. Nothing here sleeps.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.clock import FixedClock
from agents.drivers.kafka import partition_of
from agents.drivers.memory import MemoryLease, MemoryOutbox, MemoryRecord, MemoryStateLog
from agents.drivers.memory_tables import MemoryPast
from agents.evict import Evict
from agents.judge import Judge
from agents.ports import Chunk, Outgoing
from agents.rows import ALERTS, ASSESSMENTS, COLUMNS, EVENTS, Row, alert_row, assessment_rows, event_row
from agents.sum_up import SumUp
from agents.telemetry import Meters
from agents.tick import Tick
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import JUDGEMENT, TOLD
from schemas.errors import LeaseLost, Unavailable
from schemas.event import Event, canonical
from schemas.rulebook import Change
from streams.rules import Rules

PARTITIONS = 4
CODE = "H26.12-260302-0001"
MINE = partition_of(CODE.encode(), PARTITIONS)


class LiveClock(FixedClock):
    """A clock that counts as live and stands where it is put."""

    live = True

    def move(self, to: datetime) -> None:
        """It is that late now, or later already."""
        self._now = max(self._now, to)


@dataclass(frozen=True)
class Take:
    """A chunk of so many records, done and acknowledged."""

    records: int = 1
    topic: str = topics.EVENTS.name


@dataclass(frozen=True)
class Crash:
    """A chunk of so many records, and SIGKILL in its write number ``write`` after ``accepted`` records of that.

    A write beyond the last means: all writes done, the chunk not acknowledged.
    """

    records: int = 1
    write: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class Outage:
    """The same, but the broker refuses and the judge lives: the same chunk comes again at once, and is done."""

    records: int = 1
    write: int = 0
    accepted: int = 0


@dataclass(frozen=True)
class Moved:
    """A chunk whose partition is taken away at the check number ``check``; another judge takes over."""

    records: int = 1
    check: int = 0


@dataclass(frozen=True)
class Tomorrow:
    """Time passes: it is that instant now, and the timer has asked."""

    now: datetime


@dataclass(frozen=True)
class Leave:
    """What is over is evicted, broken off in its write number ``write`` (0: stubs, 1: deletions, 2: not at all)."""

    write: int = 2
    accepted: int = 0
    crash: bool = False


@dataclass(frozen=True)
class Late:
    """What broken writes had left of the state arrives after all: from workers that stood still meanwhile."""


Step = Take | Crash | Outage | Moved | Tomorrow | Leave | Late


@dataclass
class Wire:
    """An `Outbox` that breaks in one write of the next chunk, when it is told to."""

    broker: MemoryOutbox
    writes: int = 0
    breaks_at: int | None = None
    accepted: int = 0
    left: list[Outgoing] = field(default_factory=list)

    def break_at(self, write: int | None, accepted: int = 0) -> None:
        """Count writes from now, and break in that one."""
        self.writes, self.breaks_at, self.accepted = 0, write, accepted

    async def send(self, records: Sequence[Outgoing]) -> None:
        number, self.writes = self.writes, self.writes + 1
        if number == self.breaks_at:
            await self.broker.send(records[: self.accepted])
            self.left += [record for record in records[self.accepted :] if record.topic == topics.STATE.name]
            raise Unavailable("kafka_unavailable", "the script says so")
        await self.broker.send(records)


@dataclass
class Bench:
    """One partition, its judge, its committed offsets, and the clock on the wall."""

    rules: Rules
    clock: LiveClock
    broker: MemoryOutbox = field(default_factory=lambda: MemoryOutbox(PARTITIONS))
    committed: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.state = MemoryStateLog(self.broker, topics.STATE.name)
        self.wire = Wire(self.broker)

    async def start(self) -> None:
        """A new judge reads what is known; the one before is gone with all that it had in memory."""
        self.wire.break_at(None)
        self.lease = MemoryLease()
        past = MemoryPast(self.broker)
        self.judge = Judge(self.rules, self.clock, self.wire, self.state, past, Meters(), partitions=PARTITIONS)
        self.evict = Evict(self.judge, past, keep=timedelta(0))
        await self.judge.assigned(MINE)

    async def publish(self, events: Iterable[Event]) -> None:
        """Events onto the log."""
        await self.broker.send(
            [Outgoing(topics.EVENTS.name, event.dossier_code.encode(), canonical(event), MINE) for event in events]
        )

    async def play(self, steps: Iterable[Step]) -> None:
        """The script, and then all that is left: a calm run is an empty script."""
        await self.start()
        for step in steps:
            await self.step(step)
        await self.finish()

    async def finish(self) -> None:
        """Everything is consumed, and nothing more is due."""
        while True:
            await Tick(self.judge).run({MINE: self.lease})
            await SumUp(self.judge).run({MINE: self.lease})
            waiting = [topic for topic in (topics.EVENTS.name, topics.LOOKS.name) if self._next(topic, 1)]
            if not waiting:
                return
            for topic in waiting:
                await self._take(topic, 100)

    async def step(self, step: Step) -> None:
        """One line of a script."""
        match step:
            case Take():
                await self._take(step.topic, step.records)
            case Tomorrow():
                self.clock.move(step.now)
                await Tick(self.judge).run({MINE: self.lease})
            case Moved():
                self.lease.lose_after(step.check)
                await self._broken(step.records)
                await self.start()
            case Crash():
                self.wire.break_at(step.write, step.accepted)
                await self._broken(step.records)
                await self.start()
            case Leave():
                self.wire.break_at(step.write, step.accepted)
                with suppress(Unavailable):
                    await self.evict.run({MINE: self.lease})
                self.wire.break_at(None)
                if step.crash:
                    await self.start()
            case Late():
                left, self.wire.left = self.wire.left, []
                await self.broker.send(left)
                await self.start()
            case Outage():
                self.wire.break_at(step.write, step.accepted)
                await self._broken(step.records)
                self.wire.break_at(None)
                await self._take(self._topic(), step.records)

    def _topic(self) -> str:
        """Looks come first while there are any, so that scripts meet them, too."""
        return topics.LOOKS.name if self._next(topics.LOOKS.name, 1) else topics.EVENTS.name

    async def _broken(self, records: int) -> None:
        topic = self._topic()
        with suppress(Unavailable, LeaseLost):
            await self._handle(topic, records)

    async def _take(self, topic: str, records: int) -> None:
        self.committed[topic] = self.committed.get(topic, 0) + await self._handle(topic, records)

    async def _handle(self, topic: str, records: int) -> int:
        chunk = self._next(topic, records)
        if chunk:
            handle = self.judge.looks if topic == topics.LOOKS.name else self.judge.events
            await handle(Chunk(topic, MINE, chunk), self.lease)
        return len(chunk)

    def _next(self, topic: str, records: int) -> list[MemoryRecord]:
        begin = self.committed.get(topic, 0)
        return self.broker.records(topic, MINE)[begin : begin + records]

    def tables(self) -> dict[str, dict[Row, Row]]:
        """What archive would make of the topics: key → row, as ClickHouse merges them.

        Fails when two rows of equal key and version differ: then chance would decide which one counts.
        """
        tables: dict[str, dict[Row, Row]] = {EVENTS: {}, ASSESSMENTS: {}, ALERTS: {}}
        for record in self.broker.records(topics.ASSESSMENTS.name):
            judgement = JUDGEMENT.validate_json(record.value or b"")
            for event in judgement.events:
                tables[EVENTS].setdefault(event_row(event)[:3], event_row(event))
            for row in assessment_rows(judgement):
                _merge(tables[ASSESSMENTS], row)
        for alert in self.alerts():
            row = alert_row(alert)
            tables[ALERTS].setdefault((row[0], row[1], row[4], row[2], row[3]), row)
        return tables

    def alerts(self) -> list[Alert]:
        """Every alert record, as often as it was told."""
        told = [TOLD.validate_json(record.value or b"") for record in self.broker.records(topics.ALERTS.name)]
        return [record for record in told if isinstance(record, Alert)]

    def changes(self) -> list[Change]:
        """Every grouped record, as often as it was told."""
        told = [TOLD.validate_json(record.value or b"") for record in self.broker.records(topics.ALERTS.name)]
        return [record for record in told if isinstance(record, Change)]

    def open_alerts(self) -> set[str]:
        """The alerts whose last record leaves them open, as who is told sees it."""
        last = {alert.alert_id: alert for alert in self.alerts()}
        return {name for name, alert in last.items() if alert.open}

    def told(self) -> set[str]:
        """Every alert of which anything was told."""
        return {alert.alert_id for alert in self.alerts()}


VERSION = COLUMNS[ASSESSMENTS].index("version")


def _merge(table: dict[Row, Row], row: Row) -> None:
    known = table.get(row[:2])
    if known is not None and known[VERSION] == row[VERSION]:
        assert known == row, "two rows of one version differ"
    if known is None or _version(known) < _version(row):
        table[row[:2]] = row


def _version(row: Row) -> int:
    version = row[VERSION]
    assert isinstance(version, int)
    return version
