"""A dossier that changes hands, or whose limits change, keeps one clock, and every second has its owner.

Stories of SPEC §9 ("Must survive") about transfers and policies; each name begins with its phrase there.
"""

from dataclasses import replace

import pytest

from schemas.calendar import CalendarYear
from schemas.event import Event
from schemas.limits import Limit
from schemas.office import Unit
from streams.replay import Row
from tests.hanoi import ZONE, event, rules
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

OTHER = "H26.13"

#: An office whose unit H26.13 is open in the mornings only.
MORNINGS = rules(
    limit=Limit("working_day", 5),
    units=[Unit(OTHER, calendar="mornings")],
    calendars=[CalendarYear("mornings", 2026, ZONE, {"mon-fri": ("08:00-12:00",)})],
)


def _hand_over(when: str, unit: str = OTHER, status: int = 4) -> Event:
    return event(status, when, processing_unit=unit)


def _charged(row: Row) -> list[tuple[object, object]]:
    """The running working time of each unit."""
    units = row["units"]
    assert isinstance(units, list)
    return [(part["unit"], part["working_seconds"]) for part in units]


def test_transfer_while_paused_keeps_what_remains_and_charges_nobody_for_the_pause() -> None:
    pause, transfer = event(5, "2026-03-06T16:00"), _hand_over("2026-03-10T09:00", status=6)
    resume, done = _hand_over("2026-03-11T09:00"), event(9, "2026-03-13T09:00", processing_unit=OTHER)
    # 1 h of Friday and 8 of Monday remain, whoever holds it.
    assert standings("2026-03-10T09:00", START, pause, transfer) == [
        stands("paused", "in_time", due_current=None, remaining_seconds=9 * HOUR)
    ]
    (row,) = cycles("2026-03-20T09:00", START, pause, transfer, resume, done)
    # From Wednesday 11, 9:00: 7 h, and 2 of Thursday 12, 8:00–10:00. The indicator takes 3 days and 17 h off the end
    # (from the 5 to the 6, which is no supplement): 9 March.
    assert standing(row) == stands(
        "stopped",
        "overdue",
        due_current="2026-03-12T10:00",
        late_working_seconds=7 * HOUR,  # 10:00–17:00 without lunch, and Friday 8:00–9:00
        ended_at="2026-03-13T09:00",
        breached_in=OTHER,
        verdict_766="on_time",
        flags=["letter_due"],
    )
    assert _charged(row) == [(UNIT, 38 * HOUR), (OTHER, 16 * HOUR)]
    # Paused: 1 h of Friday, 8 of Monday, 8 of Tuesday, 1 of Wednesday; the wall time is 11 days.
    assert spent(row) == (54 * HOUR, 18 * HOUR, (11 * 24 - 72) * HOUR)


def test_transfer_while_paused_to_a_unit_with_other_hours_counts_what_remains_by_its_hours() -> None:
    """§6: a due date is computed with the calendar of the unit that holds the dossier when it is set."""
    events = (START, event(5, "2026-03-06T16:00"), _hand_over("2026-03-11T09:00"))
    # 9 h from Wednesday 11, 9:00, in mornings: 3, 4 and 2 of Friday 13.
    assert standings("2026-03-11T09:00", *events, known=MORNINGS) == [
        stands("running", "in_time", level="near_due", due_current="2026-03-13T10:00", remaining_seconds=9 * HOUR)
    ]


def test_transfer_while_paused_to_a_unit_with_longer_hours_brings_due_no_earlier() -> None:
    """§5.4: due = resume + remaining, but never earlier than it was."""
    start, pause = replace(START, processing_unit=OTHER), event(5, "2026-03-06T10:00", processing_unit=OTHER)
    noon = {"due_original": "2026-03-09T12:00"}  # closing time in H26.13
    assert standings("2026-03-06T10:59", start, pause, known=MORNINGS) == [
        stands("paused", "in_time", due_current=None, remaining_seconds=6 * HOUR, **noon)  # 2 of Friday, 4 of Monday
    ]
    # 6 h from Friday 11:00 would be over on Monday, 9:00. To noon it has 1 + 4 h, and 4 of Monday.
    assert standings("2026-03-06T11:00", start, pause, _hand_over("2026-03-06T11:00", UNIT), known=MORNINGS) == [
        stands("running", "in_time", due_current="2026-03-09T12:00", remaining_seconds=9 * HOUR, **noon)
    ]


