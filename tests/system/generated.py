"""A made-up year of an office, the same for a seed: every kind of event, in the order in which a bad line brings them.

All of it lies in 2025, so that whatever could change by itself has changed: two runs see the same answers.
"""

import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import orjson

from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from agents.ports import Outgoing
from schemas import topics
from schemas.event import Event, canonical
from tests.hanoi import at
from tests.system.office import ROOT

#: One record in so many stands on a wrong partition.
MISPLACED = 60
#: A name that must not get in.
CITIZEN = "Nguyễn Văn A"
UNITS = ("H26.01", "H26.02", "H26.12", "H26.101")
STAGES = ("tiếp nhận", "thẩm định", "ký duyệt")
PROCEDURES = ("1.004441", "1.004442", "1.004443", "1.004444", "1.004445", "1.009999")
LIMITS = """
version: 1
in_force_from: 2020-01-01
rules:
  - {match: {procedure: "1.004441", channel: online}, limit: {value: 5, unit: working_day}, near_due: {working_days: 2}}
  - {match: {procedure: "1.004441"}, limit: {value: 3, unit: working_day}}
  - {match: {procedure: "1.004442"}, limit: {value: 4, unit: hour}}
  - {match: {procedure: "1.004443"}, limit: {value: 15, unit: day}}
  - {match: {procedure: "1.004444"}, limit: {value: 1, unit: month}}
  - {match: {procedure: "1.004445"}, limit: {unit: same_day}}
  - {match: {}, limit: {unit: none}}
"""
SECOND_LIMITS = """
version: 2
in_force_from: 2025-05-01
rules:
  - {match: {procedure: "1.004441"}, limit: {value: 2.5, unit: working_day}}
  - {match: {procedure: "1.004442"}, limit: {value: 8, unit: hour}}
  - {match: {}, limit: {value: 20, unit: working_day}}
"""


def configuration(folder: Path) -> Path:
    """Hanoi's configuration folder with limits of every unit, and others from May on."""
    shutil.copytree(ROOT / "config", folder)
    (folder / "limits.yaml").write_text(LIMITS)
    (folder / "limits-2.yaml").write_text(SECOND_LIMITS)
    return folder


class Bad(NamedTuple):
    """A record that must be buried, and why."""

    record: Outgoing
    reason: str


@dataclass(frozen=True)
class Log:
    """Events in the order of their arrival, and what is wrong between them."""

    events: tuple[Event, ...]
    bad: tuple[Bad, ...]

    def records(self, seed: int = 1) -> list[Outgoing]:
        """Everything as an upstream sends it, the bad scattered among the good."""
        records = [
            replace(_sent(event, canonical(event)), partition=_elsewhere(event) if number % MISPLACED == 0 else None)
            for number, event in enumerate(self.events)
        ]
        dice = random.Random(seed)
        for bad in self.bad:
            records.insert(dice.randrange(len(records)), bad.record)
        return records


def generate(seed: int, dossiers: int) -> Log:
    """The log of so many dossiers."""
    dice = random.Random(seed)
    arrivals: list[tuple[datetime, Event]] = []
    for number in range(dossiers):
        for event in _Life(dice, number).events():
            arrival = event.at + timedelta(hours=dice.uniform(1, 900) if dice.random() < 0.1 else 0)
            arrivals.append((arrival, event))
            if dice.random() < 0.06:  # sent again, now or much later
                arrivals.append((arrival + timedelta(hours=dice.choice([0, 1, 400])), event))
    arrivals.sort(key=lambda arrival: arrival[0])
    events = tuple(event for _, event in arrivals)
    return Log(events, tuple(_bad(events)))


