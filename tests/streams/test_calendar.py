"""Working time: what an office with a calendar and a pencil would find."""

from datetime import date, timedelta

import pytest

from schemas.calendar import CalendarDay, CalendarYear
from schemas.errors import ConfigError
from streams.calendar import Calendar, add_working_time, compile_calendars, working_time
from tests.hanoi import WEEK, ZONE, at, calendar_year

HANOI = compile_calendars([calendar_year(year) for year in (2025, 2026, 2027)])["vn"]
ALWAYS = compile_calendars([CalendarYear("always", 2026, "Europe/Amsterdam", {"mon-sun": ("00:00-24:00",)})])["always"]


@pytest.mark.parametrize(("year", "days"), [(2025, 250), (2026, 249)])
def test_the_year_has_its_working_days(year: int, days: int) -> None:
    length = working_time(HANOI, HANOI.at(date(year, 1, 1)), HANOI.at(date(year + 1, 1, 1)))
    assert length == timedelta(hours=8) * days
    assert HANOI.nth_open_day(date(year - 1, 12, 31), days).year == year
    assert HANOI.nth_open_day(date(year - 1, 12, 31), days + 1).year == year + 1


@pytest.mark.parametrize(
    ("start", "end", "minutes"),
    [
        pytest.param("2026-03-02T12:00", "2026-03-02T13:00", 0, id="lunch"),
        pytest.param("2026-03-02T07:00", "2026-03-02T08:30", 30, id="before-opening"),
        pytest.param("2026-03-02T17:00", "2026-03-03T08:00", 0, id="a-night"),
        pytest.param("2026-02-13T16:00", "2026-02-23T09:00", 120, id="tet"),
        pytest.param("2026-01-09T16:30", "2026-01-10T08:30", 60, id="a-worked-saturday"),
        pytest.param("2026-12-31T16:00", "2027-01-04T09:00", 120, id="new-year"),
        pytest.param("2026-03-03T09:00", "2026-03-02T09:00", 0, id="backwards"),
        pytest.param("2024-12-31T16:00", "2025-01-02T09:00", 120, id="from-before-the-first-year-with-a-file"),
        pytest.param("2027-12-31T16:00", "2028-01-03T09:00", 120, id="beyond-the-last-year-with-a-file"),
    ],
)
def test_open_time_between(start: str, end: str, minutes: int) -> None:
    assert working_time(HANOI, at(start), at(end)) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        pytest.param("2026-03-02T08:00", 8, "2026-03-02T17:00", id="closing-time-not-the-next-opening"),
        pytest.param("2026-03-02T08:00", 4, "2026-03-02T12:00", id="noon-not-after-lunch"),
        pytest.param("2026-03-06T16:00", 2, "2026-03-09T09:00", id="over-a-weekend"),
        pytest.param("2026-12-31T16:00", 2, "2027-01-04T09:00", id="over-new-year"),
        pytest.param("2026-03-02T09:00", 0, "2026-03-02T09:00", id="nothing-while-open"),
        pytest.param("2026-03-02T12:00", 0, "2026-03-02T13:00", id="nothing-at-lunch"),
        pytest.param("2026-03-06T17:00", 0, "2026-03-09T08:00", id="nothing-at-closing-time"),
        pytest.param("2026-12-31T18:00", 0, "2027-01-04T08:00", id="nothing-on-the-last-evening"),
        pytest.param("2027-01-01T00:00", 0, "2027-01-04T08:00", id="nothing-before-the-first-opening-of-a-year"),
    ],
)
def test_working_time_added(start: str, hours: int, end: str) -> None:
    assert add_working_time(HANOI, at(start), timedelta(hours=hours)) == at(end)


@pytest.mark.parametrize(
    ("start", "end", "hours"),
    [
        pytest.param("2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23, id="spring"),
        pytest.param("2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25, id="autumn"),
        pytest.param("2026-10-25T02:30+02:00", "2026-10-25T02:30+01:00", 1, id="half-past-two-twice"),
        pytest.param("2026-05-04T22:00+02:00", "2026-05-06T01:00+02:00", 27, id="no-minute-lost-at-midnight"),
    ],
)
def test_round_the_clock_is_elapsed_time(start: str, end: str, hours: int) -> None:
    assert working_time(ALWAYS, at(start), at(end)) == timedelta(hours=hours)


def test_a_shift_in_the_hour_that_does_not_exist_is_not_worked() -> None:
    night = compile_calendars([CalendarYear("n", 2026, "Europe/Amsterdam", {"mon-sun": ("02:00-03:00",)})])["n"]
    assert working_time(night, at("2026-03-28T12:00+01:00"), at("2026-03-29T12:00+02:00")) == timedelta(0)
    assert working_time(night, at("2026-03-27T12:00+01:00"), at("2026-03-28T12:00+01:00")) == timedelta(hours=1)


def test_a_day_may_have_shifts_of_its_own_and_a_proposed_one_is_ignored() -> None:
    days = (
        CalendarDay(date(2026, 3, 7), work=("08:00-10:00",)),
        CalendarDay(date(2026, 3, 9), off=True, state="proposed"),
    )
    own = compile_calendars([CalendarYear("own", 2026, ZONE, WEEK, days=days)])["own"]
    assert working_time(own, at("2026-03-06T17:00"), at("2026-03-09T09:00")) == timedelta(hours=3)


def test_estimated_is_what_lies_beyond_the_last_confirmed_year() -> None:
    assert not HANOI.estimated(date(2026, 12, 31))
    assert HANOI.estimated(date(2027, 1, 1))


def _two(earlier: CalendarYear, later: CalendarYear) -> dict[str, Calendar]:
    return compile_calendars([later, earlier])


def test_files_that_contradict_each_other_are_refused() -> None:
    year = CalendarYear("vn", 2026, ZONE, WEEK)
    with pytest.raises(ConfigError, match="two files for 2026"):
        _two(year, year)
    with pytest.raises(ConfigError, match="no file for 2027"):
        _two(year, CalendarYear("vn", 2028, ZONE, WEEK))
    with pytest.raises(ConfigError, match="changes its zone") as changed:
        _two(year, CalendarYear("vn", 2027, "Europe/Paris", WEEK))
    assert changed.value.where == ("calendars", 0, "zone")
    with pytest.raises(ConfigError, match="is no zone"):
        compile_calendars([CalendarYear("vn", 2026, "Asia/Hanoi2", WEEK)])
