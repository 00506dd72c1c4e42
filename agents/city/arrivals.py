"""When dossiers come: how many on a day, and at what time of it.

The day's total is the centre's; the shape of day, week and year is assumed from what one-stop offices report:
a morning peak from 8:30 to 10:30, a smaller one from 14:00 to 15:30, Monday full, Friday thin, a rush after Tết.
"""

from bisect import bisect
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random

from agents.city.knobs import CITY, WEEK
from streams.calendar import Calendar

#: A working week with its weekend comes to five even days.
WEEKDAYS = tuple(knob.value for knob in list(WEEK.values())[:7])
TET = timedelta(days=7)  # a longer closing than any other

HALF_HOUR = 1800
#: Weights of half hours. At the counter, from 8:00 to 12:00 and from 13:00 to 17:00.
COUNTER: dict[int, float] = {
    16: 5,
    17: 11,
    18: 12,
    19: 12,
    20: 11,
    21: 8,
    22: 6,
    23: 3,
    26: 4,
    27: 5,
    28: 8,
    29: 8,
    30: 7,
    31: 4,
    32: 3,
    33: 1,
}
#: Online, all day long: as at the counter, with a trickle in the evening.
ONLINE: dict[int, float] = {
    **dict.fromkeys(range(48), 0.2), **{half: weight * 0.9 for half, weight in COUNTER.items()},
    24: 2, 25: 2, 34: 2, 35: 1.5, 36: 1, 37: 1, 38: 1.2, 39: 1.5, 40: 1.8, 41: 1.8, 42: 1.5, 43: 1.2, 44: 0.8,
}  # fmt: skip
SATURDAY: dict[int, float] = {16: 5, 17: 9, 18: 10, 19: 9, 20: 8, 21: 6, 22: 4, 23: 2}
IDLE: dict[int, float] = {**dict.fromkeys(range(48), 0.2), **dict.fromkeys(range(16, 46), 1.0)}


class Shape:
    """A day as half hours with weights."""

    def __init__(self, weights: Mapping[int, float]) -> None:
        self._halves: Sequence[int] = sorted(weights)
        reach = tuple(accumulate(weights[half] for half in self._halves))
        self._reach = [each / reach[-1] for each in reach]

    def second(self, chance: Random) -> int:
        """A second of the day."""
        half = self._halves[min(bisect(self._reach, chance.random()), len(self._halves) - 1)]
        return half * HALF_HOUR + int(chance.random() * HALF_HOUR)


class Arrivals:
    """How many dossiers come on each day, at a scale (1: all Hanoi), and when."""

    def __init__(self, calendar: Calendar, scale: float) -> None:
        self._calendar = calendar
        self._scale = scale
        self._counter, self._online, self._saturday, self._idle = map(Shape, (COUNTER, ONLINE, SATURDAY, IDLE))

    def count(self, day: date) -> int:
        """The dossiers of that day."""
        return round(CITY["dossiers"].value * self._scale * self._weight(day))

    def _weight(self, day: date) -> float:
        weekday = day.weekday()
        if not self._calendar.is_open(day):
            return WEEKDAYS[weekday] if weekday > 4 and not self._around_tet(day) else WEEK["day_off"].value
        season = self._around_tet(day) or 1.0
        return (WEEK["worked_saturday"].value if weekday > 4 else WEEKDAYS[weekday]) * season

    def _around_tet(self, day: date) -> float | None:
        """How Tết changes the day; None when it is far."""
        before, after = (
            self._closed_for(day - timedelta(days=10), day),
            self._closed_for(day, day + timedelta(days=7)),
        )
        if before >= TET:
            return WEEK["after_tet"].value
        return WEEK["before_tet"].value if after >= TET else None

    def _closed_for(self, begin: date, end: date) -> timedelta:
        """The longest closing that begins between two days."""
        longest, day = timedelta(0), begin
        while day < end:
            following = self._calendar.next_open_day(day)
            if self._calendar.is_open(day):
                longest = max(longest, following - day)
            day = following
        return longest

    def instant(self, day: date, chance: Random, *, online: bool) -> datetime:
        """When on that day a dossier comes."""
        if self._calendar.is_open(day):
            shape = self._online if online else self._counter
        else:
            shape = self._idle if online else self._saturday
        return self._calendar.at(day) + timedelta(seconds=shape.second(chance))