class _Life:
    """One dossier as it happens: with or without supplement, fee, halt, transfers, extension, end, second run."""

    def __init__(self, dice: random.Random, number: int) -> None:
        self.dice = dice
        self.number = number
        self.now = at("2025-02-03T07:00") + timedelta(minutes=dice.randrange(90 * 24 * 60))
        self.unit = dice.choice(UNITS)
        self.procedure = dice.choice(PROCEDURES)
        self.code = f"{self.unit}-{self.now:%y%m%d}-{number:04d}"
        self.told: list[Event] = []

    def events(self) -> list[Event]:
        """Everything that is ever told about it."""
        if not self._is_refused():
            due = self._later(20) if self.procedure == "1.009999" or self.dice.random() < 0.1 else None
            channel = self.dice.choice(["online", "counter", "post"])
            self._status(2, receiving_unit=self.unit, channel=channel, due=due)
            self._linger()
            for _ in range(self.dice.randrange(4)):
                self._wait(60)
                self.unit = self.dice.choice(UNITS)
                self._status(4, stage=self.dice.choice(STAGES))
                self._linger()
            if self.dice.random() < 0.75:
                self._finish()
        self._correct()
        return self.told

    def _is_refused(self) -> bool:
        if self.dice.random() < 0.7:
            return False
        self._status(1)
        self._wait(8)
        refused = self.dice.random() < 0.2
        if refused:
            self._status(self.dice.choice([3, 7]))
        return refused

    def _linger(self) -> None:
        """What may happen while a unit holds a dossier."""
        chance = self.dice.random()
        self._wait(80)
        if chance < 0.25:
            self._status(self.dice.choice([5, 5, 6]), reason="giay-to")
            self._wait(300)
            if self.dice.random() < 0.8:
                self._status(4)
        elif chance < 0.32:
            self._status(8)
            self._wait(100)
            if self.dice.random() < 0.5:
                self._status(4)
        elif chance < 0.42:
            self._tell("extension", due=self._later(30), reason="gia-han")
        elif chance < 0.46:
            self._tell("letter", letter="apology")

    def _finish(self) -> None:
        self._wait(100)
        self._status(self.dice.choice([9, 9, 9, 9, 9, 10, 7]))
        if self.dice.random() < 0.3:
            self._wait(200)
            self._status(4, stage="làm lại")
            self._wait(50)
            if self.dice.random() < 0.5:
                self._status(9)

    def _correct(self) -> None:
        """Mistakes of the source: one event voided, or one id with two contents."""
        chance = self.dice.random()
        wrong = self.dice.choice(self.told)
        self._wait(200)
        if chance < 0.15:
            self._tell("void", voids=wrong.event_id)
        elif chance < 0.25:
            self.told.append(replace(wrong, at=wrong.at + timedelta(hours=self.dice.uniform(-5, 5))))

    def _status(self, status: int, **fields: object) -> None:
        self._tell("status", status=status, procedure_code=self.procedure, processing_unit=self.unit, **fields)

    def _tell(self, kind: str, **fields: object) -> None:
        name = f"{self.number}-{len(self.told)}"
        values = {"event_id": name, "dossier_code": self.code, "at": self.now, "kind": kind, "source": "generated"}
        self.told.append(Event(**(values | fields)))  # type: ignore[arg-type]

    def _wait(self, hours: float) -> None:
        self.now += timedelta(microseconds=round(self.dice.uniform(0.01, hours) * 3_600e6))

    def _later(self, days: float) -> datetime:
        return self.now + timedelta(minutes=round(self.dice.uniform(1, days) * 24 * 60))


def _bad(events: Sequence[Event]) -> Iterator[Bad]:
    """Some of each kind of record that cannot be used, each made from a good one, no two the same."""
    statuses = [event for event in events if event.kind == "status"]
    spoilt: list[tuple[str, dict[str, object]]] = [
        ("unknown_field", {"ho_ten": CITIZEN}),
        ("naive_time", {"at": "2025-03-03T09:00:00"}),
        ("invalid_field", {"at": "yesterday"}),
        ("invalid_field", {"at": "9999-12-31T00:00:00Z"}),
        ("unknown_status", {"status": 11}),
        ("unknown_kind", {"kind": "rumour"}),
        ("misplaced_field", {"voids": "x"}),
        ("invalid_code", {"procedure_code": "một"}),
        ("future_time", {"at": "2099-06-01T09:00:00+07:00"}),
        ("missing_field", {"status": None}),
    ]
    for number, (reason, change) in enumerate(spoilt * 3):
        event = statuses[number * 7]
        fields = orjson.loads(canonical(replace(event, event_id=f"bad-{number}"))) | change
        spoilt_bytes = orjson.dumps({name: value for name, value in fields.items() if value is not None})
        yield Bad(_sent(event, spoilt_bytes), reason)
    for number, value in enumerate((b"\xff\xfe\x00", b"", b"{", b"[1]", b'"text"', b"null", None)):
        yield Bad(_sent(statuses[number], value), "unreadable")


def _elsewhere(event: Event) -> int:
    """A partition that is not the dossier's."""
    return (partition_of(event.dossier_code.encode(), PARTITIONS) + 1) % PARTITIONS


def _sent(event: Event, value: bytes | None) -> Outgoing:
    return Outgoing(topics.EVENTS.name, event.dossier_code.encode(), value)
