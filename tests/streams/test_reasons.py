"""Every move of a due time has its reason, and the reasons lead to the due time that was judged by."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.assessment import Level
from schemas.event import Event
from schemas.limits import Limit, LimitRule, Match
from streams.counting import Scored, count_official, count_term
from streams.reasons import Account, Move, Origin, Why, accounts
from streams.rules import Rules
from streams.verdict import assess
from tests.hanoi import at, event, history, rules
from tests.laws.dossiers import events, nows, offices

RULES = rules(limit=Limit("working_day", 5))
EXACT = rules(limit=Limit("hour", 12))
UNLIMITED = rules(limit=Limit("none"))
NOW = at("2026-03-31T12:00")


def moves(*events: Event, by: Rules = RULES) -> list[list[Why]]:
    """The reasons of each event, over all cycles."""
    return [
        [move.why for move in taken.moves]
        for account in accounts(history(*events), by, now=NOW)
        for taken in account.taken
    ]


def one(*events: Event, by: Rules = RULES) -> Account:
    (account,) = accounts(history(*events), by, now=NOW)
    return account


def extension(when: str, due: str) -> Event:
    return event(None, when, kind="extension", due=due)


START = event(2, "2026-03-02T09:00")  # due Monday 9 March 17:00


def test_a_limit_gives_a_computed_due_time_and_an_appointment_takes_its_place() -> None:
    appointed = event(2, "2026-03-02T09:00", due="2026-03-10T00:00")
    assert moves(START) == [[Why.COMPUTED]]
    assert moves(appointed) == [[Why.COMPUTED, Why.APPOINTED]]
    assert moves(appointed, by=UNLIMITED) == [[Why.APPOINTED]]
    assert moves(START, by=UNLIMITED) == [[Why.NO_DUE]]
    computed, replaced = one(appointed).taken[0].moves
    assert (computed.due, replaced.due, replaced.due_unextended) == (
        at("2026-03-09T17:00"),
        at("2026-03-10T17:00"),
        at("2026-03-10T17:00"),
    )


def test_a_pause_says_what_remains_and_the_resume_adds_it() -> None:
    paused, resumed = (
        one(START, event(5, "2026-03-04T09:00"), event(4, "2026-03-05T10:00")).taken[step].moves[0] for step in (1, 2)
    )
    assert paused == Move(Why.PAUSED, remaining=timedelta(hours=31))
    assert resumed == Move(
        Why.RESUMED,
        due=at("2026-03-11T09:00"),
        remaining=timedelta(hours=31),
        due_unextended=at("2026-03-11T09:00"),
        paused_at=at("2026-03-04T09:00"),
    )


def test_a_pause_outside_office_hours_moves_nothing_and_says_so() -> None:
    assert moves(START, event(5, "2026-03-03T18:00"), event(4, "2026-03-03T20:00")) == [
        [Why.COMPUTED],
        [Why.PAUSED],
        [Why.RESUMED_UNMOVED],
    ]


def test_a_pause_that_begins_overdue_moves_nothing() -> None:
    events = (START, event(5, "2026-03-11T09:00"), event(4, "2026-03-12T09:00"))
    assert moves(*events) == [[Why.COMPUTED], [Why.PAUSED_OVERDUE], []]
    assert one(*events).taken[1].moves[0].due == at("2026-03-09T17:00")


def test_a_halt_joins_the_pause_and_an_end_inside_it_still_moves_the_due_time() -> None:
    assert moves(START, event(5, "2026-03-04T09:00"), event(8, "2026-03-05T09:00"), event(9, "2026-03-06T09:00")) == [
        [Why.COMPUTED],
        [Why.PAUSED],
        [],
        [Why.RESUMED],
    ]


def test_a_due_time_named_on_the_resume_replaces_what_remained() -> None:
    resumed = event(4, "2026-03-05T10:00", due="2026-03-20T00:00")
    assert moves(START, event(5, "2026-03-04T09:00"), resumed)[-1] == [Why.RESUMED_NAMED]
    known = event(4, "2026-03-05T10:00", due="2026-03-09T00:00")
    assert moves(START, event(5, "2026-03-04T09:00"), known)[-1] == [Why.RESUMED, Why.KNOWN]
    ending = event(9, "2026-03-05T10:00", due="2026-03-20T00:00")
    assert moves(START, event(5, "2026-03-04T09:00"), ending)[-1] == [Why.RESUMED, Why.AT_END]


def test_an_extension_is_accepted_once_and_each_refusal_has_its_reason() -> None:
    assert moves(
        START,
        extension("2026-03-03T09:00", "2026-03-06T00:00"),
        extension("2026-03-04T09:00", "2026-03-12T00:00"),
        extension("2026-03-05T09:00", "2026-03-12T00:00"),
        extension("2026-03-06T09:00", "2026-03-13T00:00"),
        event(9, "2026-03-09T09:00", due="2026-03-20T00:00"),
        extension("2026-03-10T09:00", "2026-03-20T00:00"),
    ) == [
        [Why.COMPUTED],
        [Why.NOT_LATER],
        [Why.EXTENDED],
        [Why.KNOWN],
        [Why.SECOND_EXTENSION],
        [Why.AT_END],
        [Why.AFTER_END],
    ]
    assert moves(START, extension("2026-03-11T09:00", "2026-03-12T00:00"))[-1] == [Why.LATE_EXTENSION]
    assert moves(START, extension("2026-03-11T09:00", "2026-03-12T00:00"), by=UNLIMITED)[-1] == [Why.NOTHING_TO_EXTEND]
    assert moves(extension("2026-03-01T09:00", "2026-03-12T00:00"), START)[0] == [Why.BEFORE_START]


def test_an_extension_moves_the_current_due_time_and_never_the_unextended_one() -> None:
    moved = one(START, extension("2026-03-04T09:00", "2026-03-12T00:00")).taken[1].moves[0]
    assert (moved.named, moved.due, moved.due_unextended) == (
        at("2026-03-12T00:00"),
        at("2026-03-12T17:00"),
        at("2026-03-09T17:00"),
    )


def test_a_due_time_that_comes_with_the_pause_stands_before_it_and_inside_a_pause_changes_what_remains() -> None:
    opening = one(START, event(5, "2026-03-04T09:00", due="2026-03-10T00:00"))
    assert [(move.why, move.due, move.remaining) for move in opening.taken[1].moves] == [
        (Why.APPOINTED, at("2026-03-10T17:00"), None),
        (Why.PAUSED, None, timedelta(hours=39)),
    ]
    inside = one(START, event(5, "2026-03-04T09:00"), extension("2026-03-04T10:00", "2026-03-10T00:00"))
    (move,) = inside.taken[2].moves
    assert (move.why, move.due, move.remaining) == (Why.EXTENDED, None, timedelta(hours=39))


def test_an_event_without_effect_names_its_due_time_in_vain() -> None:
    assert moves(START, event(1, "2026-03-03T09:00", due="2026-03-20T00:00"))[-1] == [Why.EVIDENCE]
    assert moves(event(5, "2026-03-01T09:00", due="2026-03-20T00:00"), START)[0] == [Why.EVIDENCE]
    assert moves(event(1, "2026-03-01T09:00", due="2026-03-20T00:00"), START)[0] == []


def test_a_reopened_cycle_keeps_its_due_time_unless_it_brings_a_new_one() -> None:
    first = (START, event(9, "2026-03-05T09:00"))
    assert moves(*first, event(4, "2026-03-06T09:00"))[-1] == [Why.CARRIED]
    assert moves(*first, event(4, "2026-03-06T09:00", due="2026-03-09T00:00"))[-1] == [Why.CARRIED, Why.KNOWN]
    assert moves(*first, event(4, "2026-03-06T09:00", due="2026-03-20T00:00"))[-1] == [Why.APPOINTED]
    unlimited = moves(*first, event(4, "2026-03-06T09:00"), by=UNLIMITED)
    assert unlimited[-1] == [Why.NO_DUE]


def test_a_start_that_is_a_halt_pauses_at_once() -> None:
    assert moves(event(8, "2026-03-02T09:00", due="2026-03-10T00:00")) == [[Why.APPOINTED, Why.PAUSED]]
    assert moves(event(8, "2026-03-11T09:00", due="2026-03-10T00:00")) == [[Why.APPOINTED, Why.PAUSED_OVERDUE]]


def test_a_limit_comes_from_a_rule_an_event_the_cycle_before_or_nowhere() -> None:
    by = rules(
        LimitRule(Match(channel="post"), Limit("working_day", 3)),
        LimitRule(Match(), Limit("working_day", 5)),
    )
    assert one(START, by=by).origin == Origin("rule", 1, at("2020-01-01T00:00"), 2, Match())
    assert one(event(2, "2026-03-02T09:00", limit=Limit("working_day", 5)), by=by).origin == Origin("event")
    assert one(event(2, "2026-03-02T09:00"), by=rules()).origin == Origin("none")
    assert one(event(3, "2026-03-02T09:00")).origin == Origin("none")
    reopened = accounts(history(START, event(9, "2026-03-05T09:00"), event(4, "2026-03-06T09:00")), by, now=NOW)
    assert reopened[1].origin == Origin("carried")
    early = accounts(history(event(2, "2019-03-04T09:00")), by, now=at("2019-03-05T09:00"))
    assert early[0].origin == Origin("none")


def test_received_with_4_of_24_hours_left() -> None:
    """Hours: 24 working hours from Monday 09:00; handed over when 20 are used."""
    (handed,) = one(
        START, event(4, "2026-03-04T14:00", processing_unit="H26.03", stage="Ký"), by=rules(limit=Limit("hour", 24))
    ).handovers
    assert (handed.from_unit, handed.to_unit, handed.to_stage) == ("H26.12", "H26.03", "Ký")
    assert (handed.used, handed.left, handed.budget) == (
        timedelta(hours=20),
        timedelta(hours=4),
        timedelta(hours=24),
    )


def test_a_hand_over_in_a_pause_late_or_without_a_due_time() -> None:
    paused = one(START, event(5, "2026-03-04T09:00"), event(5, "2026-03-05T09:00", processing_unit="H26.03"))
    assert [(each.used, each.left) for each in paused.handovers] == [(timedelta(hours=16), timedelta(hours=31))]
    late = one(START, event(4, "2026-03-10T10:00", processing_unit="H26.03"))
    (handed,) = late.handovers
    assert (handed.left, handed.late, handed.budget) == (timedelta(0), timedelta(hours=2), timedelta(hours=47))
    (unlimited,) = one(START, event(4, "2026-03-10T10:00", processing_unit="H26.03"), by=UNLIMITED).handovers
    assert (unlimited.left, unlimited.budget) == (None, None)


def test_what_is_handed_over_at_the_end_is_no_hand_over() -> None:
    assert one(START, event(9, "2026-03-04T14:00", processing_unit="H26.03")).handovers == ()


def test_the_rungs_ahead_are_told() -> None:
    account = accounts(history(START), RULES, now=at("2026-03-02T10:00"))[0]
    assert [rung.level for rung in account.climbed][-1] is Level.SERIOUSLY_OVERDUE


@pytest.mark.laws
@settings(max_examples=200, deadline=None)
@given(st.lists(events(), min_size=1, max_size=14), offices(), nows)
def test_the_last_reason_leads_to_the_due_time_that_was_judged_by(found: list[Event], by: Rules, now: datetime) -> None:
    known = history(*found)
    for cycle, account in zip(assess(known, by, now=now).cycles, accounts(known, by, now=now), strict=True):
        if account.term is None:
            assert cycle.received_at is None
            continue
        start = account.course.steps[0].event.at
        if account.term.computed is not None and account.term.limit is not None:
            counting = count_term(account.term.limit, account.course.subject, start, account.term.edition)
            assert counting is not None
            assert counting.due == account.term.computed.at
        moved = [move for taken in account.taken for move in taken.moves]
        stands = [move for move in moved if move.due is not None or move.remaining is not None]
        assert bool(stands) == (account.term.current.due is not None)
        if stands:
            assert stands[-1].due == cycle.due_current
            assert stands[-1].due_unextended == cycle.due_unextended
        official = count_official(account.course, account.term, now=now)
        by_reason = {Scored.NO_DUE: "not_counted", Scored.WITHIN: "on_time"}
        assert by_reason.get(official.why, "overdue") == cycle.verdict_766
