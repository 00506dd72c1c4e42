"""A pause, however it lies, moves a due date by the working time that was left, and never heals a breach.

Stories of SPEC §9 ("Must survive") about pauses; each name begins with its phrase there.
"""

import pytest

from schemas.limits import Limit
from tests.hanoi import event, rules
from tests.stories.standing import (
    HOUR,
    START,
    UNIT,
    Desk,
    cycles,
    limits_change,
    spent,
    standing,
    standings,
    stands,
    told,
)


@pytest.mark.parametrize(
    "paused",
    [
        pytest.param("2026-03-09T17:00", id="at-the-due-instant"),
        pytest.param("2026-03-09T23:59:59", id="in-the-last-second-of-the-due-date"),
    ],
)
def test_pause_at_the_deadline_instant_is_not_overdue_and_leaves_nothing(paused: str) -> None:
    """§5.3: dated, it is overdue from the first instant of the next day on. §5.4: on resume, due = the resume."""
    pause, resume = event(5, paused), event(4, "2026-03-12T10:15")
    waiting = stands("paused", "in_time", due_current=None, remaining_seconds=0)
    assert standings("2026-03-12T10:14:59", START, pause) == [waiting]
    # A Thursday: due at once, and by date until midnight. The indicator takes the elapsed pause off, and has gone on
    # from 9 March where the pause began: at midnight it is at the 10th.
    running = stands("running", "in_time", level="due_today", due_current="2026-03-12T10:15", remaining_seconds=0)
    assert standings("2026-03-12T10:15", START, pause, resume) == [running]
    assert standings("2026-03-12T23:59:59", START, pause, resume) == [running | {"verdict_766": "overdue"}]
    overdue = stands(
        "running",
        "overdue",
        level="overdue",
        due_current="2026-03-12T10:15",
        remaining_seconds=0,
        late_working_seconds=5.75 * HOUR,  # 10:15–12:00 and 13:00–17:00
        breached_in=UNIT,
        verdict_766="overdue",
        flags=["letter_due"],
    )
    assert standings("2026-03-13T00:00", START, pause, resume) == [overdue]


def test_pause_at_the_deadline_instant_resumed_off_hours_is_due_at_the_next_opening() -> None:
    """§5.4: nothing left: the resume, or the next opening if the office is closed then."""
    events = (START, event(5, "2026-03-09T17:00"), event(4, "2026-03-12T18:00"))
    due = {"due_current": "2026-03-13T08:00", "remaining_seconds": 0}
    assert standings("2026-03-12T18:00", *events) == [stands("running", "in_time", level="near_due", **due)]
    assert standings("2026-03-13T00:00", *events) == [stands("running", "in_time", level="due_today", **due)]


def test_pause_at_the_deadline_instant_ends_the_alert_and_the_timer_asks_in_vain() -> None:
    """§7: an alert of a dossier that was paused is resolved: it was right. Nothing fires while it is paused."""
    desk = Desk()
    assert desk.arrive("2026-03-09T00:00", START) == [
        told("raise", "due_today", "due_today", since="2026-03-09T00:00"),
    ]
    assert desk.arrive("2026-03-09T17:00", event(5, "2026-03-09T17:00")) == [
        told("resolve", "due_today", "paused", since="2026-03-09T00:00"),
    ]
    assert desk.wait("2026-06-01T00:00") == []
    late = event(4, "2026-06-01T09:00")  # a Monday; a new due instant is a new version of the deadline
    assert desk.arrive("2026-06-01T09:00", late) == [
        told("raise", "due_today", "due_today", since="2026-06-01T09:00", due="2026-06-01T09:00"),
    ]


def test_pause_at_the_deadline_instant_of_an_exact_limit_is_in_time_too() -> None:
    """§5.3: exact, it is overdue from one second after the due instant on."""
    known = rules(limit=Limit("hour", 4))  # 10:30–12:00 and 13:00–15:30
    events = (event(2, "2026-03-02T10:30"), event(5, "2026-03-02T15:30"), event(4, "2026-03-03T09:00"))
    due = {"due_original": "2026-03-02T15:30", "remaining_seconds": 0}
    assert standings("2026-03-03T08:59", *events[:2], known=known) == [
        stands("paused", "in_time", due_current=None, **due)
    ]
    again = {**due, "due_current": "2026-03-03T09:00"}
    assert standings("2026-03-03T09:00", *events, known=known) == [
        stands("running", "in_time", level="near_due", **again)
    ]
    assert standings("2026-03-03T09:00:01", *events, known=known) == [
        stands(
            "running",
            "overdue",
            level="overdue",
            late_working_seconds=1,
            breached_in=UNIT,
            verdict_766="overdue",  # 15:30:01 when the pause is taken off
            flags=["letter_due"],
            **again,
        )
    ]


