"""Due times whole: instant, date, when that day begins, from when on it is missed, and whether it is estimated."""

from datetime import date, datetime, timedelta

import pytest

from schemas.calendar import CalendarYear
from schemas.limits import Limit
from schemas.office import Office, Unit
from streams.calendar import compile_calendars
from streams.limits import Due, add_months, closing_due, due_after, due_of, receipt_day, source_due
from streams.policy import Subject
from streams.rules import Edition
from tests.hanoi import WEEK, ZONE, at, rules

SUBJECT = Subject("1.004441", None, None, "H26.12", None)
DAY = timedelta(days=1)


def dated(instant: str) -> Due:
    """A due time that is compared by date: missed from the midnight after it."""
    midnight = at(f"{instant[:10]}T00:00")
    return Due(at(instant), date.fromisoformat(instant[:10]), midnight, midnight + DAY, instant >= "2027")


def exact(instant: str) -> Due:
    """A due time that is compared by instant: missed one second after it."""
    return dated(instant)._replace(missed_from=at(instant) + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("limit", "received", "due"),
    [
        pytest.param(Limit("hour", 4), "2026-03-02T10:30", exact("2026-03-02T15:30"), id="hours"),
        pytest.param(Limit("working_day", 1.5), "2026-03-02T10:00", exact("2026-03-03T15:00"), id="a-day-and-a-half"),
        pytest.param(Limit("working_day", 2), "2026-03-02T10:00", dated("2026-03-04T17:00"), id="working-days"),
        pytest.param(Limit("day", 4), "2026-03-02T10:00", dated("2026-03-06T17:00"), id="days"),
        pytest.param(Limit("day", 5), "2026-03-02T10:00", dated("2026-03-09T17:00"), id="days-that-roll"),
        pytest.param(Limit("month", 2), "2026-03-02T10:00", dated("2026-05-04T17:00"), id="months-that-roll"),
        pytest.param(Limit("month", 12), "2026-03-02T10:00", dated("2027-03-02T17:00"), id="a-year-that-is-estimated"),
        pytest.param(Limit("same_day"), "2026-03-02T15:00", dated("2026-03-02T17:00"), id="same-day"),
        pytest.param(Limit("same_day"), "2026-03-06T15:01", dated("2026-03-09T17:00"), id="same-day-on-monday"),
        pytest.param(Limit("same_day"), "2026-03-07T10:00", dated("2026-03-09T17:00"), id="same-day-on-a-saturday"),
        pytest.param(Limit("none"), "2026-03-02T10:00", None, id="none"),
    ],
)
def test_a_term_has_its_due_time(limit: Limit, received: str, due: Due | None) -> None:
    assert due_of(limit, SUBJECT, at(received), rules().newest) == due


def test_the_calendar_is_that_of_the_unit_and_the_day_of_receipt_that_of_who_received() -> None:
    half = CalendarYear("half", 2026, ZONE, {"mon-fri": ("08:00-12:00",)})
    saturday = CalendarYear("saturday", 2026, ZONE, {"mon-sat": ("08:00-12:00",)})
    units = [Unit("P", calendar="half"), Unit("R", reception="saturday")]
    edition = rules(units=units, calendars=[half, saturday]).newest
    by_half = Subject(None, None, None, "P", "R")
    # Received on Saturday 7 March at 10:00, when R is open: the first working day of P after it ends on Monday, 12:00.
    assert due_of(Limit("working_day", 1), by_half, at("2026-03-07T10:00"), edition) == dated("2026-03-09T12:00")
    # P's own reception is the office's, closed on that day: received on Monday, so Tuesday is the first day.
    received_by_itself = Subject(None, None, None, "P", None)
    assert due_of(Limit("working_day", 1), received_by_itself, at("2026-03-07T10:00"), edition) == dated(
        "2026-03-10T12:00"
    )
    # Six hours from Monday 9 March, 10:00, by P's mornings: two then, four on Tuesday.
    assert due_of(Limit("hour", 6), by_half, at("2026-03-09T10:00"), edition) == exact("2026-03-10T12:00")


