"""The rooms keep their rules: what import-linter cannot see (calls, sizes and names) is looked for here."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("schemas", "streams", "agents", "dashboards")
MODULES = sorted(path.relative_to(ROOT) for room in ROOMS for path in (ROOT / room).rglob("*.py"))
PURE = [module for module in MODULES if module.parts[0] in ("schemas", "streams")]

LONGEST = 300  # lines; a longer module holds two nouns
# Words that say nothing, so that anything ends up under them.
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "manager", "managers", "handler", "misc", "data"}
# A decision that reads a clock or a file cannot be replayed.
IMPURE_CALLS = {
    "__import__", "breakpoint", "date.today", "datetime.now", "datetime.today", "datetime.utcnow", "eval", "exec",
    "input", "open", "print", "time.monotonic", "time.time", "uuid.uuid1", "uuid.uuid4", "uuid1", "uuid4",
}  # fmt: skip


def name_of(function: ast.expr) -> str:
    """The name as it is written, at most its last two parts: `datetime.datetime.now` is `datetime.now`."""
    match function:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name):
            return f"{owner}.{name}"
        case _:
            return ""


def impure_calls(source: str) -> Iterator[tuple[int, str]]:
    """Each call that reads a clock or touches the outside: its line and name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and (name := name_of(node.func)) in IMPURE_CALLS:
            yield node.lineno, name


@pytest.mark.parametrize("module", PURE, ids=str)
def test_a_pure_module_reads_no_clock_and_touches_nothing(module: Path) -> None:
    assert list(impure_calls((ROOT / module).read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "line", ["datetime.now(UTC)", "datetime.datetime.utcnow()", "time.time()", "open('x')", "print(1)", "uuid4()"]
)
def test_a_clock_or_a_file_would_be_found(line: str) -> None:
    assert [where for where, _ in impure_calls(f"def f():\n    return {line}\n")] == [2]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_holds_one_noun_and_says_so(module: Path) -> None:
    source = (ROOT / module).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(source)), "a module's first line promises something"


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_is_named_for_what_it_is(module: Path) -> None:
    words = {word for part in module.with_suffix("").parts for word in part.split("_")}
    assert words & EMPTY_NAMES == set()


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_its_rule_and_exports_nothing(room: str) -> None:
    tree = ast.parse((ROOT / room / "__init__.py").read_text(encoding="utf-8"))
    assert ast.get_docstring(tree)
    assert len(tree.body) == 1


def test_no_lock_names_a_registry_or_a_place() -> None:
    for lock in ("requirements.txt", "requirements-dev.txt", "requirements-mutants.txt"):
        text = (ROOT / lock).read_text(encoding="utf-8")
        assert "://" not in text
        assert "\n-" not in f"\n{text}"
        assert "--hash=sha256:" in text


def test_what_is_tested_is_what_runs() -> None:
    runtime, development = (
        {line.split()[0] for line in (ROOT / lock).read_text(encoding="utf-8").splitlines() if "==" in line}
        for lock in ("requirements.txt", "requirements-dev.txt")
    )
    assert runtime <= development
