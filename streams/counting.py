"""Counting: how a clerk counts a term on the calendar, from the receipt to the due time.

`streams.limits.due_of` decides; here the same questions are put to the same calendar once more, so that
each day that counted can be named, and the rule by which a day did not. The indicator of QĐ 766 is laid out
likewise beside `streams.indicator.score`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from schemas.limits import Limit
from streams.calendar import DAY
from streams.clock import Course, State
from streams.indicator import supplements
from streams.ledger import ended_at
from streams.limits import Due, add_months, due_of, receipt_day
from streams.policy import Subject
from streams.promise import Term
from streams.rules import Edition


class Ruling(StrEnum):
    """A rule that had a part in counting; the law is the Civil Code of 2015 (articles 147, 148) where it has one."""

    STARTS_AT_ONCE = "starts_at_once"  # R1
    STARTS_AT_OPENING = "starts_at_opening"  # R1
    RECEIVED_THAT_DAY = "received_that_day"  # R9
    RECEIVED_AFTER_CLOSING = "received_after_closing"  # R9
    RECEIVED_WHEN_CLOSED = "received_when_closed"  # R9
    FIRST_DAY_NOT_COUNTED = "first_day_not_counted"  # R2
    WORKING_DAYS_ONLY = "working_days_only"  # R6
    EVERY_DAY_COUNTS = "every_day_counts"  # R6
    WORKING_HOURS_ONLY = "working_hours_only"  # R8, R10
    CORRESPONDING_DATE = "corresponding_date"  # R5
    MONTH_HAS_NO_SUCH_DATE = "month_has_no_such_date"  # R5
    ROLLED = "rolled"  # R4
    SAME_DAY = "same_day"  # R7
    SAME_DAY_TOO_LATE = "same_day_too_late"  # R7
    ENDS_AT_CLOSING = "ends_at_closing"  # R3


@dataclass(frozen=True, slots=True)
class Counting:
    """How one term was counted.

    ``receipt_day`` is the day that counts as the day of receipt; ``counted`` are the working days of a term
    in working days, the last of them the due date; ``last_day`` is the last day before it rolled.
    """

    received: datetime
    calendar: str
    rulings: tuple[Ruling, ...]
    due: datetime
    reception: str | None = None
    receipt_day: date | None = None
    counted: tuple[date, ...] = ()
    last_day: date | None = None
    length: timedelta | None = None


def count_term(limit: Limit, subject: Subject, received: datetime, edition: Edition) -> Counting | None:
    """How the term that begins at ``received`` is counted; None for a limit without an end."""
    due = due_of(limit, subject, received, edition)
    if due is None:
        return None
    if limit.exact:
        return _by_hours(due, subject, received, edition)
    if limit.unit == "same_day":
        today = edition.calendar(subject.unit).day(received)
        ruling = Ruling.SAME_DAY if due.day == today else Ruling.SAME_DAY_TOO_LATE
        rulings = (ruling, Ruling.ENDS_AT_CLOSING)
        return Counting(received, edition.calendar(subject.unit).name, rulings, due.at, last_day=due.day)
    return _by_days(limit, due, subject, received, edition)


def _by_hours(due: Due, subject: Subject, received: datetime, edition: Edition) -> Counting:
    calendar = edition.calendar(subject.unit)
    opening = calendar.opening(received)
    start = Ruling.STARTS_AT_ONCE if opening == received else Ruling.STARTS_AT_OPENING
    length = calendar.worked(due.at) - calendar.worked(received)
    return Counting(received, calendar.name, (start, Ruling.WORKING_HOURS_ONLY), due.at, length=length)


def _by_days(limit: Limit, due: Due, subject: Subject, received: datetime, edition: Edition) -> Counting:
    calendar, value = edition.calendar(subject.unit), int(limit.value or 0)
    reception = edition.reception(subject.receiving_unit or subject.unit)
    first = receipt_day(edition, subject, received)
    counted: tuple[date, ...] = ()
    match limit.unit:
        case "working_day":
            counted = tuple(calendar.nth_open_day(first, number) for number in range(1, value + 1))
            last = counted[-1]
        case "month":
            last = add_months(first, value)
        case _:
            last = first + DAY * value
    rulings = (
        _receipt(first, received, edition, subject),
        Ruling.FIRST_DAY_NOT_COUNTED,
        *_unit_rulings(limit, first, last),
        *((Ruling.ROLLED,) if due.day != last else ()),
        Ruling.ENDS_AT_CLOSING,
    )
    return Counting(received, calendar.name, rulings, due.at, reception.name, first, counted, last)


def _receipt(counts_as: date, received: datetime, edition: Edition, subject: Subject) -> Ruling:
    reception = edition.reception(subject.receiving_unit or subject.unit)
    if counts_as == reception.day(received):
        return Ruling.RECEIVED_THAT_DAY
    open_that_day = reception.is_open(reception.day(received))
    return Ruling.RECEIVED_AFTER_CLOSING if open_that_day else Ruling.RECEIVED_WHEN_CLOSED


def _unit_rulings(limit: Limit, first: date, last: date) -> Iterator[Ruling]:
    if limit.unit == "working_day":
        yield Ruling.WORKING_DAYS_ONLY
        return
    yield Ruling.EVERY_DAY_COUNTS
    if limit.unit == "month":
        yield Ruling.CORRESPONDING_DATE if last.day == first.day else Ruling.MONTH_HAS_NO_SUCH_DATE


class Scored(StrEnum):
    """Why the indicator of QĐ 766 came out as it did."""

    NO_DUE = "no_due"
    SUPPLEMENTS = "supplements"
    LATE = "late"
    WITHIN = "within"


@dataclass(frozen=True, slots=True)
class Official:
    """The sum behind ``verdict_766``: ``end`` - ``supplements`` = ``counted_to``, compared with ``due``.

    ``end`` is the stop, withdrawal or halt, the open supplement request, or now; ``due`` is the original due
    time, or the accepted extension's when ``extended``.
    """

    why: Scored
    requests: int
    supplements: timedelta
    end: datetime
    counted_to: datetime
    due: datetime | None
    extended: bool


def count_official(course: Course, term: Term, *, now: datetime) -> Official:
    """The figures by which QĐ 766 counts a started cycle at ``now``."""
    asked = supplements(course)
    end = ended_at(course) or asked.asked_at or now
    counted_to = end - asked.elapsed
    due = term.extension or term.original
    if asked.requests > 1 and course.state is not State.STOPPED:
        why = Scored.SUPPLEMENTS
    elif due is None:
        why = Scored.NO_DUE
    else:
        why = Scored.LATE if counted_to >= due.missed_from else Scored.WITHIN
    instant = due.at if due is not None else None
    return Official(why, asked.requests, asked.elapsed, end, counted_to, instant, term.extension is not None)