@pytest.mark.parametrize(
    ("received", "policy", "day"),
    [
        pytest.param("2026-03-02T07:00", "next_open", date(2026, 3, 2), id="before-opening"),
        pytest.param("2026-03-02T12:30", "next_open", date(2026, 3, 2), id="at-lunch"),
        pytest.param("2026-03-02T17:00", "next_open", date(2026, 3, 2), id="at-closing-time"),
        pytest.param("2026-03-02T17:00:01", "next_open", date(2026, 3, 3), id="after-closing-time"),
        pytest.param("2026-03-07T10:00", "next_open", date(2026, 3, 9), id="on-a-saturday"),
        pytest.param("2026-03-02T17:00:01", "civil", date(2026, 3, 2), id="civil-after-closing-time"),
        pytest.param("2026-03-07T10:00", "civil", date(2026, 3, 7), id="civil-on-a-saturday"),
    ],
)
def test_the_day_of_receipt(received: str, policy: str, day: date) -> None:
    office = Office("vn", "vn", receipt="civil" if policy == "civil" else "next_open")
    edition: Edition = rules(office=office).newest
    assert receipt_day(edition, SUBJECT, at(received)) == day


def test_midnight_belongs_to_the_day_that_ends_then_unless_nothing_was_left() -> None:
    always = compile_calendars([CalendarYear("always", 2026, ZONE, {"mon-sun": ("00:00-24:00",)})])["always"]
    midnight = at("2026-03-05T00:00")
    ending = due_after(always, midnight - DAY, DAY, exact=False)
    assert ending == Due(midnight, date(2026, 3, 4), midnight - DAY, midnight, estimated=False)
    beginning = due_after(always, midnight, timedelta(0), exact=False)
    assert beginning == Due(midnight, date(2026, 3, 5), midnight, midnight + DAY, estimated=False)


def test_midnight_names_a_date_for_an_exact_limit_too() -> None:
    calendar = rules().newest.home

    def named(due: str, *, by_instant: bool) -> Due:
        return source_due(calendar, at(due), exact=by_instant)

    assert named("2026-03-05T00:00", by_instant=True) == exact("2026-03-05T17:00")
    assert named("2026-03-05T00:00", by_instant=False) == dated("2026-03-05T17:00")
    assert named("2026-03-05T10:00", by_instant=True) == exact("2026-03-05T10:00")
    assert named("2026-03-05T10:00", by_instant=False) == dated("2026-03-05T10:00")
    assert named("2026-03-05T00:00:00.5", by_instant=True) == exact("2026-03-05T00:00:00.5")
    assert named("2026-03-08T00:00", by_instant=True) == exact("2026-03-08T23:59:59"), "closed on Sunday"


def test_the_end_of_a_day_is_its_closing_time() -> None:
    calendar = compile_calendars([CalendarYear("vn", 2026, ZONE, WEEK)])["vn"]
    assert closing_due(calendar, date(2026, 3, 6)) == dated("2026-03-06T17:00")
    assert closing_due(calendar, date(2026, 3, 7)) == dated("2026-03-07T23:59:59")
    assert closing_due(calendar, date(2026, 3, 7), exact=True) == exact("2026-03-07T23:59:59")


@pytest.mark.parametrize(
    ("day", "count", "end"),
    [
        pytest.param(date(2026, 1, 31), 1, date(2026, 2, 28), id="to-a-short-month"),
        pytest.param(date(2026, 1, 31), 3, date(2026, 4, 30), id="to-a-month-of-thirty"),
        pytest.param(date(2026, 1, 31), 2, date(2026, 3, 31), id="to-a-long-month"),
        pytest.param(date(2026, 12, 1), 12, date(2027, 12, 1), id="a-year"),
        pytest.param(date(2026, 6, 30), 7, date(2027, 1, 30), id="over-new-year"),
    ],
)
def test_a_month_ends_on_the_corresponding_date_or_its_last(day: date, count: int, end: date) -> None:
    assert add_months(day, count) == end


def test_the_date_of_a_due_time_is_that_of_the_calendars_zone() -> None:
    dutch = compile_calendars([CalendarYear("nl", 2026, "Europe/Amsterdam", WEEK)])["nl"]
    late = datetime.fromisoformat("2026-03-05T23:30+01:00")  # already the 6th in Hanoi
    assert source_due(dutch, late, exact=False) == Due(
        late,
        date(2026, 3, 5),
        at("2026-03-05T00:00+01:00"),
        at("2026-03-06T00:00+01:00"),
        estimated=False,
    )
