"""Stories of one dossier: events where answers change, in legal and illegal order, some of them twice.

Statuses mostly follow one another as they may; the rest of the time anything goes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from schemas.event import Event
from tests.laws.worlds import HOUR, Pick, World, limit

Row = dict[str, object]
CODE = "H26.12-260302-0001"
NUDGES = (0, 0, 0, 1, -1, 1e-6, -1e-6)

_USUAL = {
    None: (1, 2, 2, 2, 2, 4, 8, 9),
    1: (2, 2, 2, 1, 5, 3),
    2: (4, 4, 5, 5, 6, 8, 9, 7),
    3: (4, 2),
    4: (4, 5, 5, 6, 8, 9, 9, 7),
    5: (4, 2, 5, 6, 8, 9, 7),
    6: (4, 2, 5, 9, 8, 6),
    7: (4, 9),
    8: (4, 2, 5, 6, 8, 9, 7),
    9: (10, 4, 4),
    10: (4,),
}
#: A dossier that lives on: received, paused and resumed, extended, finished and reopened.
_LIVING = {
    None: (2, 2, 2, 1),
    1: (2,),
    2: (4, 4, 5, 6, 8),
    4: (4, 5, 5, 6, 8, 9),
    5: (4, 4, 2, 5, 6),
    6: (4, 4, 2, 5),
    8: (4, 4, 2, 5, 6),
    9: (4, 4, 10),
    10: (4,),
}
_CLOCK = (0, 1, 7.5, 8, 9, 10.75, 12, 12.5, 13, 14, 15, 16, 17, 18.25, 22, 23.999)


@dataclass
class Story:
    """Events so far, and the means to tell more."""

    world: World
    pick: Pick
    answer: Callable[[Sequence[Event], datetime], list[Row]]  # what is known of the rows, for times that matter
    events: list[Event]
    day: date
    procedure: str
    lives_on: bool
    status: int | None = None

    def wall(self, day: date) -> datetime:
        """A time of that day at which something may open, close or be due."""
        return self.world.midnight(day) + self.pick(_CLOCK) * HOUR

    def nudged(self, at: datetime) -> datetime:
        return at + timedelta(seconds=self.pick(NUDGES))

    def known_times(self) -> list[datetime]:
        """Due instants and instants to look again, as they stand after the last event, and where rules change."""
        times = [event.due for event in self.events if event.due is not None]
        times += [self.world.midnight(day) for day in self.world.changes]
        last = max((event.at for event in self.events), default=None)
        for row in self.answer(self.events, last) if last is not None else ():
            written = (row[name] for name in ("due_original", "due_current", "look_again_at"))
            times += [datetime.fromisoformat(str(time)).astimezone(UTC) for time in written if time is not None]
        return times

    def moment(self) -> datetime:
        """When the next event happens: at a due instant or another turning point, or soon."""
        how = self.pick(("soon", "soon", "soon", "soon", "turn", "turn", "same", "soon" if self.lives_on else "any"))
        if how == "turn" and (times := self.known_times()):
            return self.nudged(self.pick(times))
        if how == "same" and self.events:
            return self.pick(self.events[-2:]).at
        if how == "soon":
            self.day += timedelta(days=self.pick((0, 0, 0, 0, 1, 1, 2, 5)))
        day = self.day if how != "any" else self.world.first_day + timedelta(days=self.pick(tuple(range(30))))
        return self.nudged(self.wall(day))

    def due(self) -> datetime:
        if self.pick((True, False, False)) and (times := self.known_times()):
            return self.nudged(self.pick(times))
        day = self.day + timedelta(days=self.pick((0, 1, 2, 3, 5, 7, 14, -1)))
        return self.wall(day) if self.pick((True, False)) else self.world.midnight(day)

    def tell(self, number: int) -> None:
        kinds = (*["status"] * 10, "extension", "extension", "letter")
        kind = self.pick(kinds if self.lives_on else (*kinds, "void", "again", "again"))
        if kind == "again" and self.events:
            return self.repeat(number)
        if kind == "again":
            kind = "status"
        values: dict[str, object] = {
            "event_id": f"e{number}",
            "dossier_code": CODE,
            "kind": kind,
            "at": self.moment(),
            "source": self.pick(("s", "s", "s", None, "t")),
            "sequence": self.pick((None, 1, 2, 3, number)),
        }
        if kind == "status":
            values |= self.station()
        elif kind == "extension":
            values["due"] = self.due()
        elif kind == "letter":
            values["letter"] = "apology"
        else:
            values["voids"] = f"e{self.pick(tuple(range(number + 3)))}"
        self.events.append(Event(**values))  # type: ignore[arg-type]
        return None

    def station(self) -> dict[str, object]:
        usual = self.pick((True, True, True, True, True, True, False))
        if self.lives_on:
            self.status = self.pick(_LIVING[self.status])
        else:
            self.status = self.pick(_USUAL[self.status] if usual else (1, 2, 3, 4, 5, 6, 7, 8, 9, 10))
        first = self.status in (1, 2)
        return {
            "status": self.status,
            "procedure_code": self.procedure,
            "processing_unit": self.pick(("A", "A", "A", "B", "C", "X")),
            "receiving_unit": self.pick((None, "A", "B")) if first else None,
            "stage": self.pick((None, None, "x", "y")),
            "case": self.pick((None, None, "a", "b")),
            "channel": self.pick((None, "online", "counter")) if first else None,
            "due": self.due() if self.pick((True, False, False, False)) else None,
            "limit": limit(self.pick) if self.pick((True, *[False] * 5)) else None,
        }

    def repeat(self, number: int) -> None:
        """An event once more: as it was, with a new id, or changed under its old id."""
        old = self.pick(self.events)
        changes: tuple[dict[str, object], ...] = (
            {},
            {"event_id": f"e{number}"},
            {"at": old.at + timedelta(hours=1)},
            {"at": old.at - timedelta(hours=30)},
            {"reason": "r"},
            {"due": self.due()},
        )
        self.events.append(replace(old, **self.pick(changes)))  # type: ignore[arg-type]


def story(
    pick: Pick, place: World, answer: Callable[[Sequence[Event], datetime], list[Row]], most: int = 12
) -> list[Event]:
    """The events of one dossier, in no particular order."""
    told = Story(
        place, pick, answer, [], place.first_day, pick(("1.004441", "1.004441", "2.000001")), pick((True, True, False))
    )
    for number in range(pick(tuple(range(1, most)))):
        told.tell(number)
    return told.events


def instants(pick: Pick, events: Sequence[Event], rows: Callable[[datetime], list[Row]]) -> list[datetime]:
    """Five instants to judge at: at an event; after all; when that answer says to look again, just before, later."""
    times = sorted(event.at for event in events)
    known = times[-1] + timedelta(hours=pick((0, 0, 1, 20, 49.5, 200)))
    looks = [
        datetime.fromisoformat(str(row["look_again_at"])).astimezone(UTC)
        for row in rows(known)
        if row["look_again_at"] is not None
    ]
    look = max(looks, default=known + timedelta(days=3))
    early = pick(times) + timedelta(seconds=pick(NUDGES))
    return [early, known, look - timedelta(seconds=1), look, look + timedelta(days=pick((1, 5, 40)))]
