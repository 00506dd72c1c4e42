"""``dunghan worker judge --shadow``: everything judged once more beside the live judge, and what differs."""

import asyncio
import sys
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING

import orjson

from agents.cli.screen import progress, say, warn
from agents.settings import Settings
from schemas.errors import DunghanError, Unavailable

if TYPE_CHECKING:  # each command imports what it needs when it runs
    from agents.difference import Difference
    from agents.shadow import Tally

SAME, DIFFERENT = 0, 1


class Format(StrEnum):
    """How the difference is printed."""

    TEXT = "text"
    JSON = "json"


def shadow(settings: Settings, form: Format) -> int:
    """Judge all there is and print what differs; the exit code says whether anything does, or that nobody knows."""
    from agents.watch import EXIT_REFUSED, EXIT_UNREACHABLE

    try:
        tally = asyncio.run(_run(settings, form))
    except DunghanError as failure:
        warn(f"shadow: {failure}")
        return EXIT_UNREACHABLE if isinstance(failure, Unavailable) else EXIT_REFUSED
    if form is Format.JSON:
        _write({"summary": asdict(tally)})
    else:
        for line in _summary(tally):
            say(line)
    return DIFFERENT if tally.differing else SAME


async def _run(settings: Settings, form: Format) -> "Tally":
    from agents.clock import clock_for
    from agents.config import load
    from agents.drivers.kafka_past import KafkaPast
    from agents.drivers.kafka_state import KafkaStateLog
    from agents.drivers.live_facts import LiveFacts
    from agents.shadow import Shadow
    from schemas import topics

    rules = load(settings.config)
    with LiveFacts.open(settings) as facts, progress() as bar:
        task = bar.add_task("judging again", total=settings.partitions)
        async with KafkaPast(settings) as past:
            judging = Shadow(
                rules,
                clock_for(settings.now),
                past,
                KafkaStateLog(settings, topics.STATE.name),
                facts,
                partitions=settings.partitions,
                report=lambda found: _report(found, form),
                advance=lambda _: bar.advance(task),
            )
            return await judging.run()


def _report(found: "Difference", form: Format) -> None:
    if form is Format.JSON:
        _write(_as_json(found))
        return
    say(found.dossier_code)
    if found.events is not None:
        say(f"  events: live {found.events[0]}, shadow {found.events[1]}")
    for column in found.columns:
        say(f"  cycle {column.cycle}: {column.name}: live {column.live!s}, shadow {column.shadow!s}")
    for alert in found.alerts:
        say(f"  cycle {alert.cycle}: alert {alert.level}: to {alert.action} ({alert.reason}) {alert.alert_id}")
    for name in found.untold:
        say(f"  alert {name}: ClickHouse has it otherwise than judge remembers it")


def _as_json(found: "Difference") -> dict[str, object]:
    return {
        "dossier_code": found.dossier_code,
        "events": None if found.events is None else {"live": found.events[0], "shadow": found.events[1]},
        "columns": [asdict(column) for column in found.columns],
        "alerts": [
            {"alert_id": a.alert_id, "cycle": a.cycle, "level": a.level, "action": a.action, "reason": a.reason}
            for a in found.alerts
        ],
        "stored_otherwise": list(found.untold),
    }


def _write(value: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(value) + b"\n")
    sys.stdout.buffer.flush()


def _summary(tally: "Tally") -> list[str]:
    refused = ", ".join(f"{reason} {count:,}" for reason, count in sorted(tally.refused.items()))
    judged = f"{tally.records:,} records: {tally.events:,} events of {tally.dossiers:,} dossiers"
    return [
        f"{judged}, judged as of {tally.now.isoformat()} by version {tally.rules} of the rules",
        f"refused: {refused or 'none'}; misplaced: {tally.misplaced:,}",
        f"on their way, not compared: {tally.on_their_way:,}",
        f"{tally.differing:,} dossiers differ" if tally.differing else "no difference",
    ]
