"""The clock of a dossier: what each event does to it, for every sequence there is.

`TABLE` is the office's table of effects (national status codes, TrangThaiHoSo). A status that is not
in a state's row changes nothing: it is kept as evidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from schemas.event import Event
from streams.history import Timeline
from streams.policy import Subject


class State(StrEnum):
    """What the clock is doing."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    PAUSED = "paused"
    HALTED = "halted"
    STOPPED = "stopped"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


REGISTERED, RECEIVED, PROCESSING, SUPPLEMENT, FEE = 1, 2, 4, 5, 6
_WAIT = {SUPPLEMENT: State.PAUSED, FEE: State.PAUSED, 7: State.WITHDRAWN, 9: State.STOPPED, 10: State.STOPPED}
_RUN = {RECEIVED: State.RUNNING, PROCESSING: State.RUNNING}

TABLE: Mapping[State, Mapping[int, State]] = {
    State.NOT_STARTED: {
        **_RUN,
        3: State.REFUSED,
        7: State.WITHDRAWN,
        8: State.HALTED,
        9: State.STOPPED,
        10: State.STOPPED,
    },
    State.RUNNING: {**_RUN, **_WAIT, 8: State.HALTED},
    State.PAUSED: {**_RUN, **_WAIT, 8: State.HALTED},
    State.HALTED: {**_RUN, **_WAIT},
    State.STOPPED: {PROCESSING: State.RUNNING},  # the next cycle
    State.WITHDRAWN: {},
    State.REFUSED: {},
}

#: The pairs of consecutive statuses that the procedure knows; any other is flagged, and nothing else.
EXPECTED: Mapping[int, frozenset[int]] = {
    1: frozenset({2, 3, 5, 7}),
    2: frozenset({4, 5, 6, 7, 8, 9, 10}),
    3: frozenset(),
    4: frozenset({4, 5, 6, 7, 8, 9, 10}),
    5: frozenset({2, 4, 6, 7, 8}),
    6: frozenset({2, 4, 5, 7, 8, 9}),
    7: frozenset(),
    8: frozenset({2, 4}),
    9: frozenset({10, 4}),
    10: frozenset({4}),
}

WAITING = frozenset({State.PAUSED, State.HALTED})
STARTED = frozenset({State.RUNNING, State.PAUSED, State.HALTED})
_BEFORE_A_CYCLE = frozenset({State.NOT_STARTED, State.STOPPED})
_IMPUTED = frozenset({4, 8, 9, 10})


class Step(NamedTuple):
    """One event and what it did: the clock before and after, and who holds the dossier from then on.

    ``counts`` is False for evidence that changes nothing. Extensions and letters are steps, too.
    """

    event: Event
    before: State
    after: State
    counts: bool
    unit: str | None
    stage: str | None


_NOBODYS = Subject(None, None, None, None, None)


@dataclass(slots=True)
class Course:
    """The steps of one cycle, from its start; ``registered`` are those before it (of the first cycle)."""

    number: int
    state: State
    imputed: bool = False
    illegal: bool = False
    status: int = 0  # of its last status event; 0 while there is none
    subject: Subject = _NOBODYS
    registered: list[Step] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def lettered(self) -> bool:
        """Whether an apology letter was sent in its time, or before its start."""
        return any(step.event.kind == "letter" for step in (*self.registered, *self.steps))

    @property
    def started(self) -> bool:
        """Whether a clock ever ran in it."""
        return bool(self.steps) and self.steps[0].after not in (
            State.REFUSED,
            State.WITHDRAWN,
            State.NOT_STARTED,
        )


class _Walk:
    """The walk through a timeline: what is carried from event to event."""

    def __init__(self, clock_runs_on: frozenset[str]) -> None:
        self.clock_runs_on = clock_runs_on
        self.courses: list[Course] = []
        self.state = State.NOT_STARTED
        self.last_status: int | None = None
        self.procedure: str | None = None
        self.case: str | None = None
        self.channel: str | None = None
        self.receiving_unit: str | None = None
        self.unit: str | None = None
        self.stage: str | None = None

    def take(self, event: Event) -> None:
        before, status = self.state, event.status
        after = None if status is None else self._effect(event, status)
        if not self.courses or (before is State.STOPPED and after is State.RUNNING):
            self.courses.append(Course(len(self.courses) + 1, State.NOT_STARTED))
        course = self.courses[-1]
        if status is not None:
            if after is not None or (before is State.NOT_STARTED and status == REGISTERED):
                self._carry(event, holds=after is not None)
            if before in _BEFORE_A_CYCLE and after is not None:
                course.subject = Subject(self.procedure, self.case, self.channel, self.unit, self.receiving_unit)
                course.imputed = before is State.NOT_STARTED and status in _IMPUTED
            self.state = course.state = after or before
            course.status = status
            course.illegal |= self.last_status is not None and status not in EXPECTED[self.last_status]
            self.last_status = status
        step = Step(event, before, self.state, after is not None, self.unit, self.stage)
        (course.registered if self.state is State.NOT_STARTED else course.steps).append(step)

    def _effect(self, event: Event, status: int) -> State | None:
        """The state that follows, or None where the event changes nothing."""
        if status == FEE and self.state in STARTED and (event.procedure_code or self.procedure) in self.clock_runs_on:
            return self.state
        return TABLE[self.state].get(status)

    def _carry(self, event: Event, *, holds: bool) -> None:
        """An absent field means: as before."""
        self.procedure = event.procedure_code or self.procedure
        self.stage = event.stage or self.stage
        if event.case is not None:
            self.case = event.case
        if event.channel is not None:
            self.channel = event.channel
        if event.receiving_unit is not None:
            self.receiving_unit = event.receiving_unit
        if holds:
            self.unit = event.processing_unit or self.unit


def walk(events: Timeline, clock_runs_on: frozenset[str] = frozenset()) -> tuple[Course, ...]:
    """The cycles of a dossier, and what each event did in them; none without any status event.

    ``clock_runs_on`` names the procedures whose fee request (6) does not pause the clock.
    """
    walked = _Walk(clock_runs_on)
    for event in events.events:
        walked.take(event)
    return tuple(course for course in walked.courses if course.status)
