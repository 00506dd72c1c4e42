"""What `explain` shows is the assessment, and every sum can be done by hand."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agents.config import check, load
from agents.explain import explain
from agents.explain_text import text
from agents.messages import clock_text
from schemas.alert import Action, Alert
from schemas.event import canonical
from schemas.limits import Limit
from streams.history import History, add
from streams.ledger import measure
from streams.rehearsal import rehearse
from streams.rules import Rules
from streams.verdict import assess
from tests.commands import ROOT, dunghan
from tests.explained import explained
from tests.hanoi import at, event, history, rules
from tests.madeup.log import CONFIG, write_log

RULES = load(ROOT / "config")
FIGURE = re.compile(r"\b[0-9]+:[0-9]{2}:[0-9]{2}(?:,[0-9]+)?(?![0-9:/])")
OVER_TET = history(
    event(2, "2026-02-12T09:10", channel="online", stage="Tiếp nhận"),
    event(4, "2026-02-12T15:00", stage="Thẩm định", processing_unit="H26.03"),
    event(5, "2026-02-13T10:00", processing_unit="H26.03"),
    event(4, "2026-02-23T11:00:30.5", processing_unit="H26.03"),
)

FACTS = """\
Lần giải quyết 1: Đang xử lý · trong hạn, đồng hồ đang chạy
  Thủ tục               1.004441, nộp trực tuyến
  Đơn vị                Chi nhánh số 3 (H26.03)
  Thời hạn              5 ngày làm việc
  Hạn ban đầu           T5 26/02/2026 17:00:00
  Hạn hiện tại          T2 02/03/2026 09:00:30,5
  Hạn không kể gia hạn  T2 02/03/2026 09:00:30,5
  Còn lại               6 giờ (6:00:30,5)
  Mức cảnh báo          sắp đến hạn
  Theo QĐ 766           đúng hạn
  Xét lại lúc           T2 02/03/2026 00:00:00
"""
COUNTED = """
  Tiếp nhận T5 12/02/2026 09:10:00: ngày nhận là T5 12/02/2026 (lịch vn-saturday).
  Không tính ngày đầu tiên (Bộ luật Dân sự 2015, Điều 147).
  Chỉ đếm ngày làm việc, bỏ qua ngày nghỉ.
  Hết hạn vào lúc đóng cửa của ngày cuối: T5 26/02/2026 17:00:00.
  Các ngày được đếm: 1. T6 13/02 · 2. T2 23/02 · 3. T3 24/02 · 4. T4 25/02 · 5. T5 26/02
  Ngày nghỉ: T2 16/02/2026, T3 17/02/2026, T4 18/02/2026, T5 19/02/2026, T6 20/02/2026 (TB 9441/TB-BNV)
"""
LEDGER = """
  Đơn vị  Bước       Đồng hồ   Giải quyết   Tạm dừng  Ngoài giờ         Cộng
  H26.12  Tiếp nhận  chạy         4:50:00    0:00:00    1:00:00      5:50:00
  H26.03  Thẩm định  chạy         4:00:00    0:00:00   15:00:00     19:00:00
  H26.03  Thẩm định  tạm dừng     0:00:00  9:00:30,5  232:00:00  241:00:30,5
  H26.03  Thẩm định  chạy        31:59:29,5    0:00:00   64:00:00   95:59:29,5
