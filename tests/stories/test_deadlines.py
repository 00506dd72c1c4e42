"""The worked examples of the office's deadlines (`E01` …), each a story named by its sentence."""

from datetime import datetime, timedelta

import pytest

from schemas.alert import Action
from schemas.assessment import Assessment, Cycle
from schemas.calendar import CalendarYear
from schemas.event import Event
from schemas.limits import Limit
from schemas.office import Office, Unit
from streams.alerts import decide
from streams.calendar import add_working_time, compile_calendars, working_time
from streams.rules import Rules
from streams.verdict import assess
from tests.hanoi import WEEK, at, calendar_year, event, history, rules


def _first(known: Rules, *events: Event, now: str) -> Cycle:
    return assess(history(*events), known, now=at(now)).cycles[0]


def _due(received: str, limit: Limit, office: Office | None = None) -> datetime | None:
    known = rules(limit=limit, office=office)
    return _first(known, event(2, received), now=received).due_current


@pytest.mark.parametrize(
    ("received", "limit", "due"),
    [
        pytest.param(
            "2026-03-02T09:00", Limit("working_day", 5), "2026-03-09T17:00", id="E01-first-day-is-not-counted"
        ),
        pytest.param("2026-02-13T10:00", Limit("working_day", 3), "2026-02-25T17:00", id="E02-tet-is-off"),
        pytest.param("2026-04-24T09:00", Limit("working_day", 5), "2026-05-06T17:00", id="E03-gio-to-and-30-4"),
        pytest.param(
            "2026-08-20T09:00", Limit("working_day", 3), "2026-08-24T17:00", id="E04-a-worked-saturday-counts"
        ),
        pytest.param("2025-12-31T09:00", Limit("working_day", 3), "2026-01-07T17:00", id="E05-2-january-2026-is-off"),
        pytest.param(
            "2026-01-08T09:00", Limit("working_day", 2), "2026-01-10T17:00", id="E06-due-on-a-worked-saturday"
        ),
        pytest.param("2026-01-30T09:00", Limit("day", 15), "2026-02-23T17:00", id="E07-a-term-that-ends-in-tet-rolls"),
        pytest.param("2026-01-30T09:00", Limit("month", 1), "2026-03-02T17:00", id="E08-no-30-february"),
        pytest.param("2026-03-02T15:00:00", Limit("same_day"), "2026-03-02T17:00", id="E09-same-day-until-15-sharp"),
        pytest.param("2026-03-02T15:00:01", Limit("same_day"), "2026-03-03T17:00", id="E10-same-day-after-15"),
        pytest.param("2026-03-02T18:20", Limit("working_day", 3), "2026-03-06T17:00", id="E11-received-after-closing"),
        pytest.param("2026-03-02T17:00:00", Limit("working_day", 1), "2026-03-03T17:00", id="E12-at-closing-time"),
        pytest.param("2026-03-02T17:00:01", Limit("working_day", 1), "2026-03-04T17:00", id="E12-one-second-later"),
        pytest.param(
            "2026-03-02T17:30:00+00:00", Limit("working_day", 3), "2026-03-06T17:00", id="E13-utc-is-not-hanoi"
        ),
        pytest.param("2026-03-02T10:30", Limit("hour", 4), "2026-03-02T15:30", id="E18-lunch-is-not-counted"),
        pytest.param("2026-03-02T12:30", Limit("hour", 4), "2026-03-02T17:00", id="E19-received-at-lunch"),
    ],
)
def test_the_term_ends(received: str, limit: Limit, due: str) -> None:
    assert _due(received, limit) == at(due)


def test_e11_the_civil_policy_counts_the_evening_as_that_day() -> None:
    civil = Office(calendar="vn", reception="vn", receipt="civil")
    assert _due("2026-03-02T18:20", Limit("working_day", 3), civil) == at("2026-03-05T17:00")


