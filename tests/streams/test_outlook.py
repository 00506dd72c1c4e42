"""Outlooks: when to look again, and what counts as over."""

import pytest

from schemas.event import Event
from schemas.limits import Limit
from streams.history import History
from streams.outlook import foresee
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

FIVE_DAYS = rules(limit=Limit("working_day", 5))
START, END = event(2, "2026-03-02T09:00"), event(9, "2026-03-04T09:00")
NOW = at("2026-06-01T09:00")


@pytest.mark.parametrize(
    ("events", "over"),
    [
        pytest.param([START, END], True, id="completed"),
        pytest.param([START, END, event(10, "2026-03-05T09:00")], True, id="returned"),
        pytest.param([START, event(7, "2026-03-03T09:00")], True, id="withdrawn"),
        pytest.param([event(1, "2026-03-02T09:00"), event(3, "2026-03-03T09:00")], True, id="refused"),
        pytest.param([event(1, "2026-03-02T09:00")], False, id="only-registered"),
        pytest.param([START], False, id="running"),
        pytest.param([START, event(5, "2026-03-03T09:00")], False, id="paused"),
        pytest.param([START, event(8, "2026-03-03T09:00")], False, id="halted"),
        pytest.param([START, END, event(4, "2026-03-06T09:00")], False, id="reopened"),
        pytest.param([START, END, event(4, "2026-07-06T09:00")], False, id="reopened-later-than-now"),
        pytest.param([event(None, "2026-03-02T09:00", kind="letter", letter="apology")], False, id="no-cycle-yet"),
    ],
)
def test_over_is_what_nothing_more_is_expected_of(events: list[Event], over: bool) -> None:
    known = history(*events)
    outlook = foresee(known, assess(known, FIVE_DAYS, now=NOW), live=True)
    assert outlook.done_at == (known.events[-1].at if over else None)


def test_an_outlook_says_when_to_look_again_and_on_what_it_rests() -> None:
    known = history(START)
    answer = assess(known, FIVE_DAYS, now=at("2026-03-02T10:00"))
    outlook = foresee(known, answer, live=False)
    assert (outlook.version, outlook.look_at, outlook.live) == (answer.version, answer.look_again_at, False)


def test_nothing_is_over_before_it_began() -> None:
    nothing = History("H26.12-260302-0001")
    assert foresee(nothing, assess(nothing, FIVE_DAYS, now=NOW), live=True).done_at is None
