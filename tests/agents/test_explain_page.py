"""The page, the JSON and the judgement tell the same figures; nothing in the page is loaded or run."""

import re
from datetime import date, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

import orjson

from agents.explain_json import as_json
from agents.explain_page import page
from schemas.event import canonical
from streams.ledger import measure, seconds
from streams.replay import rows
from streams.verdict import assess
from tests.commands import ROOT, dunghan
from tests.explained import EVERYTHING, NOW, Page, explained
from tests.hanoi import at, event, history

EXPLAINED = explained(EVERYTHING)


def as_read(value: dict[str, Any] | None = None) -> dict[str, Any]:
    """The JSON as another program gets it."""
    read: dict[str, Any] = orjson.loads(orjson.dumps(value or as_json(EXPLAINED)))
    return read


JSON, HTML = as_read(), "\n".join(page(EXPLAINED))
PAGE = Page(HTML)


def exact(*values: object) -> list[str]:
    """Figures of the JSON as the page writes them: lengths without a needless ``.0``; absent ones not at all."""
    return [f"{value:.15g}" if isinstance(value, int | float) else str(value) for value in values if value is not None]


def scalars(value: object) -> set[str]:
    """Every value in the JSON, at any depth, and the day of every instant."""
    if isinstance(value, dict):
        return set().union(*map(scalars, value.values())) if value else set()
    if isinstance(value, list):
        return set().union(*map(scalars, value)) if value else set()
    return set(exact(value)) if value is not None and not isinstance(value, bool) else set()


def test_the_answer_of_each_cycle_is_its_row_of_replay() -> None:
    answers = [cycle["answer"] for cycle in JSON["cycles"]]
    assert answers == as_read({"rows": list(rows(EVERYTHING, EXPLAINED.rules, now=NOW))})["rows"]
    assert [answer["clock"] for answer in answers] == ["stopped", "paused"]


def test_the_figures_of_the_json_are_the_assessment_s() -> None:
    for cycle, told in zip(assess(EVERYTHING, EXPLAINED.rules, now=NOW).cycles, JSON["cycles"], strict=True):
        spent = measure(cycle, EXPLAINED.rules, now=NOW)
        parts = {"running": spent.working, "paused": spent.paused, "off": spent.off, "wall": spent.wall}
        assert told["total"] == {f"{name}_seconds": seconds(length) for name, length in parts.items()}
        for name, length in parts.items():
            added = sum((timedelta(seconds=part[f"{name}_seconds"]) for part in told["segments"]), timedelta())
            assert added == length, name
        for segment, part in zip(cycle.segments, told["segments"], strict=True):
            assert datetime.fromisoformat(part["begin"]) == segment.begin
            assert datetime.fromisoformat(part["end"]) == (segment.end or NOW)
            assert (part["unit"], part["stage"], part["stands"]) == (segment.unit, segment.stage, segment.paused)
            assert part["running_seconds"] + part["paused_seconds"] + part["off_seconds"] == part["wall_seconds"]
        assert told["policy_version"] == cycle.policy_version
        assert [level["level"] for level in told["levels"]] == [stay.level for stay in cycle.levels]


def test_each_row_of_the_page_has_the_figures_of_the_json() -> None:
    for cycle in JSON["cycles"]:
        number = cycle["answer"]["cycle"]
        parts = [
            exact(part["begin"], part["end"], *(part[f"{n}_seconds"] for n in ("running", "paused", "off", "wall")))
            for part in cycle["segments"]
        ]
        assert PAGE.exact[f"segments-{number}"] == [[], *parts, exact(*cycle["total"].values())]
        happened = PAGE.exact[f"events-{number}"][1:]
        assert [row[0] for row in happened] == [event["at"] for event in cycle["events"]]
        assert [row[0] for row in PAGE.tables[f"events-{number}"][1:]] == [str(e["number"]) for e in cycle["events"]]
        for row, told in zip(happened, cycle["events"], strict=True):
            assert set(row[1:]) <= scalars(told["moves"])
            for move in told["moves"]:
                assert set(exact(move["remaining_seconds"])) <= set(row)
        levels = [exact(stay["begin"], stay["end"], stay["due"]) for stay in cycle["levels"] + cycle["upcoming_levels"]]
        assert PAGE.exact.get(f"levels-{number}", [[]]) == [[], *levels]


