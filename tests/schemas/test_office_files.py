"""What an office may write in its files."""

import json
from datetime import date, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from schemas.calendar import CalendarDay, CalendarYear
from schemas.errors import ConfigError, InvalidRecord
from schemas.limits import NearDue
from schemas.office import Codes, Levels, Unit

WEEK = {"mon-fri": ("08:00-12:00", "13:00-17:00")}


@pytest.mark.parametrize(
    "shifts",
    [
        pytest.param({}, id="never-open"),
        pytest.param({"mon-fri": ()}, id="no-open-hours"),
        pytest.param({"mon-fri": ("12:00-08:00",)}, id="reversed"),
        pytest.param({"mon-fri": ("08:00-08:00",)}, id="empty"),
        pytest.param({"mon-fri": ("08:00-12:00", "11:00-17:00")}, id="overlap"),
        pytest.param({"mon-fri": ("8-12",)}, id="not-a-shift"),
        pytest.param({"mon-fri": ("08:00-24:30",)}, id="beyond-midnight"),
        pytest.param({"fri-mon": ("08:00-12:00",)}, id="weekdays-reversed"),
        pytest.param({"holiday": ("08:00-12:00",)}, id="no-weekday"),
        pytest.param({"mon-fri": ("08:00-12:00",), "fri": ("13:00-17:00",)}, id="friday-twice"),
    ],
)
def test_shifts_that_make_no_sense_are_refused(shifts: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(ValidationError):
        CalendarYear("vn", 2026, "Asia/Ho_Chi_Minh", shifts)


def test_a_day_is_off_or_worked_and_in_its_year_and_once() -> None:
    day = date(2026, 1, 10)
    with pytest.raises(ValidationError, match="either off"):
        CalendarDay(day)
    with pytest.raises(ValidationError, match="either off"):
        CalendarDay(day, off=True, work=True)
    with pytest.raises(ValidationError, match="overlap"):
        CalendarDay(day, work=("08:00-12:00", "11:00-17:00"))
    with pytest.raises(ValidationError, match="has shifts"):
        CalendarDay(day, work=())
    with pytest.raises(ValidationError, match="Monday has none"):
        CalendarYear("vn", 2026, "Asia/Ho_Chi_Minh", {"sat": ("08:00-12:00",)}, days=(CalendarDay(day, work=True),))
    with pytest.raises(ValidationError, match="not in 2025"):
        CalendarYear("vn", 2025, "Asia/Ho_Chi_Minh", WEEK, days=(CalendarDay(day, off=True),))
    with pytest.raises(ValidationError, match="twice"):
        CalendarYear(
            "vn", 2026, "Asia/Ho_Chi_Minh", WEEK, days=(CalendarDay(day, off=True), CalendarDay(day, work=True))
        )
    proposed = CalendarDay(day, work=True, state="proposed")
    year = CalendarYear("vn", 2026, "Asia/Ho_Chi_Minh", WEEK, days=(CalendarDay(day, off=True), proposed))
    assert len(year.days) == 2, "a proposal may contradict"


@pytest.mark.parametrize("text", ["5", "wd", "five days", "", 5])
def test_a_length_of_time_needs_a_number_and_a_unit(text: object) -> None:
    with pytest.raises(ValidationError, match="length of time"):
        TypeAdapter(Levels).validate_json(json.dumps({"stalled": text}))


def test_levels_are_read_as_written() -> None:
    levels = TypeAdapter(Levels).validate_json('{"stalled": "1.5wd", "long_pause": "10d"}')
    assert (levels.stalled, levels.long_pause) == (timedelta(hours=12), timedelta(days=10))
    assert levels.silent_feed == timedelta(hours=2)


def test_a_pattern_must_be_one() -> None:
    with pytest.raises(ValidationError, match="not a pattern"):
        Codes(dossier="(")


def test_near_due_is_days_or_hours() -> None:
    for wrong in ({}, {"working_days": 1.0, "working_hours": 1.0}):
        with pytest.raises(ValidationError, match="near_due names either"):
            NearDue(**wrong)


def test_a_unit_begins_on_the_day_called_from() -> None:
    unit = TypeAdapter(Unit).validate_json('{"code": "H26.12", "from": "2026-01-01"}')
    assert unit.begins == date(2026, 1, 1)


def test_an_error_says_where_and_why() -> None:
    assert str(ConfigError("bad", "no", path="a.yaml", line=3)) == "a.yaml:3: no [bad]"
    assert str(ConfigError("bad", "no", path="a.yaml")) == "a.yaml: no [bad]"
    assert str(ConfigError("bad", "no")) == "no [bad]"
    assert str(InvalidRecord("naive_time", "no offset")) == "no offset [naive_time]"
