"""Limits: when a term ends, by R1 to R10 of the office (Civil Code of 2015, articles 147 and 148)."""

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple, assert_never

from schemas.limits import Limit
from schemas.office import WORKING_DAY
from streams.calendar import DAY, ZERO, Calendar, add_working_time
from streams.policy import Subject
from streams.rules import Edition

SAME_DAY_UNTIL = time(15, 0)  # R7: received later, a same-day procedure is for the next working day
AN_INSTANT = timedelta(seconds=1)  # an exact limit is missed from one second after its due instant


class Due(NamedTuple):
    """A due time: its instant, its date in the zone of the calendar it was set by, and when that day begins.

    It is missed from ``missed_from`` on: a dated one from midnight after its date, an exact one from
    one second after its instant. ``estimated``: the days off of its year are not decreed yet. Made by `due_at`.
    """

    at: datetime
    day: date
    day_begins: datetime
    missed_from: datetime
    estimated: bool


def due_at(calendar: Calendar, at: datetime, day: date, *, exact: bool) -> Due:
    """The due time at that instant of that day."""
    begins, ends = calendar.edges(day)
    return Due(at, day, begins, at + AN_INSTANT if exact else ends, calendar.estimated(day))


def due_after(calendar: Calendar, start: datetime, length: timedelta, *, exact: bool) -> Due:
    """The due time so much working time after ``start``; one at 24:00 belongs to the day that ends then."""
    at = add_working_time(calendar, start, length)
    return due_at(calendar, at, calendar.day(at - (timedelta.resolution if length else ZERO)), exact=exact)


@lru_cache(8_192)  # days on which something is due in all calendars of a city; asked for each dossier
def closing_due(calendar: Calendar, day: date, *, exact: bool = False) -> Due:
    """The end of that day: closing time, or 23:59:59 when the office is closed all day."""
    return due_at(calendar, calendar.closing(day) or calendar.edges(day)[1] - AN_INSTANT, day, exact=exact)


def source_due(calendar: Calendar, due: datetime, *, exact: bool) -> Due:
    """A due time as a source names it: 00:00:00 local names a date, and means its end."""
    local = due.astimezone(calendar.zone)
    if local.timetz().replace(tzinfo=None) == time(0):
        return closing_due(calendar, local.date(), exact=exact)
    return due_at(calendar, due, local.date(), exact=exact)


def receipt_day(edition: Edition, subject: Subject, received: datetime) -> date:
    """R9: the day that counts as the day of receipt."""
    reception = edition.reception(subject.receiving_unit or subject.unit)
    day = reception.day(received)
    closing = reception.closing(day)
    if edition.office.receipt == "civil" or (closing is not None and received <= closing):
        return day
    return reception.next_open_day(day)


def due_of(limit: Limit, subject: Subject, received: datetime, edition: Edition) -> Due | None:
    """When the term that begins at ``received`` ends (R1 to R10); None without a limit.

    The calendar is that of the unit which holds the dossier at its start.
    """
    calendar = edition.calendar(subject.unit)
    value = limit.value or 0
    match limit.unit:
        case "hour":
            return due_after(calendar, received, timedelta(hours=value), exact=True)
        case "working_day" if limit.exact:
            return due_after(calendar, received, value * WORKING_DAY, exact=True)
        case "none":
            return None
        case "same_day":
            local = received.astimezone(calendar.zone)
            today = local.date()
            in_time = calendar.is_open(today) and local.time() <= SAME_DAY_UNTIL
            return closing_due(calendar, today if in_time else calendar.next_open_day(today))
        case "working_day":
            return closing_due(calendar, calendar.nth_open_day(receipt_day(edition, subject, received), int(value)))
        case "day":
            return _rolled(calendar, receipt_day(edition, subject, received) + DAY * int(value))
        case "month":
            return _rolled(calendar, add_months(receipt_day(edition, subject, received), int(value)))
        case _:
            assert_never(limit.unit)


def _rolled(calendar: Calendar, day: date) -> Due:
    """R4: a last day on which the office is closed rolls to the next on which it is open."""
    return closing_due(calendar, day if calendar.is_open(day) else calendar.next_open_day(day))


def add_months(day: date, count: int) -> date:
    """R5: the corresponding date so many months later, else that month's last day.

    >>> add_months(date(2026, 1, 30), 1)
    datetime.date(2026, 2, 28)
    """
    years, month = divmod(day.month - 1 + count, 12)
    first = date(day.year + years, month + 1, 1)
    return min(first + DAY * (day.day - 1), (first + DAY * 31).replace(day=1) - DAY)