@pytest.mark.parametrize(
    ("handed_over", "holder"),
    [
        pytest.param("2026-03-09T16:59:59", OTHER, id="a-second-before"),
        pytest.param("2026-03-09T17:00:00", UNIT, id="at-the-instant"),
        pytest.param("2026-03-09T17:00:01", UNIT, id="a-second-after"),
    ],
)
def test_transfer_at_the_due_instant_leaves_the_breach_with_who_held_it_until_then(
    handed_over: str, holder: str
) -> None:
    """§6: a breach belongs to the unit that held the dossier at the due instant; the clock is not reset."""
    (row,) = cycles("2026-03-10T10:00", START, _hand_over(handed_over))
    assert standing(row) == stands(
        "running",
        "overdue",
        level="overdue",
        remaining_seconds=0,
        late_working_seconds=2 * HOUR,  # Tuesday 8:00–10:00, in the hands of the other
        breached_in=holder,
        verdict_766="overdue",
        flags=["letter_due"],
    )


@pytest.mark.parametrize(("handed_over", "holder"), [("2026-03-02T15:29:59", OTHER), ("2026-03-02T15:30:00", UNIT)])
def test_transfer_at_the_due_instant_of_an_exact_limit_is_decided_by_the_second(handed_over: str, holder: str) -> None:
    known = rules(limit=Limit("hour", 4))  # 10:30–12:00 and 13:00–15:30
    events = (event(2, "2026-03-02T10:30"), _hand_over(handed_over))
    assert standings("2026-03-02T15:30", *events, known=known) == [
        stands(
            "running",
            "in_time",
            level="near_due",
            due_original="2026-03-02T15:30",
            due_current="2026-03-02T15:30",
            remaining_seconds=0,
        )
    ]
    (row,) = cycles("2026-03-02T15:30:01", *events, known=known)
    assert (row["verdict"], row["breached_in"], row["late_working_seconds"]) == ("overdue", holder, 1)


def test_transfer_to_a_unit_with_other_hours_moves_no_due_and_counts_the_rest_by_its_hours() -> None:
    """§6: each interval is valued with the calendar of the unit that has it; the total clock is never reset."""
    transfer = _hand_over("2026-03-05T13:00")
    # The mornings of Friday and Monday: 8 h, less than 9.4 (by the hours of H26.12 it would be 20).
    assert standings("2026-03-05T12:59:59", START, known=MORNINGS) == [
        stands("running", "in_time", remaining_seconds=20 * HOUR)
    ]
    assert standings("2026-03-05T13:00", START, transfer, known=MORNINGS) == [
        stands("running", "in_time", level="near_due", remaining_seconds=8 * HOUR)
    ]
    (row,) = cycles("2026-03-11T09:00", START, transfer, known=MORNINGS)
    assert standing(row) == stands(
        "running",
        "overdue",
        level="overdue",
        remaining_seconds=0,
        late_working_seconds=5 * HOUR,  # the morning of Tuesday, and Wednesday 8:00–9:00
        breached_in=OTHER,
        verdict_766="overdue",
        flags=["letter_due"],
    )
    # Monday 7 h, Tuesday and Wednesday 8, Thursday 4; then the mornings of Friday, Monday, Tuesday, and an hour.
    assert _charged(row) == [(UNIT, 27 * HOUR), (OTHER, 13 * HOUR)]
    assert spent(row) == (40 * HOUR, 0, (9 * 24 - 40) * HOUR)


def test_transfer_to_a_unit_with_other_hours_and_back_sums_both_visits_of_the_first() -> None:
    events = (START, _hand_over("2026-03-03T08:00"), _hand_over("2026-03-04T08:00", UNIT))
    (row,) = cycles("2026-03-05T08:00", *events, known=MORNINGS)
    # Thursday, Friday and Monday remain. H26.12 had 7 h of Monday 2 and 8 of Wednesday 4, H26.13 the morning between.
    assert standing(row) == stands("running", "in_time", remaining_seconds=24 * HOUR)
    assert _charged(row) == [(UNIT, 15 * HOUR), (OTHER, 4 * HOUR)]


