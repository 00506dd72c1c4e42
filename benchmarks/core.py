"""What the pure core costs: one question to a calendar, one assessment, a replay."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from agents.city.chronicle import Chronicle, Plan, working_days_back
from agents.config import load
from agents.event_file import EventFile
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.calendar import add_working_time, working_time
from streams.history import History, add
from streams.replay import rows
from streams.rules import Rules
from streams.verdict import assess

HANOI = Path(__file__).parents[1] / "config"
CITY_DAYS, CITY_SHARE = 249, 0.001
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
AN_HOUR, A_YEAR = timedelta(hours=1), timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Measured:
    """One line of the table: what, how long one takes, and how that compares with the line named."""

    what: str
    seconds: float
    note: str = ""


def cpu(run: Callable[[], object], *, at_least: float = 0.5) -> float:
    """CPU seconds of one run: the best of five rounds, each long enough to be measured."""
    count = 1
    while _round(run, count) < at_least / 5:
        count *= 2
    return min(_round(run, count) for _ in range(5)) / count


def _round(run: Callable[[], object], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        run()
    return time.process_time() - began


def measure() -> Iterator[Measured]:
    """Every measurement of the core, in the order of the table."""
    rules = load(HANOI)
    yield from _calendar(rules)
    yield from _assess(rules)
    yield from _replay(rules)


def _calendar(rules: Rules) -> Iterator[Measured]:
    calendar = rules.newest.home
    hour = cpu(lambda: working_time(calendar, START, START + AN_HOUR))
    year = cpu(lambda: working_time(calendar, START, START + A_YEAR))
    yield Measured("working_time over an hour", hour)
    yield Measured("working_time over a year", year, f"{year / hour:.2f} times the hour")
    yield Measured("add_working_time of 40 hours", cpu(lambda: add_working_time(calendar, START, timedelta(hours=40))))


def _history(events: int) -> History:
    history = History("H26.01-260302-0001")
    for number in range(events):
        status = 2 if number == 0 else (4, 4, 5, 4)[number % 4]
        at = START + timedelta(hours=number)
        event = Event(
            event_id=f"e{number}",
            dossier_code=history.dossier_code,
            at=at,
            status=status,
            procedure_code="1.004441",
            processing_unit=f"H26.0{1 + number % 5}",
        )
        history = add(history, event)
    return history


def _assess(rules: Rules) -> Iterator[Measured]:
    short, long = _history(8), _history(200)
    now = START + timedelta(days=20)
    eight = cpu(lambda: assess(short, rules, now=now))
    later = cpu(lambda: assess(short, rules, now=now + 3 * A_YEAR))
    many = cpu(lambda: assess(long, rules, now=now))
    yield Measured("assess, 8 events", eight)
    yield Measured("assess, 8 events, three years later", later, f"{later / eight:.2f} times")
    yield Measured("assess, 200 events", many, f"{many / eight:.1f} times 8 events")


def _replay(rules: Rules) -> Iterator[Measured]:
    """A simulated year in small: `CITY_SHARE` of Hanoi, so that what is measured fits into a minute."""
    until = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    plan = Plan(working_days_back(rules, until, CITY_DAYS), until, 766, CITY_SHARE, 0.15, 1.0)
    lines = [record.value + b"\n" for record in Chronicle(rules, plan).records(lambda _: None)]
    dossiers = 0

    def judge() -> None:
        nonlocal dossiers
        dossiers = 0
        with EventFile(lines, rules) as events:
            for history in events.histories():
                dossiers += 1
                for row in rows(history, rules, now=until):
                    orjson.dumps(row)

    whole = cpu(judge)
    read = cpu(lambda: _read(lines))
    told = f"{len(lines):,} lines, {len(lines) / dossiers:.1f} a dossier"
    yield Measured("replay: validate one line", read / len(lines), told)
    yield Measured("replay: one line, from bytes to row", whole / len(lines), f"{len(lines) / whole:,.0f} events/s")


def _read(lines: list[bytes]) -> None:
    for line in lines:
        with suppress(InvalidRecord):
            read_event(line)
