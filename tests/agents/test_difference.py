"""The difference of one dossier: nothing where live and shadow agree, and every column where they do not."""

from dataclasses import replace

from agents.difference import Difference, Stored, difference, missing
from agents.known import Known
from agents.rows import assessment_rows
from schemas.alert import Action, Alert
from schemas.assessment import Assessment
from schemas.dossier import Judgement, Memory
from schemas.event import Event
from schemas.limits import Limit
from schemas.stub import covering, names
from streams.alerts import decide
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

OFFICE = rules(limit=Limit("working_day", 5))
STARTED = event(2, "2026-03-02T09:00", event_id="start")
ENDED = event(9, "2026-03-04T10:00", event_id="end")
CODE = STARTED.dossier_code
NOW = at("2026-03-12T09:00")


def answer(*events: Event) -> Assessment:
    return assess(history(*events), OFFICE, now=NOW)


def stored(said: Assessment, *alerts: Alert) -> Stored:
    rows = {int(str(row[1])): row for row in assessment_rows(Judgement(said, len(said.cycles)))}
    return Stored(rows, {alert.alert_id: (alert.sequence, alert.action) for alert in alerts})


def known(*events: Event, sent: tuple[Alert, ...] = ()) -> Known:
    found = Known()
    for one in events:
        found.remember(Memory(CODE, event=one))
    for alert in sent:
        found.remember(Memory(CODE, alert=alert))
    return found


def between(live: tuple[Event, ...], shadow: tuple[Event, ...], sent: tuple[Alert, ...]) -> Difference:
    theirs = known(*live, sent=sent)
    return difference(answer(*shadow), history(*shadow), theirs, stored(answer(*live), *sent), alerts=True, now=NOW)


TOLD = decide(answer(STARTED), (), now=NOW)


def test_who_has_the_same_events_and_has_told_the_same_does_not_differ() -> None:
    assert not between((STARTED,), (STARTED,), TOLD)


def test_an_event_that_one_side_lacks_is_counted_and_shows_in_every_column_that_it_changes() -> None:
    found = between((STARTED,), (STARTED, ENDED), TOLD)
    assert found.events == (1, 2)
    assert ("verdict", "overdue", "early") in [(each.name, each.live, each.shadow) for each in found.columns]
    assert {(alert.action, alert.reason) for alert in found.alerts} == {(Action.RETRACT, "late_event")}


def test_other_rules_that_change_no_answer_are_no_difference() -> None:
    newer = replace(answer(STARTED), version=replace(answer(STARTED).version, rules=9))
    live = stored(answer(STARTED), *TOLD)
    assert not difference(newer, history(STARTED), known(STARTED, sent=TOLD), live, alerts=True, now=NOW)


def test_an_alert_that_was_not_told_is_a_difference_unless_nobody_is_told_anything() -> None:
    ours, live = history(STARTED), stored(answer(STARTED))
    found = difference(answer(STARTED), ours, known(STARTED), live, alerts=True, now=NOW)
    assert [alert.action for alert in found.alerts] == [Action.RAISE]
    assert not difference(answer(STARTED), ours, known(STARTED), live, alerts=False, now=NOW)


def test_an_alert_that_is_held_by_a_silent_feed_is_held_here_too() -> None:
    held = decide(answer(STARTED), (), silent={"H26.12"}, now=NOW)
    assert not between((STARTED,), (STARTED,), held)


def test_an_alert_that_clickhouse_has_otherwise_is_named() -> None:
    live = stored(answer(STARTED), *(replace(alert, sequence=2, action=Action.RESOLVE) for alert in TOLD))
    found = difference(answer(STARTED), history(STARTED), known(STARTED, sent=TOLD), live, alerts=True, now=NOW)
    assert found == Difference(CODE, untold=tuple(alert.alert_id for alert in TOLD))


def test_what_was_evicted_counts_as_known_and_nothing_else_does() -> None:
    closed = tuple(replace(alert, sequence=2, action=Action.RETRACT) for alert in TOLD)
    keys = [Memory(CODE, event=one).key() for one in (STARTED, ENDED)]
    keys += [Memory(CODE, alert=alert).key() for alert in (*TOLD, *closed)]
    theirs = Known()
    theirs.remember(Memory(CODE, stub=covering(1, names(keys))))
    said = answer(STARTED, ENDED)
    live = stored(said, *closed)
    assert not difference(said, history(STARTED, ENDED), theirs, live, alerts=True, now=NOW)
    late = event(5, "2026-03-03T09:00")
    found = difference(answer(STARTED, late, ENDED), history(STARTED, late, ENDED), theirs, live, alerts=True, now=NOW)
    assert found.events == (2, 3)


def test_of_an_alert_the_last_action_counts_whatever_comes_first() -> None:
    closed = tuple(replace(alert, sequence=2, action=Action.RETRACT) for alert in TOLD)
    assert known(sent=(*closed, *TOLD)).sent == known(sent=closed).sent


def test_a_dossier_that_live_alone_knows_differs_in_whole() -> None:
    found = missing(CODE, known(STARTED), stored(answer(STARTED)))
    assert found.events == (1, 0)
    assert [(each.name, each.live, each.shadow) for each in found.columns] == [("cycle", 1, None)]
    assert not missing(CODE, Known(), Stored())