def test_pause_one_second_after_the_deadline_of_a_dated_limit_is_still_that_day() -> None:
    """§5: dated is compared by date; remaining is the working time from the pause to due, at least zero."""
    events = (START, event(5, "2026-03-09T17:00:01"), event(4, "2026-03-12T10:15"))
    assert standings("2026-03-12T10:00", *events[:2]) == [
        stands("paused", "in_time", due_current=None, remaining_seconds=0)
    ]
    assert standings("2026-03-12T10:15", *events) == [
        stands("running", "in_time", level="due_today", due_current="2026-03-12T10:15", remaining_seconds=0)
    ]


def test_pause_one_second_after_the_deadline_has_passed_moves_nothing() -> None:
    """§5.4: a pause that begins when the dossier is already overdue moves nothing, and due_current stays."""
    events = (START, event(5, "2026-03-10T00:00"), event(4, "2026-03-12T09:00"))
    overdue = {"remaining_seconds": 0, "breached_in": UNIT, "verdict_766": "overdue", "flags": ["letter_due"]}
    assert standings("2026-03-12T08:59", *events[:2]) == [stands("paused", "overdue", **overdue)]
    assert standings("2026-03-12T10:00", *events) == [
        stands("running", "overdue", level="overdue", late_working_seconds=HOUR, **overdue)
    ]


def test_pause_one_second_after_the_deadline_of_an_exact_limit_moves_nothing() -> None:
    known = rules(limit=Limit("hour", 4))
    events = (event(2, "2026-03-02T10:30"), event(5, "2026-03-02T15:30:01"), event(4, "2026-03-03T09:00"))
    overdue = {
        "due_original": "2026-03-02T15:30",
        "due_current": "2026-03-02T15:30",
        "remaining_seconds": 0,
        "breached_in": UNIT,
        "verdict_766": "overdue",
        "flags": ["letter_due"],
    }
    assert standings("2026-03-03T08:59", *events[:2], known=known) == [
        stands("paused", "overdue", late_working_seconds=1, **overdue)
    ]
    # One second before the pause and an hour after it; paused time is not lateness (§5.7).
    assert standings("2026-03-03T10:00", *events, known=known) == [
        stands("running", "overdue", level="overdue", late_working_seconds=1 + HOUR, **overdue)
    ]


@pytest.mark.parametrize(
    ("paused", "resumed", "left", "verdict_766"),
    [
        # Wednesday 4 to Friday 6 and Monday 9 March; 13 h off bring 10 March 10:00 to the evening of the 9th.
        pytest.param("2026-03-03T18:00", "2026-03-04T07:00", 32 * HOUR, "on_time", id="a-night"),
        # That afternoon too: open hours are half open, so 12:00 sharp is closed (§5.2). An hour off: still the 10th.
        pytest.param("2026-03-03T12:00", "2026-03-03T13:00", 36 * HOUR, "overdue", id="a-lunch"),
        # Monday 9 March alone; 63 h off bring 10 March 10:00 to the 7th.
        pytest.param("2026-03-06T17:00", "2026-03-09T08:00", 8 * HOUR, "on_time", id="a-weekend"),
    ],
)
def test_pause_wholly_off_hours_moves_nothing_but_the_official_indicator(
    paused: str, resumed: str, left: int, verdict_766: str
) -> None:
    """§5.4 counts a pause in working time, §5.9 in elapsed time: the two can disagree, and both are stored."""
    pause, resume, done = event(5, paused), event(4, resumed), event(9, "2026-03-10T10:00")
    assert standings(resumed, START, pause) == [stands("paused", "in_time", due_current=None, remaining_seconds=left)]
    (row,) = cycles("2026-03-20T09:00", START, pause, resume, done)
    assert standing(row) == stands(
        "stopped",
        "overdue",
        late_working_seconds=2 * HOUR,  # Tuesday 8:00–10:00
        ended_at="2026-03-10T10:00",
        breached_in=UNIT,
        verdict_766=verdict_766,
        flags=["letter_due"],
    )
    # 47 h to due and 2 h more, no open hour of them paused; the wall time is 8 days and an hour.
    assert spent(row) == (49 * HOUR, 0, (193 - 49) * HOUR)


