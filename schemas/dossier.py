"""What crosses the border about one dossier: judgements, looks, memories and dead letters."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

import orjson
from pydantic import TypeAdapter

from schemas.alert import Alert
from schemas.assessment import Assessment
from schemas.event import Event, present
from schemas.instant import Instant
from schemas.outlook import Outlook
from schemas.rulebook import Change, Rulebook
from schemas.standing import News, Standing
from schemas.stub import Stub

#: The format in which state records are written; `schemas.state` reads it and those before.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Judgement:
    """A record of ``dossier.assessments.v1``: the answer, and the events that this chunk brought.

    ``highest_cycle`` is the highest number a cycle of this dossier ever had: rows above
    ``len(assessment.cycles)`` up to it are deleted. ``arrived`` is when Kafka took in each of the events, in their
    order; ``news`` is what is said that was not said before, null when there is none or nobody is told anything.
    """

    assessment: Assessment
    highest_cycle: int
    events: tuple[Event, ...] = ()
    arrived: tuple[datetime, ...] = ()
    news: News | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """A record of ``dossier.looks.v1``: judge this dossier, its answer changes at ``at``."""

    dossier_code: str
    at: Instant


@dataclass(frozen=True, slots=True)
class Memory:
    """A record of ``dossier.state.v1``: exactly one of an event, an alert as told, a cycle, a rerouting, an outlook,
    what was said last, rules, and a stub.

    ``rerouted`` is the offset on this partition of an event of that dossier that was sent on to another.

    ``intended`` says that the alert (or change) is about to be told, and that nobody knows whether it was.

    ``rules`` (of the partition, so without a dossier code) are those that something was judged by since; ``change``
    beside them is what came of it, absent while open dossiers are still to be judged by them.
    """

    dossier_code: str
    event: Event | None = None
    alert: Alert | None = None
    cycle: int | None = None
    intended: bool | None = None
    rerouted: int | None = None
    said: tuple[Standing, ...] | None = None
    outlook: Outlook | None = None
    rules: Rulebook | None = None
    change: Change | None = None
    stub: Stub | None = None

    def key(self) -> bytes:
        """Its key: writing it again changes nothing, and nothing else has it."""
        if self.event is not None:
            # Two contents may stand under one event id; both are kept, as evidence.
            name = f"event\x1f{self.event.event_id}\x1f{digest(dump(self.event))}"
        elif self.alert is not None:
            return alert_key(self.dossier_code, self.alert.alert_id, self.alert.sequence)
        elif self.rerouted is not None:
            name = f"rerouted\x1f{self.rerouted}"
        elif self.said is not None:
            name = "said"
        elif self.outlook is not None:
            name = "outlook"
        elif self.rules is not None:
            name = f"rules\x1f{self.rules.version}"
        elif self.stub is not None:
            # A later one has another name, so that an earlier one that comes late cannot take its place.
            name = f"stub\x1f{digest(dump(self))}"
        else:
            name = f"cycle\x1f{self.cycle}"
        return f"{self.dossier_code}\x1f{name}".encode()


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """What is known of a buried record without its bytes: position, reason, size and hash.

    ``resent_from`` names the letter that the record was resent from, when it was buried again. ``source`` is what the
    record says of where it is from, empty where it cannot be read that far.
    """

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    size: int
    sha256: str
    buried_at: Instant
    resent_from: str | None = None
    source: str = ""

    @property
    def name(self) -> str:
        """What people call it: where the record stood.

        >>> from schemas.instant import FIRST
        >>> DeadLetter("dossier.events.v1", 3, 1234, "unreadable", "", 0, "", FIRST).name
        'dossier.events.v1/3/1234'
        """
        return f"{self.topic}/{self.partition}/{self.offset}"


def alert_key(dossier_code: str, alert_id: str, sequence: int) -> bytes:
    """The key in the state of the action of that number on an alert."""
    return f"{dossier_code}\x1falert\x1f{alert_id}\x1f{sequence}".encode()


def digest(value: bytes) -> str:
    """A short name of some bytes (the first 16 hex digits of SHA-256)."""
    return hashlib.sha256(value).hexdigest()[:16]


Crossing = Judgement | Look | Memory | DeadLetter | Alert | Change | Assessment | Event


def dump(value: Crossing) -> bytes:
    """The record's bytes: canonical JSON, keys sorted, equal for equal values."""
    return orjson.dumps(_sparse(value), option=orjson.OPT_SORT_KEYS)


def _sparse(value: Crossing) -> object:
    if isinstance(value, Event):
        return present(value)
    if isinstance(value, Judgement):
        return {
            "assessment": value.assessment,
            "highest_cycle": value.highest_cycle,
            "events": [present(event) for event in value.events],
            **({"arrived": value.arrived} if value.arrived else {}),
            **({"news": value.news} if value.news is not None else {}),
        }
    if isinstance(value, Memory):
        return {"format": FORMAT} | {
            name: _sparse(part) if isinstance(part, Event | Alert) else part
            for name in (
                *("dossier_code", "event", "alert", "cycle", "intended", "rerouted", "outlook", "said"),
                *("rules", "change", "stub"),
            )
            if (part := getattr(value, name)) is not None
        }
    if isinstance(value, Alert) and value.change is None:
        return {name: getattr(value, name) for name in value.__slots__ if name != "change"}
    return value


JUDGEMENT: TypeAdapter[Judgement] = TypeAdapter(Judgement)
LOOK: TypeAdapter[Look] = TypeAdapter(Look)
MEMORY: TypeAdapter[Memory] = TypeAdapter(Memory)
MEMORIES: TypeAdapter[list[Memory]] = TypeAdapter(list[Memory])
ALERT: TypeAdapter[Alert] = TypeAdapter(Alert)
TOLD: TypeAdapter[Alert | Change] = TypeAdapter(Alert | Change)
DEAD_LETTER: TypeAdapter[DeadLetter] = TypeAdapter(DeadLetter)
