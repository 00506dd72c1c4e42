"""The edges of a calendar: its first and last hours, the years without a file, midnight; and what is refused.

Every story makes a calendar of its own, so that no year is compiled but those it asks for.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.calendar import CalendarDay, CalendarYear
from schemas.errors import ConfigError
from streams.calendar import Calendar, add_working_time, compile_calendars, working_time
from tests.hanoi import WEEK, ZONE, at, calendar_year

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def office(year: int = 2026, **written: tuple[str, ...]) -> Calendar:
    """An office with this one file, open 08:00-12:00 and 13:00-17:00 from Monday to Friday, with no day off."""
    shifts = {days.replace("_", "-"): hours for days, hours in written.items()} or WEEK
    return compile_calendars([CalendarYear("vn", year, ZONE, shifts)])["vn"]


def always() -> Calendar:
    """An office that never closes, with a file for 2026."""
    return office(mon_sun=("00:00-24:00",))


def test_the_first_hours_of_the_first_year_are_open() -> None:
    assert office().opening(at("2026-01-01T09:00")) == at("2026-01-01T09:00"), "a Thursday"
    assert office().opening(at("2026-01-01T08:00")) == at("2026-01-01T08:00")
    assert working_time(office(), at("2026-01-01T08:00"), at("2026-01-01T09:00")) == HOUR
    assert working_time(office(), at("2026-01-01T00:00"), at("2026-01-01T09:00")) == HOUR


def test_after_the_last_evening_of_the_last_year_comes_the_next_year() -> None:
    assert office().opening(at("2026-12-31T18:00")) == at("2027-01-01T08:00"), "a Friday"
    assert office().opening(at("2026-12-31T12:30")) == at("2026-12-31T13:00")
    assert office().next_open_day(date(2026, 12, 31)) == date(2027, 1, 1)
    assert add_working_time(office(), at("2026-12-31T16:00"), 2 * HOUR) == at("2027-01-01T09:00")


def test_a_year_that_ends_on_a_closed_day_says_so() -> None:
    assert office(2023).closing(date(2023, 12, 31)) is None, "a Sunday"
    assert not office(2023).is_open(date(2023, 12, 31))


def test_the_years_after_the_last_file_have_its_week() -> None:
    # 2027 begins on a Friday: 52 weeks and a Friday, 261 days. 2028 on a Saturday, leap: 52 weeks and a weekend, 260.
    length = working_time(office(), at("2026-12-31T16:00"), at("2029-01-01T09:00"))
    assert length == HOUR + (261 + 260) * 8 * HOUR + HOUR
    assert [len(office().open_days(year)) for year in (2027, 2028, 2029)] == [261, 260, 261]


def test_the_years_before_the_first_file_have_its_week() -> None:
    # 2025 begins on a Wednesday: 52 weeks and it, 261. 2024 on a Monday, leap: 52 weeks, Monday and Tuesday, 262.
    length = working_time(office(), at("2023-12-29T16:00"), at("2026-01-01T09:00"))
    assert length == HOUR + (262 + 261) * 8 * HOUR + HOUR
    early = office()
    assert early.closing(date(2024, 7, 1)) == at("2024-07-01T17:00"), "a Monday"
    assert early.opening(at("2024-07-01T12:30")) == at("2024-07-01T13:00")
    assert [len(early.open_days(year)) for year in (2024, 2025, 2026)] == [262, 261, 261]
    assert add_working_time(office(), at("2023-12-29T16:00"), 2 * HOUR) == at("2024-01-01T09:00")


def test_working_time_is_reached_backwards_into_the_year_before_the_first_file() -> None:
    early = office()
    # Ten open hours before Thursday 1 January 2026, 10:00: two that morning, eight on Wednesday 31 December.
    assert early.reach(early.worked(at("2026-01-01T10:00")) - 10 * HOUR + timedelta(seconds=1)) == (
        at("2025-12-31T08:00:01")
    )
    first = office()
    # Nothing more was worked by the first opening of the first year: that much there was at closing time before it.
    assert first.reach(first.worked(at("2026-01-01T08:00"))) == at("2025-12-31T17:00")
    # All of Wednesday belongs to what was worked before: the earliest instant of that much is Tuesday's closing time.
    assert early.reach(early.worked(at("2026-01-01T10:00")) - 10 * HOUR) == at("2025-12-30T17:00")


def test_no_hour_is_lost_at_the_new_year_of_a_year_that_was_not_asked_for_yet() -> None:
    later = always()
    assert later.is_open(date(2027, 6, 1)), "so that 2027 is the last year compiled"
    assert working_time(later, at("2027-12-31T12:00"), at("2028-01-01T12:00")) == DAY
    earlier = always()
    assert earlier.is_open(date(2025, 6, 1)), "so that 2025 is the first year compiled"
    assert working_time(earlier, at("2024-12-31T12:00"), at("2025-01-01T12:00")) == DAY
    assert working_time(always(), at("2026-12-31T12:00"), at("2027-01-01T12:00")) == DAY


def test_the_hours_between_two_instants_are_whole_and_in_order() -> None:
    def told(begin: str, end: str) -> list[tuple[datetime, datetime]]:
        return office().hours(at(begin), at(end))

    def open_hours(day: str) -> list[tuple[datetime, datetime]]:
        return [(at(f"{day}T08:00"), at(f"{day}T12:00")), (at(f"{day}T13:00"), at(f"{day}T17:00"))]

    friday, monday = open_hours("2026-03-06"), open_hours("2026-03-09")
    assert told("2026-03-06T09:00", "2026-03-09T14:00") == [*friday, *monday], "over a weekend"
    assert told("2026-03-06T12:00", "2026-03-09T13:00") == [friday[1], monday[0]], "closed sharp, not open yet"
    assert told("2026-03-06T12:00", "2026-03-06T13:00") == [], "at lunch"
    assert told("2025-12-31T11:59", "2026-01-01T08:01") == [*open_hours("2025-12-31"), open_hours("2026-01-01")[0]]
    assert told("2026-12-31T16:00", "2027-01-01T08:01") == [open_hours("2026-12-31")[1], open_hours("2027-01-01")[0]]


def test_the_open_days_of_a_year_are_its_own_and_in_order() -> None:
    known = always()
    assert [known.is_open(date(year, 1, 1)) for year in (2025, 2027)] == [True, True]
    assert known.open_days(2026) == [date(2026, 1, 1) + DAY * number for number in range(365)]


def test_an_office_does_not_open_in_the_hour_that_does_not_exist() -> None:
    shifts = {"mon-sun": ("02:00-03:00",)}
    night = compile_calendars([CalendarYear("night", 2026, "Europe/Amsterdam", shifts)])["night"]
    assert night.opening(at("2026-03-29T00:00+01:00")) == at("2026-03-30T02:00+02:00"), "03:00 follows 01:59:59"
    assert night.hours(at("2026-03-28T00:00+01:00"), at("2026-03-30T00:00+02:00")) == [
        (at("2026-03-28T02:00+01:00"), at("2026-03-28T03:00+01:00"))
    ]


def test_minutes_are_counted_from_midnight_also_over_it() -> None:
    assert office().at(date(2026, 3, 2), 13 * 60 + 5) == at("2026-03-02T13:05")
    assert office().at(date(2026, 3, 2), 24 * 60) == at("2026-03-03T00:00")
    assert office().at(date(2026, 3, 2), 2 * 24 * 60 + 61) == at("2026-03-04T01:01")
    assert office().at(date(2026, 3, 2), 60).tzinfo is UTC, "instants are in UTC, whatever the machine's zone is"
    assert office().edges(date(2026, 3, 2)) == (at("2026-03-02T00:00"), at("2026-03-03T00:00"))


def test_between_two_files_a_year_has_its_own_week_and_beyond_them_that_of_the_nearest() -> None:
    saturdays = {"mon-sat": ("08:00-12:00",)}
    years = [CalendarYear("vn", 2025, ZONE, WEEK), CalendarYear("vn", 2026, ZONE, saturdays)]
    known = compile_calendars(years)["vn"]
    whole, half = ((480, 720), (780, 1020)), ((480, 720),)
    assert known.week(1990) == known.week(2025) == (whole,) * 5 + ((), ())
    assert known.week(2026) == known.week(2099) == (half,) * 6 + ((),)


def test_a_worked_day_has_the_shifts_of_monday_or_its_own() -> None:
    days = (
        CalendarDay(date(2026, 3, 2), off=True),
        CalendarDay(date(2026, 3, 7), work=True),
        CalendarDay(date(2026, 3, 14), work=("08:00-10:00", "15:00-16:00")),
    )
    shifts = {"mon": WEEK["mon-fri"], "tue-fri": ("08:00-12:00",), "sun": ("09:00-10:00",)}
    known = compile_calendars([CalendarYear("vn", 2026, ZONE, shifts, days=days)])["vn"]
    closings = [known.closing(date(2026, 3, day)) for day in (1, 2, 3, 7, 14)]
    assert closings == [
        at("2026-03-01T10:00"),
        None,
        at("2026-03-03T12:00"),
        at("2026-03-07T17:00"),
        at("2026-03-14T16:00"),
    ]
    assert working_time(known, at("2026-03-14T00:00"), at("2026-03-15T00:00")) == 3 * HOUR


def test_what_is_beyond_the_last_confirmed_year_is_estimated() -> None:
    known = compile_calendars([calendar_year(year) for year in (2025, 2026, 2027)])["vn"]
    assert [known.estimated(day) for day in (date(2024, 1, 1), date(2026, 12, 31), date(2027, 1, 1))] == [
        False,
        False,
        True,
    ]
    none_confirmed = compile_calendars([calendar_year(2027)])["vn"]
    assert [none_confirmed.estimated(day) for day in (date(2026, 12, 31), date(2027, 1, 1))] == [False, True]


YEAR = CalendarYear("vn", 2026, ZONE, WEEK)


@pytest.mark.parametrize(
    ("years", "fault"),
    [
        pytest.param(
            [CalendarYear("other", 2026, ZONE, WEEK), YEAR, YEAR],
            ("calendar_twice", "calendar vn has two files for 2026", ("calendars", 2, "year")),
            id="one-year-twice",
        ),
        pytest.param(
            [CalendarYear("vn", 2028, ZONE, WEEK), YEAR],
            ("calendar_gap", "calendar vn has no file for 2027", ("calendars", 0, "year")),
            id="a-year-left-out",
        ),
        pytest.param(
            [CalendarYear("vn", 2027, "Europe/Paris", WEEK), YEAR],
            ("calendar_zone", "calendar vn changes its zone in 2027; give it another name", ("calendars", 0, "zone")),
            id="another-zone",
        ),
        pytest.param(
            [CalendarYear("other", 2026, ZONE, WEEK), CalendarYear("vn", 2026, "Asia/Hanoi2", WEEK)],
            (
                "calendar_zone",
                '"Asia/Hanoi2" is no zone (write a name such as Asia/Ho_Chi_Minh)',
                ("calendars", 1, "zone"),
            ),
            id="an-unknown-zone",
        ),
        pytest.param(
            [CalendarYear("vn", 2026, "../Hanoi", WEEK)],
            (
                "calendar_zone",
                '"../Hanoi" is no zone (write a name such as Asia/Ho_Chi_Minh)',
                ("calendars", 0, "zone"),
            ),
            id="no-name-of-a-zone",
        ),
    ],
)
def test_files_that_contradict_each_other_are_refused_with_their_place(
    years: list[CalendarYear], fault: tuple[str, str, tuple[object, ...]]
) -> None:
    with pytest.raises(ConfigError) as refused:
        compile_calendars(years)
    assert (refused.value.reason, refused.value.message, refused.value.where) == fault
