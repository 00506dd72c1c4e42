"""What holds for every dossier there could be."""

from datetime import datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.alert import Alert
from schemas.assessment import Assessment
from schemas.dossier import JUDGEMENT, Judgement, dump
from schemas.event import Event
from streams.alerts import decide
from streams.calendar import ZERO, add_working_time, working_time
from streams.ladder import unbucketed
from streams.ledger import imbalance, measure
from streams.rules import Rules
from streams.verdict import assess
from tests.hanoi import at, history
from tests.laws.dossiers import histories, instants, nows, offices

pytestmark = pytest.mark.laws

LONG_AFTER = at("2027-06-01T09:00")


def _visible(answer: Assessment) -> object:
    return [(cycle.level, cycle.verdict, cycle.verdict_766, cycle.flags) for cycle in answer.cycles]


@given(offices(), instants, st.integers(1, 2_000_000))
def test_working_time_added_is_working_time_measured(rules: Rules, start: datetime, length: int) -> None:
    calendar = rules.newest.calendar(None)
    worked = timedelta(seconds=length, microseconds=length % 7)
    end = add_working_time(calendar, start, worked)
    assert working_time(calendar, start, end) == worked
    assert working_time(calendar, start, end - timedelta(microseconds=1)) < worked, (
        "and it is the earliest such instant"
    )


@given(histories, offices(), nows, st.randoms(use_true_random=False))
def test_any_order_and_any_repeats_give_the_same_answer(
    events: list[Event], rules: Rules, now: datetime, chance: st.DataObject
) -> None:
    shuffled = [*events, *events[::2]]
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assess(history(*shuffled), rules, now=now) == assess(history(*events), rules, now=now)


@given(histories, offices(), nows)
def test_running_and_paused_and_off_hours_are_all_of_the_wall_time(
    events: list[Event], rules: Rules, now: datetime
) -> None:
    for cycle in assess(history(*events), rules, now=now).cycles:
        assert imbalance(cycle) == ZERO
        spent = measure(cycle, rules, now=now)
        assert spent.working >= ZERO <= spent.paused
        assert spent.off >= ZERO
        end = cycle.ended_at or now
        assert spent.wall == (end - cycle.received_at if cycle.received_at is not None else ZERO)
        assert sum((part.working for part in spent.units), ZERO) == spent.working


@given(histories, offices(), nows)
def test_every_instant_of_a_cycle_is_in_exactly_one_bucket(events: list[Event], rules: Rules, now: datetime) -> None:
    for cycle in assess(history(*events), rules, now=now).cycles:
        assert unbucketed(cycle) == ZERO
        if cycle.received_at is None:
            assert cycle.spans == ()
            continue
        edge: datetime | None = cycle.received_at
        for span in cycle.spans:
            assert span.begin == edge
            edge = span.end
        if cycle.clock == "stopped" and cycle.spans and cycle.spans[-1].bucket != "halted":
            assert edge == cycle.ended_at
        elif cycle.clock != "stopped":
            assert edge is None


@given(histories, offices(), nows)
def test_nothing_changes_before_the_next_look_and_something_does_at_it(
    events: list[Event], rules: Rules, now: datetime
) -> None:
    past = [event for event in events if event.at <= now]
    assume(past)
    known = history(*past)
    answer = assess(known, rules, now=now)
    looks = [cycle.look_again_at for cycle in answer.cycles if cycle.look_again_at is not None]
    if not looks:
        assert _visible(assess(known, rules, now=LONG_AFTER)) == _visible(answer)
        return
    look = min(looks)
    assume(look < LONG_AFTER)
    assert _visible(assess(known, rules, now=max(now, look - timedelta(seconds=1)))) == _visible(answer)
    assert _visible(assess(known, rules, now=look)) != _visible(answer)


@given(histories, offices(), nows, st.integers(0, 40 * 86400))
def test_answers_of_equal_version_are_equal(events: list[Event], rules: Rules, now: datetime, later: int) -> None:
    known = history(*events)
    earlier_answer = assess(known, rules, now=now)
    later_answer = assess(known, rules, now=now + timedelta(seconds=later))
    assert later_answer.version >= earlier_answer.version
    if later_answer.version == earlier_answer.version:
        assert later_answer == earlier_answer
    if earlier_answer.look_again_at is not None and earlier_answer.look_again_at <= now + timedelta(seconds=later):
        assert later_answer.version > earlier_answer.version


@given(histories, offices(), st.lists(nows, min_size=1, max_size=5))
def test_alerts_end_as_if_only_the_last_answer_had_been_known(
    events: list[Event], rules: Rules, moments: list[datetime]
) -> None:
    sent: dict[str, Alert] = {}
    answer = assess(history(*events), rules, now=at("2026-01-01T00:00"))
    for count, now in enumerate(sorted(moments), 1):
        answer = assess(history(*events[: 1 + len(events) * count // len(moments)]), rules, now=now)
        actions = decide(answer, sent.values(), now=now)
        sent |= {alert.alert_id: alert for alert in actions}
        assert decide(answer, sent.values(), now=now) == ()
    standing = {
        (cycle.cycle, cycle.levels[-1].level, cycle.levels[-1].due)
        for cycle in answer.cycles
        if cycle.levels and cycle.levels[-1].end is None
    }
    open_now = {(alert.cycle, alert.level, alert.due) for alert in sent.values() if alert.open}
    assert open_now <= standing
    over = {(alert.cycle, alert.level, alert.due) for alert in sent.values() if not alert.open}
    assert standing - open_now <= over, "what stands and has no open alert was resolved before, and is told once"


@given(histories, offices(), nows)
def test_an_answer_survives_the_wire(events: list[Event], rules: Rules, now: datetime) -> None:
    judgement = Judgement(assess(history(*events), rules, now=now), 3, tuple(events))
    assert JUDGEMENT.validate_json(dump(judgement)) == judgement
