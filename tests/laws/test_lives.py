"""What holds along the life of every dossier: event after event, as they arrive, with looks in between."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rows import ASSESSMENTS, COLUMNS, assessment_rows
from schemas.alert import Action, Alert
from schemas.dossier import Judgement
from schemas.event import Event
from streams.alerts import decide
from streams.rules import Rules
from streams.verdict import assess
from tests.faults.bench import Bench, LiveClock
from tests.hanoi import event, history
from tests.laws.dossiers import histories, nows, offices

pytestmark = pytest.mark.laws

SPANS = st.sampled_from([timedelta(0), timedelta(seconds=1), timedelta(hours=5), timedelta(days=1), timedelta(days=9)])
IS_DELETED = COLUMNS[ASSESSMENTS].index("is_deleted")


@given(histories, offices(), st.lists(SPANS, min_size=14, max_size=14))
async def test_a_live_judge_ends_with_the_rows_of_a_replay(
    events: list[Event], rules: Rules, passes: list[timedelta]
) -> None:
    """Each event is judged as it arrives, perhaps late; time passes, and all looks that are due are taken."""
    bench = Bench(rules, LiveClock(events[0].at))
    await bench.start()
    for arrived, span in zip(events, passes, strict=False):
        bench.clock.move(arrived.at)
        await bench.publish([arrived])
        await bench.finish()
        bench.clock.move(bench.clock.now() + span)
        await bench.finish()
    replayed = assess(history(*events), rules, now=bench.clock.now())
    standing = [row for row in bench.tables()[ASSESSMENTS].values() if not row[IS_DELETED]]
    assert sorted(standing, key=str) == sorted(assessment_rows(Judgement(replayed, len(replayed.cycles))), key=str)


@given(histories, offices(), st.lists(nows, min_size=1, max_size=4))
def test_alerts_and_then_their_retraction_leave_nothing_open(
    events: list[Event], rules: Rules, moments: list[datetime]
) -> None:
    sent: dict[str, Alert] = {}
    for now in sorted(moments):
        sent |= {
            alert.alert_id: alert for alert in decide(assess(history(*events), rules, now=now), sent.values(), now=now)
        }
    now = max(moments)
    raised = {name for name, alert in sent.items() if alert.open}
    ids = {one.event_id for one in events}
    voids = [event(None, now.isoformat(), event_id=f"void:{name}", kind="void", voids=name) for name in ids]
    gone = assess(history(*events, *voids), rules, now=now)
    retracted = decide(gone, sent.values(), now=now)
    sent |= {alert.alert_id: alert for alert in retracted}
    assert {alert.alert_id for alert in retracted} == raised
    assert all(alert.action is Action.RETRACT for alert in retracted)
    assert not any(alert.open for alert in sent.values())
    assert decide(gone, sent.values(), now=now) == ()


@given(histories, offices())
def test_no_due_time_moves_back_unless_a_source_names_an_earlier_one(events: list[Event], rules: Rules) -> None:
    """In order of time, without voids; before and after an event judged at one instant, so by the same edition."""
    by_id = {one.event_id: one for one in events if one.kind != "void"}
    told = sorted({one.at: one for one in by_id.values()}.values(), key=lambda one: one.at)
    for count, latest in enumerate(told, 1):
        due = _due(told[:count], rules, latest.at)
        known = count - 1
        while known and (before := _due(told[:known], rules, latest.at)) is None:
            known -= 1  # a pause, in which no due time stands
        if known and due is not None and before is not None and due < before:
            named = [one.due for one in told[known:count] if one.due is not None]
            assert named
            assert due >= min(named)


def _due(events: Sequence[Event], rules: Rules, now: datetime) -> datetime | None:
    """The due time of the last cycle; none while it is paused in time."""
    cycles = assess(history(*events), rules, now=now).cycles
    return cycles[-1].due_current if cycles else None
