"""Why dossiers are late: slow stages, absent signers and wrong transfers, each at a place, for a field and some days.

Nothing else makes a dossier late, so that an analyst can find the causes again; an episode is drawn on the day it
begins, from the seed and that day alone.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from agents.city.knobs import CAUSES, chance
from agents.city.places import Places
from agents.city.procedures import APPRAISED, COPIES, HANDED_OVER, PROCEDURES, SIGNED, WORKED_ON
from streams.calendar import Calendar, add_working_time, working_time

SLOW, ABSENT, ASTRAY = "slow_stage", "absent_signer", "wrong_transfer"
KINDS = (SLOW, ABSENT, ASTRAY)
#: A dossier that was begun before the log may be hit by an episode of those days; there are none of longer.
LONGEST = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Episode:
    """One cause: what happened where, to which field of work and stage, from when until when.

    ``factor``: how many times as long a slow stage takes. ``other``: where a wrong transfer leads, for
    ``idle`` of working time.
    """

    name: str
    kind: str
    unit: str
    field: str
    stage: str
    begin: datetime
    end: datetime
    factor: float = 1.0
    other: str | None = None
    idle: timedelta = timedelta(0)

    def delay(self, calendar: Calendar, at: datetime, work: timedelta) -> timedelta:
        """How much longer a stage of that work takes that is entered at ``at``, in working time."""
        if not self.begin <= at < self.end:
            return timedelta(0)
        if self.kind == SLOW:
            return work * (self.factor - 1)
        return working_time(calendar, at, self.end) if self.kind == ABSENT else self.idle


class Causes:
    """The episodes of a city from one day to another; ``late`` is the wished share of late ends, in percent."""

    def __init__(self, calendar: Calendar, places: Places, seed: int, late: float) -> None:
        self._calendar = calendar
        self._places = places
        self._seed = seed
        self._rate = late * CAUSES["per_percent"].value
        self._by_place: dict[tuple[str, str], list[Episode]] = {}
        self.episodes: list[Episode] = []

    def prepare(self, first: date, last: date) -> None:
        """Draw every episode that begins between two days, both included, and shortly before."""
        day = first - LONGEST
        while day <= last:
            for episode in self._of(day) if self._calendar.is_open(day) else ():
                self.episodes.append(episode)
                self._by_place.setdefault((episode.unit, episode.field), []).append(episode)
            day += timedelta(days=1)

    def at(self, unit: str, field: str) -> Sequence[Episode]:
        """The episodes at a unit in a field."""
        return self._by_place.get((unit, field), ())

    def _of(self, day: date) -> Iterator[Episode]:
        draw = chance(self._seed, "cause", day)
        for number in range(_poisson(self._rate, draw)):
            yield self._draw(f"C-{day:%y%m%d}-{number + 1}", day, draw)

    def _draw(self, name: str, day: date, draw: Random) -> Episode:
        city = draw.random() < CAUSES["at_branch"].value
        unit = (self._places.branches if city else self._places.wards).at(draw.random())
        fields = sorted({each.field for each in PROCEDURES if each.city == city})
        weights = [CAUSES["copies"].value if each == COPIES else 1.0 for each in fields]
        field = draw.choices(fields, weights)[0]
        kind = draw.choices(KINDS, [CAUSES[kind].value for kind in KINDS])[0]
        begin = add_working_time(self._calendar, self._calendar.at(day), timedelta(minutes=draw.randint(1, 420)))
        end = add_working_time(self._calendar, begin, _between(draw, "hours"))
        if kind == ASTRAY:
            other = (self._places.branches if not city else self._places.wards).at(draw.random())
            idle = _between(draw, "idle")
            return Episode(name, kind, unit, field, HANDED_OVER, begin, end, other=other, idle=idle)
        stage = SIGNED if kind == ABSENT else draw.choice((WORKED_ON, APPRAISED))
        factor = (
            round(draw.uniform(CAUSES["least_factor"].value, CAUSES["most_factor"].value), 1) if kind == SLOW else 1.0
        )
        return Episode(name, kind, unit, field, stage, begin, end, factor=factor)


def _between(draw: Random, what: str) -> timedelta:
    """A length of working time between its two knobs, to the minute."""
    least, most = (int(CAUSES[f"{end}_{what}"].value * 60) for end in ("least", "most"))
    return timedelta(minutes=draw.randint(least, most))


def _poisson(mean: float, draw: Random) -> int:
    """How often something happens that happens ``mean`` times on average."""
    limit, count, product = math.exp(-mean), 0, draw.random()
    while product > limit:
        count += 1
        product *= draw.random()
    return count