def test_pause_over_tet_moves_due_by_what_remained_and_not_by_days_off() -> None:
    """Tết 2026: 16–20 February off (TB 9441/TB-BNV). Due: 10, 11, 12, 13 and Monday 23 February."""
    events = (event(2, "2026-02-09T09:00"), event(5, "2026-02-12T10:00"), event(4, "2026-02-23T14:00"))
    due = "2026-02-23T17:00"
    # From the pause: 6 h of Thursday 12, 8 of Friday 13, 8 of Monday 23.
    left = {"due_original": due, "remaining_seconds": 22 * HOUR}
    assert standings("2026-02-23T13:59", *events[:2]) == [stands("paused", "in_time", due_current=None, **left)]
    # From the resume: 3 h of Monday, 8 of Tuesday, 8 of Wednesday, 3 of Thursday 26, 8:00–11:00.
    moved = "2026-02-26T11:00"
    assert standings("2026-02-23T14:00", *events) == [stands("running", "in_time", due_current=moved, **left)]
    (row,) = cycles("2026-03-20T09:00", *events, event(9, moved))
    # The indicator takes 11 days and 4 h off the end: 15 February.
    assert standing(row) == stands("stopped", "on_time", due_original=due, due_current=moved, ended_at=moved)
    # Running 7 + 8 + 8 + 2 and 22 h; paused 6 + 8 h before Tết and 5 h after it; the wall time is 17 days and 2 h.
    assert spent(row) == (47 * HOUR, 19 * HOUR, (410 - 66) * HOUR)


def test_pause_over_tet_that_lies_in_the_days_off_altogether_moves_nothing() -> None:
    events = (event(2, "2026-02-09T09:00"), event(5, "2026-02-16T08:00"), event(4, "2026-02-20T17:00"))
    due = "2026-02-23T17:00"
    (row,) = cycles("2026-02-20T17:00", *events)
    # Monday 23 February alone is left, which is less than a fifth of 47 h: near due since Friday 13, before Tết.
    assert standing(row) == stands(
        "running", "in_time", level="near_due", due_original=due, due_current=due, remaining_seconds=8 * HOUR
    )
    assert spent(row) == (39 * HOUR, 0, (11 * 24 + 8 - 39) * HOUR)


def test_pause_then_policy_change_then_resume_is_counted_by_the_limits_in_force_at_the_resume() -> None:
    """§5.11: an open cycle is judged by the newest limits in force, from its start on."""
    known = limits_change(5, "2026-03-09", 8)
    pause, resume = event(5, "2026-03-05T10:00"), event(4, "2026-03-10T09:00")
    # Five days: 6 h of Thursday 5, 8 of Friday, 8 of Monday 9 March remain.
    before = stands("paused", "in_time", due_current=None, remaining_seconds=22 * HOUR)
    assert standings("2026-03-08T23:59:59", START, pause, known=known) == [before]
    # Eight days: 3–6, 9–12 March; so Tuesday, Wednesday and Thursday 12 remain, too.
    new = {"due_original": "2026-03-12T17:00", "remaining_seconds": 46 * HOUR}
    assert standings("2026-03-09T00:00", START, pause, known=known) == [
        stands("paused", "in_time", due_current=None, **new)
    ]
    # 46 h from Tuesday 10, 9:00: 7 + 8 + 8 + 8 to Friday 13, 8 on Monday, 7 on Tuesday 17: 8–12 and 13–16.
    moved = "2026-03-17T16:00"
    assert standings("2026-03-10T09:00", START, pause, resume, known=known) == [
        stands("running", "in_time", due_current=moved, **new)
    ]
    done = event(9, "2026-03-17T18:00")
    assert standings("2026-04-01T09:00", START, pause, resume, done, known=known) == [
        stands("stopped", "on_time", due_original="2026-03-12T17:00", due_current=moved, ended_at="2026-03-17T18:00")
    ]


def test_pause_then_policy_change_then_resume_is_overdue_if_the_new_limit_was_missed_when_the_pause_began() -> None:
    known = limits_change(5, "2026-03-09", 2)  # two days: 3 and 4 March
    pause, resume = event(5, "2026-03-05T10:00"), event(4, "2026-03-10T09:00")
    (row,) = cycles("2026-03-05T12:00", START, pause, known=known)
    assert row["look_again_at"] == "2026-03-09T00:00:00+07:00", "the answer changes by itself then (§5.10)"
    overdue = {
        "due_original": "2026-03-04T17:00",
        "due_current": "2026-03-04T17:00",
        "remaining_seconds": 0,
        "breached_in": UNIT,
        "verdict_766": "overdue",
        "flags": ["letter_due"],
    }
    # 8:00–10:00 on Thursday 5, before the pause.
    assert standings("2026-03-09T00:00", START, pause, known=known) == [
        stands("paused", "overdue", late_working_seconds=2 * HOUR, **overdue)
    ]
    assert standings("2026-03-10T11:00", START, pause, resume, known=known) == [
        stands("running", "overdue", level="overdue", late_working_seconds=4 * HOUR, **overdue)
    ]
