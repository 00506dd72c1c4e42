"""A file of events comes out dossier by dossier, the same for every size of a run."""

import random
from datetime import datetime

import orjson
import pytest

from agents.event_file import EventFile
from schemas.event import Event, canonical
from streams import history as histories
from streams.history import History
from tests.hanoi import at, event, rules

HANOI = rules()
CODES = tuple(f"H26.12-260302-{number:04}" for number in (7, 1, 900, 12))


def lines(seed: int = 1) -> list[bytes]:
    """Forty events of four dossiers in no order, one of them twice; lines that are no event; a blank one."""
    told = [event(4, f"2026-03-{day:02}T09:00", dossier_code=code, event_id=f"{code}/{day}") for code in CODES
            for day in range(1, 11)]  # fmt: skip
    written = [canonical(one) + b"\n" for one in told]
    written += [written[3], b"\n", b"[]\n", b'{"dossier_code":"H26.12-260302-0007"\n', _spoilt(told[0], "at", "soon")]
    written += [_spoilt(told[-1], "status", 11), _spoilt(told[-1], "at", "2026-03-31T09:00:00")]
    random.Random(seed).shuffle(written)
    return written


def _spoilt(told: Event, name: str, value: object) -> bytes:
    return orjson.dumps(orjson.loads(canonical(told)) | {name: value}) + b"\n"


def read(written: list[bytes], run: int) -> tuple[list[History], list[tuple[int, str]], datetime | None]:
    with EventFile(written, HANOI, run=run) as events:
        found = list(events.histories())
        return found, sorted((number, refusal.reason) for number, refusal in events.refused), events.last


@pytest.mark.parametrize("run", [1, 2, 7, 46, 47, 1000])
def test_any_size_of_a_run_gives_the_same_histories_refusals_and_last_time(run: int) -> None:
    written = lines()
    found, refused, last = read(written, run)
    assert (found, refused, last) == read(written, 10_000)
    assert [history.dossier_code for history in found] == sorted(CODES)
    assert [len(history.events) for history in found] == [10] * 4
    assert last == at("2026-03-10T09:00")
    reasons = [reason for _, reason in refused]
    assert sorted(reasons) == ["invalid_field", "naive_time", "unknown_status", "unreadable", "unreadable"]


def test_the_last_time_is_that_of_an_event_and_not_of_a_line_that_is_refused() -> None:
    good = canonical(event(2, "2026-03-02T09:00"))
    later = [_spoilt(event(2, f"2026-03-{day}T09:00"), "status", 11) for day in (10, 12, 11)]
    assert read([*later, good], 10)[2] == at("2026-03-02T09:00")
    assert read(later, 2)[2] is None


def test_a_time_that_takes_a_closer_look_is_no_less_a_time() -> None:
    odd = _spoilt(event(2, "2026-03-02T09:00"), "at", "2026-03-02t09:00:00z")
    found, refused, last = read([odd], 10)
    assert (len(found), refused, last) == (1, [], at("2026-03-02T16:00"))


def test_a_control_sign_in_a_code_is_a_refusal_and_harms_no_other_line() -> None:
    good = canonical(event(2, "2026-03-02T09:00")) + b"\n"
    torn = _spoilt(event(2, "2026-03-02T09:00"), "dossier_code", "H26\n3 {")
    found, refused, _ = read([torn, good, torn], 1)
    assert [len(history.events) for history in found] == [1]
    assert refused == [(1, "invalid_code"), (3, "invalid_code")]


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_outside_the_calendar_is_a_refusal(when: str) -> None:
    found, refused, last = read([_spoilt(event(2, "2026-03-02T09:00"), "at", when)], 10)
    assert (found, refused, last) == ([], [(1, "invalid_field")], None)


def test_the_last_lines_of_a_dossier_that_is_full_are_refused_and_the_others_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(histories, "FULL", 3)
    told = [canonical(event(4, f"2026-03-{day:02}T09:00", event_id=f"e{day}")) for day in (9, 3, 5, 2, 4)]
    found, refused, _ = read([told[0], told[0], *told[1:]], 10)
    assert [one.event_id for one in found[0].events] == ["e3", "e5", "e9"]
    assert refused == [(5, "history_full"), (6, "history_full")]


def test_an_oversized_line_is_refused_and_the_rest_goes_on() -> None:
    good = canonical(event(2, "2026-03-02T09:00"))
    long = _spoilt(event(2, "2026-03-02T09:00"), "stage", "x" * 1_100_000)
    found, refused, _ = read([long, good], 10)
    assert ([len(history.events) for history in found], refused) == ([1], [(1, "oversized")])


def test_a_refusal_holds_on_to_no_run() -> None:
    good = [canonical(event(4, "2026-03-02T09:00", event_id=f"e{number}")) for number in range(30)]
    with EventFile([b"{}", *good], HANOI, run=10) as events:
        list(events.histories())
        assert [refusal.__traceback__ for _, refusal in events.refused] == [None]
        assert [refusal.__context__ for _, refusal in events.refused] == [None]


def test_a_dossier_with_refused_lines_alone_has_no_history() -> None:
    assert read([_spoilt(event(2, "2026-03-02T09:00"), "status", 11)], 10)[0] == []
    assert read([], 10) == ([], [], None)
