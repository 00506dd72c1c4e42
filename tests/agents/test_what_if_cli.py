"""`dunghan what-if`: a draft folder beside the one in force, from a file; words for eyes, one object for programs."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from agents.config import load
from agents.messages import ACTIONS, ASPECTS
from schemas.alert import Action
from schemas.event import Event, canonical
from streams.what_if import Aspect
from tests.commands import ROOT, Answered, dunghan
from tests.hanoi import at, event
from tests.madeup.log import BAD_LINES, CONFIG, write_log

FIRST, SECOND = "H26.12-260302-0001", "H26.12-260302-0002"
COMPARED = ("verdict", "verdict_766", "level", "due_original", "due_current")
NOW = "2026-03-06T09:00:00+07:00"
STORY = [
    event(2, "2026-03-02T09:00", channel="online", dossier_code=FIRST),
    event(2, "2026-03-02T09:00", channel="online", dossier_code=SECOND),
    event(9, "2026-03-05T09:00", dossier_code=SECOND),
]


def written(events: list[Event]) -> bytes:
    return b"".join(canonical(one) + b"\n" for one in events)


def what_if(draft: Path, *arguments: str | Path, given: bytes = b"", against: Path = ROOT / "config") -> Answered:
    return dunghan("what-if", *arguments, "--config", draft, given=given, settings={"DUNGHAN_CONFIG": str(against)})


def told(draft: Path, *arguments: str | Path, given: bytes = b"", code: int = 0, **more: Path) -> dict[str, Any]:
    answered = what_if(draft, *arguments, "--format", "json", given=given, **more)
    assert answered.code == code, answered.err
    return dict(json.loads(answered.out))


def three_days(text: str) -> str:
    return text.replace("{value: 5, unit: working_day}", "{value: 3, unit: working_day}")


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A copy of the office's folder, to be changed by the test."""
    return Path(shutil.copytree(ROOT / "config", tmp_path / "draft"))


@pytest.fixture
def shorter(draft: Path) -> Path:
    """Three days instead of five, from 5 March on."""
    text = three_days((draft / "limits.yaml").read_text())
    (draft / "limits-2.yaml").write_text(text.replace("version: 1", "version: 2").replace("2025-01-01", "2026-03-05"))
    return draft


def test_one_object_says_what_changes_for_whom_and_into_what(shorter: Path) -> None:
    found = told(shorter, "-", "--now", NOW, given=written(STORY))
    assert found["now"] == "2026-03-06T09:00:00+07:00"
    assert found["against"] == {
        "config": str(ROOT / "config"),
        "limits_version": 1,
        "in_force_from": "2025-01-01T00:00:00+07:00",
    }
    assert found["draft"] == {
        "config": str(shorter),
        "limits_version": 2,
        "in_force_from": "2026-03-05T00:00:00+07:00",
        "in_force": True,
        "differs_in": ["limits"],
    }
    assert (found["dossiers"], found["refused"], found["as_if_always"]) == (2, 0, False)
    assert (found["open"]["cycles"], found["open"]["changed"], found["open"]["overdue_after"]) == (1, 1, 1)
    assert (found["closed"]["cycles"], found["closed"]["changed"], found["closed"]["due"]) == (1, 1, 1)
    assert {"closed": False, "aspect": "verdict", "before": "in_time", "after": "overdue", "cycles": 1} in found[
        "turns"
    ]
    assert found["alerts"]["raise"] == 1
    assert found["alerts"].keys() == {action.value for action in Action}
    (place,) = found["units"]
    assert (place["unit"], place["procedure"], place["open"], place["closed"], place["alerts"]) == (
        *("H26.12", "1.004441"),
        *(found["open"], found["closed"], found["alerts"]),
    )
    first, second = found["changes"]
    assert (first["dossier_code"], first["cycle"], first["closed"]) == (FIRST, 1, False)
    assert first["changed"] == ["verdict", "verdict_766", "level", "due"]
    assert (first["before"]["due_current"], first["after"]["due_current"]) == (
        "2026-03-09T17:00:00+07:00",
        "2026-03-05T17:00:00+07:00",
    )
    assert (second["dossier_code"], second["changed"]) == (SECOND, ["verdict", "due"])  # from early to on time


def test_a_draft_of_tomorrow_changes_nothing_yet_and_says_so_and_what_to_do(shorter: Path) -> None:
    answered = what_if(shorter, "-", "--now", "2026-03-04T09:00:00+07:00", given=written(STORY))
    assert answered.code == 0
    assert "Dự thảo: thời hạn bản 2, có hiệu lực từ 05/03/2026, sau thời điểm xét" in answered.out
    assert "hồ sơ kết thúc trước ngày đó giữ thời hạn của lúc kết thúc" in answered.out
    assert "--as-if-always" in answered.out
    assert "Không có hồ sơ nào thay đổi." in answered.out


