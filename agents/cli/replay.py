"""``dunghan replay``: the answers to a file of events, from files alone. Other programs rely on what it prints."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from agents.cli.files import opened
from agents.cli.options import Config
from agents.cli.screen import progress, settings_with, warn
from agents.event_file import EventFile
from streams.history import History
from streams.replay import Row, rows
from streams.rules import Rules

SOME_REFUSED = 3
STDIN = Path("-")


class Format(StrEnum):
    """How rows are printed."""

    JSONL = "jsonl"
    TABLE = "table"


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
    config: Config = None,
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
    with event_file(file, rules) as events:
        answers = answer(events, rules, now=instant)
        if form is Format.TABLE:
            from agents.cli.tables import table_of

            for text in table_of(answers):
                sys.stdout.write(f"{text}\n")
        else:
            sys.stdout.buffer.writelines(orjson.dumps(row) + b"\n" for row in answers)
            sys.stdout.buffer.flush()
    if warn_of(events, file):
        raise typer.Exit(SOME_REFUSED)


def answer(events: EventFile, rules: Rules, *, now: datetime | None) -> Iterator[Row]:
    """The rows of all dossiers, by code and cycle, as of ``now`` (None: the time of the last event)."""
    for history in with_bar(events, "judging"):
        yield from rows(history, rules, now=now or events.last or history.events[-1].at)


def with_bar(events: EventFile, doing: str) -> Iterator[History]:
    """The histories of the file; with a bar when a person waits and what is printed goes elsewhere."""
    with progress(wanted=not sys.stdout.isatty()) as bar:
        if bar.disable:
            yield from events.histories()
            return
        task = bar.add_task(doing, total=events.lines)
        for history in events.histories():
            yield history
            bar.advance(task, len(history.events))


def warn_of(events: EventFile, file: Path) -> int:
    """Name every refused line on standard error, in the order of the file; return how many there were."""
    for line, refusal in sorted(events.refused, key=lambda refused: refused[0]):
        warn(f"{file}:{line}: {refusal}")
    return len(events.refused)


@contextmanager
def event_file(file: Path, rules: Rules) -> Iterator[EventFile]:
    """The events of the file, or of standard input; `ConfigError` when it cannot be read."""
    gc.freeze()  # what is loaded by now stays: looking through it again and again would be a tenth of the work
    with _opened(file) as stream, EventFile(stream, rules) as events:
        yield events


@contextmanager
def _opened(file: Path) -> Iterator[BinaryIO]:
    if file == STDIN:
        yield sys.stdin.buffer
        return
    with opened(file) as stream:
        yield stream
