"""The three clocks, and the setting that chooses."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from agents.clock import EPOCH, FixedClock, LastEventClock, RealClock, clock_for
from schemas.errors import ConfigError

NOON = datetime(2026, 1, 5, 12, tzinfo=timezone(timedelta(hours=7)))


def test_only_the_real_clock_is_live() -> None:
    assert [clock.live for clock in (RealClock(), FixedClock(NOON), LastEventClock())] == [True, False, False]


def test_the_real_clock_is_the_machines_in_utc() -> None:
    clock = clock_for("")
    before = datetime.now(UTC)
    now = clock.now()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


def test_a_fixed_clock_stays_whatever_it_sees() -> None:
    clock = clock_for("2026-01-05T12:00:00+07:00")
    clock.saw(NOON + timedelta(days=400))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_the_last_event_clock_is_the_greatest_time_seen_and_the_epoch_before() -> None:
    clock = clock_for("last-event")
    assert clock.now() == EPOCH
    clock.saw(NOON)
    clock.saw(NOON - timedelta(days=1))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


@pytest.mark.parametrize("wrong", ["2026-01-05", "2026-01-05T12:00:00", "yesterday", "LAST-EVENT"])
def test_anything_else_is_refused_with_the_name_of_the_setting(wrong: str) -> None:
    with pytest.raises(ConfigError, match="DUNGHAN_NOW") as refused:
        clock_for(wrong)
    assert refused.value.reason == "invalid_setting"
