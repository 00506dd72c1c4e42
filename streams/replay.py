"""Replay: the rows that other programs compare, one a dossier and cycle, from events alone."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from schemas.assessment import Cycle
from schemas.errors import InvalidRecord
from schemas.event import Event
from streams.history import History, add, until
from streams.ledger import measure, seconds
from streams.rules import Rules
from streams.verdict import assess

Row = dict[str, object]


def collect(events: Iterable[Event]) -> tuple[dict[str, History], list[tuple[Event, InvalidRecord]]]:
    """The histories of these events by dossier code, and the events that do not fit into a full one."""
    histories: dict[str, History] = {}
    refused: list[tuple[Event, InvalidRecord]] = []
    for event in events:
        history = histories.get(event.dossier_code) or History(event.dossier_code)
        try:
            histories[event.dossier_code] = add(history, event)
        except InvalidRecord as error:
            refused.append((event, error))
    return histories, refused


def rows(history: History, rules: Rules, *, now: datetime) -> Iterator[Row]:
    """The rows of one dossier at ``now``, by cycle; none for a dossier without any status event.

    Later events are left out altogether: unlike in `assess` they do not announce themselves.
    """
    for cycle in assess(until(history, now), rules, now=now).cycles:
        yield row(history.dossier_code, cycle, rules, now=now)


def row(dossier_code: str, cycle: Cycle, rules: Rules, *, now: datetime) -> Row:
    """One row: times in the calendar's zone (aware; orjson writes them with their offset), durations in seconds."""
    zone = rules.zone_of(cycle.unit)

    def local(instant: datetime | None) -> datetime | None:
        return None if instant is None else instant.astimezone(zone)

    spent = measure(cycle, rules, now=now)
    return {
        "dossier_code": dossier_code,
        "cycle": cycle.cycle,
        "status": cycle.status,
        "clock": cycle.clock,
        "received_at": local(cycle.received_at),
        "due_original": local(cycle.due_original),
        "due_current": local(cycle.due_current),
        "remaining_seconds": None if spent.remaining is None else seconds(spent.remaining),
        "ended_at": local(cycle.ended_at),
        "verdict": cycle.verdict,
        "verdict_766": cycle.verdict_766,
        "level": cycle.level.value,
        "working_seconds": seconds(spent.working),
        "paused_seconds": seconds(spent.paused),
        "off_seconds": seconds(spent.off),
        "wall_seconds": seconds(spent.wall),
        "late_working_seconds": seconds(spent.late),
        "verdict_unextended": cycle.verdict_unextended,
        "late_unextended_seconds": seconds(spent.late_unextended),
        "breached_in": cycle.breached_in,
        "look_again_at": local(cycle.look_again_at),
        "flags": [flag.value for flag in cycle.flags],
        "units": [
            {"unit": part.unit, "stage": part.stage, "working_seconds": seconds(part.working)} for part in spent.units
        ],
    }
