"""What was said of a dossier: what is new in an answer, and why there is one."""

from dataclasses import replace

from schemas.standing import Standing
from streams.standing import cause, news, standings
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

STARTED = event(2, "2026-03-02T09:00", due="2026-03-09T17:00")
OFFICE = rules()
ANSWER = assess(history(STARTED), OFFICE, now=at("2026-03-03T09:00"))


def test_every_cycle_has_its_standing_and_one_that_vanished_none() -> None:
    (stands, gone) = standings(ANSWER, 2)
    assert stands == Standing(1, "in_time", ANSWER.cycles[0].level, at("2026-03-09T17:00"))
    assert gone == Standing(2, None, None, None)


def test_only_what_differs_is_said_again() -> None:
    before = standings(ANSWER, 2)
    late = standings(assess(history(STARTED), OFFICE, now=at("2026-03-12T09:00")), 2)
    assert news(before, before) == ()
    assert news(before, late) == late[:1]
    assert news(None, before) == before


def test_the_cause_is_what_made_judge_look() -> None:
    assert cause(ANSWER, OFFICE, brought=True) == "events"
    assert cause(ANSWER, OFFICE, brought=False) == "look"
    assert cause(ANSWER, OFFICE, brought=False, reviewed=True) == "rules"
    begun = replace(ANSWER, version=replace(ANSWER.version, as_of=OFFICE.editions[-1].begins))
    assert cause(begun, OFFICE, brought=False) == "rules"