def test_as_if_always_answers_for_what_ended_before_and_says_that_it_will_be_otherwise(shorter: Path) -> None:
    finished = [event(2, "2026-02-23T09:00", channel="online"), event(9, "2026-03-02T09:00")]
    given = written(finished)
    assert told(shorter, "-", "--now", NOW, given=given)["closed"]["changed"] == 0
    found = told(shorter, "-", "--now", NOW, "--as-if-always", given=given)
    assert (found["as_if_always"], found["closed"]["verdict"]) == (True, 1)
    answered = what_if(shorter, "-", "--now", NOW, "--as-if-always", given=given)
    assert "xem như đã áp dụng từ đầu" in answered.out
    assert "hồ sơ kết thúc trước 05/03/2026 giữ thời hạn của lúc kết thúc" in answered.out


def test_a_calendar_counts_for_what_is_over_too_and_says_so(draft: Path) -> None:
    year = draft / "calendars" / "vn-2026.yaml"
    year.write_text(year.read_text().replace("days:\n", 'days:\n  - {date: 2026-03-04, off: true, decree: "bão"}\n'))
    given = written(STORY)
    found = told(draft, "-", "--now", NOW, given=given)
    assert found["draft"]["differs_in"] == ["calendars"]
    assert (found["open"]["due"], found["closed"]["due"]) == (1, 1)
    said = what_if(draft, "-", given=given).out
    assert "Lịch vn 2026, bản 1: sửa ngay trong bản đang có, nên kết luận của hồ sơ đã kết thúc cũng đổi." in said


def test_a_calendar_with_a_date_of_its_own_leaves_what_ended_before_it(draft: Path) -> None:
    year = draft / "calendars" / "vn-2026.yaml"
    later = "version: 2\nin_force_from: 2026-03-06\n" + year.read_text()
    (draft / "calendars" / "vn-2026-2.yaml").write_text(
        later.replace("days:\n", 'days:\n  - {date: 2026-03-04, off: true, decree: "bão"}\n')
    )
    given = written(STORY)
    found = told(draft, "-", "--now", NOW, given=given)
    assert (found["open"]["due"], found["closed"]["due"]) == (1, 0)
    assert "Lịch vn 2026, bản 2: mới, có hiệu lực từ 06/03/2026;" in what_if(draft, "-", given=given).out
    assert "version 2, in force from 06/03/2026" in dunghan("doctor", "--config", draft).out


def test_limits_changed_under_their_old_number_are_warned_about(draft: Path) -> None:
    limits = draft / "limits.yaml"
    limits.write_text(three_days(limits.read_text()))
    answered = what_if(draft, "-", "--now", NOW, given=written(STORY))
    assert "sửa ngay trong bản thời hạn 1 đang có" in answered.out


def test_the_boards_say_the_same_in_the_words_of_the_office(shorter: Path) -> None:
    paused = [
        event(2, "2026-03-03T09:00", channel="online", dossier_code="H26.12-260303-0003"),
        event(5, "2026-03-04T09:00", dossier_code="H26.12-260303-0003"),
    ]
    answered = what_if(shorter, "-", "--now", NOW, given=written([*STORY, *paused]))
    lines = [" ".join(line.split()) for line in answered.out.splitlines()]
    assert "đang giải quyết 2 2 1 1 1 2 0 → 1" in lines
    assert "đã kết thúc 1 1 1 0 0 1 0" in lines
    assert "đang giải quyết kết luận trong hạn quá hạn 1" in lines
    assert "Chi nhánh số 12 (H26.12) 1.004441 2 2 0 → 1 1 1 0 1" in lines
    assert lines[-1].startswith("Cảnh báo nếu áp dụng vào lúc xét: 1 phát mới, 1 ")
    (first,) = [line for line in lines if line.startswith(FIRST)]
    assert "trong hạn → quá hạn" in first
    assert first.endswith("T2 09/03/2026 17:00:00 → T5 05/03/2026 17:00:00")
    (waiting,) = [line for line in lines if line.startswith("H26.12-260303-0003")]
    assert waiting.endswith("ban đầu T3 10/03/2026 17:00:00 → T6 06/03/2026 17:00:00")


def test_what_remains_in_a_pause_is_shown_where_its_due_date_stays(draft: Path) -> None:
    paused = [
        event(2, "2026-03-03T09:00", channel="online", due="2026-03-10T00:00"),
        event(5, "2026-03-04T09:00"),
    ]
    year = draft / "calendars" / "vn-2026.yaml"
    year.write_text(year.read_text().replace("days:\n", 'days:\n  - {date: 2026-03-06, off: true, decree: "bão"}\n'))
    answered = what_if(draft, "-", given=written(paused))
    assert "còn lại 4 ngày làm việc 7 giờ → 3 ngày làm việc 7 giờ" in answered.out


