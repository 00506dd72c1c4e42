"""Where the time went: every second of a cycle is running, paused or off hours, and belongs to a holder."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.assessment import Cycle, Segment, Used
from streams.calendar import ZERO, working_time
from streams.clock import WAITING, Course, State
from streams.rules import Edition, Rules


class UnitTime(NamedTuple):
    """Running working time of one unit and stage, all its visits together."""

    unit: str | None
    stage: str | None
    working: timedelta


class Measures(NamedTuple):
    """The durations of a cycle at one instant. running + paused + off = wall, to the microsecond."""

    working: timedelta
    paused: timedelta
    off: timedelta
    wall: timedelta
    late: timedelta
    late_unextended: timedelta
    remaining: timedelta | None
    units: tuple[UnitTime, ...]


def seconds(length: timedelta) -> float:
    """A length of time in seconds, whole where it is whole."""
    return length.total_seconds() if length.microseconds else length.days * 86_400 + length.seconds


def ended_at(course: Course) -> datetime | None:
    """When the clock of a started cycle stopped: the stop, withdrawal, or halt that nothing followed; else None."""
    if course.state in (State.RUNNING, State.PAUSED):
        return None
    end = None
    for step in reversed(course.steps):
        if step.after is not course.state:
            break
        if step.counts:
            end = step.event.at
    return end


class Stay(NamedTuple):
    """An interval with one holder and one state of the clock; ``end`` and ``worked`` are null while it goes on.

    ``worked`` is the working time inside, by the holder's calendar.
    """

    begin: datetime
    end: datetime | None
    paused: bool
    unit: str | None
    stage: str | None
    worked: timedelta | None

    def segment(self) -> Segment:
        """The stay as it crosses a border."""
        begin, end, paused, unit, stage, worked = self
        return Segment(begin, end, paused, unit, stage, None if worked is None else seconds(worked))


def stays(course: Course, end: datetime | None, edition: Edition) -> tuple[Stay, ...]:
    """The life of a started cycle up to its ``end`` (`ended_at`), without gaps: equal neighbours are one stay."""
    found: list[Stay] = []
    calendar, worked, edge = None, ZERO, None  # what was worked up to the edge is asked once for its two sides
    holders = _holders(course, end)
    ends = [*(begin for begin, _ in holders[1:]), end]
    for (begin, (paused, unit, stage)), until in zip(holders, ends, strict=False):  # without holders, no end either
        if until is None:
            found.append(Stay(begin, None, paused, unit, stage, None))
            break
        own = edition.calendar(unit)
        before = worked if own is calendar and begin == edge else own.worked(begin)
        calendar, worked, edge = own, own.worked(until), until
        found.append(Stay(begin, until, paused, unit, stage, worked - before))
    return tuple(found)


_Holder = tuple[bool, str | None, str | None]


def _holders(course: Course, end: datetime | None) -> list[tuple[datetime, _Holder]]:
    """From when on the clock stood or ran, and for whom; of several changes at one instant the last."""
    found: list[tuple[datetime, _Holder]] = []
    for step in course.steps:
        if not step.counts:
            continue
        at = step.event.at
        if end is not None and at >= end:
            break
        holder = step.after in WAITING, step.unit, step.stage
        if found and found[-1][0] == at:
            found.pop()
        if not found or found[-1][1] != holder:
            found.append((at, holder))
    return found


def late(lived: Sequence[Stay], due: datetime, edition: Edition) -> timedelta:
    """Running working time after ``due``, up to the stay that goes on."""
    total = ZERO
    for stay in lived:
        if not stay.paused and stay.end is not None and stay.worked is not None and stay.end > due:
            inside = stay.begin >= due
            total += stay.worked if inside else working_time(edition.calendar(stay.unit), due, stay.end)
    return total


def used(lived: Sequence[Stay], late_working: timedelta, late_unextended: timedelta) -> Used:
    """The time used up to the beginning of the stay that goes on."""
    working = paused = wall = ZERO
    for stay in lived:
        if stay.end is None or stay.worked is None:
            break
        wall += stay.end - stay.begin
        if stay.paused:
            paused += stay.worked
        else:
            working += stay.worked
    off = wall - working - paused
    return Used(seconds(working), seconds(paused), seconds(off), seconds(late_working), seconds(late_unextended))


def breached_in(course: Course, lived: Sequence[Stay], due: datetime) -> str | None:
    """The unit that held the dossier at the due instant; at a hand-over it is the one that hands over."""
    holder = course.steps[0].unit
    for segment in lived:
        if segment.begin < due:
            holder = segment.unit
    return holder


def measure(cycle: Cycle, rules: Rules, *, now: datetime) -> Measures:
    """All durations of a cycle at ``now``, which is not before the last event or look it rests on."""
    spent = cycle.used
    working, paused, off = _length(spent.working_seconds), _length(spent.paused_seconds), _length(spent.off_seconds)
    late_working, late_unextended = _length(spent.late_working_seconds), _length(spent.late_unextended_seconds)
    current, edition = _current(cycle), rules.edition(now)
    worked = ZERO
    if current is not None:
        calendar = edition.calendar(current.unit)
        worked = working_time(calendar, current.begin, now)
        off += now - current.begin - worked
        if current.paused:
            paused += worked
        else:
            working += worked
            if cycle.verdict == "overdue" and cycle.due_current is not None:
                late_working += working_time(calendar, max(current.begin, cycle.due_current), now)
            if cycle.verdict_unextended == "overdue" and cycle.due_unextended is not None:
                late_unextended += working_time(calendar, max(current.begin, cycle.due_unextended), now)
    return Measures(
        working,
        paused,
        off,
        working + paused + off,
        late_working,
        late_unextended,
        _remaining(cycle, edition, now),
        _by_unit(cycle, worked),
    )


def _current(cycle: Cycle) -> Segment | None:
    """The segment that goes on, if one does."""
    return cycle.segments[-1] if cycle.segments and cycle.segments[-1].end is None else None


def _length(value: float) -> timedelta:
    return timedelta(0, value)


def _remaining(cycle: Cycle, edition: Edition, now: datetime) -> timedelta | None:
    if cycle.remaining_seconds is not None:
        return _length(cycle.remaining_seconds)
    if cycle.clock != "running" or cycle.due_current is None:
        return None
    return working_time(edition.calendar(cycle.unit), now, cycle.due_current)


def _by_unit(cycle: Cycle, current: timedelta) -> tuple[UnitTime, ...]:
    """Running working time by unit and stage; ``current`` is that of the segment that goes on."""
    totals: dict[tuple[str | None, str | None], timedelta] = {}
    for segment in cycle.segments:
        if not segment.paused:
            holder, worked = (segment.unit, segment.stage), segment.working_seconds
            before = totals.get(holder)
            length = current if worked is None else timedelta(0, worked)
            totals[holder] = length if before is None else before + length
    return tuple([UnitTime(unit, stage, working) for (unit, stage), working in totals.items()])


def imbalance(cycle: Cycle) -> timedelta:
    """How far the parts of a cycle's time are from its wall time; must be zero for every cycle at every instant."""
    if not cycle.segments or cycle.received_at is None:
        return ZERO
    edge = cycle.received_at
    gaps = ZERO
    for segment in cycle.segments:
        gaps += abs(segment.begin - edge)
        edge = segment.end or segment.begin
    parts = (cycle.used.working_seconds, cycle.used.paused_seconds, cycle.used.off_seconds)
    counted = sum((timedelta(seconds=part) for part in parts), ZERO)
    return gaps + abs((edge - cycle.received_at) - counted)
