"""Crashes, outages and moved partitions between any two writes: in the end the same as on a calm day."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.rows import ALERTS, ASSESSMENTS, COLUMNS, EVENTS, Row
from schemas import topics
from schemas.dossier import JUDGEMENT
from schemas.event import Event
from streams.alerts import decide
from streams.rules import Rules
from streams.verdict import assess
from tests.faults.bench import Bench, Crash, Late, Leave, LiveClock, Moved, Outage, Step, Take, Tomorrow
from tests.hanoi import at, event, history, rules
from tests.laws.dossiers import histories, instants, offices

ANY_WRITE = st.integers(0, 3)  # intents, outputs, state, and after all of them
SOME = st.integers(0, 3)
MANY = st.integers(1, 5)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Take, MANY),
        st.builds(Crash, MANY, ANY_WRITE, SOME),
        st.builds(Outage, MANY, ANY_WRITE, SOME),
        st.builds(Moved, MANY, st.integers(0, 4)),
        st.builds(Tomorrow, instants),
        st.builds(Leave, st.integers(0, 2), st.integers(0, 8), st.booleans()),
        st.just(Late()),
    ),
    max_size=12,
)
IS_DELETED = COLUMNS[ASSESSMENTS].index("is_deleted")
ACTION = COLUMNS[ALERTS].index("action")


async def _play(known: Rules, events: Sequence[Event], script: Sequence[Step], end: datetime) -> Bench:
    """The bench after these events and this script, at that instant."""
    bench = Bench(known, LiveClock(max(one.at for one in events)))
    await bench.publish(events)
    await bench.play(script)
    bench.clock.move(end)
    await bench.finish()
    return bench


def _standing(bench: Bench) -> tuple[dict[Row, Row], dict[Row, Row]]:
    """The rows that a reader sees."""
    tables = bench.tables()
    return tables[EVENTS], {key: row for key, row in tables[ASSESSMENTS].items() if not row[IS_DELETED]}


@pytest.mark.laws
@given(histories, offices(), STEPS)
async def test_any_script_of_faults_ends_as_a_calm_day(events: list[Event], known: Rules, script: list[Step]) -> None:
    moments = [step.now for step in script if isinstance(step, Tomorrow)]
    end = max(one.at for one in events) + timedelta(days=10)
    end = max([end, *moments])
    calm = await _play(known, events, (), end)
    stormy = await _play(known, events, script, end)
    assert _standing(stormy) == _standing(calm)
    called_for = {alert.alert_id for alert in decide(assess(history(*events), known, now=end), (), now=end)}
    assert stormy.open_alerts() <= called_for, "nothing stands open that should not"
    assert called_for <= stormy.told(), "nothing was forgotten"


START = event(2, "2026-03-02T09:00", due="2026-03-09T17:00")
END = event(9, "2026-03-09T16:30")
AFTER = at("2026-03-12T08:00")


@pytest.mark.parametrize("break_off", [Crash, Outage])
@pytest.mark.parametrize("write", [0, 1, 2, 3], ids=["intents", "outputs", "state", "acknowledgement"])
@pytest.mark.parametrize("accepted", [0, 1, 9], ids=["nothing", "a-part", "everything"])
async def test_broken_off_before_in_or_after_any_write_the_story_is_told_once(
    break_off: type[Crash] | type[Outage], write: int, accepted: int
) -> None:
    bench = await _play(rules(), [START], [break_off(1, write, accepted)], AFTER)
    stories = {row[1:3] for row in bench.tables()[ALERTS].values()}
    assert len(stories) == 1
    assert [row[ACTION] for row in bench.tables()[ALERTS].values()] == ["raise"]
    assert len(bench.tables()[EVENTS]) == 1


@pytest.mark.parametrize("break_off", [Crash, Outage])
@pytest.mark.parametrize("write", [0, 1, 2, 3], ids=["intents", "outputs", "state", "acknowledgement"])
@pytest.mark.parametrize("accepted", [0, 1, 9], ids=["nothing", "a-part", "everything"])
async def test_the_alert_of_a_chunk_broken_off_anywhere_is_told_under_one_id_and_stands_open(
    break_off: type[Crash] | type[Outage], write: int, accepted: int
) -> None:
    bench = Bench(rules(), LiveClock(AFTER))
    await bench.publish([START])
    await bench.play([break_off(1, write, accepted)])
    (called_for,) = decide(assess(history(START), rules(), now=AFTER), (), now=AFTER)
    assert bench.told() == bench.open_alerts() == {called_for.alert_id}
    assert [row[ACTION] for row in bench.tables()[ALERTS].values()] == ["raise"]


async def test_an_alert_told_right_before_a_crash_is_taken_back_though_the_chunk_comes_again_with_more() -> None:
    bench = Bench(rules(), LiveClock(AFTER))
    await bench.publish([START])
    await bench.start()
    await bench.step(Crash(1, write=2))  # the alert is out, the state is not written
    assert len(bench.open_alerts()) == 1
    await bench.publish([END])
    await bench.step(Take(2))
    await bench.finish()
    assert bench.open_alerts() == set()


async def test_a_reopening_judged_right_before_a_crash_leaves_no_row_when_it_comes_again_voided() -> None:
    again = event(4, "2026-03-10T09:00")
    bench = Bench(rules(), LiveClock(AFTER))
    await bench.publish([START, END, again])
    await bench.start()
    await bench.step(Crash(3, write=2))
    assert {key for key, _ in bench.tables()[ASSESSMENTS].items()} == {(START.dossier_code, 1), (START.dossier_code, 2)}
    await bench.publish([event(None, "2026-03-10T10:00", kind="void", voids=again.event_id)])
    await bench.step(Take(4))
    await bench.finish()
    standing = [key for key, row in bench.tables()[ASSESSMENTS].items() if not row[IS_DELETED]]
    assert standing == [(START.dossier_code, 1)]


async def test_an_event_that_is_known_sends_its_answer_and_its_state_again() -> None:
    """Or a crash between the state and the offset, and then a second loss, could leave a gap downstream."""
    bench = Bench(rules(), LiveClock(AFTER))
    await bench.publish([START])
    await bench.start()
    await bench.step(Crash(1, write=9))
    await bench.step(Take(1))
    answers = bench.broker.records(topics.ASSESSMENTS.name)
    assert len(answers) == 2
    first, again = (JUDGEMENT.validate_json(answer.value or b"") for answer in answers)
    assert again == replace(first, news=None), "what was said stands in the state, and is not said again"
    events = [record for record in bench.broker.records(topics.STATE.name) if b"\x1fevent\x1f" in (record.key or b"")]
    assert len({record.key for record in events}) == 1
    assert len(events) == 2
