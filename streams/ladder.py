"""The ladder of levels: near due, due today, overdue, seriously overdue; and the buckets of the counts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import NamedTuple

from schemas.assessment import Bucket, Cycle, Level, Reached, Span
from schemas.office import WORKING_DAY
from streams.calendar import ZERO, Calendar, add_working_time, working_time
from streams.clock import WAITING, Course, State, Step
from streams.limits import AN_INSTANT, Due
from streams.promise import Piece, Term
from streams.rules import Edition

HOUR = timedelta(hours=1)
SERIOUSLY = 3 * WORKING_DAY

_RANK = {level: rank for rank, level in enumerate(Level)}
_BUCKETS: dict[Level, Bucket] = {
    Level.NONE: "in_time",
    Level.NEAR_DUE: "near_due",
    Level.DUE_TODAY: "due_today",
    Level.OVERDUE: "overdue",
    Level.SERIOUSLY_OVERDUE: "overdue",
}


class Rung(NamedTuple):
    """An interval of running on one level (perhaps none), for one unit, towards one due time."""

    begin: datetime
    end: datetime | None
    level: Level
    unit: str | None
    due: Due | None


def near_due_margin(term: Term, received: datetime, calendar: Calendar) -> timedelta | None:
    """How much working time is left when a dossier becomes near due; None for a same-day procedure.

    A rule's own margin; else an hour for exact limits; else a fifth of the working time from the
    start to the original due time, but at least four hours and at most two working days.
    """
    near = term.near_due
    if near is not None:
        return (near.working_days or 0) * WORKING_DAY + (near.working_hours or 0) * HOUR
    if _same_day(term):
        return None
    if term.current.exact:
        return HOUR
    promised = working_time(calendar, received, term.original.at) if term.original is not None else ZERO
    return min(max(promised // 5, 4 * HOUR), 2 * WORKING_DAY)  # no more than a fifth, to the microsecond


def _same_day(term: Term) -> bool:
    return term.limit is not None and term.limit.unit == "same_day"


class _Thresholds:
    """From when on each level holds, for each due time and calendar of a cycle: computed once each."""

    def __init__(self, term: Term, margin: timedelta | None) -> None:
        self._exact = term.current.exact
        self._same_day = _same_day(term)
        self._margin = margin
        self._known: dict[tuple[Calendar, datetime], list[tuple[datetime, Level]]] = {}

    def of(self, calendar: Calendar, due: Due) -> list[tuple[datetime, Level]]:
        """Up to overdue, by instant; serious lateness depends on what was late before."""
        known = self._known.get((calendar, due.at))
        if known is None:
            known = self._known[calendar, due.at] = self._found(calendar, due)
        return known

    def _found(self, calendar: Calendar, due: Due) -> list[tuple[datetime, Level]]:
        found = [(due.missed_from, Level.OVERDUE)]
        if self._margin is not None:
            found.append((_before(calendar, due, self._margin), Level.NEAR_DUE))
        if self._same_day:
            found.append((_before(calendar, due, HOUR), Level.DUE_TODAY))
        elif not self._exact:
            found.append((due.day_begins, Level.DUE_TODAY))
        return sorted(found, key=lambda threshold: (threshold[0], _RANK[threshold[1]]))


def rungs(term: Term, course: Course) -> tuple[Rung, ...]:
    """Every interval in which the clock ran, by level; the last may lie in the future and has no end."""
    edition = term.edition
    margin = near_due_margin(term, course.steps[0].event.at, edition.calendar(course.subject.unit))
    thresholds = _Thresholds(term, margin)
    found: list[Rung] = []
    late, due = ZERO, None
    for number, piece in enumerate(term.pieces):
        if piece.due is None:
            found.append(Rung(piece.begin, piece.end, Level.NONE, piece.unit, None))
            continue
        if piece.due != due:
            due = piece.due  # which may lie before what was worked already
            late = sum((_worked_after(due, earlier, edition) for earlier in term.pieces[:number]), ZERO)
        calendar = edition.calendar(piece.unit)
        levels = thresholds.of(calendar, due)
        if piece.end is None or piece.end > due.missed_from:
            since = max(piece.begin, due.at)
            serious = since if late >= SERIOUSLY else add_working_time(calendar, since, SERIOUSLY - late)
            levels = [*levels, (max(due.missed_from, serious), Level.SERIOUSLY_OVERDUE)]
        found += _climb(piece, levels)
        late += _worked_after(due, piece, edition)
    return tuple(found)


def _worked_after(due: Due, piece: Piece, edition: Edition) -> timedelta:
    if piece.end is None or piece.end <= due.at:
        return ZERO
    return working_time(edition.calendar(piece.unit), max(piece.begin, due.at), piece.end)


def _before(calendar: Calendar, due: Due, margin: timedelta) -> datetime:
    """The first instant at which no more than that much working time is left."""
    return calendar.reach(calendar.worked(due.at) - margin)


def _climb(piece: Piece, thresholds: list[tuple[datetime, Level]]) -> list[Rung]:
    """The rungs of one piece; the thresholds come by instant, and a lower level never follows a higher."""
    begin, level = piece.begin, Level.NONE
    found: list[Rung] = []
    for at, higher in thresholds:
        if piece.end is not None and at >= piece.end:
            break
        if _RANK[higher] <= _RANK[level]:
            continue
        if at > begin:
            found.append(Rung(begin, at, level, piece.unit, piece.due))
            begin = at
        level = higher
    found.append(Rung(begin, piece.end, level, piece.unit, piece.due))
    return found


def reached(climbed: Sequence[Rung], now: datetime) -> tuple[Reached, ...]:
    """The levels that the cycle stood on up to ``now``, one entry an uninterrupted stay."""
    found: list[Reached] = []
    for rung in climbed:
        if rung.level is Level.NONE or rung.due is None or rung.begin > now:
            continue
        end = rung.end if rung.end is not None and rung.end <= now else None
        last = found[-1] if found else None
        if last is not None and (last.level, last.due, last.end) == (rung.level, rung.due.at, rung.begin):
            found[-1] = Reached(last.level, last.begin, end, last.due)
        else:
            found.append(Reached(rung.level, rung.begin, end, rung.due.at))
    return tuple(found)


def spans(climbed: Sequence[Rung], course: Course, now: datetime) -> tuple[Span, ...]:
    """The bucket of every instant of the cycle's life up to ``now``, without gaps."""
    found: list[_Stretch] = [
        (rung.begin, rung.end, "no_deadline" if rung.due is None else _BUCKETS[rung.level], rung.unit)
        for rung in climbed
    ]
    if any(step.after in WAITING for step in course.steps):
        found += _waits(course)
        found.sort(key=itemgetter(0))
    joined: list[_Stretch] = []
    for begin, end, bucket, unit in found:
        until = end if end is not None and end <= now else None
        if begin > now or begin == until:
            continue
        goes_on = bool(joined) and joined[-1][1:] == (begin, bucket, unit)
        joined.append((joined.pop()[0] if goes_on else begin, until, bucket, unit))
    return tuple(Span(*stretch) for stretch in joined)


_Stretch = tuple[datetime, datetime | None, Bucket, str | None]


def _waits(course: Course) -> Iterator[_Stretch]:
    """The pauses and halts of the cycle; the last may have no end."""
    waiting: Step | None = None
    for step in course.steps:
        if step.counts:
            if waiting is not None:
                yield _wait(waiting, step.event.at)
            waiting = step if step.after in WAITING else None
    if waiting is not None:
        yield _wait(waiting, None)


def _wait(step: Step, end: datetime | None) -> _Stretch:
    return step.event.at, end, "halted" if step.after is State.HALTED else "paused", step.unit


def unbucketed(cycle: Cycle) -> timedelta:
    """How much of a cycle's life is in no bucket, or in two; must be zero for every cycle at every instant.

    One that goes on and stands in no bucket now counts as a second.
    """
    if cycle.received_at is None:
        return ZERO
    edge, wrong, open_now = cycle.received_at, ZERO, False
    for span in cycle.spans:
        wrong += abs(span.begin - edge)
        edge, open_now = span.end or span.begin, span.end is None
    if not open_now:
        wrong += AN_INSTANT if cycle.ended_at is None else abs(cycle.ended_at - edge)
    return wrong
