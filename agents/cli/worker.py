"""``dunghan worker``: one worker in this process, or all of them as children."""

import os
import signal
import threading
from enum import StrEnum
from typing import Annotated

import typer

from agents.cli.screen import settings_with
from agents.cli.shadow import Format, shadow


class Name(StrEnum):
    """The workers there are."""

    JUDGE = "judge"
    ARCHIVE = "archive"


def worker(
    name: Annotated[Name | None, typer.Argument(help="Which one; without a name all, each in its own process.")] = None,
    until_eof: Annotated[
        bool, typer.Option("--until-eof", help="Stop when standard input ends: for the program that started it.")
    ] = False,
    shadowing: Annotated[
        bool,
        typer.Option("--shadow", help="Judge all there is beside the live judge, send nothing, and say what differs."),
    ] = False,
    form: Annotated[
        Format,
        typer.Option("--format", help="Of --shadow: text, or JSON lines, one a differing dossier and a summary."),
    ] = Format.TEXT,
) -> None:
    """Judge events (judge) and write facts to ClickHouse (archive) until told to stop by SIGTERM or Ctrl-C.

    Logs are JSON lines on standard error; /healthz and /metrics are at DUNGHAN_WEB_HOST and DUNGHAN_WEB_PORT (0, the
    default, takes a free port and logs it). Without a name, judge has that port and archive the one above it, and
    when one of them ends so does the other.

    With --shadow judge only compares and then ends: exit code 0 without a difference, 1 with one.

    Exit code 0: stopped as asked. 69: a service does not answer. 70: a bug. 75: stalled, start it again.
    78: a setting, a topic or a file is wrong.
    """
    from agents.telemetry import configure_logging

    settings = settings_with()
    if shadowing:
        if name is not Name.JUDGE:
            raise typer.BadParameter("--shadow is of judge: dunghan worker judge --shadow")
        raise typer.Exit(shadow(settings, form))
    if until_eof:
        threading.Thread(target=_stop_at_end_of_input, daemon=True).start()
    if name is None:
        from agents.supervise import supervise

        configure_logging(settings.log_level, worker="all")
        raise typer.Exit(supervise([each.value for each in Name], settings))
    configure_logging(settings.log_level, worker=name.value)
    raise typer.Exit(_run(name.value))


def _run(name: str) -> int:
    import structlog

    from agents.health import Health
    from agents.process import run
    from agents.telemetry import Meters
    from agents.watch import EXIT_REFUSED, EXIT_UNREACHABLE
    from agents.workers import build, real_ports
    from schemas.errors import DunghanError, Unavailable

    settings, meters = settings_with(), Meters()
    try:
        described = build(name, settings, real_ports(settings), meters)
    except DunghanError as failure:
        structlog.stdlib.get_logger(__name__).error("worker_refused", reason=failure.reason, why=str(failure))
        return EXIT_UNREACHABLE if isinstance(failure, Unavailable) else EXIT_REFUSED
    return run(described, settings, health=Health(name), meters=meters)


def _stop_at_end_of_input() -> None:
    # Not through sys.stdin: its lock, held by this thread, would break the end of the process.
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
