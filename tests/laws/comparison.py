"""One dossier judged twice, by the program and by the oracle, which share no code.

A seed names a dossier for ever (as long as worlds and stories are made as they are made now).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from random import Random

import orjson

from schemas.event import Event
from streams.history import History, add
from streams.replay import rows
from streams.rules import compile_rules
from tests.laws.source import IMPORTS, source
from tests.laws.stories import CODE, Row, instants, story
from tests.laws.worlds import Pick, T, World, world
from tests.oracle.judge import judge
from tests.oracle.shelf import Shelf

IN_ONE_WORLD = 8  #: so many dossiers share an office, whose calendars are compiled once


class Judges:
    """The two judges of a world."""

    def __init__(self, place: World) -> None:
        self.rules = compile_rules(place.office, place.units, place.calendars, place.limits)
        self.shelf = Shelf(place.office, place.units, place.calendars, place.limits)

    def oracle(self, events: Sequence[Event], now: datetime) -> list[Row]:
        return judge(events, self.shelf, now)

    def program(self, events: Sequence[Event], now: datetime) -> list[Row]:
        known = History(CODE)
        for event in events:
            known = add(known, event)
        return list(orjson.loads(orjson.dumps(list(rows(known, self.rules, now=now)))))

    def both(self, events: Sequence[Event], now: datetime) -> tuple[list[Row], list[Row]]:
        """What the oracle expects, and what the program finds."""
        expected, found = self.oracle(events, now), self.program(events, now)
        return [_exact(row) for row in expected], [_exact(row) for row in found]


def _exact(row: Row) -> Row:
    """Durations to the microsecond: the oracle divides, the ledger need not."""
    rounded = {name: round(value, 6) for name, value in row.items() if isinstance(value, (int, float))}
    units = row["units"]
    assert isinstance(units, list)
    return row | rounded | {"units": [unit | {"working_seconds": round(unit["working_seconds"], 6)} for unit in units]}


@dataclass(frozen=True)
class Difference:
    """A dossier that the two judge otherwise at an instant. As a string: Python to paste, and what differs."""

    world: World
    events: tuple[Event, ...]
    now: datetime

    def __str__(self) -> str:
        lines = [IMPORTS, *made(self.world, self.events), f"now = {source(self.now)}"]
        return "\n".join([*lines, "print(Difference(world, events, now))", *(f"# {line}" for line in self.fields())])

    def fields(self) -> Iterator[str]:
        """What differs, one field a line; nothing when the two agree."""
        expected, found = Judges(self.world).both(self.events, self.now)
        if len(expected) != len(found):
            yield f"cycles: the oracle sees {len(expected)}, the program {len(found)}"
        for oracle, program in zip(expected, found, strict=False):
            for name in oracle:
                if oracle[name] != program[name]:
                    says = f"the oracle says {oracle[name]}, the program {program[name]}"
                    yield f"{name} of cycle {oracle['cycle']}: {says}"


def made(place: World, events: Sequence[Event]) -> Iterator[str]:
    """A world and its events as Python, one thing a line."""
    yield "world = World("
    for name in ("office", "units", "limits", "calendars", "first_day"):
        part = getattr(place, name)
        if isinstance(part, tuple):
            yield f"    {name}=("
            yield from (f"        {source(one)}," for one in part)
            yield "    ),"
        else:
            yield f"    {name}={source(part)},"
    yield ")"
    yield "events = ("
    yield from (f"    {source(event)}," for event in sorted(events, key=lambda event: event.at))
    yield ")"


def chance(seed: str) -> Pick:
    """Picks by a seed."""
    random = Random(seed).random

    def pick(options: Sequence[T]) -> T:
        return options[int(random() * len(options))]

    return pick


@lru_cache(2)
def place(number: int) -> tuple[World, Judges]:
    """The world of that number, and its judges."""
    chosen = world(chance(f"world {number}"))
    return chosen, Judges(chosen)


def difference(seed: int) -> Difference | None:
    """Where the two differ about the dossier of this seed, at any of its five instants; None where they agree."""
    chosen, judges = place(seed // IN_ONE_WORLD)
    pick = chance(f"dossier {seed}")
    events: list[Event] = []
    try:
        events = story(pick, chosen, judges.oracle)
        for now in instants(pick, events, lambda now: judges.oracle(events, now)):
            expected, found = judges.both(events, now)
            if expected != found:
                return Difference(chosen, tuple(events), now)
    except Exception as error:
        error.add_note("\n".join([f"seed {seed}", *made(chosen, events)]))
        raise
    return None


def first_difference(seeds: range) -> tuple[int, Difference] | None:
    """The first of these dossiers about which the two differ, with its seed."""
    for seed in seeds:
        if (found := difference(seed)) is not None:
            return seed, found
    return None
