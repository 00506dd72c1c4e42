"""Replay: the rows that other programs compare."""

from dataclasses import replace
from datetime import timedelta

import pytest

from schemas.limits import Limit
from streams import history as histories
from streams.ladder import unbucketed
from streams.ledger import imbalance, seconds
from streams.replay import collect, rows
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

FIVE = rules(limit=Limit("working_day", 5))


def test_a_row_of_a_running_dossier_to_the_letter() -> None:
    known = history(event(2, "2026-03-02T09:00", stage="x"), event(4, "2026-03-03T09:00", processing_unit="B"))
    assert list(rows(known, FIVE, now=at("2026-03-10T09:30"))) == [
        {
            "dossier_code": "H26.12-260302-0001",
            "cycle": 1,
            "status": 4,
            "clock": "running",
            "received_at": at("2026-03-02T09:00"),
            "due_original": at("2026-03-09T17:00"),
            "due_current": at("2026-03-09T17:00"),
            "remaining_seconds": 0,
            "ended_at": None,
            "verdict": "overdue",
            "verdict_766": "overdue",
            "level": "overdue",
            "working_seconds": (8 + 39 + 1.5 - 8 + 8) * 3600,
            "paused_seconds": 0,
            "off_seconds": (192.5 - 48.5) * 3600,
            "wall_seconds": 192.5 * 3600,
            "late_working_seconds": 1.5 * 3600,
            "verdict_unextended": "overdue",
            "late_unextended_seconds": 1.5 * 3600,
            "breached_in": "B",
            "look_again_at": at("2026-03-12T17:00"),
            "flags": ["letter_due", "stalled"],
            "units": [
                {"unit": "H26.12", "stage": "x", "working_seconds": 8 * 3600},
                {"unit": "B", "stage": "x", "working_seconds": 40.5 * 3600},
            ],
        }
    ]


def test_what_remains_is_counted_while_it_runs_and_stands_still_in_a_pause() -> None:
    start, pause = event(2, "2026-03-02T09:00"), event(5, "2026-03-06T16:00")
    (running,) = rows(history(start, pause), FIVE, now=at("2026-03-06T15:00"))
    assert (running["remaining_seconds"], running["clock"]) == (10 * 3600, "running")
    (paused,) = rows(history(start, pause), FIVE, now=at("2026-03-20T15:00"))
    assert (paused["remaining_seconds"], paused["due_current"]) == (9 * 3600, None)
    assert paused["paused_seconds"] == (1 + 9 * 8 + 6) * 3600
    (ended,) = rows(history(start, event(9, "2026-03-06T16:00")), FIVE, now=at("2026-03-20T15:00"))
    assert ended["remaining_seconds"] is None


def test_later_events_are_left_out_altogether() -> None:
    known = history(event(2, "2026-03-02T09:00"), event(9, "2026-03-04T09:00"))
    (row,) = rows(known, FIVE, now=at("2026-03-03T09:00"))
    assert row["look_again_at"] == at("2026-03-06T15:36"), "near due: 9.4 of 47 hours are left"
    assert list(rows(known, FIVE, now=at("2026-03-01T09:00"))) == []


def test_a_dossier_that_never_started_has_a_row_without_times() -> None:
    (row,) = rows(history(event(1, "2026-03-01T09:00")), FIVE, now=at("2026-03-20T15:00"))
    assert (row["clock"], row["verdict"], row["wall_seconds"], row["units"]) == ("not_started", "not_started", 0, [])


def test_durations_are_as_exact_as_the_events() -> None:
    known = history(event(2, "2026-03-02T09:00:00.000001"), event(9, "2026-03-02T10:00"))
    (row,) = rows(known, FIVE, now=at("2026-03-02T10:00"))
    assert row["working_seconds"] == 3599.999999
    assert seconds(timedelta(hours=1)) == 3600


def test_events_are_gathered_by_dossier_and_those_that_do_not_fit_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "FULL", 1)
    one, other = event(2, "2026-03-02T09:00"), event(4, "2026-03-03T09:00")
    gathered, refused = collect([one, other])
    assert [known.events for known in gathered.values()] == [(one,)]
    assert [(wrong, error.reason) for wrong, error in refused] == [(other, "history_full")]


def test_the_invariant_would_notice_a_second_that_is_missing() -> None:
    known = history(event(2, "2026-03-02T09:00"), event(9, "2026-03-04T09:00"))
    (cycle,) = assess(known, FIVE, now=at("2026-03-05T09:00")).cycles
    assert imbalance(cycle) == timedelta(0)
    object.__setattr__(cycle.used, "off_seconds", cycle.used.off_seconds - 1)
    assert imbalance(cycle) == timedelta(seconds=1)


def test_the_invariant_would_notice_a_life_that_is_not_whole_in_the_buckets() -> None:
    known = history(event(2, "2026-03-02T09:00"), event(5, "2026-03-03T09:00"), event(9, "2026-03-04T09:00"))
    (ended,) = assess(known, FIVE, now=at("2026-03-05T09:00")).cycles
    (waiting,) = assess(known, FIVE, now=at("2026-03-03T10:00")).cycles
    first, second = ended.spans
    for cycle, spans, wrong in (
        (ended, (first, second), timedelta(0)),
        (ended, (second,), timedelta(days=1)),
        (ended, (first,), timedelta(days=1)),
        (ended, (first, replace(second, begin=second.begin - timedelta(hours=1))), timedelta(hours=1)),
        (waiting, waiting.spans, timedelta(0)),
        (waiting, waiting.spans[:1], timedelta(seconds=1)),
        (waiting, (), timedelta(seconds=1)),
    ):
        assert unbucketed(replace(cycle, spans=spans)) == wrong
