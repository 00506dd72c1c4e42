"""The pages for users say what the program does: their examples are run, their figures are the program's."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain

import orjson
import pytest

from agents import messages
from agents.cli import generate
from agents.config import load
from agents.drivers.local_clickhouse import CONFIG, USERS
from agents.publish import Refused, office_check, read_jsonl
from schemas.errors import DEAD_LETTER_REASONS
from schemas.event import REQUIRED, Event, canonical, read_event
from schemas.limits import Limit
from tests.commands import ROOT, dunghan
from tests.hanoi import event

SUPERVISOR, UPSTREAM, OPERATOR = (
    (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("supervisor", "upstream", "operator")
)
ENGLISH, VIETNAMESE = (ROOT.joinpath(name).read_text(encoding="utf-8") for name in ("README.md", "README.vi.md"))
PICTURED = ROOT / "docs" / "images" / "dossier.jsonl"
CODE = "H26.12-260302-0014"

#: "T2 09/03/2026 17:00", "T3 10/03", "9:00:00": what a page takes from an explanation.
FIGURES = re.compile(r"(?:T[2-7]|CN) \d\d/\d\d(?:/\d{4})?(?: \d\d:\d\d)?|\b\d+:\d\d:\d\d\b")


def section(page: str, heading: str) -> str:
    """What stands below a heading, up to the next of its rank or higher."""
    (rank, text) = re.findall(rf"^(#+) {re.escape(heading)}\n(.*)", page, flags=re.DOTALL | re.MULTILINE)[0]
    return str(re.split(rf"^#{{1,{len(rank)}}} ", text, maxsplit=1, flags=re.MULTILINE)[0])


def explained(events: bytes, code: str, now: str) -> str:
    """What `dunghan explain` says of a dossier."""
    said = dunghan("explain", code, "--from", "-", "--now", now, given=events)
    assert said.code == 0, said.err
    return said.out


def test_the_supervisor_finds_every_word_of_a_screen_or_an_alert() -> None:
    tables = (messages.VERDICTS, messages.VERDICTS_766, messages.CLOCKS, messages.LEVELS, messages.ACTIONS)
    words = {*chain.from_iterable(table.values() for table in tables), *messages.FLAGS.values()}
    assert {word for word in words if f"**{word}**" not in SUPERVISOR} == set()


@pytest.mark.parametrize(
    "heading", ["Cuộc đời của một hồ sơ", "Ví dụ 2: tạm dừng chờ bổ sung", "Hai cách chấm đúng hạn"]
)
def test_the_figures_of_the_picture_are_those_of_its_explanation(heading: str) -> None:
    said = explained(PICTURED.read_bytes(), CODE, "2026-03-12T08:00:00+07:00")
    figures = FIGURES.findall(section(SUPERVISOR, heading))
    assert figures
    assert [figure for figure in figures if figure not in said] == []


def test_the_life_in_the_picture_is_the_worked_example_of_two_scores() -> None:
    said = explained(PICTURED.read_bytes(), CODE, "2026-03-12T08:00:00+07:00")
    assert "Theo giờ làm việc: quá hạn." in said
    assert "Theo QĐ 766: đúng hạn." in said
    assert "tại Chi nhánh số 3" in said


def test_the_days_of_the_term_over_tet_are_those_that_the_program_counts() -> None:
    received = event(2, "2026-02-13T10:00", dossier_code="H26.12-260213-0001", limit=Limit("working_day", 3))
    said = explained(canonical(received), received.dossier_code, "2026-02-13T10:00:00+07:00")
    page = section(SUPERVISOR, "Ví dụ 1: thời hạn qua Tết")
    days = re.findall(r"^\| (T\d \d\d/\d\d) \| (\d) \|$", page, flags=re.MULTILINE)
    assert f"Các ngày được đếm: {' · '.join(f'{number}. {day}' for day, number in days)}\n" in said
    (due,) = re.findall(r"Hạn: \*\*(.*?)\*\*", page)
    assert f"Hạn ban đầu           {due}:00\n" in said


def examples() -> list[bytes]:
    """The events that the page for publishing systems shows."""
    return [text.encode() for text in re.findall(r"```json\n(.*?)```", UPSTREAM, flags=re.DOTALL)]


def changes() -> Iterator[tuple[str, str]]:
    """What is refused there: a change of the first example, and the reason."""
    yield from re.findall(
        r"^\| `(\".*?)` \| `(\w+)` \| \[runbook\]\(runbook\.md#\2\) \|$", UPSTREAM, flags=re.MULTILINE
    )


def test_every_event_that_is_shown_is_accepted_and_every_kind_is_shown() -> None:
    events = [read_event(example) for example in examples()]
    assert {event.kind for event in events} == REQUIRED.keys()
    assert {event.status for event in events} >= {2, 5}
    assert any(event.limit for event in events)
    check = office_check(load(ROOT / "config"), datetime(2027, 1, 1, tzinfo=UTC))
    for each in events:
        check(each)


@pytest.mark.parametrize(("change", "reason"), list(changes()))
def test_what_is_refused_is_refused_for_the_reason_that_is_said(change: str, reason: str) -> None:
    changed = orjson.loads(examples()[0]) | orjson.loads(f"{{{change}}}")
    check = office_check(load(ROOT / "config"), datetime(2027, 1, 1, tzinfo=UTC))
    (row,) = read_jsonl(BytesIO(orjson.dumps(changed)), check)
    assert isinstance(row, Refused)
    assert row.reason == reason


def test_every_reason_is_told_with_its_entry_in_the_runbook() -> None:
    assert [reason for reason in DEAD_LETTER_REASONS if f"runbook.md#{reason})" not in UPSTREAM] == []


def test_every_field_has_its_line_and_every_kind_what_it_needs() -> None:
    fields = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section(UPSTREAM, "The fields"), flags=re.MULTILINE)
    named = {name for cell in fields for name in re.findall(r"\w+", cell)}
    assert named == {*Event.__slots__, *REQUIRED}
    for kind, needed in REQUIRED.items():
        assert f"| `{kind}` | {', '.join(f'`{name}`' for name in needed)} |" in UPSTREAM


def test_the_operator_s_users_and_backup_folder_are_those_that_are_tested() -> None:
    users = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", section(OPERATOR, "Install"), re.MULTILINE)))
    )
    assert users == set(re.findall(r"^    <(\w+)>$", USERS.template.partition("<users>")[2], flags=re.MULTILINE))
    (folder,) = re.findall(r"```xml\n(.*?)\n```", OPERATOR)
    assert folder in CONFIG.template


def test_a_translation_is_given_the_blocks_of_the_original_and_those_without_a_place_at_its_end() -> None:
    original, translated = "a\n\n```\none\n```\n\nb\n\n```sql\ntwo\n```\n", "á\n\n```\nold\n```\n\nbé\n"
    filled = generate.with_blocks_of(original, translated)
    assert filled == "á\n\n```\none\n```\n\nbé\n\n```sql\ntwo\n```\n"
    assert generate.with_blocks_of(original, filled) == filled


def blocks(page: str) -> list[str]:
    """What stands between fences."""
    return re.findall(r"^```.*?^```$", page, flags=re.DOTALL | re.MULTILINE)


def test_both_readmes_have_the_same_blocks_commands_links_and_chapters() -> None:
    assert blocks(ENGLISH) == blocks(VIETNAMESE)
    prose = [re.sub(r"^```.*?^```$", "", page, flags=re.DOTALL | re.MULTILINE) for page in (ENGLISH, VIETNAMESE)]
    for pattern in (r"`[^`\n]+`", r"\]\((?!README)([^)]+)\)"):
        english, vietnamese = (set(re.findall(pattern, page)) for page in prose)
        assert english == vietnamese
    for pattern in (r"^#+ ", r"^\| `"):
        english_lines, vietnamese_lines = (re.findall(pattern, page, flags=re.MULTILINE) for page in prose)
        assert english_lines == vietnamese_lines
