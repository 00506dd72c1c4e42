"""The clock: the office's table, cell by cell, as it stands in the law's words."""

import pytest

from streams.clock import Course, State, walk
from streams.history import timeline
from tests.hanoi import at, event, history

#: How each state is reached, and the table as it is written: "·" changes nothing.
_REACHED: dict[str, tuple[int, ...]] = {
    "not started": (),
    "running": (2,),
    "paused": (2, 5),
    "halted": (2, 8),
    "stopped": (2, 9),
    "withdrawn": (2, 7),
    "refused": (3,),
}
_TABLE = """
clock is    | 1 | 2       | 3       | 4       | 5      | 6      | 7         | 8      | 9       | 10
not started | · | running | refused | running | ·      | ·      | withdrawn | halted | stopped | stopped
running     | · | running | ·       | running | paused | paused | withdrawn | halted | stopped | stopped
paused      | · | running | ·       | running | paused | paused | withdrawn | halted | stopped | stopped
halted      | · | running | ·       | running | paused | paused | withdrawn | ·      | stopped | stopped
stopped     | · | ·       | ·       | running | ·      | ·      | ·         | ·      | ·       | ·
withdrawn   | · | ·       | ·       | ·       | ·      | ·      | ·         | ·      | ·       | ·
refused     | · | ·       | ·       | ·       | ·      | ·      | ·         | ·      | ·       | ·
"""
_ROWS = [[cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines()]
_CELLS = [
    pytest.param(row[0], int(_ROWS[0][column]), row[column], id=f"{row[0]}-{_ROWS[0][column]}")
    for row in _ROWS[1:]
    for column in range(1, 11)
]


def _walk(*statuses: int, runs_on: frozenset[str] = frozenset()) -> tuple[Course, ...]:
    events = [event(status, f"2026-03-{day:02}T09:00") for day, status in enumerate(statuses, 2)]
    return walk(timeline(history(*events), now=at("2026-04-30T09:00")), runs_on)


@pytest.mark.parametrize(("state", "status", "after"), _CELLS)
def test_the_table(state: str, status: int, after: str) -> None:
    before = _REACHED[state]
    courses = _walk(*before, status)
    last = courses[-1]
    expected = state if after == "·" else after
    assert last.state == State(expected.replace(" ", "_"))
    steps = last.steps if last.state is not State.NOT_STARTED else last.registered
    assert steps[-1].counts is (after != "·")
    assert len(courses) == (2 if (state, status) == ("stopped", 4) else 1)
    assert last.imputed is (state == "not started" and status in (4, 8, 9, 10))


@pytest.mark.parametrize(("status", "state"), [(2, "running"), (5, "paused"), (8, "halted")])
def test_a_fee_that_runs_changes_only_who_holds_the_dossier(status: int, state: str) -> None:
    known = history(
        event(2, "2026-03-02T09:00"),
        event(status, "2026-03-03T09:00"),
        event(6, "2026-03-04T09:00", processing_unit="B", stage="fee"),
    )
    (course,) = walk(timeline(known, now=at("2026-04-30T09:00")), frozenset({"1.004441"}))
    assert (course.state, course.steps[-1].unit, course.steps[-1].stage) == (state, "B", "fee")


def test_a_pair_that_the_procedure_does_not_know_is_flagged_where_its_second_belongs() -> None:
    assert [course.illegal for course in _walk(2, 4, 4, 5, 4, 6, 9, 10)] == [False]
    assert [course.illegal for course in _walk(2, 9, 2)] == [True]
    assert [course.illegal for course in _walk(1, 4, 9, 4)] == [True, False]
    assert [course.illegal for course in _walk(2, 9, 5, 4)] == [True, False], "4 after 5 is known"


def test_what_is_absent_is_as_before() -> None:
    known = history(
        event(1, "2026-03-01T09:00", channel="online", case="hard", processing_unit="A"),
        event(2, "2026-03-02T09:00", receiving_unit="R", stage="x"),
        event(4, "2026-03-03T09:00", processing_unit="B"),
    )
    (course,) = walk(timeline(known, now=at("2026-04-30T09:00")))
    subject = course.subject
    assert (subject.channel, subject.case, subject.unit, subject.receiving_unit) == ("online", "hard", "H26.12", "R")
    assert (course.steps[-1].unit, course.steps[-1].stage) == ("B", "x")


def test_without_any_status_there_is_no_cycle() -> None:
    known = history(event(None, "2026-03-01T09:00", kind="letter", letter="apology"))
    assert walk(timeline(known, now=at("2026-04-30T09:00"))) == ()


def test_an_absent_stage_is_as_before_also_from_the_registration() -> None:
    known = history(event(1, "2026-03-01T09:00", stage="x"), event(2, "2026-03-02T09:00"))
    (course,) = walk(timeline(known, now=at("2026-04-30T09:00")))
    assert course.steps[0].stage == "x"
