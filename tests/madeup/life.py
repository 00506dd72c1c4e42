"""One made-up dossier, and the answer to it as a clerk works it out with a calendar.

Nothing here asks the program that is to be tested: the few rules that such a life needs (the end of a
term, a pause that moves it, the levels) are worked out directly.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from schemas.assessment import Clock, Level, Verdict
from schemas.office import WORKING_DAY
from streams.calendar import ZERO, Calendar, add_working_time, working_time

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
FINISHED, WITHDRAWN = 9, 7  # national status codes of an end


class Standing(StrEnum):
    """How a dossier stands."""

    EARLY = "early"
    ON_TIME = "on_time"
    LATE = "late"
    OPEN = "open"
    NEAR_DUE = "near_due"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    PAUSED = "paused"
    WITHDRAWN = "withdrawn"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure with its limit: in working days, or in working hours to the instant."""

    code: str
    days: int = 0
    hours: int = 0
    near_days: int = 0  # what its rule says about near_due; 0: the default


@dataclass(slots=True)
class Life:
    """What happens to one dossier: receipt, hand-overs (at, unit, stage), perhaps a pause and an end (at, status)."""

    procedure: Procedure
    unit: str
    received: datetime
    moves: list[tuple[datetime, str, str]] = field(default_factory=list)
    pause: tuple[datetime, datetime | None] | None = None
    end: tuple[datetime, int] | None = None

    @property
    def holder(self) -> str:
        """The unit that had it last."""
        return self.moves[-1][1] if self.moves else self.unit


@dataclass(frozen=True, slots=True)
class Answer:
    """What must hold for a dossier; ``due`` is null in a pause, durations are working time."""

    verdict: Verdict
    level: Level
    clock: Clock
    unit: str
    received_at: datetime | None = None
    due: datetime | None = None
    ended_at: datetime | None = None
    working: timedelta = ZERO
    paused: timedelta = ZERO

    @property
    def standing(self) -> Standing:
        """How a board would count it."""
        if self.verdict in ("withdrawn", "refused"):
            return Standing(self.verdict)
        if self.clock == "stopped":
            return Standing.LATE if self.verdict == "overdue" else Standing(self.verdict)
        if self.clock == "paused":
            return Standing.PAUSED
        return _OPEN[self.level]


_OPEN = {
    Level.NONE: Standing.OPEN,
    Level.NEAR_DUE: Standing.NEAR_DUE,
    Level.DUE_TODAY: Standing.DUE_TODAY,
    Level.OVERDUE: Standing.OVERDUE,
    Level.SERIOUSLY_OVERDUE: Standing.OVERDUE,
}


@dataclass(frozen=True, slots=True)
class Term:
    """The end of a term: its instant, its date, and whether it is compared by instant."""

    at: datetime
    day: date
    exact: bool

    def missed(self, at: datetime, calendar: Calendar) -> bool:
        """Whether an end at that instant is too late."""
        return at >= self.at + SECOND if self.exact else calendar.day(at) > self.day


def promised(life: Life, calendar: Calendar) -> Term:
    """The term as it stands at the receipt, which is always in office hours."""
    if life.procedure.hours:
        at = add_working_time(calendar, life.received, life.procedure.hours * HOUR)
        return Term(at, calendar.day(at), exact=True)
    day = calendar.nth_open_day(calendar.day(life.received), life.procedure.days)
    return Term(_closing(calendar, day), day, exact=False)


def _closing(calendar: Calendar, day: date) -> datetime:
    closing = calendar.closing(day)
    if closing is None:
        raise ValueError(f"{day} is not an open day")
    return closing


def term(life: Life, calendar: Calendar) -> Term:
    """The term after the pause, if there was one: what was left when it began is left when it ends."""
    first = promised(life, calendar)
    began, resumed = life.pause or (None, None)
    if began is None or resumed is None:
        return first
    at = max(first.at, add_working_time(calendar, resumed, working_time(calendar, began, first.at)))
    return Term(at, calendar.day(at), first.exact)


def answer(life: Life, calendar: Calendar, *, now: datetime) -> Answer:
    """What must hold for this dossier at ``now``, which is not before its last event."""
    due, until = term(life, calendar), life.end[0] if life.end else now
    paused = ZERO if life.pause is None else working_time(calendar, life.pause[0], life.pause[1] or until)
    working = working_time(calendar, life.received, until) - paused
    open_pause = life.pause is not None and life.pause[1] is None
    verdict, level, clock = _verdict(life, due, calendar), Level.NONE, _clock(life)
    if clock == "running":
        level = _level(life, due, calendar, now)
        verdict = "overdue" if due.missed(now, calendar) else "in_time"
    shown = None if open_pause else due.at
    ended = life.end[0] if life.end else None
    return Answer(verdict, level, clock, life.holder, life.received, shown, ended, working, paused)


def _clock(life: Life) -> Clock:
    if life.end is not None:
        return "stopped"
    return "paused" if life.pause is not None and life.pause[1] is None else "running"


def _verdict(life: Life, due: Term, calendar: Calendar) -> Verdict:
    if life.end is None:
        return "in_time"
    at, status = life.end
    if status == WITHDRAWN:
        return "withdrawn"
    if due.missed(at, calendar):
        return "overdue"
    return "early" if calendar.day(at) < due.day else "on_time"


def _level(life: Life, due: Term, calendar: Calendar, now: datetime) -> Level:
    if due.missed(now, calendar):
        late = working_time(calendar, due.at, now)
        return Level.SERIOUSLY_OVERDUE if late >= 3 * WORKING_DAY else Level.OVERDUE
    if not due.exact and calendar.day(now) == due.day:
        return Level.DUE_TODAY
    near = working_time(calendar, now, due.at) <= _margin(life, calendar)
    return Level.NEAR_DUE if near else Level.NONE


def _margin(life: Life, calendar: Calendar) -> timedelta:
    if life.procedure.near_days:
        return life.procedure.near_days * WORKING_DAY
    first = promised(life, calendar)
    if first.exact:
        return HOUR
    return min(max(working_time(calendar, life.received, first.at) / 5, 4 * HOUR), 2 * WORKING_DAY)
