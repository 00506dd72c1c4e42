"""``dunghan publish``: a file of events onto Kafka, row by row, with every refusal told."""

import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from agents.cli.files import opened
from agents.cli.options import Config
from agents.clock import clock_for
from agents.config import load
from agents.mapping import load_mapping
from agents.publish import Outlet, Refused, Summary, office_check, read_csv, read_header, read_jsonl
from agents.publish import publish as publish_rows
from agents.settings import Settings, read_cli_settings
from schemas.errors import ConfigError, DunghanError
from schemas.event import Event, canonical

SOME_REFUSED = 3
FAILED = 1
STDIN = Path("-")


class _Printer:
    """The outlet of a dry run: accepted events as JSON lines, for `dunghan replay -` to read."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def send(self, event: Event) -> None:
        self._out.write(canonical(event) + b"\n")

    def finish(self) -> None:
        self._out.flush()


def publish(
    file: Annotated[Path, typer.Argument(help="JSON lines of events, or a CSV (with --mapping); - is standard input.")],
    mapping: Annotated[
        Path | None, typer.Option(help="YAML file that says how the rows of a CSV become events.")
    ] = None,
    config: Config = None,
    brokers: Annotated[
        str | None, typer.Option(help="Kafka brokers, host:port with a comma between. [default: DUNGHAN_BROKERS]")
    ] = None,
    refused: Annotated[
        Path | None, typer.Option(help="Write the refused rows here, as they stand, to correct and publish again.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing: print the accepted events as JSON lines.")
    ] = False,
) -> None:
    """Send a file of events to Kafka; each row is checked first, and a refused one is told with its line.

    Exit code 0: all rows accepted and acknowledged. 3: some were refused, the rest is acknowledged.
    1: wrong configuration, or Kafka did not acknowledge; publishing the file again is safe.
    """
    logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it has to say is said in our own words
    errors = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    try:
        settings = _settings(config, brokers)
        summary = _publish(file, mapping, settings, errors, refused=refused, dry_run=dry_run)
    except DunghanError as failure:
        errors.print(f"dunghan publish: {failure}")
        raise typer.Exit(FAILED) from None
    out = errors if dry_run else Console(highlight=False, markup=False, soft_wrap=True)
    for line in report(summary, dry_run=dry_run):
        out.print(line)
    if summary.refused:
        raise typer.Exit(SOME_REFUSED)


def _settings(config: Path | None, brokers: str | None) -> Settings:
    settings = read_cli_settings()
    given = {name: value for name, value in (("config", config), ("brokers", brokers)) if value is not None}
    try:
        return Settings(**{**settings.model_dump(), **given})
    except ValidationError as wrong:
        message = wrong.errors(include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError("invalid_setting", message, path="--brokers") from None


def office_now(settings: Settings) -> datetime:
    """The instant after which an event lies in the future: a clock set ahead may have events of its day."""
    return max(datetime.now(UTC), clock_for(settings.now).now())


def _publish(
    file: Path, mapping: Path | None, settings: Settings, errors: Console, *, refused: Path | None, dry_run: bool
) -> Summary:
    check = office_check(load(settings.config), office_now(settings))
    table = None if mapping is None else load_mapping(mapping)
    if table is None and file.suffix.lower() == ".csv":
        raise ConfigError(
            "mapping_missing", "a table needs --mapping, which says what its columns mean", path=str(file)
        )
    with ExitStack() as stack:
        stream = stack.enter_context(_reading(file, errors))
        keep = None if refused is None else stack.enter_context(opened(refused, "wb"))
        if table is None:
            rows = read_jsonl(stream, check)
        else:
            header = read_header(stream, table)
            rows = read_csv(stream, header, table, check)
            if keep is not None:
                keep.write(header.raw)
        outlet = stack.enter_context(_outlet(settings, dry_run=dry_run))

        def refuse(row: Refused) -> None:
            errors.print(f"{file}:{row.line}: {row.message} [{row.reason}]")
            if keep is not None:
                keep.write(row.raw if row.raw.endswith(b"\n") else row.raw + b"\n")

        return publish_rows(rows, outlet, refuse)


@contextmanager
def _outlet(settings: Settings, *, dry_run: bool) -> Iterator[Outlet]:
    if dry_run:
        yield _Printer(sys.stdout.buffer)
        return
    from agents.drivers.kafka_outlet import KafkaOutlet

    with KafkaOutlet(settings) as outlet:
        yield outlet


@contextmanager
def _reading(file: Path, errors: Console) -> Iterator[BinaryIO]:
    """The file, with a bar of how much of it has been read when a person watches."""
    if file == STDIN:
        yield sys.stdin.buffer
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with opened(file, "rb") as stream:
        if not errors.is_terminal:
            yield stream
            return
        with Progress(*columns, console=errors, transient=True) as bar:
            yield bar.wrap_file(stream, file.stat().st_size, description=file.name)


def report(summary: Summary, *, dry_run: bool) -> Iterator[str]:
    """The lines that close a publication: how much was sent, what was refused and why."""
    rows = summary.accepted + summary.ignored + sum(summary.refused.values())
    done = "accepted, nothing sent (dry run)" if dry_run else "sent and acknowledged"
    yield f"{rows} rows: {summary.sent} events {done}, {sum(summary.refused.values())} rows refused"
    if summary.ignored:
        yield f"  {summary.ignored} rows make no event, as the mapping says"
    for reason, count in sorted(summary.refused.items()):
        yield f"  {count} refused: {reason}"
