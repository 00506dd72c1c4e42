"""Rulebooks compared, and the alerts of a change counted."""

from dataclasses import replace

import pytest

from schemas.alert import Action
from schemas.limits import Limit
from schemas.rulebook import Change, Rulebook, Turned
from streams.alerts import decide
from streams.rulebook import clash, count_up, of_change
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

KNOWN = Rulebook(3, {"limits version 1": "a", "limits version 2": "b", "office version 0": "c"})


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        pytest.param(KNOWN, None, id="the-same"),
        pytest.param(Rulebook(6, {**KNOWN.contents, "limits version 3": "d"}), None, id="one-more"),
        pytest.param(Rulebook(4, {"limits version 4": "d"}), None, id="one-for-all"),
        pytest.param(
            Rulebook(6, {**KNOWN.contents, "limits version 2": "d", "limits version 3": "e"}), "limits version 2"
        ),
        pytest.param(Rulebook(3, {"limits version 3": "d"}), None, id="others-of-the-same-sum"),
        pytest.param(Rulebook(1, {"limits version 1": "a"}), None, id="one-less"),
    ],
)
def test_a_file_may_say_something_else_under_a_higher_version_alone(book: Rulebook, reason: str | None) -> None:
    fault = clash(KNOWN, book)
    expected = {3: "rules_unraised", 1: "rules_older"}.get(book.version) if book != KNOWN else None
    assert (fault and fault.reason) == ("rules_unraised" if reason else expected)
    assert (fault.where if fault else ()) == ((reason,) if reason else ())


def test_where_nothing_was_judged_any_rules_will_do() -> None:
    assert clash(None, Rulebook(1)) is None


def test_the_alerts_of_a_change_are_counted_by_unit_and_action_and_others_are_not() -> None:
    answer = assess(
        history(event(2, "2026-03-02T09:00")), rules(limit=Limit("working_day", 5)), now=at("2026-04-01T09:00")
    )
    (alert,) = decide(answer, (), now=at("2026-04-01T09:00"))
    mine = [
        replace(alert, change=7, unit=unit, action=action)
        for unit, action in (
            *(("b", action) for action in Action),
            ("b", Action.RAISE),
            (None, Action.RESOLVE),
            ("a", Action.RAISE),
        )
    ]
    assert count_up(7, 3, [alert, replace(alert, change=6), *mine]) == Change(
        7,
        3,
        (
            Turned(None, resolved=1),
            Turned("a", raised=1),
            Turned("b", raised=2, replaced=1, resolved=1, retracted=1, retimed=1, held=1),
        ),
    )


@pytest.mark.parametrize(("reason", "said"), [("late_event", "policy"), ("overdue", "overdue"), ("policy", "policy")])
def test_what_a_change_of_rules_did_is_not_laid_to_a_late_event(reason: str, said: str) -> None:
    answer = assess(
        history(event(2, "2026-03-02T09:00")), rules(limit=Limit("working_day", 5)), now=at("2026-04-01T09:00")
    )
    (alert,) = decide(answer, (), now=at("2026-04-01T09:00"))
    assert of_change(replace(alert, reason=reason), 7) == replace(alert, reason=said, change=7)
