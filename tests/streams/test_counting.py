"""Counting names the days and rules by which a term was counted."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.event import Event
from schemas.limits import Limit
from schemas.office import Office
from streams.clock import walk
from streams.counting import Counting, Official, Ruling, Scored, count_official, count_term
from streams.history import timeline
from streams.policy import Subject
from streams.reasons import accounts
from tests.hanoi import at, event, history, rules

SUBJECT = Subject("1.004441", None, None, "H26.12", None)
DATED = (Ruling.FIRST_DAY_NOT_COUNTED, Ruling.WORKING_DAYS_ONLY, Ruling.ENDS_AT_CLOSING)


def counted(limit: Limit, received: str) -> Counting:
    found = count_term(limit, SUBJECT, at(received), rules().newest)
    assert found is not None
    return found


def test_five_working_days_over_tet_are_named_one_by_one() -> None:
    assert counted(Limit("working_day", 5), "2026-02-12T09:00") == Counting(
        received=at("2026-02-12T09:00"),
        calendar="vn",
        rulings=(Ruling.RECEIVED_THAT_DAY, *DATED),
        due=at("2026-02-26T17:00"),
        reception="vn",
        receipt_day=date(2026, 2, 12),
        counted=tuple(date(2026, 2, day) for day in (13, 23, 24, 25, 26)),
        last_day=date(2026, 2, 26),
    )


@pytest.mark.parametrize(
    ("received", "ruling", "day"),
    [
        ("2026-03-02T17:00", Ruling.RECEIVED_THAT_DAY, date(2026, 3, 2)),
        ("2026-03-02T17:00:01", Ruling.RECEIVED_AFTER_CLOSING, date(2026, 3, 3)),
        ("2026-03-07T10:00", Ruling.RECEIVED_WHEN_CLOSED, date(2026, 3, 9)),
    ],
)
def test_the_day_of_receipt_has_its_reason(received: str, ruling: Ruling, day: date) -> None:
    found = counted(Limit("working_day", 1), received)
    assert (found.rulings[0], found.receipt_day) == (ruling, day)


def test_a_civil_receipt_is_always_of_that_day() -> None:
    office = rules(office=Office("vn", "vn", receipt="civil")).newest
    found = count_term(Limit("working_day", 1), SUBJECT, at("2026-03-07T10:00"), office)
    assert found is not None
    assert (found.rulings[0], found.receipt_day) == (Ruling.RECEIVED_THAT_DAY, date(2026, 3, 7))


def test_days_and_months_roll_to_the_next_open_day() -> None:
    days = counted(Limit("day", 5), "2026-03-02T09:00")
    assert days.rulings[1:] == (
        Ruling.FIRST_DAY_NOT_COUNTED,
        Ruling.EVERY_DAY_COUNTS,
        Ruling.ROLLED,
        Ruling.ENDS_AT_CLOSING,
    )
    assert (days.last_day, days.due) == (date(2026, 3, 7), at("2026-03-09T17:00"))
    month = counted(Limit("month", 1), "2026-03-02T09:00")
    assert Ruling.CORRESPONDING_DATE in month.rulings
    assert Ruling.ROLLED not in month.rulings
    short = counted(Limit("month", 1), "2026-03-31T09:00")
    assert Ruling.MONTH_HAS_NO_SUCH_DATE in short.rulings
    assert short.last_day == date(2026, 4, 30)


def test_hours_start_at_once_or_at_the_next_opening() -> None:
    at_once = counted(Limit("hour", 4), "2026-03-02T09:00")
    assert at_once.rulings == (Ruling.STARTS_AT_ONCE, Ruling.WORKING_HOURS_ONLY)
    assert (at_once.length, at_once.due) == (timedelta(hours=4), at("2026-03-02T14:00"))
    assert counted(Limit("working_day", 0.5), "2026-03-02T12:30").rulings[0] is Ruling.STARTS_AT_OPENING


def test_the_same_day_is_until_three_and_a_limit_of_none_has_no_end() -> None:
    assert counted(Limit("same_day"), "2026-03-02T15:00").rulings == (Ruling.SAME_DAY, Ruling.ENDS_AT_CLOSING)
    assert counted(Limit("same_day"), "2026-03-02T15:00:01").rulings[0] is Ruling.SAME_DAY_TOO_LATE
    assert count_term(Limit("none"), SUBJECT, at("2026-03-02T09:00"), rules().newest) is None


def official(*events: Event, limit: Limit | None = None) -> Official:
    by, now = rules(limit=limit or Limit("working_day", 5)), at("2026-03-12T09:00")
    known = history(*events)
    (course,) = walk(timeline(known, now=now))
    (account,) = accounts(known, by, now=now)
    assert account.term is not None
    return count_official(course, account.term, now=now)


def test_qd_766_takes_the_elapsed_time_of_supplements_off_the_end() -> None:
    start = event(2, "2026-03-02T09:00")
    asked, given = event(5, "2026-03-04T09:00"), event(4, "2026-03-06T09:00")
    found = official(start, asked, given, event(9, "2026-03-11T09:00"))
    assert found == Official(
        Scored.WITHIN,
        requests=1,
        supplements=timedelta(days=2),
        end=at("2026-03-11T09:00"),
        counted_to=at("2026-03-09T09:00"),
        due=at("2026-03-09T17:00"),
        extended=False,
    )
    assert official(start, asked, given).why is Scored.LATE
    assert replace(official(start, asked), due=None).end == at("2026-03-04T09:00")
    again = event(5, "2026-03-09T09:00")
    assert official(start, asked, given, again).why is Scored.SUPPLEMENTS
    assert official(start, limit=Limit("none")).why is Scored.NO_DUE
    extended = official(start, event(None, "2026-03-03T09:00", kind="extension", due="2026-03-20T00:00"))
    assert (extended.why, extended.extended, extended.due) == (Scored.WITHIN, True, at("2026-03-20T17:00"))
