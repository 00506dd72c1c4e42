"""``dunghan status``: whether everything that was started works, and how far it is."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from agents.cli.screen import say, settings_with
from agents.settings import Settings
from schemas import topics
from schemas.errors import DunghanError

WRONG = 1
#: What each worker consumes, as agents/workers.py wires it.
CONSUMED = {
    "judge": (topics.EVENTS, topics.REROUTED, topics.LOOKS),
    "archive": (topics.ASSESSMENTS, topics.ALERTS, topics.DEAD_LETTERS, topics.FEEDS),
}
#: Rows that count: what was repeated or replaced does not.
ROWS = {
    "events": "SELECT count() FROM {db}.events FINAL",
    "dossiers": "SELECT uniqExact(dossier_code) FROM {db}.assessments FINAL",
    "alerts": "SELECT count() FROM {db}.alerts FINAL",
    "dead letters": "SELECT count() FROM {db}.dead_letters FINAL",
}

Line = tuple[bool | None, str, str]  # is it well (None: nobody knows), of what, and in words
MARKS = {True: "✓", False: "✗", None: "·"}


def status(
    web: Annotated[
        list[str] | None, typer.Option(help="Web address of a worker, as it logs it at its start; repeat for more.")
    ] = None,
) -> None:
    """Tell whether Kafka, ClickHouse and the workers are well: topics, tables, lag, what is held and why, which
    rules are in force, row counts; which units are silent, which sources send what cannot be used.

    Workers are asked at `--web`, at DUNGHAN_WEB_PORT (and the port above it), and where a kept demo runs them.
    Exit code 0: all is well. 1: something is not; its line begins with ✗.
    """
    settings = settings_with()
    well = True
    for good, subject, words in _lines(settings, web or []):
        say(f"{MARKS[good]} {subject:<12} {words}")
        well &= good is not False
    if not well:
        raise typer.Exit(WRONG)


def _lines(settings: Settings, web: list[str]) -> Iterator[Line]:
    yield from _kafka(settings)
    yield from _clickhouse(settings)
    addresses = dict.fromkeys([*web, *_addresses(settings)])
    for address in addresses:
        yield from _worker(address)
    if not addresses:
        yield None, "workers", "what they hold is not known: give their web address (--web, or DUNGHAN_WEB_PORT)"


def _kafka(settings: Settings) -> Iterator[Line]:
    from agents.drivers.kafka_groups import groups
    from agents.drivers.kafka_topics import check_topics

    brokers = ", ".join(settings.brokers)
    try:
        asyncio.run(check_topics(settings))
        yield (
            True,
            "kafka",
            f"{brokers} answers; {len(topics.ALL)} topics with {settings.partitions} partitions are right",
        )
        for group in asyncio.run(groups(settings, CONSUMED)):
            behind = ", ".join(f"{topic} {count:,}" for topic, count in group.behind.items())
            running = f"{group.members} running" if group.members else "not running (dunghan worker)"
            yield group.members > 0, group.name, f"{running}; behind: {behind}"
    except DunghanError as failure:
        yield False, "kafka", str(failure)


def _clickhouse(settings: Settings) -> Iterator[Line]:
    from agents.cli.feeds import feed_lines
    from agents.drivers.desk import Desk

    try:
        with Desk.open(settings) as desk:
            counts = ", ".join(f"{desk.rows(query)[0][0]:,} {what}" for what, query in ROWS.items())
            feeds = tuple(feed_lines(desk))
        place = f"{settings.clickhouse_host}:{settings.clickhouse_port}/{settings.clickhouse_database}"
        yield True, "clickhouse", f"{place} answers; {counts}"
        yield from feeds
    except DunghanError as failure:
        yield False, "clickhouse", str(failure)


def _addresses(settings: Settings) -> Iterator[str]:
    """Where workers should answer, as far as that is known here."""
    from agents.drivers.service import Roster

    if settings.web_port:
        for index in range(len(CONSUMED)):
            yield f"http://{settings.web_host}:{settings.web_port + index}"
    roster = Roster(Path(settings.data_dir))
    for name in CONSUMED:
        if roster.running(name) is not None:
            yield f"http://127.0.0.1:{roster.ports(name)['web']}"


def _worker(address: str) -> Iterator[Line]:
    from agents.probe import ask

    said = ask(address)
    if said is None:
        yield False, "worker", f"nobody answers at {address}"
        return
    name, state = str(said.get("worker")), said.get("status")
    well = state in ("running", "standby")
    rules = said.get("rules") or {}
    version = f", rules of version {rules['version']}" if rules.get("version") else ""
    yield well, name, f"{address} {state}, {len(said.get('assigned', []))} partitions{version}{_progress(said)}"
    if refused := rules.get("refused"):
        yield False, name, f"new rules are refused since {refused['since']}: {refused['message']} [{refused['reason']}]"
    for hold in said.get("held", []):
        yield (
            False,
            name,
            f"partition {hold['partition']} held since {hold['since']}: {hold['message']} [{hold['reason']}]",
        )


def _progress(said: dict[str, Any]) -> str:
    at = said.get("progress_at")
    return f", last chunk done at {at}" if at else ""
