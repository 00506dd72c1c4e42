"""The alerts of a life: each at its instant, none when there is nothing to tell."""

from schemas.alert import Action
from schemas.assessment import Level
from schemas.limits import Limit
from streams.history import History
from streams.rehearsal import rehearse
from tests.hanoi import at, event, history, rules

RULES = rules(limit=Limit("working_day", 5))


def test_the_levels_are_told_as_their_time_comes_and_the_end_resolves_the_last() -> None:
    known = history(event(2, "2026-03-02T09:00"), event(9, "2026-03-10T09:00"))
    told = rehearse(known, RULES, now=at("2026-03-20T09:00"))
    assert [(each.at, each.alert.action, each.alert.level) for each in told] == [
        (at("2026-03-06T15:36"), Action.RAISE, Level.NEAR_DUE),
        (at("2026-03-09T00:00"), Action.REPLACE, Level.NEAR_DUE),
        (at("2026-03-09T00:00"), Action.RAISE, Level.DUE_TODAY),
        (at("2026-03-10T00:00"), Action.REPLACE, Level.DUE_TODAY),
        (at("2026-03-10T00:00"), Action.RAISE, Level.OVERDUE),
        (at("2026-03-10T09:00"), Action.RESOLVE, Level.OVERDUE),
    ]
    assert not any(each.alert.found_late for each in told)
    assert rehearse(known, RULES, now=at("2026-03-09T00:00")) == told[:3]


def test_nothing_is_told_of_what_ended_in_time_or_has_no_events() -> None:
    early = history(event(2, "2026-03-02T09:00"), event(9, "2026-03-03T09:00"))
    assert rehearse(early, RULES, now=at("2026-03-20T09:00")) == ()
    assert rehearse(History("H26.12-260302-0001"), RULES, now=at("2026-03-20T09:00")) == ()
