"""Explain: everything that stands behind the answer for one dossier, gathered so that a clerk can check it.

Here are the figures and reasons; `agents.explain_sheets` words them, and text, page and JSON lay them out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from agents.recall import Recalled
from schemas.alert import Alert
from schemas.assessment import Cycle, Level, Reached, Segment
from schemas.calendar import CalendarYear
from schemas.event import Event
from streams.calendar import DAY, ZERO, Calendar, working_time
from streams.counting import Counting, Official, count_official, count_term
from streams.history import History, timeline, until
from streams.ledger import Measures, measure
from streams.reasons import Account, Taken, accounts
from streams.rehearsal import Told, rehearse
from streams.rules import Edition, Rules
from streams.verdict import assess

Decrees = Mapping[tuple[str, date], str | None]  #: the decree behind a day, by calendar and date


@dataclass(frozen=True, slots=True)
class Day:
    """A day that differs from its weekday: off, or worked; ``decree`` is null where no file names one."""

    date: date
    worked: bool
    decree: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """A segment with all its figures: running + paused + off = wall. ``days`` lie inside, wholly or partly."""

    begin: datetime
    end: datetime
    ongoing: bool
    unit: str | None
    stage: str | None
    stands: bool  # the clock stood: a pause or halt
    calendar: Calendar
    running: timedelta
    paused: timedelta
    off: timedelta
    wall: timedelta
    days: tuple[Day, ...]


@dataclass(frozen=True, slots=True)
class Reasons:
    """One cycle: the answer, and all that explains it."""

    cycle: Cycle
    spent: Measures
    account: Account
    parts: tuple[Part, ...]
    counting: Counting | None
    counting_days: tuple[Day, ...]
    official: Official | None
    upcoming: tuple[Reached, ...]
    before: int  # events of the cycles before

    @property
    def numbered(self) -> tuple[tuple[int, Taken], ...]:
        """The events of the cycle, numbered through the whole dossier."""
        return tuple(enumerate(self.account.taken, start=self.before + 1))

    @property
    def days(self) -> tuple[Day, ...]:
        """Every special day of the parts, once."""
        return tuple(sorted({day for part in self.parts for day in part.days}, key=lambda day: day.date))


@dataclass(frozen=True, slots=True)
class Explanation:
    """One dossier as of ``now``; ``voided`` and ``later`` are the events that do not count."""

    dossier_code: str
    now: datetime
    rules: Rules
    cycles: tuple[Reasons, ...]
    told: tuple[Told, ...]
    voided: tuple[Event, ...]
    later: int
    sent: tuple[Alert, ...] | None = None  # every action on its alerts as it was written; None: nobody knows
    recalled: Recalled | None = None  # as known at an instant of the past; None: as known now


def read_decrees(years: Iterable[CalendarYear]) -> Decrees:
    """The decree of each confirmed day that differs from its weekday."""
    return {(year.calendar, day.date): day.decree for year in years for day in year.days if day.state == "confirmed"}


def explain(
    history: History,
    rules: Rules,
    decrees: Decrees,
    *,
    sent: tuple[Alert, ...] | None = None,
    recalled: Recalled | None = None,
    now: datetime,
) -> Explanation:
    """What explains a dossier at ``now``; events dated after it are left out."""
    known = until(history, now)
    cycles: list[Reasons] = []
    before = 0
    for cycle, account in zip(assess(known, rules, now=now).cycles, accounts(known, rules, now=now), strict=True):
        cycles.append(_reasons(cycle, account, rules, decrees, now, before))
        before += len(account.taken)
    counting = timeline(known, now=now).events
    return Explanation(
        history.dossier_code,
        now,
        rules,
        tuple(cycles),
        rehearse(known, rules, now=now),
        tuple(event for event in known.events if event not in counting),
        len(history.events) - len(known.events),
        sent,
        recalled,
    )


def _reasons(cycle: Cycle, account: Account, rules: Rules, decrees: Decrees, now: datetime, before: int) -> Reasons:
    counting, official, course = None, None, account.course
    edition = account.term.edition if account.term is not None else rules.edition(now)
    days: tuple[Day, ...] = ()
    if account.term is not None:
        official = count_official(course, account.term, now=now)
        if account.term.computed is not None and account.term.limit is not None:
            start = course.steps[0].event.at
            counting = count_term(account.term.limit, course.subject, start, account.term.edition)
            calendar = account.term.edition.calendar(course.subject.unit)
            first = (counting.receipt_day if counting is not None else None) or calendar.day(start)
            days = tuple(_special(calendar, first, account.term.computed.day, decrees))
    return Reasons(
        cycle,
        measure(cycle, rules, now=now),
        account,
        tuple(_part(segment, edition, decrees, now) for segment in cycle.segments),
        counting,
        days,
        official,
        tuple(_upcoming(cycle, account, now)),
        before,
    )


def _upcoming(cycle: Cycle, account: Account, now: datetime) -> Iterator[Reached]:
    """The levels that come if nothing arrives."""
    for rung in account.climbed if cycle.clock == "running" else ():
        if rung.begin > now and rung.level is not Level.NONE and rung.due is not None:
            yield Reached(rung.level, rung.begin, rung.end, rung.due.at)


def _part(segment: Segment, edition: Edition, decrees: Decrees, now: datetime) -> Part:
    calendar, end = edition.calendar(segment.unit), segment.end or now
    wall = end - segment.begin
    open_hours = (
        timedelta(seconds=segment.working_seconds)
        if segment.working_seconds is not None
        else working_time(calendar, segment.begin, end)
    )
    running, paused = (ZERO, open_hours) if segment.paused else (open_hours, ZERO)
    return Part(
        segment.begin,
        end,
        segment.end is None,
        segment.unit,
        segment.stage,
        segment.paused,
        calendar,
        running,
        paused,
        wall - open_hours,
        wall,
        tuple(_special(calendar, calendar.day(segment.begin), calendar.day(end), decrees)),
    )


def _special(calendar: Calendar, first: date, last: date, decrees: Decrees) -> Iterator[Day]:
    """The days from first to last on which the office is open or closed unlike on that weekday."""
    for count in range((last - first).days + 1):
        day = first + DAY * count
        worked = calendar.is_open(day)
        if worked != bool(calendar.week(day.year)[day.weekday()]):
            yield Day(day, worked, decrees.get((calendar.name, day)))