"""


def lines_of(known: History, office: Rules, now: datetime) -> list[str]:
    return list(text(explain(known, office, {}, now=now)))


def length(figure: str) -> timedelta:
    hours, minutes, seconds = figure.replace(",", ".").split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))


def figures(line: str) -> list[timedelta]:
    """The four figures at the end of a line of the table."""
    return [length(found) for found in FIGURE.findall(line)[-4:]]


def table(lines: list[str]) -> tuple[list[str], str]:
    """The lines of the first table, and its last, with the sums."""
    start = next(number for number, line in enumerate(lines) if "Giải quyết" in line and "Ngoài giờ" in line)
    end = next(number for number in range(start, len(lines)) if lines[number].strip().startswith("Cộng"))
    return lines[start + 1 : end], lines[end]


def test_a_pause_over_tet_reads_as_a_clerk_would_write_it() -> None:
    told = "\n".join(text(explained(OVER_TET, at("2026-02-27T11:00"))))
    assert told.startswith("Hồ sơ H26.12-260302-0001 · xét đến T6 27/02/2026 11:00:00 (Asia/Ho_Chi_Minh)\n\n" + FACTS)
    assert COUNTED in told
    for words in LEDGER.strip().splitlines():
        assert " ".join(words.split()) in " ".join(told.split())
    assert "40:49:29,5 + 9:00:30,5 + 312:00:00 = 361:50:00" in told
    assert "Lịch vn: T2–T6 08:00–12:00, 13:00–17:00" in told
    assert "Lịch tiếp nhận vn-saturday: T2–T6 08:00–12:00, 13:00–17:00; T7 08:00–12:00" in told
    assert "còn 42:00:00 trong 46:50:00 (đã dùng 4:50:00)" in told
    assert "cộng phần còn lại 4 ngày làm việc 6 giờ (38:00:00), hạn thành T2 02/03/2026 09:00:30,5." in told


@pytest.mark.parametrize("moment", ["2026-11-25T12:00:00+07:00", "2026-02-18T10:00:00+07:00"])
def test_every_figure_is_the_assessment_s_and_every_column_adds_up(moment: str) -> None:
    office = load(CONFIG)
    log = write_log(office.newest.home, now=datetime.fromisoformat(moment).astimezone(UTC), dossiers=500)
    for told in log.dossiers:
        known = History(told.code)
        for one in told.events:
            known = add(known, one)
        (cycle,) = assess(known, office, now=log.now).cycles
        lines = lines_of(known, office, log.now)
        if not cycle.segments:
            continue
        spent = measure(cycle, office, now=log.now)
        rows, total = table(lines)
        sums = figures(total)
        assert sums == [spent.working, spent.paused, spent.off, spent.wall], told.code
        assert [sum(column, timedelta()) for column in zip(*map(figures, rows), strict=True)] == sums, told.code
        assert all(sum(row[:3], timedelta()) == row[3] for row in map(figures, rows)), told.code
        assert not any("≠" in line for line in lines)


def test_a_due_time_an_unknown_unit_and_lateness_are_told() -> None:
    late = history(
        event(2, "2026-03-02T09:00", processing_unit="Z1", due="2026-03-03T00:00"),
        event(9, "2026-03-04T09:00", processing_unit="Z1"),
    )
    told = "\n".join(lines_of(late, RULES, at("2026-03-05T09:00")))
    assert "Lần giải quyết 1: Đã xử lý xong · quá hạn\n" in told
    assert "Quá hạn               1 giờ (1:00:00), tại Z1" in told
    assert "phải gửi thư xin lỗi" in told


def test_a_made_up_day_and_a_calendar_round_the_clock_are_named() -> None:
    office = load(CONFIG)
    worked = history(event(2, "2026-01-09T16:00"), event(9, "2026-01-10T09:00"))
    told = "\n".join(lines_of(worked, RULES, at("2026-01-12T09:00")))
    assert "Làm bù: T7 10/01/2026" in told
    open_always = history(event(2, "2026-01-09T16:00", processing_unit="H26.24"))
    assert "Lịch lien-tuc: T2–CN 00:00–24:00" in "\n".join(lines_of(open_always, office, at("2026-01-09T17:00")))


def test_what_never_started_has_no_table() -> None:
    refused = history(event(1, "2026-03-02T09:00"), event(3, "2026-03-02T10:00"))
    told = "\n".join(lines_of(refused, RULES, at("2026-03-03T09:00")))
    assert "Lần giải quyết 1: Không được tiếp nhận · không được tiếp nhận" in told
    assert "Ngoài giờ" not in told


def test_two_cycles_have_a_table_each_and_a_letter_alone_has_none() -> None:
    reopened = history(event(2, "2026-03-02T09:00"), event(9, "2026-03-03T09:00"), event(4, "2026-03-04T09:00"))
    told = "\n".join(lines_of(reopened, rules(), at("2026-03-05T09:00")))
    assert told.count("Ngoài giờ") == 2
    letter = history(event(None, "2026-03-02T09:00", kind="letter", letter="apology"))
    assert lines_of(letter, rules(), at("2026-03-05T09:00"))[-1] == "Chưa có sự kiện nào về trạng thái."


def test_lengths_keep_their_decimals_so_that_they_can_be_added() -> None:
    assert clock_text(timedelta(hours=30, seconds=0.25)) == "30:00:00,25"


def test_the_command_explains_a_dossier_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(canonical(one) + b"\n" for one in OVER_TET.events))
    options = ("--from", file, "--now", "2026-02-27T11:00:00+07:00", "--config", ROOT / "config")
    answered = dunghan("explain", OVER_TET.dossier_code, *options)
    assert answered.code == 0
    assert answered.out.splitlines() == list(text(explained(OVER_TET, at("2026-02-27T11:00"))))
    unknown = dunghan("explain", "H26.12-260302-0009", *options)
    assert (unknown.code, unknown.out) == (1, "")
    assert unknown.err.endswith("has no dossier H26.12-260302-0009 [dossier_unknown]\n")


def test_the_reason_of_every_standing_is_worded() -> None:
    """Each state that a verdict, a limit, a hand-over or an alert can be in has its own sentence."""
    start, end = event(2, "2026-03-02T09:00", channel="online"), event(9, "2026-03-03T09:00")
    worded = {
        "Dừng trước khi đến mức cảnh báo nào.": history(start, end),
        "Kết thúc T3 03/03/2026 09:00:00. Hạn T2 09/03/2026 17:00:00; so theo ngày": history(start, end),
        "Không có cảnh báo nào": history(start, end),
        "Công dân rút T3 03/03/2026 09:00:00.": history(start, event(7, "2026-03-03T09:00")),
        "Tạm dừng trước khi đến mức cảnh báo nào": history(start, event(5, "2026-03-03T09:00")),
        "Đồng hồ dừng từ T3 03/03/2026 09:00:00, còn 39:00:00.": history(start, event(5, "2026-03-03T09:00")),
        "Đồng hồ dừng từ T3 10/03/2026 09:00:00, khi đã quá hạn.": history(start, event(5, "2026-03-10T09:00")),
        "Không có hạn, nên không có mức cảnh báo nào.": history(event(2, "2026-03-02T09:00")),
        "không bao giờ tính là đúng hạn": history(event(2, "2026-03-02T09:00")),
        "Lý do: không có hạn để so.": history(event(2, "2026-03-02T09:00")),
        "áp dụng cho mọi hồ sơ": history(event(2, "2026-03-02T09:00")),
        "yêu cầu bổ sung hơn một lần": history(
            start, event(5, "2026-03-03T09:00"), event(4, "2026-03-04T09:00"), event(5, "2026-03-05T09:00")
        ),
        "hệ thống nguồn gửi kèm hồ sơ": history(event(2, "2026-03-02T09:00", limit=Limit("hour", 4))),
        "so theo giây: quá hạn từ T2 02/03/2026 14:00:01": history(
            event(2, "2026-03-02T09:00", limit=Limit("hour", 4))
        ),
        "đã quá hạn 2:00:00": history(start, event(4, "2026-03-10T10:00", processing_unit="H26.03")),
        "đã dùng 8:00:00, không có hạn": history(
            event(2, "2026-03-02T09:00"), event(4, "2026-03-03T09:00", processing_unit="H26.03")
        ),
        "không có thời hạn quy định: không có quy tắc nào áp dụng.": history(event(8, "2024-03-02T09:00")),
        "Hồ sơ chưa bắt đầu nên không tính.": history(event(1, "2026-03-02T09:00")),
        "trường hợp a, nộp bưu chính": history(event(2, "2026-03-02T09:00", channel="post", case="a")),
        "Không tính 1 sự kiện đã bị huỷ hoặc trùng mã: gone": history(
            start,
            event(4, "2026-03-03T09:00", event_id="gone"),
            event(None, "2026-03-03T10:00", kind="void", voids="gone"),
        ),
        "Không tính 1 sự kiện sau thời điểm xét.": history(start, event(9, "2026-04-03T09:00")),
    }
    for words, known in worded.items():
        now = at("2024-03-20T09:00") if known.events[0].at.year == 2024 else at("2026-03-20T09:00")
        assert words in "\n".join(lines_of(known, RULES, now)), words


def test_what_was_really_told_stands_beside_what_was_due_to_be_told() -> None:
    known, now = history(event(2, "2026-03-02T09:00", channel="online")), at("2026-03-10T09:00")
    folder, _ = check(ROOT / "config")
    assert folder is not None
    due = [told.alert for told in rehearse(known, folder.rules, now=now)]
    *lower, overdue = due
    assert [alert.level.value for alert in due if alert.open] == ["near_due", "due_today", "overdue"]

    def sheet(*sent: Alert) -> list[str]:
        explanation = explain(known, folder.rules, {}, sent=sent, now=now)
        lines = list(text(explanation))
        return lines[lines.index("  Cảnh báo đã ghi") + 1 :]

    assert sheet() == [
        "  Chưa có cảnh báo nào được ghi cho hồ sơ này.",
        *(
            f"  Mức {level} từ {since}: chưa được ghi. Hồ sơ được nạp lại từ quá khứ, hoặc kết quả chưa về đến đây."
            for level, since in (("quá hạn", "T3 10/03/2026 00:00:00"),)
        ),
    ]
    late = replace(overdue, found_late=True)
    assert sheet(*lower, late)[-1].split("  ")[-1] == "muộn"
    resolved = replace(overdue, action=Action.RESOLVE, reason="paused", sequence=2)
    assert sheet(*lower, overdue, resolved)[-1] == (
        "  Mức quá hạn từ T3 10/03/2026 00:00:00: đã ghi và đã kết thúc (hồ sơ tạm dừng); "
        "mỗi mức của một hạn chỉ báo một lần."
    )


def test_levels_that_are_still_to_come_are_told() -> None:
    told = "\n".join(lines_of(history(event(2, "2026-03-02T09:00", channel="online")), RULES, at("2026-03-02T10:00")))
    assert "Chưa đến mức cảnh báo nào." in told
    assert re.search(r"đến hạn hôm nay +T2 09/03/2026 00:00:00 +sắp tới", told)
    late = "\n".join(lines_of(history(event(2, "2026-03-02T09:00", channel="online")), RULES, at("2026-03-10T10:00")))
    assert re.search(r"quá hạn +T3 10/03/2026 00:00:00 +đang ở mức này", late)
