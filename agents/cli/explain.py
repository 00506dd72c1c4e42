"""``dunghan explain``: one dossier, every figure to be checked with a calendar."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.cli.replay import read_events, read_now
from agents.cli.screen import say, settings_with, warn
from agents.settings import Settings
from schemas.errors import ConfigError
from streams.history import History, add
from streams.limits import Rules


def explain(
    code: Annotated[str, typer.Argument(help="Code of the dossier.")],
    source: Annotated[
        Path | None,
        typer.Option("--from", help="JSON lines of events, - for standard input. [default: what ClickHouse has]"),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Configuration folder of the office. [default: DUNGHAN_CONFIG]")
    ] = None,
    now: Annotated[
        str | None, typer.Option(help="Judge as of this instant (ISO 8601 with offset). [default: DUNGHAN_NOW]")
    ] = None,
) -> None:
    """Explain one dossier in Vietnamese, segment by segment: run, pause, off hours, due times; the parts add up.

    The dossier is judged here, from its events and the configuration, whatever answer stands in ClickHouse.
    """
    from agents.config import load
    from agents.explain import explain as lines

    settings = settings_with(config)
    instant, rules = read_now(now), load(settings.config)
    history = _from_clickhouse(code, settings) if source is None else _from_file(code, source, rules)
    if history is None or not history.events:
        place = "ClickHouse" if source is None else str(source)
        raise ConfigError("dossier_unknown", f"{place} has no dossier {code}")
    for line in lines(history, rules, now=instant or _present(settings, history)):
        say(line)


def _present(settings: Settings, history: History) -> datetime:
    """The instant that DUNGHAN_NOW asks for; real time in whole seconds, for people."""
    from agents.clock import clock_for

    clock = clock_for(settings.now)
    clock.saw(history.events[-1].at)
    return clock.now().replace(microsecond=0) if clock.live else clock.now()


def _from_file(code: str, source: Path, rules: Rules) -> History | None:
    taken = read_events(source, rules)
    for line, refusal in taken.refused:
        warn(f"{source}:{line}: {refusal}")
    return taken.histories.get(code)


def _from_clickhouse(code: str, settings: Settings) -> History:
    from agents.drivers.desk import Desk

    history = History(code)
    with Desk.open(settings) as desk:
        for event in desk.events(code):
            history = add(history, event)
    return history
