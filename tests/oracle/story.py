"""What happened: the events in their order, and what each of them does by the table of §2."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from itertools import groupby, pairwise

from schemas.event import Event
from schemas.office import Office
from tests.oracle import readings

STATUS_ORDER = [1, 2, 4, 5, 6, 8, 3, 7, 9, 10]

#: clock is → status → what the event does; what does not stand here is evidence.
TABLE = {
    "not started": {
        2: "start",
        3: "refuse",
        4: "start",
        7: "give up",
        8: "start and halt",
        9: "start and stop",
        10: "start and stop",
    },
    "running": {2: "move", 4: "move", 5: "pause", 6: "pause", 7: "withdraw", 8: "halt", 9: "stop", 10: "stop"},
    "paused": {2: "resume", 4: "resume", 5: "join", 6: "join", 7: "withdraw", 8: "halt", 9: "stop", 10: "stop"},
    "halted": {2: "resume", 4: "resume", 5: "pause", 6: "pause", 7: "withdraw", 9: "stop", 10: "stop"},
    "stopped": {4: "reopen"},
    "withdrawn": {},
    "refused": {},
    "given up": {},
}
AFTER = {
    "start": "running",
    "start and halt": "halted",
    "start and stop": "stopped",
    "refuse": "refused",
    "give up": "given up",
    "move": "running",
    "resume": "running",
    "reopen": "running",
    "pause": "paused",
    "join": "paused",
    "halt": "halted",
    "stop": "stopped",
    "withdraw": "withdrawn",
}
EXPECTED = {
    1: {2, 3, 5, 7},
    2: {4, 5, 6, 7, 8, 9, 10},
    3: set[int](),
    4: {4, 5, 6, 7, 8, 9, 10},
    5: {2, 4, 6, 7, 8},
    6: {2, 4, 5, 7, 8, 9},
    7: set[int](),
    8: {2, 4},
    9: {10, 4},
    10: {4},
}


@dataclass
class Step:
    """One event, what it does, and how the dossier stands after it."""

    event: Event
    does: str
    was: str
    clock: str
    unit: str | None
    stage: str | None


@dataclass
class Cycle:
    """What belongs to one cycle, in order; before the start belongs to the first."""

    number: int
    steps: list[Step] = field(default_factory=list)
    flags: set[str] = field(default_factory=set)

    @property
    def effective(self) -> list[Step]:
        """The status events that did something."""
        return [step for step in self.steps if step.event.kind == "status" and step.does != "evidence"]

    @property
    def clock(self) -> str:
        return self.steps[-1].clock

    @property
    def start(self) -> Step | None:
        return next((step for step in self.steps if step.does.startswith("start") or step.does == "reopen"), None)

    @property
    def end(self) -> Step | None:
        """The stop or the withdrawal; of a dossier that is halted the 8."""
        for step in reversed(self.steps):
            if step.does in ("stop", "withdraw", "start and stop"):
                return step
            if step.does in ("halt", "start and halt") and self.clock == "halted":
                return step
        return None

    @property
    def closed(self) -> bool:
        return self.clock in ("stopped", "withdrawn")


def canonical(event: Event) -> bytes:
    """The content, keys sorted, without spaces."""
    content: dict[str, object] = {}
    for one in fields(event):
        value = getattr(event, one.name)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).isoformat()
        elif one.name == "limit" and value is not None:
            value = {"unit": value.unit} if value.value is None else {"unit": value.unit, "value": value.value}
        if value is not None:
            content[one.name] = value
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def one_each(events: Sequence[Event]) -> tuple[list[Event], set[str]]:
    """One event an id, and the ids with two contents."""
    by_id: dict[str, dict[bytes, Event]] = {}
    for event in events:
        by_id.setdefault(event.event_id, {})[canonical(event)] = event
    conflicting = {name for name, contents in by_id.items() if len(contents) > 1}
    return [min(c.values(), key=lambda event: (event.at, canonical(event))) for c in by_id.values()], conflicting


def without_voided(events: Sequence[Event]) -> list[Event]:
    voided = {event.voids for event in events if event.kind == "void"}
    return [event for event in events if event.kind == "void" or event.event_id not in voided]


def rank(event: Event) -> int:
    return STATUS_ORDER.index(event.status) if event.status is not None else len(STATUS_ORDER)


def in_order(events: Sequence[Event]) -> list[Event]:
    ordered: list[Event] = []
    for _, same in groupby(sorted(events, key=lambda event: event.at), key=lambda event: event.at):
        instant = sorted(same, key=lambda event: (rank(event), event.event_id))
        told = [event for event in instant if event.kind != "void" or readings.A_VOID_IS_AN_EVENT_OF_ITS_INSTANT]
        sources = {event.source for event in told}
        named = None not in sources or readings.NO_SOURCE_IS_ONE_SOURCE
        if len(sources) == 1 and named and all(event.sequence is not None for event in told):
            instant.sort(key=lambda event: event.sequence or 0)
        ordered += instant
    return ordered


def deed(clock: str, event: Event, office: Office) -> str:
    """What a status event does while the clock is so."""
    assert event.status is not None
    does = TABLE[clock].get(event.status, "evidence")
    if event.status == 6 and event.procedure_code in office.clock_runs_on and does != "evidence":
        return "move"  # stage and unit, and nothing else
    return does


def tell(events: Sequence[Event], office: Office, now: datetime) -> list[Cycle]:
    """The cycles of one dossier as of an instant; none without a status event."""
    counted, conflicting = one_each([event for event in events if event.at <= now])
    ordered = in_order(without_voided(counted))
    if not any(event.kind == "status" for event in ordered):
        return []
    cycles = [Cycle(1)]
    clock, unit, stage = "not started", None, None
    for event in ordered:
        does = deed(clock, event, office) if event.kind == "status" else event.kind
        was = clock
        if does == "reopen":
            cycles.append(Cycle(len(cycles) + 1))
        if does != "move":
            clock = AFTER.get(does, clock)
        registered = event.status == 1 and was == "not started" and readings.A_REGISTRATION_HANDS_ON_ITS_STAGE
        if event.kind == "status" and (does != "evidence" or registered):
            unit, stage = event.processing_unit, event.stage or stage
        cycles[-1].steps.append(Step(event, does, was, clock, unit, stage))
    mark(cycles, conflicting)
    return cycles


def mark(cycles: list[Cycle], conflicting: set[str]) -> None:
    """The flags that the story itself gives."""
    stations = [(cycle, step) for cycle in cycles for step in cycle.steps if step.event.kind == "status"]
    for (_, first), (cycle, second) in pairwise(stations):
        assert first.event.status is not None
        if second.event.status not in EXPECTED[first.event.status]:
            cycle.flags.add("illegal_transition")
    for cycle in cycles:
        start = cycle.start
        if start is not None and start.does != "reopen" and start.event.status != 2:
            cycle.flags.add("incomplete_history")
        marking = [cycle] if readings.A_CONFLICT_MARKS_ITS_OWN_CYCLE else cycles
        if any(step.event.event_id in conflicting for one in marking for step in one.steps):
            cycle.flags.add("conflicting_event")