def test_the_hand_overs_alerts_and_dues_of_the_page_are_those_of_the_json() -> None:
    first, second = JSON["cycles"]
    handed = [
        exact(each["at"], each["left_seconds"], each["budget_seconds"], each["used_seconds"])
        for each in first["handovers"]
    ]
    assert PAGE.exact["handovers-1"] == [[], *handed]
    assert len(handed) == 2
    assert PAGE.exact["alerts-all"] == [[], *(exact(told["at"], told["due"]) for told in JSON["alerts"])]
    assert JSON["alerts"]
    facts = {row[0]: figures for row, figures in zip(PAGE.tables["facts-1"], PAGE.exact["facts-1"], strict=True)}
    assert facts["Hạn ban đầu"] == [first["answer"]["due_original"]]
    assert facts["Hạn hiện tại"] == [first["answer"]["due_current"]]
    assert facts["Hạn không kể gia hạn"] == [first["due_unextended"]]
    assert facts["Quá hạn"] == exact(*[first["answer"]["late_working_seconds"]] * 2)
    remaining = {row[0]: figures for row, figures in zip(PAGE.tables["facts-2"], PAGE.exact["facts-2"], strict=True)}
    assert remaining["Còn lại"] == exact(*[second["answer"]["remaining_seconds"]] * 2)


def test_no_figure_of_the_page_is_missing_from_the_json() -> None:
    assert {value for _, value, _ in PAGE.figures} - scalars(JSON) == set()
    assert len(PAGE.figures) > 150


def test_what_is_shown_is_the_exact_figure_as_people_write_it() -> None:
    for tag, value, shown in PAGE.figures:
        if tag == "data" and re.fullmatch(r"[0-9]+:[0-9]{2}:[0-9]{2}(,[0-9]+)?", shown):
            hours, minutes, rest = shown.replace(",", ".").split(":")
            assert float(value) == int(hours) * 3600 + int(minutes) * 60 + float(rest)
        elif tag == "time" and ":" in shown:
            instant = datetime.fromisoformat(value)
            assert shown.split(" ", 1)[1].split(",")[0] == f"{instant:%d/%m/%Y %H:%M:%S}"
        elif tag == "time":
            day = datetime.fromisoformat(value).date() if "T" in value else date.fromisoformat(value)
            assert shown.split(" ")[1] in (f"{day:%d/%m}", f"{day:%d/%m/%Y}")
        else:
            assert re.search(r"ngày làm việc|giờ|phút|giây", shown), shown


def test_the_page_loads_nothing_runs_nothing_and_closes_what_it_opens() -> None:
    tags = {tag for tag, _ in PAGE.tags}
    assert tags.isdisjoint({"script", "link", "img", "iframe", "object", "embed", "form", "base"})
    names = {name for _, attributes in PAGE.tags for name in attributes}
    assert names.isdisjoint({"src", "href", "xlink:href", "srcset", "action"})
    assert not any(name.startswith("on") for name in names)
    assert "@import" not in HTML
    assert set(re.findall(r"url\(([^)]*)\)", HTML)) == {"#off", "#pause", "#late"}
    assert "http" not in HTML
    for tag in tags - {"meta", "rect", "line", "path"}:
        assert len(re.findall(f"<{tag}[ >\\n]", HTML)) == HTML.count(f"</{tag}>"), tag
    ids = re.findall(r' id="([^"]+)"', HTML)
    assert len(ids) == len(set(ids))


