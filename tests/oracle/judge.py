"""The judgement of a log at an instant: the rows of ``dunghan replay``, found the slow way."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from schemas.event import Event
from tests.oracle.answer import Answer, never_started
from tests.oracle.fold import Fold, Held
from tests.oracle.rulebook import Due, Promise, Rulebook
from tests.oracle.shelf import Shelf
from tests.oracle.story import Cycle, tell
from tests.oracle.worktime import DAY

TICK = timedelta(microseconds=1)
SECOND = timedelta(seconds=1)


def judge(events: Sequence[Event], shelf: Shelf, now: datetime) -> list[dict[str, object]]:
    """One row a dossier and cycle as of ``now``, by code and cycle."""
    rows: list[dict[str, object]] = []
    for code in sorted({event.dossier_code for event in events}):
        cycles = tell([event for event in events if event.dossier_code == code], shelf.office, now)
        rows += Dossier(shelf, cycles).rows(now)
    return rows


class Dossier:
    """The cycles of one dossier, to be judged at any instant at which nothing more has arrived."""

    def __init__(self, shelf: Shelf, cycles: list[Cycle]) -> None:
        self.shelf = shelf
        self.cycles = cycles
        self.known: dict[Rulebook, list[Held]] = {}

    def rows(self, now: datetime) -> list[dict[str, object]]:
        rows = []
        for cycle in self.cycles:
            if cycle.start is None:
                rows.append(never_started(cycle))
            else:
                rows.append(self.answer(cycle, now).row(self.look_again_at(cycle, now)))
        return rows

    def rulebook(self, cycle: Cycle, now: datetime) -> Rulebook:
        """What a cycle is judged by, wholly: a closed one by what held at its end, an open one by what holds now."""
        end = cycle.end
        return self.shelf.at(end.event.at if cycle.closed and end is not None else now)

    def answer(self, cycle: Cycle, now: datetime) -> Answer:
        return Answer(self.rulebook(cycle, now), cycle, self.held(now)[cycle.number - 1], now)

    def held(self, now: datetime) -> list[Held]:
        """All cycles; the last may be open, so that another rulebook may give it another answer."""
        rulebook = self.shelf.at(now)
        if rulebook not in self.known:
            self.known[rulebook] = self.fold(now)
        return self.known[rulebook]

    def fold(self, now: datetime) -> list[Held]:
        forces: list[Due] = []
        helds: list[Held] = []
        for cycle in self.cycles:
            rulebook = self.rulebook(cycle, now)
            if helds:
                first = helds[0].promise
                promise = Promise(first.exact, first.same_day, first.near)
            else:
                promise = rulebook.promise(cycle)
            helds.append(Fold(rulebook, promise, forces, helds[-1] if helds else None).take(cycle))
        return helds

    # When to look again: every instant at which something might change is tried, in order.

    def look_again_at(self, cycle: Cycle, now: datetime) -> datetime | None:
        if cycle.closed:
            return None
        state = self.answer(cycle, now).state()
        before = now
        for instant in sorted({instant for instant in self.candidates(cycle, now) if instant > now}):
            if self.answer(cycle, instant).state() != state:
                return self.first_change(cycle, state, before, instant)
            before = instant
        return None

    def first_change(self, cycle: Cycle, state: object, before: datetime, after: datetime) -> datetime:
        """The first instant after ``before``, up to ``after``, at which the state is another."""
        if self.answer(cycle, after - TICK).state() == state:
            return after
        while after - before > TICK:
            middle = before + (after - before) // 2
            if self.answer(cycle, middle).state() == state:
                before = middle
            else:
                after = middle
        return after

    def candidates(self, cycle: Cycle, now: datetime) -> Iterator[datetime]:
        for moment in self.shelf.begins:
            if moment > now:
                yield moment
                yield from self.thresholds(cycle, moment)
        yield from self.thresholds(cycle, now)
        hours = self.answer(cycle, now).hours
        for days in [*range(1, 11), 20, 40, 80, 160, 320, 640, 1280]:
            yield hours.local(hours.day_of(now) + days * DAY)

    def thresholds(self, cycle: Cycle, now: datetime) -> Iterator[datetime]:
        """What the sentences about levels, verdicts and flags name, roughly: each is tried, none believed."""
        answer = self.answer(cycle, now)
        levels, hours, held = self.shelf.office.levels, answer.hours, answer.held
        if held.pause:
            yield held.pause.begin + levels.long_pause
            yield held.pause.begin + levels.long_pause + SECOND
        for step in cycle.steps:
            yield hours.after(step.event.at, levels.stalled)[0]
        supplemented = sum((one[1] - one[0] for one in answer.supplements() if len(one) == 2), timedelta(0))
        for due in (held.due, held.twin, held.original, held.extension):
            if due is None:
                continue
            for shift in (timedelta(0), supplemented):
                yield due.at + shift
                yield due.at + SECOND + shift
                yield due.hours.local(due.day) + shift
                yield due.hours.midnight_after(due.day) + shift
            for left in (answer.near(), timedelta(hours=1)):
                if left is not None:
                    yield hours.before(due.at, left)
            late = timedelta(hours=24) - answer.late(due)
            yield hours.after(max(due.at, now), max(late, timedelta(0)))[0]
            yield hours.after(max(due.at, answer.received), timedelta(hours=24))[0]