def test_policy_changed_while_open_to_a_shorter_limit_is_judged_once_and_told_once() -> None:
    """§5.11: an open cycle is judged by the newest in force, re-judged once on a change, without an alert storm."""
    known = limits_change(5, "2026-03-09", 3)  # three days: 3, 4 and 5 March
    before = stands("running", "in_time", level="near_due", remaining_seconds=8 * HOUR)
    assert standings("2026-03-08T23:59:59", START, known=known) == [before]
    overdue = stands(
        "running",
        "overdue",
        level="overdue",
        due_original="2026-03-05T17:00",
        due_current="2026-03-05T17:00",
        remaining_seconds=0,
        late_working_seconds=8 * HOUR,  # all of Friday 6
        breached_in=UNIT,
        verdict_766="overdue",
        flags=["letter_due"],
    )
    assert standings("2026-03-09T00:00", START, known=known) == [overdue]
    desk = Desk(known)
    assert desk.arrive("2026-03-02T09:00", START) == []
    assert desk.wait("2026-03-08T23:59:59") == [told("raise", "near_due", "near_due", since="2026-03-06T15:36")]
    assert desk.wait("2026-03-09T17:00") == [
        told("resolve", "near_due", "policy", since="2026-03-06T15:36"),
        told("raise", "overdue", "overdue", since="2026-03-06T00:00", due="2026-03-05T17:00", late=True),
    ]
    assert desk.open() == ["overdue"]


def test_policy_changed_while_open_to_a_longer_limit_resolves_what_was_right_by_the_old_one() -> None:
    known = limits_change(5, "2026-03-11", 20)  # 3–6, 9–13, 16–20, 23–27 and 30 March
    late = {"breached_in": UNIT, "verdict_766": "overdue", "flags": ["letter_due", "stalled"]}
    # The last event is five working days old since Monday 9, 9:00 (40 h: 7 + 4·8 + 1).
    assert standings("2026-03-10T23:59:59", START, known=known) == [
        stands("running", "overdue", level="overdue", remaining_seconds=0, late_working_seconds=8 * HOUR, **late)
    ]
    longer = "2026-03-30T17:00"
    # 11–13, 16–20, 23–27 and 30 March: 14 days.
    assert standings("2026-03-11T00:00", START, known=known) == [
        stands(
            "running",
            "in_time",
            due_original=longer,
            due_current=longer,
            remaining_seconds=112 * HOUR,
            flags=["stalled"],
        )
    ]
    desk = Desk(known)
    assert desk.arrive("2026-03-10T00:00", START) == [told("raise", "overdue", "overdue", since="2026-03-10T00:00")]
    assert desk.wait("2026-03-11T17:00") == [told("resolve", "overdue", "policy", since="2026-03-10T00:00")]
    assert desk.open() == []


@pytest.mark.parametrize(
    ("end", "verdict", "due"),
    [
        pytest.param("2026-03-10T17:00", "overdue", "2026-03-09T17:00", id="closed-before-the-change"),
        pytest.param("2026-03-11T08:00", "early", "2026-03-30T17:00", id="closed-after-it"),
    ],
)
def test_policy_changed_while_open_counts_for_a_cycle_that_ends_after_the_change_and_for_no_other(
    end: str, verdict: str, due: str
) -> None:
    """§5.11: a closed one by what was in force at its end, also after a full replay, however late it is judged."""
    known = limits_change(5, "2026-03-11", 20)
    late = {
        "late_working_seconds": 8 * HOUR,
        "breached_in": UNIT,
        "verdict_766": "overdue",
        "flags": ["letter_due"],
    }
    expected = stands(
        "stopped",
        verdict,
        due_original=due,
        due_current=due,
        ended_at=end,
        **(late if verdict == "overdue" else {}),
    )
    for now in (end, "2026-03-11T09:00", "2027-01-04T09:00"):
        assert standings(now, START, event(9, end), known=known) == [expected]
