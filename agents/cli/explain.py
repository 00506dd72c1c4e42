"""``dunghan explain``: one dossier, every figure to be checked with a calendar."""

import sys
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import orjson
import typer

from agents.cli.options import Config
from agents.cli.replay import event_file, read_now, warn_of
from agents.cli.screen import settings_with
from agents.recall import Recalled, recall
from agents.settings import Settings
from schemas.alert import Alert
from schemas.errors import ConfigError
from streams.history import History, build
from streams.rules import Rules


class Format(StrEnum):
    """How the explanation is laid out."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


def explain(
    code: Annotated[str, typer.Argument(help="Code of the dossier.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="JSON lines of events, - for standard input. [default: what ClickHouse has]"),
    ] = None,
    config: Config = None,
    now: Annotated[
        str | None, typer.Option(help="Judge as of this instant (ISO 8601 with offset). [default: DUNGHAN_NOW]")
    ] = None,
    as_known_at: Annotated[
        str | None,
        typer.Option(
            "--as-known-at",
            help="Only what had arrived by this instant (ISO 8601 with offset), and judged as of it unless --now is"
            " given; from ClickHouse only.",
        ),
    ] = None,
    form: Annotated[
        Format,
        typer.Option("--format", help="Text for a terminal, JSON for programs, one HTML page to look at and to print."),
    ] = Format.TEXT,
) -> None:
    """Explain one dossier in Vietnamese: where its time went, why its due times moved, why it stands as it does.

    The dossier is judged here, from its events and the configuration, whatever answer stands in ClickHouse.
    """
    from agents.config import check
    from agents.explain import explain as gather
    from agents.explain import read_decrees

    settings = settings_with(config)
    instant, known_at = read_now(now), read_now(as_known_at)
    if known_at is not None and source is not None:
        raise typer.BadParameter("--as-known-at needs ClickHouse: a file does not say when its events arrived")
    folder, faults = check(settings.config)
    if folder is None:
        raise faults[0]
    sent: tuple[Alert, ...] | None = None
    recalled = None if known_at is None else _recalled(code, settings, known_at)
    history: History | None
    if recalled is not None:
        history, sent, instant = recalled.history, recalled.alerts, instant or known_at
    elif source is None:
        history, sent = _from_clickhouse(code, settings)
    else:
        history = _from_file(code, source, folder.rules)
    if history is None or not history.events:
        place = "ClickHouse" if source is None else str(source)
        then = f" that was known at {known_at.isoformat()}" if known_at is not None else ""
        raise ConfigError("dossier_unknown", f"{place} has no dossier {code}{then}")
    at = instant or _present(settings, history)
    explanation = gather(history, folder.rules, read_decrees(folder.calendars), sent=sent, recalled=recalled, now=at)
    match form:
        case Format.TEXT:
            from agents.explain_text import text

            _write(text(explanation))
        case Format.HTML:
            from agents.explain_page import page

            _write(page(explanation))
        case Format.JSON:
            from agents.explain_json import as_json

            _write([orjson.dumps(as_json(explanation), option=orjson.OPT_INDENT_2).decode()])


def _write(lines: Iterable[str]) -> None:
    """The lines as UTF-8, whatever the terminal is set to: a page says that it is."""
    sys.stdout.buffer.writelines(line.encode() + b"\n" for line in lines)
    sys.stdout.buffer.flush()


def _present(settings: Settings, history: History) -> datetime:
    """The instant that DUNGHAN_NOW asks for; real time in whole seconds, for people."""
    from agents.clock import clock_for

    clock = clock_for(settings.now)
    clock.saw(history.events[-1].at)
    return clock.now().replace(microsecond=0) if clock.live else clock.now()


def _from_file(code: str, source: Path, rules: Rules) -> History | None:
    with event_file(source, rules) as events:
        found = [history for history in events.histories() if history.dossier_code == code]
    warn_of(events, source)
    return found[0] if found else None


def _from_clickhouse(code: str, settings: Settings) -> tuple[History | None, tuple[Alert, ...]]:
    from agents.drivers.desk import Desk

    with Desk.open(settings) as desk:
        return build(code, desk.events(code)), desk.alerts(code)


def _recalled(code: str, settings: Settings, at: datetime) -> Recalled:
    from agents.drivers.desk import Desk

    with Desk.open(settings) as desk:
        return recall(code, desk.events(code), desk.arrivals(code), desk.alerts(code), desk.said(code), at=at)