def test_the_page_says_in_its_title_what_and_when() -> None:
    assert f"<title>Hồ sơ {EVERYTHING.dossier_code}, xét đến T5 12/03/2026 14:00:00</title>" in HTML
    assert '<html lang="vi">' in HTML
    assert '<meta charset="utf-8">' in HTML
    assert "@media print" in HTML


def test_what_others_wrote_is_escaped_everywhere() -> None:
    nasty = "<script>alert('x')</script>&\"'"
    known = history(
        event(2, "2026-03-02T09:00", stage=nasty, processing_unit=nasty, case=nasty),
        event(4, "2026-03-03T09:00", stage=nasty + "2", processing_unit=nasty),
        event(5, "2026-03-04T09:00", event_id=nasty, processing_unit=nasty),
        event(None, "2026-03-05T09:00", kind="void", voids=nasty),
    )
    text = "\n".join(page(explained(known)))
    assert "<script" not in text
    assert nasty not in text
    assert text.count(escape(nasty)) > 10


def test_the_picture_shows_pauses_dues_breach_and_every_event() -> None:
    drawn = HTML[HTML.index('<figure id="timeline">') : HTML.index("</figure>")]
    for kind in ("closed", "open", "run", "stand", "late"):
        assert f'<rect class="{kind}"' in drawn, kind
    for kind in ("due", "past-due", "breach", "now"):
        assert re.search(f'<line class="{kind}" x1="[0-9.]+" x2="[0-9.]+" y1="21"', drawn), kind
    ticks = re.findall(r'<text class="tick"[^>]*>([0-9]+)</text>', drawn)
    assert ticks == [str(number) for number in range(1, 13)]
    assert drawn.count('<svg class="week"') == 6
    assert "H26.03 · Thẩm định" in drawn


def test_events_that_crowd_share_one_label() -> None:
    crowd = history(*(event(2 if minute == 0 else 4, f"2026-03-02T09:{minute:02}") for minute in range(12)))
    drawn = "\n".join(page(explained(crowd)))
    assert re.findall(r'<text class="tick"[^>]*>([^<]+)</text>', drawn) == ["1–12"]
    assert drawn.count('<path class="tick"') == 12


def test_weeks_in_which_nothing_happens_are_folded_into_one_line() -> None:
    long = history(event(2, "2026-03-02T09:00"), event(5, "2026-03-03T09:00"), event(4, "2026-06-02T09:00"))
    drawn = "\n".join(page(explained(long, at("2026-06-03T09:00"))))
    assert drawn.count('<svg class="week"') == 3
    assert "12 tuần không có sự kiện hay hạn nào" in drawn


def test_an_open_round_the_clock_office_across_new_year_is_drawn() -> None:
    known = history(event(2, "2026-12-31T09:00", processing_unit="H26.24"))
    drawn = "\n".join(page(explained(known, at("2027-01-01T09:00"), "tests/madeup/config")))
    assert 'class="run" x="330.0"' not in drawn
    assert '<rect class="run"' in drawn


def test_a_dossier_that_never_started_has_no_picture() -> None:
    refused = history(event(1, "2026-03-02T09:00"), event(3, "2026-03-02T10:00"))
    text = "\n".join(page(explained(refused)))
    assert "<figure" not in text
    assert "Không được tiếp nhận" in text
    letter = history(event(None, "2026-03-02T09:00", kind="letter", letter="apology"))
    assert "Chưa có sự kiện nào về trạng thái." in "\n".join(page(explained(letter)))


def test_the_command_writes_the_page_and_the_json(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(canonical(one) + b"\n" for one in EVERYTHING.events))
    options = ("--from", file, "--now", NOW.isoformat(), "--config", ROOT / "config")
    shown = dunghan("explain", EVERYTHING.dossier_code, *options, "--format", "html")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == HTML + "\n"
    told = dunghan("explain", EVERYTHING.dossier_code, *options, "--format", "json")
    assert told.code == 0
    assert orjson.loads(told.out) == JSON
