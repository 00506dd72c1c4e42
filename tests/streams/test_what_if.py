"""What if: a draft beside the rules in force, cycle by cycle, with what would be told."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.alert import Action
from schemas.calendar import CalendarDay
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office
from streams.history import History
from streams.replay import rows
from streams.rules import Rules, compile_rules
from streams.what_if import Aspect, Comparison, Count, Turn, WhatIf, add_up, compare, moved
from tests.hanoi import at, calendar_year, event, history, rules

FIVE, THREE = Limit("working_day", 5), Limit("working_day", 3)
IN_FORCE, DRAFT = rules(limit=FIVE), rules(limit=THREE)
NOW = "2026-03-06T09:00"  # a Friday
START = "2026-03-02T09:00"  # a Monday: due on the 9th, under the draft on the 5th
#: Of a cycle, what the draft changes.
TOO_LATE = (Aspect.VERDICT, Aspect.VERDICT_766, Aspect.DUE)


def dossier(number: int, *events: Event) -> History:
    code = f"H26.12-260302-{number:04d}"
    return history(*(replace(one, dossier_code=code) for one in events))


def timeline(*limits: tuple[str, Limit]) -> Rules:
    """Limits for all, each in force from a day on."""
    files = [
        LimitsFile(version, date.fromisoformat(begins), (LimitRule(Match(), limit),))
        for version, (begins, limit) in enumerate(limits, start=1)
    ]
    return compile_rules(Office("vn", "vn"), (), [calendar_year(2026)], files)


def outcome(
    *histories: History, before: Rules = IN_FORCE, after: Rules = DRAFT, now: str = NOW, limit: int = 20
) -> WhatIf:
    return add_up((compare(one, before, after, now=at(now)) for one in histories), limit=limit)


def aspects(found: WhatIf) -> dict[tuple[str, int], tuple[Aspect, ...]]:
    return {(pair.dossier_code[-4:], pair.after.cycle): pair.aspects for pair in found.worst}


def actions(found: WhatIf) -> dict[str, int]:
    return {action.value: number for action, number in found.alerts.items() if number}


OPEN = dossier(1, event(2, START))
FINISHED_LATE = dossier(2, event(2, START), event(9, "2026-03-06T08:30"))
FINISHED_SOON = dossier(3, event(2, START), event(9, "2026-03-04T08:30"))
APPOINTED = dossier(4, event(2, START, due="2026-03-09T00:00"))
OTHER_LIMIT = dossier(5, event(2, START, limit=Limit("working_day", 10)))
ALL = (OPEN, FINISHED_LATE, FINISHED_SOON, APPOINTED, OTHER_LIMIT)


def test_a_shorter_limit_flips_exactly_those_that_it_makes_late() -> None:
    found = outcome(*ALL)
    assert aspects(found) == {
        ("0001", 1): (Aspect.VERDICT, Aspect.VERDICT_766, Aspect.LEVEL, Aspect.DUE),
        ("0002", 1): TOO_LATE,
        ("0003", 1): (Aspect.DUE,),
    }
    assert found.dossiers == 5
    assert found.open == Count(3, 1, verdict=1, verdict_766=1, level=1, due=1, overdue_before=0, overdue_after=1)
    assert found.closed == Count(2, 2, verdict=1, verdict_766=1, level=0, due=2, overdue_before=0, overdue_after=1)
    assert found.changed == 3


def test_an_appointment_of_the_source_stays_though_it_disagrees_with_other_limits() -> None:
    assert not outcome(APPOINTED, OTHER_LIMIT).changed


def test_what_turns_into_what_is_counted() -> None:
    assert outcome(*ALL).turns == (
        Turn(False, Aspect.VERDICT, "in_time", "overdue", 1),
        Turn(False, Aspect.VERDICT_766, "on_time", "overdue", 1),
        Turn(False, Aspect.LEVEL, "none", "overdue", 1),
        Turn(True, Aspect.VERDICT, "early", "overdue", 1),
        Turn(True, Aspect.VERDICT_766, "on_time", "overdue", 1),
    )


def test_the_same_rules_change_nothing() -> None:
    found = outcome(*ALL, after=rules(limit=FIVE))
    assert (found.changed, found.turns, found.worst, actions(found)) == (0, (), (), {})
    assert (found.open, found.closed) == (Count(3), Count(2))
    assert [(tally.unit, tally.procedure) for tally in found.tallies] == [("H26.12", "1.004441")]


def test_the_difference_is_that_of_two_replays() -> None:
    names = ("verdict", "verdict_766", "level", "due_original", "due_current", "remaining_seconds")
    differing = set()
    for one in ALL:
        both = zip(*(rows(one, office, now=at(NOW)) for office in (IN_FORCE, DRAFT)), strict=True)
        differing |= {
            (str(was["dossier_code"])[-4:], was["cycle"])
            for was, becomes in both
            if any(was[name] != becomes[name] for name in names)
        }
    assert differing == {("0001", 1), ("0002", 1)} | {("0003", 1)}
    assert aspects(outcome(*ALL)).keys() == differing


def test_a_new_day_off_moves_what_is_due_after_it_and_what_was_to_be_told_is_taken_back() -> None:
    closed_by_storm = replace(
        calendar_year(2026), days=(*calendar_year(2026).days, CalendarDay(date(2026, 3, 6), off=True))
    )
    draft = compile_rules(
        Office("vn", "vn"), (), [closed_by_storm], [LimitsFile(1, date(2020, 1, 1), (LimitRule(Match(), FIVE),))]
    )
    earlier = dossier(6, event(2, "2026-02-23T09:00"), event(9, "2026-02-27T09:00"))
    found = outcome(OPEN, earlier, after=draft, now="2026-03-09T16:00")
    assert aspects(found) == {("0001", 1): (Aspect.LEVEL, Aspect.DUE)}
    assert [moved(pair) for pair in found.worst] == [timedelta(days=1)]
    assert found.turns == (Turn(False, Aspect.LEVEL, "due_today", "near_due", 1),)
    assert actions(found)["raise"] == 1
    assert sum(actions(found).values()) == 2


@pytest.mark.parametrize(
    ("begins", "changed"),
    [
        pytest.param("2026-03-07", {}, id="in-force-tomorrow"),
        pytest.param("2026-03-05", {"0001", "0002"}, id="in-force-before-one-ended"),
        pytest.param("2026-03-04", {"0001", "0002", "0003"}, id="in-force-before-both-ended"),
    ],
)
def test_what_ended_before_a_draft_is_in_force_keeps_its_verdict(begins: str, changed: set[str]) -> None:
    found = outcome(*ALL, before=timeline(("2026-01-01", FIVE)), after=timeline(("2026-01-01", FIVE), (begins, THREE)))
    assert {code for code, _ in aspects(found)} == set(changed)


def test_as_if_always_judges_what_ended_long_ago_by_the_newest_limits() -> None:
    draft = timeline(("2026-01-01", FIVE), ("2026-07-01", THREE))
    kept, everywhere = (
        outcome(*ALL, before=timeline(("2026-01-01", FIVE)), after=after) for after in (draft, draft.always())
    )
    assert not kept.changed
    assert aspects(everywhere) == aspects(outcome(*ALL))
    assert {pair.after.policy_version for pair in everywhere.worst} == {2}


def test_nothing_is_compared_that_happens_later_or_never_started() -> None:
    registered = dossier(7, event(1, START))
    refused = dossier(8, event(3, START))
    tomorrow = dossier(9, event(2, "2026-03-07T09:00"))
    ends_later = dossier(1, *OPEN.events, event(9, "2026-03-06T09:00:01"))
    assert outcome(registered, refused, tomorrow).open == Count()
    assert outcome(registered, refused, tomorrow).tallies == ()
    assert aspects(outcome(ends_later)) == aspects(outcome(OPEN))


def test_a_halted_dossier_is_open_and_a_withdrawn_one_is_not() -> None:
    halted = dossier(1, event(2, START), event(8, "2026-03-04T09:00"))
    withdrawn = dossier(2, event(2, START), event(7, "2026-03-04T09:00"))
    ended_at_once = dossier(3, event(9, START))
    found = outcome(halted, withdrawn, ended_at_once)
    assert (found.open.cycles, found.closed.cycles) == (1, 2)


def test_in_a_pause_what_remains_counts_as_its_due_date() -> None:
    paused = dossier(1, event(2, START), event(5, "2026-03-03T09:00"))
    in_days = rules(limit=Limit("day", 7))  # as five working days end, on Monday the 9th
    assert aspects(outcome(paused)) == {("0001", 1): (Aspect.DUE,)}
    assert not outcome(paused, after=in_days).changed


def test_a_dossier_without_due_date_moves_by_nothing() -> None:
    found = outcome(OPEN, before=rules(limit=Limit("none")))
    assert [moved(pair) for pair in found.worst] == [timedelta(0)]
    assert found.turns[0] == Turn(False, Aspect.VERDICT, "no_deadline", "overdue", 1)


def test_every_cycle_of_a_dossier_counts_and_the_reopened_one_is_held_to_the_carried_due_date() -> None:
    reopened = dossier(1, event(2, START), event(9, "2026-03-04T09:00"), event(4, "2026-03-05T09:00"))
    found = outcome(reopened)
    assert (found.dossiers, found.open.cycles, found.closed.cycles) == (1, 1, 1)
    assert aspects(found)["0001", 2] == (Aspect.VERDICT, Aspect.VERDICT_766, Aspect.LEVEL, Aspect.DUE)


def test_units_and_procedures_are_counted_apart_and_the_most_changed_come_first() -> None:
    other = {"processing_unit": "H26.01", "procedure_code": "1.000894"}
    elsewhere = dossier(5, event(2, START), event(4, "2026-03-03T09:00", **other))
    calm = dossier(6, event(2, "2026-03-05T14:00", processing_unit="H26.02", due="2026-03-20T00:00"))
    found = outcome(OPEN, FINISHED_LATE, elsewhere, calm)
    assert [(tally.unit, tally.procedure, tally.open.changed, tally.closed.changed) for tally in found.tallies] == [
        ("H26.12", "1.004441", 1, 1),
        ("H26.01", "1.004441", 1, 0),  # the procedure is that of its start
        ("H26.02", "1.004441", 0, 0),
    ]
    assert [tally.alerts[Action.RAISE] for tally in found.tallies] == [1, 1, 0]
    assert found.open.cycles == sum(tally.open.cycles for tally in found.tallies) == 3


def test_the_worst_come_first_and_no_more_than_asked_for() -> None:
    better = rules(limit=THREE), rules(limit=FIVE)
    worse = [compare(one, IN_FORCE, DRAFT, now=at(NOW)) for one in (FINISHED_SOON, FINISHED_LATE, OPEN)]
    healed = compare(dossier(9, *OPEN.events), *better, now=at(NOW))

    def listed(comparisons: Sequence[Comparison], limit: int) -> list[str]:
        return [pair.dossier_code[-4:] for pair in add_up(comparisons, limit=limit).worst]

    assert listed([healed, *worse], 9) == ["0001", "0002", "0003", "0009"]
    assert listed([healed, *worse], 2) == ["0001", "0002"]
    assert listed([healed, *worse], 0) == []


def test_a_long_log_keeps_the_worst_and_counts_all() -> None:
    calm, worst = compare(FINISHED_SOON, IN_FORCE, DRAFT, now=at(NOW)), compare(OPEN, IN_FORCE, DRAFT, now=at(NOW))
    found = add_up((*[calm] * 200, worst, *[calm] * 200), limit=1)
    assert [pair.dossier_code for pair in found.worst] == [OPEN.dossier_code]
    assert (found.dossiers, found.changed, found.closed.due) == (401, 401, 400)


def test_an_alert_that_stands_under_both_is_not_told_again() -> None:
    assert actions(outcome(APPOINTED, now="2026-03-10T09:00")) == {}
    assert actions(outcome(OPEN)) == {"raise": 1}


def test_a_longer_limit_takes_back_what_stands() -> None:
    found = outcome(OPEN, before=DRAFT, after=IN_FORCE)
    assert sum(actions(found).values()) == 1
    assert "raise" not in actions(found)
