"""``dunghan simulate``: a believable Hanoi, as a log or as a feed, and the truth of it beside."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from agents.city.chronicle import Chronicle, Plan, last_office_instant, line, working_days_back, working_days_on
from agents.city.knobs import CITY
from agents.cli.options import Config
from agents.cli.replay import read_now
from agents.cli.screen import progress, settings_with, warn
from agents.settings import Settings
from agents.simulate import Lines, Pace, Sink, Topic
from schemas.errors import ConfigError
from streams.rules import Rules

STDOUT, KAFKA = "-", "kafka"
AS_FAST_AS_IT_GOES = "max"
SHOWN_EVERY = 1_000


def simulate(
    to: Annotated[str, typer.Option("--to", help="Where to: kafka, a file of JSON lines, or - for standard output.")],
    truth: Annotated[
        Path | None, typer.Option(help="Write beside it what is true of every dossier and cycle at the end of the log.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Equal seed and options give the equal log, byte for byte.")] = 766,
    days: Annotated[int, typer.Option(min=1, max=1_000, help="How many working days the log has.")] = 10,
    until: Annotated[
        str | None,
        typer.Option(help="The end of the log, ISO 8601 with offset. [default: the last office instant before now]"),
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="The beginning of the log, ISO 8601 with offset. [default with --speed: now]"),
    ] = None,
    scale: Annotated[float, typer.Option(min=0.0001, max=100, help="1 is all Hanoi: 9,600 dossiers a day.")] = 1.0,
    late: Annotated[
        float, typer.Option(min=0, max=3, help="About so many percent of the ended cycles end late; 0: none.")
    ] = CITY["late_percent"].value,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="How dirty the feed is; 0: clean.")] = 1.0,
    speed: Annotated[
        str, typer.Option(help="max: as fast as it goes; 1: live, a second a second; 60: a minute a second.")
    ] = AS_FAST_AS_IT_GOES,
    rate: Annotated[float | None, typer.Option(min=0.01, help="At most so many records a second.")] = None,
    config: Config = None,
) -> None:
    """Make the events of a believable Hanoi: its dossiers, why some are late, and the dirt of real feeds.

    The log ends at --until: judge it with `dunghan replay FILE --now` at that instant. Exit code 0: all of it is
    written, or acknowledged by Kafka.
    """
    from agents.config import load

    settings = settings_with(config)
    rules = load(settings.config)
    pace = Pace(_speed(speed), rate)
    start = read_now(begin) or (datetime.now(UTC).replace(microsecond=0) if pace.speed and not until else None)
    first, end = _span(rules, days, start, read_now(until))
    if start is not None:
        pace = replace(pace, start=start.timestamp())
    chronicle = Chronicle(rules, Plan(first, end, seed, scale, late, dirt))
    with ExitStack() as stack:
        sink = stack.enter_context(_sink(to, settings, live=pace.speed is not None))
        tell = stack.enter_context(_truth(truth, to))
        _run(chronicle, sink, tell, pace)
    warn(
        f"{chronicle.records_sent} records of {chronicle.dossiers} dossiers, seed {seed}; "
        f"it ends at {end.astimezone(rules.zone).isoformat()}"
    )
    if isinstance(sink, Topic) and sink.too_large:
        warn(f"{sink.too_large} of them were not sent: Kafka takes no record of that size")


def _run(chronicle: Chronicle, sink: Sink, tell: Callable[[dict[str, object]], None], pace: Pace) -> None:
    with progress() as bar:
        task = bar.add_task("simulating", total=chronicle.expected)
        for number, record in enumerate(pace.kept(chronicle.records(tell)), start=1):
            sink.send(record)
            if number % SHOWN_EVERY == 0:
                bar.update(task, completed=number)
        sink.finish()


def _speed(text: str) -> float | None:
    if text == AS_FAST_AS_IT_GOES:
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not 0 < speed < float("inf"):
        raise typer.BadParameter(f"{text!r} is no speed (write max, 1 or 60)", param_hint="--speed")
    return speed


def _span(rules: Rules, days: int, begin: datetime | None, until: datetime | None) -> tuple[datetime, datetime]:
    """The beginning and the end of the log."""
    if begin is None:
        end = until or last_office_instant(rules, datetime.now(UTC))
        return working_days_back(rules, end, days), end
    end = until or working_days_on(rules, begin, days)
    if end <= begin:
        raise typer.BadParameter("the log would end before it begins", param_hint="--until")
    return begin, end


@contextmanager
def _sink(to: str, settings: Settings, *, live: bool) -> Iterator[Sink]:
    if to == STDOUT:
        yield Lines(sys.stdout.buffer, at_once=live)
    elif to == KAFKA:
        from agents.drivers.kafka_outlet import KafkaOutlet

        logging.getLogger("kafka").setLevel(logging.CRITICAL)  # what it has to say is said in our own words
        with KafkaOutlet(settings) as outlet:
            yield Topic(outlet)
    else:
        with _created(Path(to)) as stream:
            yield Lines(stream, at_once=live)


@contextmanager
def _truth(path: Path | None, to: str) -> Iterator[Callable[[dict[str, object]], None]]:
    if path is None:
        yield lambda _: None
        return
    if str(path) == STDOUT or (to not in (STDOUT, KAFKA) and path.resolve() == Path(to).resolve()):
        raise typer.BadParameter("the truth needs a file of its own", param_hint="--truth")
    with _created(path) as stream:
        yield lambda told: _write(stream, told)


def _write(stream: BinaryIO, told: dict[str, object]) -> None:
    stream.write(line(told))


def _created(path: Path) -> BinaryIO:
    try:
        return path.open("wb")
    except OSError as failure:
        raise ConfigError("file_unreadable", failure.strerror or "cannot be written", path=str(path)) from None
