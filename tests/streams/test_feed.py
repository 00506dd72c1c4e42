"""Feeds: silence in office hours, counted as far as we have read."""

from datetime import datetime, timedelta

import pytest

from schemas.office import Levels, Office, Unit
from streams.feed import Feed, hear, is_stale, stale_from, step, survey
from tests.hanoi import at, calendar_year, rules

HANOI = rules().newest


@pytest.mark.parametrize(
    ("heard", "stale"),
    [
        pytest.param("2026-03-02T09:00", "2026-03-02T11:00:01", id="longer-than-two-hours"),
        pytest.param("2026-03-02T11:00", "2026-03-02T14:00:01", id="lunch-is-no-silence"),
        pytest.param("2026-03-06T16:00", "2026-03-09T09:00:01", id="nor-is-a-weekend"),
        pytest.param("2026-02-13T16:30", "2026-02-23T09:30:01", id="nor-is-tet"),
        pytest.param("2026-03-02T15:00", "2026-03-03T08:00:01", id="two-hours-sharp-at-closing-time-are-not-longer"),
        pytest.param("2026-03-02T22:00", "2026-03-03T10:00:01", id="a-sign-in-the-night"),
    ],
)
def test_a_feed_is_stale_when_it_was_silent_for_longer_than_two_office_hours(heard: str, stale: str) -> None:
    feed = Feed("H26.12", at(heard))
    since = stale_from(feed, HANOI)
    assert since == at(stale)
    assert [is_stale(feed, HANOI, read_until=instant) for instant in (at(heard), at(stale))] == [False, True]


def test_one_second_before_it_is_not_stale_yet() -> None:
    feed = Feed("H26.12", at("2026-03-02T09:00"))
    assert not is_stale(feed, HANOI, read_until=at("2026-03-02T11:00"))


def test_our_own_backlog_is_not_the_silence_of_a_unit() -> None:
    feed = Feed("H26.12", at("2026-03-02T09:00"))
    assert not is_stale(feed, HANOI, read_until=at("2026-03-02T10:59"))  # though the clock on the wall says 16:00


def test_a_sign_of_life_counts_when_it_is_later_than_what_is_known() -> None:
    feed = hear(Feed("H26.12"), at("2026-03-02T09:00"))
    assert hear(feed, at("2026-03-02T08:00")) is feed
    assert hear(feed, at("2026-03-02T09:00")) is feed
    assert hear(feed, at("2026-03-02T10:00")) == Feed("H26.12", at("2026-03-02T10:00"))


def test_a_unit_that_was_never_heard_of_is_no_silent_feed() -> None:
    assert stale_from(Feed("H26.12"), HANOI) is None
    assert not is_stale(Feed("H26.12"), HANOI, read_until=at("2030-01-01T00:00"))


def test_silence_is_counted_by_the_unit_s_own_hours_and_the_office_s_own_measure() -> None:
    night = calendar_year(2026, "night", {"mon-sun": ("22:00-24:00",)})
    office = Office("vn", "vn", levels=Levels(silent_feed="30m"))  # type: ignore[arg-type]
    known = rules(office=office, units=[Unit("H26.13", calendar="night")], calendars=[night]).newest
    assert stale_from(Feed("H26.12", at("2026-03-02T09:00")), known) == at("2026-03-02T09:30:01")
    assert stale_from(Feed("H26.13", at("2026-03-02T09:00")), known) == at("2026-03-02T22:30:01")


NINE, NOON, EVENING = at("2026-03-02T09:00"), at("2026-03-02T12:00"), at("2026-03-02T16:00")


@pytest.mark.parametrize(
    ("said", "silent", "read_until", "unknown"),
    [
        pytest.param(None, False, EVENING, True, id="silent-for-too-long"),
        pytest.param(None, False, at("2026-03-02T11:01"), False, id="a-step-later-may-have-been-heard"),
        pytest.param(None, False, None, False, id="how-far-we-have-read-is-not-known"),
        pytest.param(NINE, False, None, True, id="what-was-said-stands-after-a-restart"),
        pytest.param(NINE, True, EVENING, True, id="what-was-said-stands"),
        pytest.param(at("2026-03-02T08:00"), True, at("2026-03-02T08:59"), True, id="back-but-not-all-is-read"),
        pytest.param(at("2026-03-02T08:00"), True, None, True, id="back-but-nobody-knows-what-is-read"),
        pytest.param(at("2026-03-02T08:00"), True, NINE, False, id="back-and-all-that-came-with-it-is-read"),
        pytest.param(at("2026-03-02T08:00"), False, None, False, id="back-before-a-restart"),
    ],
)
def test_of_which_units_nobody_can_tell(
    said: datetime | None, silent: bool, read_until: datetime | None, unknown: bool
) -> None:
    before = {"H26.12"} if silent else frozenset()
    told = {} if said is None else {"H26.12": said}
    found = survey({"H26.12": NINE}, told, before, HANOI, read_until=read_until)
    assert found == ({"H26.12"} if unknown else set())


def test_each_unit_is_surveyed_by_itself() -> None:
    heard = {"H26.12": NINE, "H26.13": NOON, "H26.14": NINE}
    said = {"H26.14": NINE, "H26.15": NINE}
    assert survey(heard, said, (), HANOI, read_until=at("2026-03-02T11:30")) == {"H26.12", "H26.14"}


def test_a_step_is_a_minute_where_two_hours_may_be_silent() -> None:
    assert step(HANOI) == timedelta(minutes=1)
