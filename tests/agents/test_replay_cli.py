"""`dunghan replay` is a contract with other programs: fields, nulls, order, refusals and exit codes."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from schemas.event import Event, canonical
from streams.history import FULL
from tests.commands import ROOT, Answered, dunghan
from tests.hanoi import event

FIELDS = [
    *("dossier_code", "cycle", "status", "clock", "received_at", "due_original", "due_current", "remaining_seconds"),
    *("ended_at", "verdict", "verdict_766", "level", "working_seconds", "paused_seconds", "off_seconds"),
    *("wall_seconds", "late_working_seconds", "verdict_unextended", "late_unextended_seconds", "breached_in"),
    *("look_again_at", "flags", "units"),
]
FIRST, SECOND = "H26.12-260302-0001", "H26.12-260302-0002"
STORY = [
    event(2, "2026-03-02T09:00", channel="online", dossier_code=FIRST),
    event(9, "2026-03-04T09:00", dossier_code=FIRST),
    event(4, "2026-03-05T09:00", dossier_code=FIRST),
    event(2, "2026-03-03T10:00", channel="online", dossier_code=SECOND),
    event(5, "2026-03-03T11:30", dossier_code=SECOND),
]


def written(events: list[Event]) -> bytes:
    return b"".join(canonical(one) + b"\n" for one in events)


def replay(*arguments: str | Path, given: bytes = b"") -> Answered:
    return dunghan("replay", *arguments, "--config", ROOT / "config", given=given)


def rows(answered: Answered) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answered.out.splitlines()]


def test_a_row_has_every_field_of_the_contract_in_its_order_and_null_where_there_is_nothing() -> None:
    answered = replay("-", "--now", "2026-03-06T09:00:00+07:00", given=written(STORY))
    first, reopened, paused = rows(answered)
    assert answered.code == 0
    assert answered.err == ""
    assert [list(row) for row in (first, reopened, paused)] == [FIELDS] * 3
    assert (first["verdict"], first["ended_at"], first["remaining_seconds"]) == (
        "early",
        "2026-03-04T09:00:00+07:00",
        None,
    )
    assert paused["due_original"] == "2026-03-10T17:00:00+07:00"
    assert (paused["due_current"], paused["ended_at"], paused["breached_in"]) == (None, None, None)
    assert paused["remaining_seconds"] == (0.5 + 4 + 5 * 8) * 3600
    assert paused["units"] == [{"unit": "H26.12", "stage": None, "working_seconds": 5400}]


def test_rows_come_by_code_and_cycle_in_whatever_order_and_however_often_the_events_do() -> None:
    straight = replay("-", given=written(STORY))
    shuffled = [*STORY, *STORY]
    random.Random(4).shuffle(shuffled)
    assert [(row["dossier_code"], row["cycle"]) for row in rows(straight)] == [(FIRST, 1), (FIRST, 2), (SECOND, 1)]
    assert replay("-", given=written(shuffled)) == straight


def test_a_file_and_standard_input_answer_alike(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(written(STORY))
    assert replay(file) == replay("-", given=written(STORY))


def test_unreadable_lines_are_told_with_line_and_reason_and_the_rest_is_answered() -> None:
    foreign = canonical(event(2, "2026-03-02T09:00", dossier_code="X-1"))
    naive = canonical(STORY[0]).replace(b"+00:00", b"").replace(b"Z", b"")
    given = b"\n".join([b"\xff\xfe", canonical(STORY[3]), b"", foreign, naive, b'{"event_id":"1"}']) + b"\n"
    answered = replay("-", given=given)
    assert answered.code == 3
    told = [line.split(":")[1] + line[line.rindex("[") :] for line in answered.err.splitlines()]
    assert told == ["1[unreadable]", "4[invalid_code]", "5[naive_time]", "6[missing_field]"]
    assert "X-1" not in answered.err  # a refused line is the likeliest to hold personal data
    assert [row["dossier_code"] for row in rows(answered)] == [SECOND]


def test_without_now_it_judges_as_of_the_last_event_that_it_could_read() -> None:
    late = canonical(event(2, "2026-12-01T09:00", dossier_code="X-1"))
    answered = replay("-", given=written(STORY) + late + b"\n")
    (paused,) = [row for row in rows(answered) if row["dossier_code"] == SECOND]
    assert paused["wall_seconds"] == 47 * 3600  # 3 March 10:00 to 5 March 09:00


def test_events_dated_after_now_are_left_out() -> None:
    (row,) = rows(replay("-", "--now", "2026-03-02T03:00:00Z", given=written(STORY)))
    assert (row["dossier_code"], row["cycle"], row["working_seconds"]) == (FIRST, 1, 3600)


def test_a_dossier_without_any_status_event_has_no_row() -> None:
    letter = event(None, "2026-03-02T09:00", kind="letter", letter="apology")
    answered = replay("-", given=written([letter]))
    assert (answered.code, answered.out, answered.err) == (0, "", "")


def test_nothing_in_nothing_out() -> None:
    assert replay("-", given=b"\n\n") == Answered(0, "", "")


@pytest.mark.parametrize("now", ["2026-03-02T09:00:00", "yesterday"])
def test_a_now_without_offset_is_wrong_usage(now: str) -> None:
    answered = replay("-", "--now", now)
    assert answered.code == 2
    assert "+07:00" in answered.err


def test_a_wrong_configuration_is_one_line_with_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "office.yaml").write_text("calendar: vn\nreception: vn\nreceit: civil\n")
    answered = dunghan("replay", "-", "--config", tmp_path)
    assert answered.code == 1
    assert answered.out == ""
    assert f"{tmp_path}/office.yaml:3: " in answered.err
    assert len(answered.err.splitlines()) == 1


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    answered = replay(tmp_path / "none.jsonl")
    assert (answered.code, len(answered.err.splitlines())) == (1, 1)
    assert "[file_unreadable]" in answered.err


def test_what_does_not_fit_into_a_full_history_is_refused_with_its_line() -> None:
    many = [event(4, f"2026-03-02T09:{n // 60 % 60:02}:{n % 60:02}.{n:06}", event_id=f"n{n}") for n in range(FULL + 1)]
    answered = replay("-", given=written(many))
    assert answered.code == 3
    assert answered.err.startswith(f"-:{FULL + 1}: ")
    assert answered.err.endswith("[history_full]\n")
    assert len(rows(answered)) == 1


def test_a_table_says_the_same_in_the_words_of_the_office() -> None:
    answered = replay("-", "--format", "table", given=written(STORY))
    header, *lines = answered.out.splitlines()
    assert "Kết luận" in header
    assert [line.split()[:2] for line in lines] == [[FIRST, "1"], [FIRST, "2"], [SECOND, "1"]]
    assert "trước hạn" in lines[0]
