"""``dunghan what-if``: a draft configuration over the log, before it is put in place. Nothing is written."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agents.cli.replay import SOME_REFUSED, event_file, read_now, warn_of
from agents.cli.screen import progress, settings_with
from agents.config import Folder, check
from agents.event_file import EventFile
from agents.settings import Settings
from agents.what_if import Report, as_json
from agents.what_if_boards import boards
from streams.history import History
from streams.rules import Rules
from streams.what_if import add_up, compare

#: The list of dossiers needs this much; a pipe has no window, and nothing is cut for want of one.
PIPE_WIDTH = 200

_EPOCH = datetime.fromtimestamp(0, UTC)


class Format(StrEnum):
    """How the answer is printed."""

    TABLE = "table"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the histories come from: one at a time, about how many (None: unknown), judged as of when."""

    histories: Iterator[History]
    dossiers: int | None
    now: datetime
    events: EventFile | None = None


def what_if(
    config: Annotated[Path, typer.Option("--config", help="The draft: a whole configuration folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="JSON lines of events, in any order; - is standard input.")
    ] = None,
    from_clickhouse: Annotated[
        bool, typer.Option("--from-clickhouse", help="Take all events that ClickHouse has, instead of a file.")
    ] = False,
    against: Annotated[
        Path | None, typer.Option(help="Configuration folder to compare it with. [default: DUNGHAN_CONFIG]")
    ] = None,
    now: Annotated[
        str | None,
        typer.Option(
            help="Judge both as of this instant (ISO 8601 with offset)."
            " [default: the time of a file's last event; for ClickHouse DUNGHAN_NOW, else the present]"
        ),
    ] = None,
    as_if_always: Annotated[
        bool,
        typer.Option(
            "--as-if-always", help="Apply the draft's newest limits to all from the beginning, closed dossiers too."
        ),
    ] = False,
    limit: Annotated[
        int, typer.Option(min=0, help="List at most so many dossiers, and so many units and procedures.")
    ] = 20,
    form: Annotated[
        Format, typer.Option("--format", help="Tables for eyes, one JSON object for programs.")
    ] = Format.TABLE,
) -> None:
    """Show which dossiers would be judged otherwise under a draft policy or calendar, before it is put in place.

    As it would be: a dossier that ended before the draft is in force keeps what was in force at its end.
    Nothing is written. Exit codes as of `replay`: 3 when lines of the file were refused, the rest is answered.
    """
    if (file is None) is not from_clickhouse:
        raise typer.BadParameter("name one: a FILE of events, or --from-clickhouse")
    instant, settings = read_now(now), settings_with(against)
    standing, draft = _folder(settings.config), _folder(config)
    rules = draft.rules.always() if as_if_always else draft.rules
    with progress() as bar:
        task = bar.add_task("reading", total=None)
        with _source(file, settings, standing.rules, instant) as source:
            bar.update(task, description="judging twice", total=source.dossiers)
            compared = (compare(history, standing.rules, rules, now=source.now) for history in source.histories)
            outcome = add_up(bar.track(compared, total=source.dossiers, task_id=task), limit=limit)
    refused = warn_of(source.events, file) if source.events is not None and file is not None else 0
    report = Report(standing, draft, rules, source.now, as_if_always, limit, outcome)
    if form is Format.JSON:
        sys.stdout.buffer.write(orjson.dumps(as_json(report, refused=refused)) + b"\n")
        sys.stdout.buffer.flush()
    else:
        _print(report)
    if refused:
        raise typer.Exit(SOME_REFUSED)


def _folder(path: Path) -> Folder:
    """The folder with its files; raises `ConfigError` with its first fault (`doctor` shows all)."""
    folder, faults = check(path)
    if folder is None:
        raise faults[0]
    return folder


@contextmanager
def _source(file: Path | None, settings: Settings, rules: Rules, now: datetime | None) -> Iterator[_Source]:
    if file is None:
        from agents.clock import clock_for
        from agents.drivers.event_log import EventLog

        with EventLog.open(settings) as log:
            clock = clock_for(settings.now)
            clock.saw(log.last())
            present = clock.now().replace(microsecond=0) if clock.live else clock.now()
            yield _Source(log.histories(), log.dossiers(), now or present)
        return
    with event_file(file, rules) as events:
        yield _Source(events.histories(), events.dossiers, now or events.last or _EPOCH, events)


def _print(report: Report) -> None:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=PIPE_WIDTH)
    for board in boards(report):
        console.print(board, soft_wrap=isinstance(board, str))
