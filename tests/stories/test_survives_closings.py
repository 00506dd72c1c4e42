"""A closing decides its own cycle: one without an opening, one inside a pause, and one that was not the last.

Stories of SPEC §9 ("Must survive") about what ends and reopens; each name begins with its phrase there.
"""

import pytest

from tests.hanoi import event
from tests.stories.standing import HOUR, START, UNIT, Desk, cycles, spent, standing, standings, stands, told

DONE_ON_TIME = event(9, "2026-03-09T16:00")
DONE_LATE = event(9, "2026-03-11T10:00")


@pytest.mark.parametrize("status", [9, 10])
def test_close_without_open_has_no_deadline_and_is_never_silently_green(status: int) -> None:
    """§2: an imputed start; no due date is computed from it."""
    done = event(status, "2026-03-05T09:00")
    (row,) = cycles("2026-03-20T09:00", done)
    assert standing(row) == stands(
        "stopped",
        "no_deadline",
        due_original=None,
        due_current=None,
        ended_at="2026-03-05T09:00",
        verdict_766="not_counted",
        flags=["incomplete_history"],
    )
    assert (row["received_at"], spent(row)) == ("2026-03-05T09:00:00+07:00", (0, 0, 0))
    # When the missing opening comes after all, the dossier is like any other.
    assert standings("2026-03-20T09:00", done, START) == [stands("stopped", "early", ended_at="2026-03-05T09:00")]


@pytest.mark.parametrize(
    ("promised", "due", "verdict", "told_of_lateness"),
    [
        # Nobody knows that the clock ran before the closing, so there is no running time that could be late.
        pytest.param(
            "2026-03-04T17:00",
            "2026-03-04T17:00",
            "overdue",
            {"breached_in": UNIT, "verdict_766": "overdue", "flags": ["incomplete_history", "letter_due"]},
            id="yesterday",
        ),
        # 00:00:00 names a date, and means its closing time (§5.2).
        pytest.param(
            "2026-03-05T00:00", "2026-03-05T17:00", "on_time", {"flags": ["incomplete_history"]}, id="that-day"
        ),
    ],
)
def test_close_without_open_is_held_to_the_appointment_that_it_brings(
    promised: str, due: str, verdict: str, told_of_lateness: dict[str, object]
) -> None:
    assert standings("2026-03-20T09:00", event(9, "2026-03-05T09:00", due=promised)) == [
        stands("stopped", verdict, due_original=due, due_current=due, ended_at="2026-03-05T09:00", **told_of_lateness)
    ]


@pytest.mark.parametrize(
    ("status", "end", "verdict", "verdict_766", "flags"),
    [
        # Only the time of supplements (5) is taken off the indicator's end, 20 March (§5.9).
        pytest.param(6, 9, "early", "overdue", [], id="a-fee"),
        pytest.param(5, 9, "early", "on_time", ["illegal_transition"], id="a-supplement-and-no-4-after-it"),
        pytest.param(8, 9, "early", "overdue", ["illegal_transition"], id="a-halt"),
        pytest.param(5, 7, "withdrawn", "on_time", [], id="a-withdrawal"),
    ],
)
def test_close_during_pause_ends_the_pause_and_moves_due_as_a_resume_does(
    status: int, end: int, verdict: str, verdict_766: str, flags: list[str]
) -> None:
    """§2: a stop or withdrawal inside a pause or halt ends it at that instant."""
    (row,) = cycles("2026-04-01T09:00", START, event(status, "2026-03-06T16:00"), event(end, "2026-03-20T10:00"))
    # 1 h of Friday and 8 of Monday 9 March remained: 6 h of Friday 20 March, 3 of Monday 23, 8:00–11:00.
    assert standing(row) == stands(
        "stopped",
        verdict,
        due_current="2026-03-23T11:00",
        ended_at="2026-03-20T10:00",
        verdict_766=verdict_766,
        flags=flags,
    )
    # Running 7 + 3·8 + 7 h; paused 1 + 5·8 + 4·8 + 2 h; the wall time is 18 days and an hour.
    assert spent(row) == (38 * HOUR, 75 * HOUR, (433 - 113) * HOUR)