@pytest.mark.parametrize(
    ("received", "days", "paused", "status", "resumed", "due", "left_minutes"),
    [
        pytest.param(
            "2026-03-02T09:00", 5, "2026-03-06T16:00", 5, "2026-03-09T09:00", "2026-03-10T10:00", 540, id="E14"
        ),
        pytest.param(
            "2026-02-09T09:00",
            5,
            "2026-02-12T10:00",
            5,
            "2026-02-23T14:00",
            "2026-02-26T11:00",
            1320,
            id="E16-over-tet",
        ),
        pytest.param(
            "2026-03-02T08:00",
            3,
            "2026-03-04T11:00",
            6,
            "2026-03-12T08:30",
            "2026-03-13T14:30",
            780,
            id="E17-a-fee-pauses",
        ),
    ],
)
def test_a_pause_moves_due_by_what_remained(
    received: str, days: int, paused: str, status: int, resumed: str, due: str, left_minutes: int
) -> None:
    known = rules(limit=Limit("working_day", days))
    events = [event(2, received), event(status, paused), event(4, resumed)]
    waiting = _first(known, *events[:2], now=resumed)
    assert (waiting.clock, waiting.due_current, waiting.verdict) == ("paused", None, "in_time")
    assert waiting.remaining_seconds == left_minutes * 60
    running = _first(known, *events, now=resumed)
    assert (running.clock, running.due_current, running.verdict) == ("running", at(due), "in_time")


def _answer(now: str, *events: Event) -> Assessment:
    return assess(history(*events), rules(), now=at(now))


def test_e15_the_official_indicator_takes_elapsed_supplements_off_and_may_disagree() -> None:
    known = rules(limit=Limit("working_day", 5))
    cycle = _first(
        known,
        event(2, "2026-03-02T09:00"),
        event(5, "2026-03-06T16:00"),
        event(4, "2026-03-09T09:00"),
        event(9, "2026-03-11T16:00"),
        now="2026-03-11T16:00",
    )
    assert (cycle.verdict, cycle.verdict_766) == ("overdue", "on_time")


def test_e23_an_extension_moves_the_current_due_and_hides_no_lateness() -> None:
    cycle = _first(
        rules(limit=Limit("working_day", 10)),
        event(2, "2026-03-02T09:00"),
        event(None, "2026-03-12T10:00", kind="extension", due="2026-03-23T00:00"),
        event(9, "2026-03-20T11:00"),
        now="2026-03-20T11:00",
    )
    assert (cycle.verdict, cycle.due_current) == ("early", at("2026-03-23T17:00"))
    assert (cycle.verdict_unextended, cycle.due_unextended) == ("overdue", at("2026-03-16T17:00"))
    assert cycle.due_original == at("2026-03-16T17:00")
    assert cycle.used.late_unextended_seconds == 1620 * 60


@pytest.mark.parametrize(
    ("reception", "due"),
    [
        pytest.param("vn-saturday", "2026-03-11T17:00", id="open-on-saturday-morning"),
        pytest.param("vn", "2026-03-12T17:00", id="closed-on-saturday"),
    ],
)
def test_e25_the_reception_calendar_of_the_point_decides_the_receipt_date(reception: str, due: str) -> None:
    saturday = {**WEEK, "sat": ("08:00-12:00",)}
    known = rules(
        limit=Limit("working_day", 3),
        units=[Unit("H26.12", reception=reception)],
        calendars=[calendar_year(2026, "vn-saturday", saturday)],
    )
    cycle = _first(known, event(2, "2026-03-07T09:00"), now="2026-03-07T09:00")
    assert cycle.due_current == at(due)


def test_e26_near_due_counts_working_time_so_it_comes_before_tet() -> None:
    known = rules(limit=Limit("working_day", 10))
    start = event(2, "2026-02-02T09:00")
    assert _first(known, start, now="2026-02-12T16:59:59").level == "none"
    assert _first(known, start, now="2026-02-12T16:59:59").look_again_at == at("2026-02-12T17:00")
    assert _first(known, start, now="2026-02-12T17:00").level == "near_due"
    assert _first(known, start, now="2026-02-12T17:00").due_current == at("2026-02-23T17:00")


def test_e20_a_completion_that_arrives_late_retracts_the_overdue_alert() -> None:
    start = event(2, "2026-03-02T09:00", due="2026-03-09T17:00")
    evening = _answer("2026-03-09T23:59:59", start)
    assert evening.look_again_at == at("2026-03-10T00:00")
    midnight = _answer("2026-03-10T00:00", start)
    assert midnight.cycles[0].verdict == "overdue"
    raised = decide(midnight, (), now=at("2026-03-10T00:00"))
    assert [(alert.action, alert.level, alert.at) for alert in raised] == [
        (Action.RAISE, "overdue", at("2026-03-10T00:00"))
    ]
    morning = _answer("2026-03-10T08:05", start, event(9, "2026-03-09T16:30"))
    assert morning.cycles[0].verdict == "on_time"
    retracted = decide(morning, raised, now=at("2026-03-10T08:05"))
    assert [(alert.alert_id, alert.action, alert.reason) for alert in retracted] == [
        (raised[0].alert_id, Action.RETRACT, "late_event")
    ]
    assert decide(morning, retracted, now=at("2026-03-10T08:05")) == ()


