"""Where the time went: every second of a cycle is running, paused or off hours, and belongs to a holder."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.assessment import Cycle, Segment, Used
from streams.calendar import ZERO, working_time
from streams.clock import WAITING, Course, State
from streams.limits import Rules


@dataclass(frozen=True, slots=True)
class UnitTime:
    """Running working time of one unit and stage, all its visits together."""

    unit: str | None
    stage: str | None
    working: timedelta


@dataclass(frozen=True, slots=True)
class Measures:
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


def segments(course: Course, rules: Rules) -> tuple[Segment, ...]:
    """The life of a started cycle as intervals with one holder and one state of the clock, without gaps."""
    stays = _stays(course, ended_at(course))
    found: list[Segment] = []
    calendar, worked, edge = None, ZERO, None  # what was worked up to the edge is asked once for its two sides
    for stay in stays:
        if stay.end is None:
            found.append(Segment(stay.begin, None, stay.paused, stay.unit, stay.stage, None))
            break
        own = rules.calendar(stay.unit)
        before = worked if (own, stay.begin) == (calendar, edge) else own.worked(stay.begin)
        calendar, worked, edge = own, own.worked(stay.end), stay.end
        found.append(Segment(stay.begin, stay.end, stay.paused, stay.unit, stay.stage, seconds(worked - before)))
    return tuple(found)


class _Stay(NamedTuple):
    begin: datetime
    end: datetime | None
    paused: bool
    unit: str | None
    stage: str | None


def _stays(course: Course, end: datetime | None) -> list[_Stay]:
    """Between two steps that count one holder has the dossier; equal neighbours are one stay."""
    steps = [step for step in course.steps if step.counts and (end is None or step.event.at <= end)]
    found: list[_Stay] = []
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if following is None and end is not None:
            break
        stay = _Stay(
            step.event.at,
            following.event.at if following is not None else None,
            step.after in WAITING,
            step.unit,
            step.stage,
        )
        if stay.begin == stay.end:
            continue
        if found and found[-1][2:] == stay[2:]:
            stay = stay._replace(begin=found.pop().begin)
        found.append(stay)
    return found


def late(lived: Sequence[Segment], due: datetime, rules: Rules, until: datetime | None = None) -> timedelta:
    """Running working time after ``due``; of the segment that goes on only with ``until``."""
    total = ZERO
    for segment in lived:
        end = segment.end or until
        if not segment.paused and end is not None and end > due:
            total += working_time(rules.calendar(segment.unit), max(segment.begin, due), end)
    return total


def used(lived: Sequence[Segment], late_working: timedelta, late_unextended: timedelta) -> Used:
    """The time used up to the beginning of the segment that goes on."""
    working = paused = wall = ZERO
    for segment in lived:
        if segment.end is None or segment.working_seconds is None:
            continue
        worked = timedelta(seconds=segment.working_seconds)
        wall += segment.end - segment.begin
        if segment.paused:
            paused += worked
        else:
            working += worked
    off = wall - working - paused
    return Used(seconds(working), seconds(paused), seconds(off), seconds(late_working), seconds(late_unextended))


def breached_in(course: Course, lived: Sequence[Segment], due: datetime) -> str | None:
    """The unit that held the dossier at the due instant; at a hand-over it is the one that hands over."""
    holder = course.steps[0].unit
    for segment in lived:
        if segment.begin < due:
            holder = segment.unit
    return holder


def measure(cycle: Cycle, rules: Rules, *, now: datetime) -> Measures:
    """All durations of a cycle at ``now``, which is not before the last event or look it rests on."""
    working, paused, off = (
        timedelta(seconds=value)
        for value in (cycle.used.working_seconds, cycle.used.paused_seconds, cycle.used.off_seconds)
    )
    late_working = timedelta(seconds=cycle.used.late_working_seconds)
    late_unextended = timedelta(seconds=cycle.used.late_unextended_seconds)
    current = cycle.segments[-1] if cycle.segments and cycle.segments[-1].end is None else None
    if current is not None:
        calendar = rules.calendar(current.unit)
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
        _remaining(cycle, rules, now),
        _by_unit(cycle, rules, now),
    )


def _remaining(cycle: Cycle, rules: Rules, now: datetime) -> timedelta | None:
    if cycle.remaining_seconds is not None:
        return timedelta(seconds=cycle.remaining_seconds)
    if cycle.clock != "running" or cycle.due_current is None:
        return None
    return working_time(rules.calendar(cycle.unit), now, cycle.due_current)


def _by_unit(cycle: Cycle, rules: Rules, now: datetime) -> tuple[UnitTime, ...]:
    totals: dict[tuple[str | None, str | None], timedelta] = {}
    for segment in cycle.segments:
        if not segment.paused:
            holder = (segment.unit, segment.stage)
            worked = (
                timedelta(seconds=segment.working_seconds)
                if segment.working_seconds is not None
                else working_time(rules.calendar(segment.unit), segment.begin, now)
            )
            totals[holder] = totals.get(holder, ZERO) + worked
    return tuple(UnitTime(unit, stage, working) for (unit, stage), working in totals.items())


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