def test_close_during_pause_that_began_overdue_is_late_by_the_time_before_the_pause() -> None:
    events = (START, event(6, "2026-03-10T09:00"), event(9, "2026-03-20T10:00"))
    assert standings("2026-04-01T09:00", *events) == [
        stands(
            "stopped",
            "overdue",
            late_working_seconds=HOUR,
            ended_at="2026-03-20T10:00",
            breached_in=UNIT,
            verdict_766="overdue",
            flags=["letter_due"],
        )
    ]


def test_reopen_after_on_time_begins_a_cycle_that_is_held_to_the_old_due_date() -> None:
    """§2: the earlier cycle keeps its verdict; the gap is no pause, so the next is late by its own running time."""
    desk = Desk()
    desk.arrive("2026-03-09T00:00", START)
    assert desk.arrive("2026-03-09T16:00", DONE_ON_TIME) == [
        told("resolve", "due_today", "completed", since="2026-03-09T00:00"),
    ]
    again = event(4, "2026-03-11T09:00")
    assert desk.arrive("2026-03-11T09:00", again) == [
        told("raise", "overdue", "overdue", since="2026-03-11T09:00", cycle=2),
    ]
    first = stands("stopped", "on_time", ended_at="2026-03-09T16:00")
    second = stands(
        "running",
        "overdue",
        level="overdue",
        remaining_seconds=0,
        late_working_seconds=2 * HOUR,  # Wednesday 9:00–11:00
        breached_in=UNIT,
        verdict_766="overdue",
        flags=["letter_due"],
    )
    assert standings("2026-03-11T11:00", START, DONE_ON_TIME, again) == [first, second]


def test_reopen_after_on_time_with_a_new_appointment_is_held_to_that() -> None:
    again = event(4, "2026-03-11T09:00", due="2026-03-13T17:00")
    # Wednesday 11 March, 11:00: 1 + 4 h, Thursday, Friday.
    assert standings("2026-03-11T11:00", START, DONE_ON_TIME, again) == [
        stands("stopped", "on_time", ended_at="2026-03-09T16:00"),
        stands(
            "running",
            "in_time",
            due_original="2026-03-13T17:00",
            due_current="2026-03-13T17:00",
            remaining_seconds=21 * HOUR,
        ),
    ]


def test_reopen_after_overdue_leaves_the_breach_with_its_cycle_and_counts_no_second_twice() -> None:
    late = {"breached_in": UNIT, "verdict_766": "overdue", "flags": ["letter_due"]}
    # Tuesday 8 h and Wednesday 8:00–10:00; then Thursday 12, 9:00–12:00 of its own.
    first = stands("stopped", "overdue", late_working_seconds=10 * HOUR, ended_at="2026-03-11T10:00", **late)
    second = stands("stopped", "overdue", late_working_seconds=3 * HOUR, ended_at="2026-03-12T12:00", **late)
    events = (START, DONE_LATE, event(4, "2026-03-12T09:00"), event(9, "2026-03-12T12:00"))
    assert standings("2026-03-20T09:00", *events) == [first, second]
    assert [spent(row) for row in cycles("2026-03-20T09:00", *events)] == [
        (57 * HOUR, 0, (9 * 24 + 1 - 57) * HOUR),
        (3 * HOUR, 0, 0),
    ]


def test_reopen_after_overdue_with_a_new_appointment_heals_nothing() -> None:
    late = {"breached_in": UNIT, "verdict_766": "overdue", "flags": ["letter_due"]}
    again, done = event(4, "2026-03-12T09:00", due="2026-03-20T00:00"), event(9, "2026-03-19T09:00")
    assert standings("2026-04-01T09:00", START, DONE_LATE, again, done) == [
        stands("stopped", "overdue", late_working_seconds=10 * HOUR, ended_at="2026-03-11T10:00", **late),
        stands(
            "stopped",
            "early",
            due_original="2026-03-20T17:00",
            due_current="2026-03-20T17:00",
            ended_at="2026-03-19T09:00",
        ),
    ]
