"""History: a set that only grows, and the order of what happened."""

import random

import pytest

from schemas.errors import InvalidRecord
from streams import history as histories
from streams.history import History, add, build, timeline
from tests.hanoi import at, event, history

NOW = at("2026-03-31T09:00")
WHEN = "2026-03-02T09:00"


def _order(*events: object) -> list[str]:
    return [one.event_id for one in timeline(history(*events), now=NOW).events]  # type: ignore[arg-type]


def test_a_known_event_changes_nothing() -> None:
    one = event(2, WHEN)
    known = history(one)
    assert add(known, one) is known


def test_two_contents_under_one_id_are_both_kept_and_the_first_by_time_counts() -> None:
    early, late = event(4, "2026-03-03T09:00", event_id="e"), event(2, "2026-03-02T09:00", event_id="e")
    line = timeline(history(early, late), now=NOW)
    assert line.events == (late,)
    assert line.conflicting


def test_of_two_contents_at_one_instant_the_first_by_canonical_json_counts() -> None:
    for order in ((2, 4, 7), (7, 4, 2), (4, 7, 2)):
        contents = [event(status, WHEN, event_id="e") for status in order]
        assert [one.status for one in timeline(history(*contents), now=NOW).events] == [2]


def test_a_void_takes_its_event_out_whichever_came_first_and_voids_no_void() -> None:
    start, again = event(2, WHEN, event_id="a"), event(4, "2026-03-03T09:00", event_id="b")
    void = event(None, "2026-03-04T09:00", kind="void", voids="b", event_id="v")
    unvoid = event(None, "2026-03-05T09:00", kind="void", voids="v", event_id="w")
    for order in ((start, again, void, unvoid), (unvoid, void, again, start)):
        assert _order(*order) == ["a", "v", "w"]
    early = timeline(history(start, again, void), now=at("2026-03-03T12:00"))
    assert [one.event_id for one in early.events] == ["a", "b"], "the void is not known yet"
    assert early.upcoming == at("2026-03-04T09:00")


def test_at_one_instant_the_statuses_have_their_order_and_then_the_id() -> None:
    statuses = (10, 9, 7, 3, 8, 6, 5, 4, 2, 1)
    same = [event(status, WHEN, event_id=f"s{status}") for status in statuses]
    letter = event(None, WHEN, kind="letter", letter="apology", event_id="a-letter")
    assert _order(letter, *same, event(4, WHEN, event_id="s0")) == [
        *("s1", "s2", "s0", "s4", "s5", "s6", "s8", "s3", "s7", "s9", "s10", "a-letter")
    ]


def test_a_source_that_counts_decides_its_own_order() -> None:
    def both(first: str | None, second: str | None, number: int | None = 1) -> list[str]:
        return _order(
            event(4, WHEN, event_id="a", source=first, sequence=2),
            event(9, WHEN, event_id="b", source=second, sequence=number),
        )

    assert both("x", "x") == ["b", "a"]
    assert both("x", "x", 2) == ["a", "b"], "a tie falls back to the statuses"
    assert both("x", "y") == ["a", "b"]
    assert both("x", "x", None) == ["a", "b"]


def test_a_full_history_refuses_more_and_still_knows_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "FULL", 2)
    one, two = event(2, WHEN), event(4, WHEN)
    known = history(one, two)
    with pytest.raises(InvalidRecord, match="2 events"):
        add(known, event(5, WHEN))
    assert add(known, two) is known


def test_a_history_built_at_once_is_the_one_that_events_added_one_by_one_make(monkeypatch: pytest.MonkeyPatch) -> None:
    told = [event(4, f"2026-03-02T09:{minute:02}", event_id=f"e{minute}") for minute in range(20)]
    told += [told[3], event(5, WHEN, event_id="e3"), event(4, WHEN, event_id="b"), event(5, WHEN, event_id="b")]
    code = told[0].dossier_code
    for seed in range(20):
        random.Random(seed).shuffle(told)
        assert build(code, told) == history(*told)
        assert build(code, set(told[:4])) == history(*told[:4])
    assert build(code, []) == History(code)
    monkeypatch.setattr(histories, "FULL", 20)
    with pytest.raises(InvalidRecord, match="20 events"):
        build(code, told)
