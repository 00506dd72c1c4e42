"""A life of a dossier while it is told: what it is, its events so far, and the pen that writes the next one."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from agents.city.arrivals import Arrivals
from agents.city.causes import Causes
from agents.city.clerk import Event
from agents.city.knobs import LIVES, chance
from agents.city.office import CityOffice
from agents.city.places import Places
from agents.city.procedures import NATIONAL, Procedure
from schemas.limits import Limit
from streams.calendar import Calendar, add_working_time

MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class City:
    """All that a life needs to know."""

    seed: int
    office: CityOffice
    places: Places
    arrivals: Arrivals
    causes: Causes
    #: What each source does, drawn once: whether it sends NgayHenTra, and how.
    habits: dict[str, "Habit"] = field(default_factory=dict)

    def habit(self, source: str) -> "Habit":
        """How a source writes its events."""
        if source not in self.habits:
            self.habits[source] = Habit.of(chance(self.seed, "habit", source))
        return self.habits[source]


@dataclass(frozen=True, slots=True)
class Habit:
    """How a source writes its events. ``off_by``: working days that its NgayHenTra is later than the limit."""

    due: bool
    midnight: bool
    off_by: int
    new_due: bool
    long_code: bool

    @classmethod
    def of(cls, draw: Random) -> "Habit":
        """Draw one."""
        due, off = draw.random() < LIVES["due_sent"].value, draw.random() < LIVES["due_disagrees"].value
        return cls(
            due or off,
            draw.random() < 0.3,
            draw.randint(1, 2) if off else 0,
            draw.random() < LIVES["new_due_on_resume"].value,
            draw.random() < LIVES["long_code"].value,
        )


@dataclass(slots=True)
class Life:
    """A dossier: what it is, its events in the order in which they were told, and the causes that touched it."""

    code: str
    procedure: Procedure
    case: str | None
    channel: str
    receiving: str
    unit: str
    limit: Limit | None
    habit: Habit
    events: list[Event] = field(default_factory=list)
    touched: list[tuple[datetime, str]] = field(default_factory=list)  # since when, by which episode

    @property
    def online(self) -> bool:
        """Whether it came through the portal."""
        return self.channel == "online"


class Pen:
    """Writes the events of one life; ``at`` is where its clock stands."""

    def __init__(self, life: Life, city: City, at: datetime, draw: Random) -> None:
        self.life, self.city, self.at, self.draw = life, city, at, draw
        self.calendar: Calendar = city.office.calendar
        self.unit = life.unit
        procedure = life.procedure.code
        self._procedure = procedure + NATIONAL if life.habit.long_code else procedure

    def write(self, status: int, *, source: str | None = None, **more: Any) -> None:
        """An event with a status, now, by whoever holds the dossier (or by ``source``)."""
        self._add(status=status, procedure_code=self._procedure, processing_unit=self.unit, source=source, **more)

    def note(self, kind: str, at: datetime, **more: Any) -> None:
        """An event of another kind, at an instant of its own."""
        self._add(kind=kind, at=at, **more)

    def _add(self, *, at: datetime | None = None, source: str | None = None, **fields: Any) -> None:
        events = self.life.events
        number = len(events) + 1
        events.append(
            {
                "event_id": f"{self.life.code}/{number}",
                "dossier_code": self.life.code,
                "at": at or self.at,
                "source": source or self.city.places.source(self.unit),
                "sequence": number,
                **fields,
            }
        )

    def work(self, length: timedelta) -> None:
        """Let working time go by, to the second, and one second at least: no two events share an instant."""
        worked = timedelta(seconds=max(1, int(length.total_seconds())))
        self.at = add_working_time(self.calendar, self.at, worked)

    def within(self, least: float, most: float) -> timedelta:
        """A length of time between so many minutes."""
        return timedelta(seconds=60 * (least + (most - least) * self.draw.random()))

    def happens(self, knob: str, times: float = 1.0) -> bool:
        """Whether that of `LIVES` happens now."""
        return self.draw.random() < LIVES[knob].value * times
