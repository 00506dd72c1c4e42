"""An extension moves a due date once, in time and forward, and hides no lateness.

Stories of SPEC §9 ("Must survive") about extensions; each name begins with its phrase there.
"""

import pytest

from schemas.event import Event
from tests.hanoi import event
from tests.stories.standing import HOUR, START, UNIT, Desk, standings, stands, told

DONE_ON_TIME = event(9, "2026-03-09T16:00")
DONE_LATE = event(9, "2026-03-11T10:00")


def _extension(sent: str, due: str) -> Event:
    return event(None, sent, kind="extension", due=due)


def test_extension_before_the_deadline_moves_the_current_due_and_hides_no_lateness() -> None:
    """§5.6: it moves due_current, never due_original; the unextended twin tells what would hold without it."""
    extension = _extension("2026-03-05T09:00", "2026-03-12T00:00")  # names the date: its closing time
    extended = {"due_current": "2026-03-12T17:00"}
    # Wednesday 11 March, 10:00: 2 + 4 h and 8 of Thursday remain, more than 9.4; 8 + 2 h after Monday, 9 March.
    assert standings("2026-03-11T10:00", START, extension) == [
        stands(
            "running",
            "in_time",
            remaining_seconds=14 * HOUR,
            verdict_unextended="overdue",
            late_unextended_seconds=10 * HOUR,
            **extended,
        )
    ]
    assert standings("2026-03-20T09:00", START, extension, DONE_LATE) == [
        stands(
            "stopped",
            "early",
            ended_at="2026-03-11T10:00",
            verdict_unextended="overdue",
            late_unextended_seconds=10 * HOUR,
            **extended,
        )
    ]


def test_extension_before_the_deadline_resolves_the_alert_and_the_new_date_is_told_in_its_time() -> None:
    desk = Desk()
    desk.arrive("2026-03-09T00:00", START)
    # From the start to due_original the margin stays 9.4 h: 8 of Thursday 12, and 1.4 of Wednesday, from 15:36 on.
    assert desk.arrive("2026-03-09T09:00", _extension("2026-03-09T09:00", "2026-03-12T17:00")) == [
        told("resolve", "due_today", "due_moved", since="2026-03-09T00:00"),
    ]
    assert desk.wait("2026-03-12T00:00") == [
        told("raise", "near_due", "near_due", since="2026-03-11T15:36", due="2026-03-12T17:00"),
        told("replace", "near_due", "due_today", since="2026-03-11T15:36", due="2026-03-12T17:00"),
        told("raise", "due_today", "due_today", since="2026-03-12T00:00", due="2026-03-12T17:00"),
    ]


def test_extension_before_the_deadline_counts_up_to_the_last_second_of_the_due_date() -> None:
    extension = _extension("2026-03-09T23:59:59", "2026-03-12T17:00")
    # Tuesday to Thursday; midnight finds the unextended promise missed, and no open hour late yet.
    assert standings("2026-03-10T00:00", START, extension) == [
        stands(
            "running",
            "in_time",
            due_current="2026-03-12T17:00",
            remaining_seconds=24 * HOUR,
            verdict_unextended="overdue",
        )
    ]


def test_extension_before_the_start_or_after_the_end_or_to_an_earlier_date_moves_nothing() -> None:
    """§5.6: neither moves anything, nor is it flagged."""
    # Tuesday 3 March, 9:00: 7 h, Wednesday to Friday, Monday.
    running = stands("running", "in_time", remaining_seconds=39 * HOUR)
    assert standings("2026-03-03T09:00", _extension("2026-03-01T09:00", "2026-03-20T17:00"), START) == [running]
    assert standings("2026-03-03T09:00", START, _extension("2026-03-02T10:00", "2026-03-06T17:00")) == [running]
    after = _extension("2026-03-09T16:30", "2026-03-20T17:00")
    assert standings("2026-03-20T09:00", START, DONE_ON_TIME, after) == [
        stands("stopped", "on_time", ended_at="2026-03-09T16:00")
    ]