@pytest.mark.parametrize(
    ("done", "verdict"),
    [
        pytest.param("2026-03-06T10:00", "early", id="the-day-before"),
        pytest.param("2026-03-09T16:00", "on_time", id="that-afternoon"),
        pytest.param("2026-03-09T18:45", "on_time", id="that-evening-after-closing"),
        pytest.param("2026-03-10T08:00", "overdue", id="the-next-morning"),
    ],
)
def test_e21_a_dated_limit_is_compared_by_date(done: str, verdict: str) -> None:
    cycle = _first(rules(), event(2, "2026-03-02T09:00", due="2026-03-09T17:00"), event(9, done), now=done)
    assert (cycle.verdict, cycle.clock) == (verdict, "stopped")


def test_e22_completion_counts_and_not_the_hand_over_of_the_result() -> None:
    cycle = _first(
        rules(),
        event(2, "2026-03-02T09:00", due="2026-03-09T17:00"),
        event(9, "2026-03-09T16:00"),
        event(10, "2026-03-12T09:00"),
        now="2026-03-12T09:00",
    )
    assert (cycle.verdict, cycle.ended_at, cycle.status) == ("on_time", at("2026-03-09T16:00"), 10)


def test_e24_a_reopened_dossier_has_a_second_cycle_and_the_first_keeps_its_verdict() -> None:
    answer = _answer(
        "2026-03-10T11:00",
        event(2, "2026-03-02T09:00", due="2026-03-06T17:00"),
        event(9, "2026-03-05T15:00"),
        event(4, "2026-03-09T09:00"),
        event(9, "2026-03-10T11:00"),
    )
    first, second = answer.cycles
    assert (first.verdict, second.verdict) == ("early", "overdue")
    assert second.used.late_working_seconds == 600 * 60
    assert (second.received_at, second.due_current) == (at("2026-03-09T09:00"), at("2026-03-06T17:00"))


def test_e27_a_supplement_asked_before_the_start_is_no_pause() -> None:
    known = rules(limit=Limit("working_day", 5))
    cycle = _first(
        known,
        event(1, "2026-03-01T09:00"),
        event(5, "2026-03-01T10:00"),
        event(2, "2026-03-02T09:00"),
        now="2026-03-02T10:00",
    )
    assert (cycle.clock, cycle.received_at, cycle.due_current) == (
        "running",
        at("2026-03-02T09:00"),
        at("2026-03-09T17:00"),
    )
    assert cycle.used.paused_seconds == 0


def test_e27_a_dossier_refused_at_the_door_never_starts() -> None:
    cycle = _first(
        rules(limit=Limit("working_day", 5)),
        event(1, "2026-03-01T09:00"),
        event(3, "2026-03-02T09:00"),
        now="2026-03-30T09:00",
    )
    assert (cycle.clock, cycle.verdict, cycle.due_current, cycle.look_again_at) == ("never", "refused", None, None)


def test_e28_a_weekend_is_not_working_time() -> None:
    calendar = rules().newest.calendar(None)
    assert working_time(calendar, at("2026-03-06T16:00"), at("2026-03-09T09:30")) == timedelta(minutes=150)


def test_e29_daylight_saving_belongs_to_the_zone() -> None:
    dutch = compile_calendars([CalendarYear("nl", 2026, "Europe/Amsterdam", {"mon-fri": ("09:00-17:00",)})])["nl"]
    due = add_working_time(dutch, at("2026-03-27T16:30+01:00"), timedelta(hours=1))
    assert due == at("2026-03-30T09:30+02:00")


def test_e30_a_pause_at_the_due_instant_is_in_time_and_nothing_remains() -> None:
    known = rules(limit=Limit("working_day", 5))
    events = [event(2, "2026-03-02T09:00"), event(5, "2026-03-09T17:00"), event(4, "2026-03-12T10:15")]
    waiting = _first(known, *events[:2], now="2026-03-12T10:00")
    assert (waiting.verdict, waiting.remaining_seconds, waiting.level) == ("in_time", 0, "none")
    running = _first(known, *events, now="2026-03-12T10:15")
    assert (running.due_current, running.verdict) == (at("2026-03-12T10:15"), "in_time")
