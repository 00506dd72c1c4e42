"""The oracle alone where calendars and limits change: by hand, from the specification (§5.11)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pytest

from schemas.calendar import CalendarDay, CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Codes, Office
from tests.oracle.judge import judge
from tests.oracle.shelf import Shelf
from tests.oracle.test_oracle import CALENDARS, Row, at, when

FIRST = next(file for file in CALENDARS if (file.calendar, file.year) == ("vn", 2026))
#: From Wednesday 4 March on, Friday 6 March is off.
FRIDAY_OFF = replace(
    FIRST, version=2, in_force_from=date(2026, 3, 4), days=(*FIRST.days, CalendarDay(date(2026, 3, 6), off=True))
)
#: From then on it opens in the mornings only, or for an hour a day.
MORNINGS = replace(FIRST, version=2, in_force_from=date(2026, 3, 4), shifts={"mon-fri": ("08:00-12:00",)})
AN_HOUR = replace(MORNINGS, shifts={"mon-fri": ("08:00-09:00",)})
START = (2, "2026-03-02T09:00")
FIVE_DAYS = LimitsFile(1, date(2020, 1, 1), (LimitRule(Match(), Limit("working_day", 5)),))


def one(*told: tuple[int, str], now: str, files: Sequence[CalendarYear] = (FIRST, FRIDAY_OFF)) -> Row:
    events = [
        Event(
            event_id=f"e{number}",
            dossier_code="H26-260302-0001",
            at=at(moment),
            status=status,
            procedure_code="1.1",
            processing_unit="A",
        )
        for number, (status, moment) in enumerate(told)
    ]
    (row,) = judge(events, Shelf(Office("vn", "vn", codes=Codes()), [], files, [FIVE_DAYS]), at(now))
    return row


def test_an_open_cycle_is_judged_by_what_is_in_force_now_from_midnight_on() -> None:
    assert when(one(START, now="2026-03-03T23:59:59.999999")) == "2026-03-09 17:00"
    assert when(one(START, now="2026-03-04T00:00")) == when(one(START, now="2026-03-05T09:00")) == "2026-03-10 17:00"


@pytest.mark.parametrize("end", [7, 9])
def test_a_closed_cycle_keeps_what_was_in_force_at_its_end(end: int) -> None:
    before, at_midnight = (end, "2026-03-03T23:59:59"), (end, "2026-03-04T00:00")
    assert when(one(START, before, now="2026-03-20T09:00")) == "2026-03-09 17:00"
    assert when(one(START, at_midnight, now="2026-03-20T09:00")) == "2026-03-10 17:00"


@pytest.mark.parametrize("status", [5, 8], ids=["pause", "halt"])
def test_what_remained_in_a_pause_is_counted_again_and_a_halt_is_open(status: int) -> None:
    told = START, (status, "2026-03-03T09:00")
    before = one(*told, now="2026-03-03T23:59:59", files=(FIRST, MORNINGS))
    after = one(*told, now="2026-03-04T00:00", files=(FIRST, MORNINGS))
    assert (before["remaining_seconds"], after["remaining_seconds"]) == (39 * 3600, 19 * 3600)


def test_time_that_is_past_is_counted_again() -> None:
    monday_off = replace(FRIDAY_OFF, days=(*FIRST.days, CalendarDay(date(2026, 3, 2), off=True)))
    before = one(START, now="2026-03-03T23:59:59", files=(FIRST, monday_off))
    after = one(START, now="2026-03-04T00:00", files=(FIRST, monday_off))
    assert (before["working_seconds"], after["working_seconds"]) == (15 * 3600, 8 * 3600)


def test_the_next_look_is_by_the_calendar_that_will_be_in_force() -> None:
    # Near due: 20% of the 47 hours from the start to the due date, so 9 h 24 min before its 17:00.
    assert when(one(START, now="2026-03-03T09:00", files=[FIRST]), "look_again_at") == "2026-03-06 15:36"
    assert when(one(START, now="2026-03-03T09:00"), "look_again_at") == "2026-03-09 15:36"


def test_an_edition_that_changes_what_shows_is_itself_the_next_look() -> None:
    # Four hours are left then, of five.
    assert when(one(START, now="2026-03-03T09:00", files=(FIRST, AN_HOUR)), "look_again_at") == "2026-03-04 00:00"
    assert one(START, now="2026-03-04T00:00", files=(FIRST, AN_HOUR))["level"] == "near_due"


def test_of_equal_dates_the_higher_version_holds() -> None:
    back = replace(FRIDAY_OFF, version=3, days=FIRST.days)
    for files in [(FIRST, FRIDAY_OFF, back), (back, FRIDAY_OFF, FIRST)]:
        assert when(one(START, now="2026-03-04T00:00", files=files)) == "2026-03-09 17:00"


def test_a_calendar_of_which_nothing_is_in_force_yet_uses_its_first_files() -> None:
    late = replace(FIRST, in_force_from=date(2026, 3, 3))
    assert when(one(START, now="2026-03-02T09:00", files=(FRIDAY_OFF, late))) == "2026-03-09 17:00"


def test_a_year_is_estimated_until_its_confirmed_file_is_in_force() -> None:
    confirmed = replace(FIRST, version=2, in_force_from=date(2026, 3, 4))
    files = (replace(FIRST, year=2025, days=()), replace(FIRST, state="estimated"), confirmed)
    before = one(START, now="2026-03-03T09:00", files=files)
    assert (before["flags"], when(before, "look_again_at")) == (["estimated"], "2026-03-04 00:00")
    assert one(START, now="2026-03-04T00:00", files=files)["flags"] == []
