"""The ClickHouse tables: brought up to date, given the calendars, and described.

What is to be applied stands in ``schemas/tables`` (`agents.drivers.migrations`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, pairwise
from textwrap import dedent
from uuid import uuid4

from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from agents.drivers.clickhouse import ANSWER_SECONDS, INSERT, connect, named_failures
from agents.drivers.migrations import DATABASE, Migration, missing, prove, shipped
from agents.settings import Settings
from schemas.errors import ConfigError
from schemas.instant import FIRST, LAST
from streams.calendar import Calendar
from streams.rules import Rules

#: Calendars are written out until then; beyond it no working time passes (a due time can lie after the last event).
LAST_YEAR = LAST.year + 20
BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  #: earlier than any instant of an event
END = datetime(2299, 1, 1, tzinfo=UTC)  #: the last opening's "next": later than any instant that ClickHouse knows

_EPOCH = datetime.fromtimestamp(0, UTC)

# How the files are written, for the page about them.
_COMMENT = re.compile(r"\bCOMMENT\s+'((?:[^']|'')*)'")
_TABLE = re.compile(r"CREATE (TABLE|DICTIONARY) IF NOT EXISTS (\S+)\s*\n\((.*?)\n\)\n(.*)", re.DOTALL)
_COLUMN = re.compile(r"ALTER TABLE (\S+)\s+ADD COLUMN IF NOT EXISTS (.*)", re.DOTALL)
_VIEW = re.compile(r"CREATE OR REPLACE VIEW (\S+)")
_KEYS = re.compile(r"^(ENGINE = .*|PARTITION BY .*|ORDER BY .*)$", re.MULTILINE)
_TYPE_ENDS = re.compile(r"\s+(?:COMMENT|CODEC|MATERIALIZED)\b")


@contextmanager
def opened(settings: Settings, *, answer_seconds: float = ANSWER_SECONDS) -> Iterator[Client]:
    """A client for as long as the context is open; raises `ConfigError` when the tables are not there."""
    client = connect(settings, answer_seconds=answer_seconds)
    try:
        check(client, database=settings.clickhouse_database)
        yield client
    finally:
        client.disconnect()


def migrate(
    client: Client, *, database: str = DATABASE, wanted: tuple[Migration, ...] | None = None
) -> tuple[str, ...]:
    """Create the database and bring its tables up to date; return the names of the files that were new.

    Doing it again does nothing. Raises `ConfigError` when a file that was applied has changed, or the
    tables are newer than this program, before anything is done; `Unavailable` when ClickHouse is.
    """
    wanted = shipped() if wanted is None else wanted
    with named_failures():
        new = missing(client, database, wanted)
        for migration in new:
            for statement in migration.statements(database):
                client.execute(statement)
            row = (migration.number, migration.name, migration.checksum, datetime.now(UTC))
            client.execute(f"INSERT INTO {database}.migrations VALUES", [row], settings=INSERT)
    return tuple(migration.name for migration in new)


def check(client: Client, *, database: str = DATABASE) -> None:
    """Return when the tables are those of this program and know the calendars.

    Raises `ConfigError` saying what to do when they are not, `Unavailable` when ClickHouse is.
    """
    with named_failures():
        prove(client, database)


def fill_calendars(client: Client, rules: Rules, *, database: str = DATABASE) -> None:
    """Replace the office hours and the calendars of the units by those of the rules.

    Readers see each table as it was or as it is, never in between. Raises `ConfigError` when the
    dictionaries over them cannot be loaded.
    """
    names = _names(rules)
    hours: list[list[object]] = [[] for _ in range(5)]
    for calendar, name in names.items():
        for column, values in zip(hours, _hours(name, calendar), strict=True):
            column.extend(values)
    with named_failures():
        _replace(client, f"{database}.calendar_hours", hours)
        _replace(
            client, f"{database}.unit_calendars", [list(column) for column in zip(*_units(rules, names), strict=True)]
        )
        for dictionary in ("hours", "units"):
            _reload(client, f"{database}.{dictionary}")
        _replace(client, f"{database}.calendar_rules", [[rules.version]])


def filled_by(client: Client, *, database: str = DATABASE) -> int:
    """The version of the rules whose calendars the views measure by; 0 when nobody said."""
    with named_failures():
        ((version,),) = client.execute(f"SELECT max(version) FROM {database}.calendar_rules")  # noqa: S608 - names are ours, values are parameters
    return int(version)


def _counted_units(rules: Rules) -> list[str | None]:
    """The units that have a processing calendar of their own, and None for all others."""
    return [None, *(code for code, unit in rules.units.items() if unit.calendar is not None)]


def _names(rules: Rules) -> dict[Calendar, str]:
    """The calendars by which time is counted in any edition, each with a name of its own: vn, vn@2 …"""
    found = dict.fromkeys(edition.calendar(unit) for edition in rules.editions for unit in _counted_units(rules))
    seen: Counter[str] = Counter()
    names: dict[Calendar, str] = {}
    for calendar in found:
        seen[calendar.name] += 1
        names[calendar] = calendar.name if seen[calendar.name] == 1 else f"{calendar.name}@{seen[calendar.name]}"
    return names


def _units(rules: Rules, names: Mapping[Calendar, str]) -> Iterator[tuple[object, ...]]:
    """The rows of ``unit_calendars``."""
    for unit in _counted_units(rules):
        changes = [(BEGINNING, rules.editions[0].calendar(unit))]
        for edition in rules.editions[1:]:
            if edition.calendar(unit) is not changes[-1][1]:
                changes.append((edition.begins, edition.calendar(unit)))
        for (begins, calendar), (ends, _) in pairwise([*changes, (END, changes[-1][1])]):
            yield unit or "", _ticks(begins), _ticks(ends), names[calendar]


def _replace(client: Client, table: str, columns: list[list[object]]) -> None:
    draft = f"{table}_draft_{uuid4().hex[:8]}"  # of our own: several archives may fill at one time
    client.execute(f"CREATE TABLE {draft} AS {table}")
    try:
        client.execute(f"INSERT INTO {draft} VALUES", columns, columnar=True, settings=INSERT)
        client.execute(f"EXCHANGE TABLES {table} AND {draft}")
    finally:
        client.execute(f"DROP TABLE {draft} SYNC")


def _reload(client: Client, dictionary: str) -> None:
    try:
        client.execute(f"SYSTEM RELOAD DICTIONARY {dictionary}")
    except ServerException as error:
        said = str(error.message).partition("Stack trace:")[0].strip()
        raise ConfigError(
            "dictionary_refused",
            f"ClickHouse cannot load {dictionary}; its user `default` must be able to log in from the server itself,"
            f" without a password: {said}",
        ) from error


def _hours(name: str, calendar: Calendar) -> tuple[list[object], ...]:
    """The columns of ``calendar_hours``: one row an open interval, in order. Instants as microseconds."""
    intervals = calendar.hours(calendar.at(FIRST.date()), calendar.at(date(LAST_YEAR, 1, 1)))
    opens, closes = ([_ticks(edge) for edge in edges] for edges in zip(*intervals, strict=True))
    lengths = (closing - opening for opening, closing in zip(opens, closes, strict=True))
    before = [worked / 1_000_000 for worked in accumulate(lengths, initial=0)]
    names: list[object] = [name] * len(opens)
    return names, list(opens), list(closes), [*opens[1:], _ticks(END)], list(before[:-1])


def _ticks(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)


def tables_reference() -> str:
    """The reference of all tables and views, in Markdown."""
    parts = ["# ClickHouse tables\n"]
    for migration in shipped():
        parts += [f"## {migration.name}\n", _preface(migration)]
        for statement in migration.statements():
            parts += _object(statement)
    return "\n".join(parts).rstrip() + "\n"


def _preface(migration: Migration) -> str:
    lines = []
    for line in migration.text.splitlines():
        if not line.startswith("--"):
            break
        lines.append(line.removeprefix("--").removeprefix(" "))
    return "\n".join(lines) + "\n"


def _object(statement: str) -> Iterator[str]:
    """The section about what this statement makes; nothing for a database."""
    if view := _VIEW.search(statement):
        yield f"### View `{view[1]}`\n"
    if added := _COLUMN.search(statement):
        yield f"### Added to `{added[1]}`\n"
        yield f"| Column | Type | Meaning |\n|---|---|---|\n{_column(added[2])}\n"
    if table := _TABLE.search(statement):
        kind, name, columns, tail = table.groups()
        said = _COMMENT.search(tail)
        yield f"### {kind.capitalize()} `{name}`\n"
        if said:
            yield _unquoted(said[1]) + ".\n"
        yield from (f"- `{key}`" for key in _KEYS.findall(tail))
        if kind == "TABLE":
            yield "\n| Column | Type | Meaning |\n|---|---|---|"
            yield from (_column(column) for column in _columns(columns))
            yield ""


def _columns(text: str) -> Iterator[str]:
    """The definitions between the commas that stand in no brackets and no quotes."""
    depth, quoted, begin = 0, False, 0
    for index, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += (letter == "(") - (letter == ")")
            if letter == "," and not depth:
                yield text[begin:index]
                begin = index + 1
    yield text[begin:]


def _column(definition: str) -> str:
    name, _, rest = dedent(definition).strip().partition(" ")
    said = _COMMENT.search(rest)
    kind = (
        " ".join(_TYPE_ENDS.split(rest, maxsplit=1)[0].split())
        .replace("( ", "(")
        .replace(" )", ")")
        .replace("Nested (", "Nested(")
    )
    return f"| `{name}` | `{kind}` | {_unquoted(said[1]) if said else ''} |"


def _unquoted(text: str) -> str:
    return text.replace("''", "'").replace("|", "\\|")