def test_extension_before_a_pause_leaves_each_promise_what_remained_of_it() -> None:
    """§5.4: on resume due = resume + remaining; §5.6: pauses alone move the unextended appointment."""
    events = (START, _extension("2026-03-05T09:00", "2026-03-12T17:00"), event(5, "2026-03-06T16:00"))
    # 1 h of Friday and four days to Thursday 12 remain; of the unextended promise 9 h.
    assert standings("2026-03-09T08:59", *events) == [
        stands("paused", "in_time", due_current=None, remaining_seconds=33 * HOUR)
    ]
    resume, done = event(4, "2026-03-09T09:00"), event(9, "2026-03-11T16:00")
    # From Monday 9, 9:00: 7 + 8 + 8 + 8 h, and 2 of Friday 13. Unextended: Tuesday 10:00, and late from there 6 + 7 h.
    # The indicator takes 65 h off.
    assert standings("2026-03-20T09:00", *events, resume, done) == [
        stands(
            "stopped",
            "early",
            due_current="2026-03-13T10:00",
            ended_at="2026-03-11T16:00",
            verdict_unextended="overdue",
            late_unextended_seconds=13 * HOUR,
        )
    ]


@pytest.mark.parametrize("sent", ["2026-03-10T00:00", "2026-03-10T09:00"])
def test_extension_after_the_deadline_moves_nothing_and_is_flagged(sent: str) -> None:
    """§5.6: one sent when already overdue is flagged late_extension. Nothing may hide lateness."""
    assert standings("2026-03-10T10:00", START, _extension(sent, "2026-03-20T17:00")) == [
        stands(
            "running",
            "overdue",
            level="overdue",
            remaining_seconds=0,
            late_working_seconds=2 * HOUR,  # Tuesday 8:00–10:00
            breached_in=UNIT,
            verdict_766="overdue",
            flags=["late_extension", "letter_due"],
        )
    ]


def test_second_extension_is_flagged_and_moves_nothing() -> None:
    """§5.6: at most one in a cycle; after one that moved it any further new one is flagged."""
    first, second = (
        _extension("2026-03-05T09:00", "2026-03-12T17:00"),
        _extension("2026-03-11T09:00", "2026-03-20T17:00"),
    )
    extended = stands(
        "running",
        "in_time",
        due_current="2026-03-12T17:00",
        remaining_seconds=14 * HOUR,
        verdict_unextended="overdue",
        late_unextended_seconds=10 * HOUR,
    )
    assert standings("2026-03-11T10:00", START, first, second) == [extended | {"flags": ["extension_limit_exceeded"]}]
    same = _extension("2026-03-11T09:00", "2026-03-12T00:00")
    assert standings("2026-03-11T10:00", START, first, same) == [extended], (
        "one in force already says nothing new (§5.5)"
    )


def test_second_extension_is_the_first_one_of_the_next_cycle() -> None:
    """§2: the one extension of a cycle is its own."""
    first, second = (
        _extension("2026-03-05T09:00", "2026-03-12T17:00"),
        _extension("2026-03-12T10:00", "2026-03-16T17:00"),
    )
    # Reopened on Thursday 12, 9:00, and held to that day's end: 7 h, so it is near due when 4 h are left (§7).
    # On Friday 13, 17:00, Monday's 8 h are left; without extensions it was late all the time: 7 and 8 h.
    events = (START, first, DONE_LATE, event(4, "2026-03-12T09:00"), second)
    assert standings("2026-03-13T17:00", *events)[1] == stands(
        "running",
        "in_time",
        due_original="2026-03-12T17:00",
        due_current="2026-03-16T17:00",
        remaining_seconds=8 * HOUR,
        verdict_unextended="overdue",
        late_unextended_seconds=15 * HOUR,
    )
