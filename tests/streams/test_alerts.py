"""Alerts: once, replaced by higher ones, over when it is over, taken back when they were wrong."""

from dataclasses import replace
from datetime import date

import pytest

from schemas.alert import Action, Alert
from schemas.calendar import CalendarDay
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office
from streams.alerts import decide
from streams.rules import compile_rules
from streams.verdict import assess
from tests.hanoi import at, calendar_year, event, history, rules

FIVE = rules(limit=Limit("working_day", 5))
START = event(2, "2026-03-02T09:00")  # due Monday 9 March, 17:00; near due from Friday 6 March, 17:00 less a fifth


class Desk:
    """The alerts as supervisors know them."""

    def __init__(self) -> None:
        self.sent: dict[str, Alert] = {}

    def look(self, now: str, *events: Event, silent: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
        """What is told at that instant: action, level, reason."""
        answer = assess(history(*events), FIVE, now=at(now))
        actions = decide(answer, self.sent.values(), silent=silent, now=at(now))
        assert decide(answer, (self.sent | {alert.alert_id: alert for alert in actions}).values(), silent=silent,
                      now=at(now)) == ()  # fmt: skip
        self.sent.update((alert.alert_id, alert) for alert in actions)
        return [(alert.action.value, alert.level.value, alert.reason) for alert in actions]


def test_a_level_is_told_once_and_replaced_by_a_higher_one() -> None:
    desk = Desk()
    assert desk.look("2026-03-05T09:00", START) == []
    assert desk.look("2026-03-09T00:00", START) == [("raise", "due_today", "due_today")]
    assert desk.look("2026-03-09T09:00", START) == []
    assert desk.look("2026-03-10T00:00", START) == [
        ("replace", "due_today", "overdue"),
        ("raise", "overdue", "overdue"),
    ]
    assert desk.look("2026-03-12T17:00", START) == [
        ("replace", "overdue", "seriously_overdue"),
        ("raise", "seriously_overdue", "seriously_overdue"),
    ]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(9, "completed"), (7, "withdrawn"), (5, "paused"), (8, "halted")],
)
def test_an_alert_that_was_right_is_resolved(status: int, reason: str) -> None:
    desk = Desk()
    desk.look("2026-03-09T08:00", START)
    assert desk.look("2026-03-09T09:00", START, event(status, "2026-03-09T08:30")) == [("resolve", "due_today", reason)]


def test_an_overdue_dossier_that_is_completed_or_halted_is_over() -> None:
    desk = Desk()
    desk.look("2026-03-10T08:00", START)
    assert desk.look("2026-03-10T09:00", START, event(9, "2026-03-10T08:30")) == [("resolve", "overdue", "completed")]
    desk = Desk()
    desk.look("2026-03-10T08:00", START)
    assert desk.look("2026-03-10T09:00", START, event(8, "2026-03-10T08:30")) == [("resolve", "overdue", "halted")]


def test_an_end_at_the_very_instant_of_a_level_resolves_its_alert() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    at_midnight = event(9, "2026-03-10T00:00")
    assert desk.look("2026-03-10T00:00:01", START, at_midnight) == [("resolve", "overdue", "completed")]
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    a_second_before = event(9, "2026-03-09T23:59:59")
    assert desk.look("2026-03-10T00:00:01", START, a_second_before) == [("retract", "overdue", "late_event")]


def test_an_extension_resolves_what_is_not_near_any_more_and_the_new_date_is_told_again() -> None:
    desk = Desk()
    desk.look("2026-03-09T08:00", START)
    extension = event(None, "2026-03-09T09:00", kind="extension", due="2026-03-20T17:00")
    assert desk.look("2026-03-09T09:00", START, extension) == [("resolve", "due_today", "due_moved")]
    assert desk.look("2026-03-20T08:00", START, extension) == [("raise", "due_today", "due_today")]


def test_a_late_event_retracts_and_its_void_raises_again() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    done = event(9, "2026-03-09T16:30")
    assert desk.look("2026-03-10T08:05", START, done) == [("retract", "overdue", "late_event")]
    void = event(None, "2026-03-10T09:00", kind="void", voids=done.event_id)
    assert desk.look("2026-03-10T09:00", START, done, void) == [("raise", "overdue", "true_again")]
    assert [alert.found_late for alert in desk.sent.values()] == [True]


def test_a_cycle_that_vanishes_takes_its_alert_back() -> None:
    desk = Desk()
    end, again = event(9, "2026-03-04T09:00"), event(4, "2026-03-05T09:00")
    assert desk.look("2026-03-10T00:00", START, end, again) == [("raise", "overdue", "overdue")]
    void = event(None, "2026-03-10T09:00", kind="void", voids=again.event_id)
    assert desk.look("2026-03-10T09:00", START, end, again, void) == [("retract", "overdue", "cycle_gone")]


def test_a_late_event_that_moves_the_instant_retimes() -> None:
    desk = Desk()
    hand_over = event(4, "2026-03-03T09:00", due="2026-03-06T17:00")
    assert desk.look("2026-03-12T17:00", START, hand_over) == [
        ("raise", "seriously_overdue", "seriously_overdue"),
    ]
    pause = (event(5, "2026-03-10T08:00"), event(4, "2026-03-10T09:00"))
    assert desk.look("2026-03-12T17:00", START, hand_over, *pause) == [("retime", "seriously_overdue", "late_event")]
    assert [alert.at for alert in desk.sent.values()] == [at("2026-03-12T09:00")], "an hour of pause later"


