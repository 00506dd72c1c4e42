"""``dunghan replay``: the answers to a file of events, from files alone. Other programs rely on what it prints."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

import orjson
import typer
from rich.progress import track

from agents.cli.screen import ERR, settings_with, warn
from schemas import topics
from schemas.errors import ConfigError, InvalidRecord
from schemas.event import Event, read_event
from streams.history import History
from streams.replay import collect, rows
from streams.rules import Rules

SOME_REFUSED = 3
STDIN = Path("-")
_EPOCH = datetime.fromtimestamp(0, UTC)


class Format(StrEnum):
    """How rows are printed."""

    JSONL = "jsonl"
    TABLE = "table"


class Taken(NamedTuple):
    """What a file of events comes to: histories by dossier code, refusals by line, the time of the last event."""

    histories: dict[str, History]
    refused: list[tuple[int, InvalidRecord]]
    last: datetime


def read_now(text: str | None) -> datetime | None:
    """An instant as an option names it; refuses one without offset."""
    if text is None:
        return None
    try:
        now = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time (write 2026-03-02T09:00:00+07:00)") from None
    if now.tzinfo is None:
        raise typer.BadParameter(f"{text!r} has no offset (write 2026-03-02T09:00:00+07:00)")
    return now.astimezone(UTC)


def replay(
    file: Annotated[Path, typer.Argument(help="JSON lines of events, in any order; - is standard input.")],
    config: Annotated[
        Path | None, typer.Option(help="Configuration folder of the office. [default: DUNGHAN_CONFIG]")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(help="Judge as of this instant (ISO 8601 with offset). [default: the time of the last event]"),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="JSON lines for programs, a table for eyes.")] = Format.JSONL,
) -> None:
    """Judge a file of events and print one row a dossier and cycle; no broker and no database is touched.

    Exit code 0: every line was read. 3: some were refused (standard error says which and why), the rest is answered.
    """
    from agents.config import load

    instant = read_now(now)
    rules = load(settings_with(config).config)
    taken = read_events(file, rules)
    for line, refusal in sorted(taken.refused, key=lambda refused: refused[0]):
        warn(f"{file}:{line}: {refusal}")
    answers = answer(taken, rules, now=instant or taken.last)
    if form is Format.TABLE:
        from agents.cli.tables import table_of

        for text in table_of(answers):
            sys.stdout.write(f"{text}\n")
    else:
        sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in answers)
        sys.stdout.buffer.flush()
    if taken.refused:
        raise typer.Exit(SOME_REFUSED)


def answer(taken: Taken, rules: Rules, *, now: datetime) -> Iterator[dict[str, object]]:
    """The rows of all dossiers, by code and cycle; with a bar when a person waits and the rows go elsewhere."""
    silent = not ERR.is_terminal or sys.stdout.isatty()
    for code in track(sorted(taken.histories), "judging", console=ERR, transient=True, disable=silent):
        yield from rows(taken.histories[code], rules, now=now)


def read_events(file: Path, rules: Rules) -> Taken:
    """The events of the file that can be used, and why each other line cannot; `ConfigError` when it cannot be read."""
    refused: list[tuple[int, InvalidRecord]] = []
    lines: dict[int, int] = {}
    with _opened(file) as stream:
        events: list[Event] = []
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            try:
                events.append(_accepted(line, rules))
            except InvalidRecord as refusal:
                refused.append((number, refusal))
            else:
                lines[id(events[-1])] = number
    histories, unfit = collect(events)
    refused += [(lines[id(event)], refusal) for event, refusal in unfit]
    last = max((history.events[-1].at for history in histories.values()), default=_EPOCH)
    return Taken(histories, refused, last)


def _accepted(line: bytes, rules: Rules) -> Event:
    if len(line) > topics.EVENTS.max_message_bytes:
        raise InvalidRecord("oversized", "the line is longer than a record may be")
    event = read_event(line)
    rules.check_codes(event)
    return event


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as failure:
        raise ConfigError("file_unreadable", failure.strerror or "cannot be opened", path=str(file)) from None
    with stream:
        yield stream
