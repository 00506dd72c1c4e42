"""What is written is true: generated files are current, links lead somewhere, every reason has its entry."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from agents.cli import generate
from agents.drivers.clickhouse import REASONS
from agents.settings import PREFIX, Settings
from dashboards.alarms import ALARMS
from schemas import metrics, topics
from schemas.errors import DEAD_LETTER_REASONS
from tests.commands import ROOT, dunghan

PAGES = [
    ROOT / "README.md",
    ROOT / "README.vi.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "examples").rglob("*.md"),
]
FAILURES = ("DunghanError", "InvalidRecord", "Unavailable", "LeaseLost", "ConfigError")
COMMANDS = re.compile(r"dunghan ([a-z]+(?:-[a-z]+)*)")


def reasons() -> Iterator[tuple[str, str]]:
    """Every reason code that the program can give, every anchor that an alarm names, and where."""
    yield from ((reason, "schemas/errors.py") for reason in DEAD_LETTER_REASONS)
    yield from ((reason, "agents/drivers/clickhouse.py") for reason in REASONS)
    yield from ((reason, "agents/drivers/kafka.py") for reason in ("kafka_unavailable", "kafka_refused"))
    yield from ((alarm.anchor, "dashboards/alarms.py") for alarm in ALARMS)
    for room in ("schemas", "streams", "agents"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FAILURES:
                    first = node.args[0] if node.args else None
                    if isinstance(first, ast.Constant) and isinstance(first.value, str):
                        yield first.value, path.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """What a link to the page can name: headings as they are rendered, and anchors set by hand."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    rendered = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return rendered | set(re.findall(r'<a id="([^"]+)">', text))


def test_the_generated_files_are_current() -> None:
    assert generate.stale(ROOT, generate.generated()) == []


def test_a_stale_a_missing_and_a_foreign_file_are_named(tmp_path: Path) -> None:
    texts = {"docs/reference/a.md": "new", "docs/reference/b.md": "there"}
    (tmp_path / "docs" / "reference").mkdir(parents=True)
    for name, text in (("a.md", "old"), ("b.md", "there"), ("c.md", "")):
        (tmp_path / "docs" / "reference" / name).write_text(text)
    assert generate.stale(tmp_path, texts) == ["docs/reference/a.md", "docs/reference/c.md"]
    (tmp_path / "docs" / "reference" / "b.md").unlink()
    assert "docs/reference/b.md" in generate.stale(tmp_path, texts)


@pytest.mark.parametrize("name", ["event", "judgement", "alert", "look", "dead-letter", "feed"])
def test_a_schema_has_its_dialect_and_a_name_without_a_host(name: str) -> None:
    schema = orjson.loads((ROOT / "docs" / "reference" / f"{name}.v1.json").read_bytes())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"{name}.v1.json"


def test_every_reason_has_an_entry_in_the_runbook() -> None:
    known = anchors(ROOT / "docs" / "runbook.md")
    assert [(reason, where) for reason, where in sorted(set(reasons())) if reason not in known] == []


def test_the_runbook_has_no_reason_that_the_program_does_not_give() -> None:
    written = set(re.findall(r'<a id="([^"]+)">', (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")))
    assert written - {reason for reason, _ in reasons()} == set()


def test_every_setting_metric_and_topic_has_its_line_in_the_reference() -> None:
    pages = {
        name: (ROOT / "docs" / "reference" / f"{name}.md").read_text() for name in ("settings", "metrics", "topics")
    }
    assert all(f"`{PREFIX}{name.upper()}`" in pages["settings"] for name in Settings.model_fields)
    assert all(f"`{metric.name}`" in pages["metrics"] for metric in metrics.ALL)
    assert all(f"`{topic.name}`" in pages["topics"] for topic in topics.ALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_every_command_that_a_page_names_is_there() -> None:
    said = dunghan("--help").out
    known = set(re.findall(r"│ ([a-z][a-z-]*) ", said))
    assert known, said
    for page in PAGES:
        named = set(COMMANDS.findall(page.read_text(encoding="utf-8")))
        assert named <= known, page


def test_every_command_explains_itself_and_stands_in_the_readme() -> None:
    commands = re.findall(r"│ ([a-z][a-z-]*) ", dunghan("--help").out)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Commands") : readme.index("## Read on")]
    for command in commands:
        assert dunghan(command, "--help").code == 0, command
        assert f"`{command}" in table, command