def test_the_list_is_bounded_and_says_how_much_more_there_is(shorter: Path) -> None:
    given = written(STORY)
    assert len(told(shorter, "-", "--now", NOW, "--limit", "1", given=given)["changes"]) == 1
    answered = what_if(shorter, "-", "--now", NOW, "--limit", "1", given=given)
    assert "… và 1 lần giải quyết nữa" in answered.out
    nothing_listed = what_if(shorter, "-", "--now", NOW, "--limit", "0", given=given)
    assert FIRST not in nothing_listed.out
    assert "đang giải quyết" in nothing_listed.out


def test_the_same_folder_changes_nothing_and_is_said_to_be_the_same(draft: Path) -> None:
    answered = what_if(draft, "-", given=written(STORY))
    assert answered.code == 0
    assert "Hai cấu hình giống hệt nhau." in answered.out
    assert "Không có hồ sơ nào thay đổi." in answered.out


def test_against_names_the_folder_to_compare_with(shorter: Path) -> None:
    found = told(ROOT / "config", "-", "--against", shorter, "--now", NOW, given=written(STORY))
    assert (found["against"]["config"], found["against"]["limits_version"]) == (str(shorter), 2)
    assert found["draft"]["limits_version"] == 1
    assert (found["open"]["overdue_before"], found["open"]["overdue_after"]) == (1, 0)


def test_other_patterns_of_codes_are_told(draft: Path) -> None:
    office = draft / "office.yaml"
    office.write_text(office.read_text() + 'codes: {dossier: "[A-Z].*"}\n')
    found = what_if(draft, "-", given=written(STORY))
    assert "quy định chung" in found.out
    assert "sự kiện được đọc theo mẫu đang áp dụng" in found.out


def test_a_generated_log_differs_as_its_two_replays_do(tmp_path: Path) -> None:
    draft = Path(shutil.copytree(CONFIG, tmp_path / "draft"))
    (draft / "limits.yaml").write_text(three_days((draft / "limits.yaml").read_text()))
    log = write_log(load(CONFIG).newest.home, now=at("2026-03-06T10:15"), dossiers=500)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(log.lines()))
    before, after = (
        [json.loads(line) for line in dunghan("replay", file, "--config", folder).out.splitlines()]
        for folder in (CONFIG, draft)
    )
    differing = {
        (was["dossier_code"], was["cycle"])
        for was, becomes in zip(before, after, strict=True)
        if any(was[name] != becomes[name] for name in COMPARED)
        or (was["clock"] != "running" and was["remaining_seconds"] != becomes["remaining_seconds"])
    }
    answered = what_if(draft, file, "--format", "json", "--limit", "500", against=CONFIG)
    found = json.loads(answered.out)
    assert {(change["dossier_code"], change["cycle"]) for change in found["changes"]} == differing
    assert len(differing) == found["open"]["changed"] + found["closed"]["changed"] > 50
    assert (answered.code, found["refused"]) == (3, len(BAD_LINES))
    assert all(f"[{reason}]" in answered.err for reason in BAD_LINES)
    assert answered.err.splitlines() == dunghan("replay", file, "--config", CONFIG).err.splitlines()


@pytest.mark.parametrize(
    "arguments", [(), ("-", "--from-clickhouse"), ("-", "--now", "yesterday"), ("-", "--limit=-1")]
)
def test_wrong_usage_is_refused(draft: Path, arguments: tuple[str, ...]) -> None:
    assert what_if(draft, *arguments).code == 2


def test_a_draft_is_asked_for() -> None:
    assert dunghan("what-if", "-").code == 2


def test_a_draft_with_a_fault_is_one_line_with_file_and_line(draft: Path) -> None:
    (draft / "office.yaml").write_text("calendar: vn\nreception: vn\nreceit: civil\n")
    answered = what_if(draft, "-", given=written(STORY))
    assert (answered.code, answered.out) == (1, "")
    assert f"{draft}/office.yaml:3: " in answered.err


def test_a_clickhouse_that_is_not_there_is_one_line(draft: Path) -> None:
    nowhere = {"DUNGHAN_CLICKHOUSE_PORT": "1", "DUNGHAN_CONFIG": str(ROOT / "config")}
    answered = dunghan("what-if", "--from-clickhouse", "--config", draft, settings=nowhere)
    assert (answered.code, answered.out) == (1, "")
    assert "[clickhouse_unavailable]" in answered.err
    assert len(answered.err.splitlines()) == 1


def test_every_aspect_and_every_action_has_a_word() -> None:
    assert ASPECTS.keys() == set(Aspect)
    assert ACTIONS.keys() == set(Action)