def test_an_alert_that_was_right_by_the_limits_of_its_time_is_resolved_by_new_ones() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    files = [LimitsFile(number, date(2020 + number, 1, 1), _all(days)) for number, days in ((1, 5), (2, 20))]
    longer = compile_rules(Office("vn", "vn"), [], [calendar_year(2026)], files)
    answer = assess(history(START), longer, now=at("2026-03-10T09:00"))
    (action,) = decide(answer, desk.sent.values(), now=at("2026-03-10T09:00"))
    assert (action.action, action.reason) == (Action.RESOLVE, "policy")


def _all(days: int) -> tuple[LimitRule, ...]:
    return (LimitRule(Match(), Limit("working_day", days)),)


def test_what_was_found_late_says_so() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:04:59", START)
    assert [alert.found_late for alert in desk.sent.values()] == [False]
    desk = Desk()
    desk.look("2026-03-10T00:05:01", START)
    assert [alert.found_late for alert in desk.sent.values()] == [True]


SILENT = ("H26.12",)


def test_feed_outage_of_a_unit_holds_its_alerts_and_its_return_tells_what_still_stands() -> None:
    desk = Desk()
    assert desk.look("2026-03-09T00:00", START, silent=SILENT) == [("hold", "due_today", "feed_silent")]
    assert [(alert.open, alert.pending) for alert in desk.sent.values()] == [(False, True)]
    assert desk.look("2026-03-09T10:00", START) == [("raise", "due_today", "feed_returned")]
    assert [(alert.found_late, alert.sequence) for alert in desk.sent.values()] == [(True, 2)]


def test_feed_outage_of_a_unit_tells_nothing_of_what_was_finished_meanwhile() -> None:
    desk = Desk()
    assert desk.look("2026-03-10T00:00", START, silent=SILENT) == [("hold", "overdue", "feed_silent")]
    done = event(9, "2026-03-09T16:30")
    assert desk.look("2026-03-10T09:00", START, done) == [("retract", "overdue", "late_event")]
    assert [alert.open for alert in desk.sent.values()] == [False]


def test_feed_outage_of_a_unit_lets_what_was_told_stand_while_the_higher_level_is_held() -> None:
    desk = Desk()
    assert desk.look("2026-03-09T00:00", START) == [("raise", "due_today", "due_today")]
    assert desk.look("2026-03-10T00:00", START, silent=SILENT) == [("hold", "overdue", "feed_silent")]
    assert desk.look("2026-03-12T17:00", START, silent=SILENT) == [
        ("replace", "overdue", "seriously_overdue"),
        ("hold", "seriously_overdue", "feed_silent"),
    ]
    assert desk.look("2026-03-13T09:00", START) == [
        ("replace", "due_today", "seriously_overdue"),
        ("raise", "seriously_overdue", "feed_returned"),
    ]


def test_feed_outage_of_a_unit_still_ends_an_alert_that_an_event_ended() -> None:
    desk = Desk()
    desk.look("2026-03-09T08:00", START)
    done = event(9, "2026-03-09T08:30")
    assert desk.look("2026-03-09T12:00", START, done, silent=SILENT) == [("resolve", "due_today", "completed")]


def test_feed_outage_of_another_unit_holds_nothing() -> None:
    assert Desk().look("2026-03-09T00:00", START, silent=("H26.13",)) == [("raise", "due_today", "due_today")]


def test_what_was_taken_back_and_is_true_again_is_held_while_the_feed_is_silent() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    done = event(9, "2026-03-09T16:30")
    desk.look("2026-03-10T08:05", START, done)
    void = event(None, "2026-03-10T09:00", kind="void", voids=done.event_id)
    assert desk.look("2026-03-10T09:00", START, done, void, silent=SILENT) == [("hold", "overdue", "feed_silent")]
    assert desk.look("2026-03-10T10:00", START, done, void) == [("raise", "overdue", "feed_returned")]


def test_calendar_changed_while_open_resolves_what_was_right_by_the_old_one() -> None:
    """A day that is newly off moves the due time: the alert of that morning was right, and is over."""
    newly_off = CalendarDay(date(2026, 3, 9), off=True, decree="a storm")
    year = calendar_year(2026)
    changed = replace(year, days=(*year.days, newly_off), version=2, in_force_from=date(2026, 3, 9))
    stormy = compile_rules(Office("vn", "vn"), [], [year, changed], [LimitsFile(1, date(2020, 1, 1), _all(5))])
    before = assess(history(START), stormy, now=at("2026-03-08T23:59:59"))
    assert (before.cycles[0].due_current, before.cycles[0].rules_from) == (
        at("2026-03-09T17:00"),
        at("2020-01-01T00:00"),
    )
    told = {alert.alert_id: alert for alert in decide(before, (), now=at("2026-03-08T23:59:59"))}
    assert [alert.level.value for alert in told.values()] == ["near_due"]
    after = assess(history(START), stormy, now=at("2026-03-09T00:00"))
    assert before.look_again_at == at("2026-03-09T00:00")
    assert (after.cycles[0].due_current, after.cycles[0].rules_from) == (at("2026-03-10T17:00"), at("2026-03-09T00:00"))
    actions = decide(after, told.values(), now=at("2026-03-09T00:00"))
    assert [(alert.action, alert.level.value, alert.reason) for alert in actions] == [
        (Action.RESOLVE, "near_due", "policy"),
        (Action.RAISE, "near_due", "near_due"),
    ]


def test_an_alert_says_whom_and_what_without_the_citizen() -> None:
    desk = Desk()
    desk.look("2026-03-10T00:00", START)
    (alert,) = desk.sent.values()
    assert (alert.unit, alert.procedure, alert.at, alert.due) == (
        "H26.12",
        "1.004441",
        at("2026-03-10T00:00"),
        at("2026-03-09T17:00"),
    )
    assert (alert.action, alert.policy_version, alert.cycle) == (Action.RAISE, 1, 1)
