"""What if: a draft configuration over the same histories, cycle by cycle beside the one in force.

Both sides are judged by `streams.verdict.assess` at one common instant, so that what comes out is the
difference of two replays. Nothing is kept of a dossier but its counts and the worst changes.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from enum import StrEnum

from schemas.alert import Action, Alert
from schemas.assessment import Cycle, Level
from streams.alerts import decide
from streams.calendar import ZERO
from streams.history import History, until
from streams.rules import Rules
from streams.verdict import assess

Place = tuple[str | None, str | None]  #: the unit that holds a cycle (or held it last), and the procedure


class Aspect(StrEnum):
    """In what a cycle can come out otherwise."""

    VERDICT = "verdict"
    VERDICT_766 = "verdict_766"
    LEVEL = "level"
    DUE = "due"  # the original or the current due instant, or what remains in a pause


@dataclass(frozen=True, slots=True)
class Pair:
    """One started cycle under both configurations, and in what they differ."""

    dossier_code: str
    before: Cycle
    after: Cycle
    closed: bool
    aspects: tuple[Aspect, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """One dossier: its started cycles, and what would be told if the draft were put in place at that instant."""

    dossier_code: str
    pairs: tuple[Pair, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True)
class Count:
    """Cycles, how many of them change at all, and in what (one may change in several ways)."""

    cycles: int = 0
    changed: int = 0
    verdict: int = 0
    verdict_766: int = 0
    level: int = 0
    due: int = 0
    overdue_before: int = 0
    overdue_after: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """The counts of one unit and procedure, and the actions on alerts there."""

    unit: str | None
    procedure: str | None
    open: Count
    closed: Count
    alerts: Mapping[Action, int]


@dataclass(frozen=True, slots=True)
class Turn:
    """How many open, or closed, cycles turn from one value of an aspect to another."""

    closed: bool
    aspect: Aspect
    before: str
    after: str
    cycles: int


@dataclass(frozen=True, slots=True)
class WhatIf:
    """The whole difference: totals, most changed places first, and the worst changes, worst first."""

    dossiers: int
    open: Count
    closed: Count
    tallies: tuple[Tally, ...]
    turns: tuple[Turn, ...]
    alerts: Mapping[Action, int]
    worst: tuple[Pair, ...]

    @property
    def changed(self) -> int:
        """How many cycles change, open and closed."""
        return self.open.changed + self.closed.changed


def compare(history: History, before: Rules, after: Rules, *, now: datetime) -> Comparison:
    """One dossier at ``now`` under the rules in force and under the draft; events dated later are left out.

    The alerts that stand now are those which the rules in force would have raised; the actions make
    them what the draft wants.
    """
    known = until(history, now)
    old, new = assess(known, before, now=now), assess(known, after, now=now)
    # No rule decides which events open or end a cycle (a pause at most), so both sides have the same cycles.
    pairs = (
        Pair(old.dossier_code, was, becomes, _closed(was), tuple(_aspects(was, becomes)))
        for was, becomes in zip(old.cycles, new.cycles, strict=True)
        if was.received_at is not None
    )
    return Comparison(old.dossier_code, tuple(pairs), decide(new, decide(old, (), now=now), now=now))


def _closed(cycle: Cycle) -> bool:
    """Whether the cycle is over. A halted one is not, though its clock shows stopped: the newest limits hold for it."""
    halted = any(span.bucket == "halted" and span.end is None for span in cycle.spans[-1:])
    return cycle.clock == "stopped" and not halted


def _aspects(before: Cycle, after: Cycle) -> Iterator[Aspect]:
    if before.verdict != after.verdict:
        yield Aspect.VERDICT
    if before.verdict_766 != after.verdict_766:
        yield Aspect.VERDICT_766
    if before.level is not after.level:
        yield Aspect.LEVEL
    if _promise(before) != _promise(after):
        yield Aspect.DUE


def _promise(cycle: Cycle) -> tuple[object, ...]:
    return cycle.due_original, cycle.due_current, cycle.remaining_seconds


def add_up(comparisons: Iterable[Comparison], *, limit: int) -> WhatIf:
    """The comparisons of all dossiers together, with at most ``limit`` of the worst changes.

    Worst is what becomes overdue, best what ceases to be; among equals come open cycles before closed ones,
    then those that the official indicator newly counts overdue, that climb to a higher level, that are due earlier.
    """
    sums = _Sums(limit)
    dossiers = 0
    for comparison in comparisons:
        dossiers += 1
        sums.take(comparison)
    return sums.total(dossiers)


class _Sums:
    """What is carried from dossier to dossier; it grows with units and procedures, never with dossiers."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._counts: dict[tuple[Place, bool], Counter[str]] = {}
        self._turns: Counter[tuple[bool, Aspect, str, str]] = Counter()
        self._alerts: Counter[tuple[Place, Action]] = Counter()
        self._worst: list[Pair] = []

    def take(self, comparison: Comparison) -> None:
        for pair in comparison.pairs:
            self._count(pair)
            if pair.aspects:
                self._keep(pair)
        for alert in comparison.alerts:
            self._alerts[(alert.unit, alert.procedure), alert.action] += 1

    def _count(self, pair: Pair) -> None:
        counts = self._counts.setdefault(((pair.after.unit, pair.after.procedure), pair.closed), Counter())
        counts["cycles"] += 1
        counts["overdue_before"] += pair.before.verdict == "overdue"
        counts["overdue_after"] += pair.after.verdict == "overdue"
        counts["changed"] += bool(pair.aspects)
        for aspect in pair.aspects:
            counts[aspect.value] += 1
            if aspect is not Aspect.DUE:
                was, becomes = getattr(pair.before, aspect.value), getattr(pair.after, aspect.value)
                self._turns[pair.closed, aspect, str(was), str(becomes)] += 1

    def _keep(self, pair: Pair) -> None:
        self._worst.append(pair)
        if len(self._worst) > 2 * self._limit + 100:  # sorting now and then costs less than keeping order
            self._cut()

    def _cut(self) -> None:
        self._worst.sort(key=_worst_first)
        del self._worst[self._limit :]

    def total(self, dossiers: int) -> WhatIf:
        self._cut()
        places = {place for place, _ in (*self._counts, *self._alerts)}
        whole = {closed: self._sum(closed) for closed in (False, True)}
        return WhatIf(
            dossiers,
            whole[False],
            whole[True],
            tuple(sorted(map(self._tally, places), key=_most_changed_first)),
            tuple(sorted((Turn(*turn, cycles) for turn, cycles in self._turns.items()), key=_most_turned_first)),
            {action: sum(self._alerts[place, action] for place in places) for action in Action},
            tuple(self._worst),
        )

    def _tally(self, place: Place) -> Tally:
        empty: Counter[str] = Counter()
        opened, closed = (Count(**self._counts.get((place, over), empty)) for over in (False, True))
        return Tally(*place, opened, closed, {action: self._alerts[place, action] for action in Action})

    def _sum(self, closed: bool) -> Count:
        found = [counts for (_, over), counts in self._counts.items() if over is closed]
        return Count(**{field.name: sum(counts[field.name] for counts in found) for field in fields(Count)})


def _worst_first(pair: Pair) -> tuple[int, bool, int, int, timedelta, str, int]:
    before, after = pair.before, pair.after
    return (
        (before.verdict == "overdue") - (after.verdict == "overdue"),
        pair.closed,
        (before.verdict_766 == "overdue") - (after.verdict_766 == "overdue"),
        _rank(before.level) - _rank(after.level),
        moved(pair),
        pair.dossier_code,
        before.cycle,
    )


def _rank(level: Level) -> int:
    return list(Level).index(level)


def moved(pair: Pair) -> timedelta:
    """How much later the cycle is due under the draft, negative when earlier; zero where one side has no due date."""
    was = pair.before.due_current or pair.before.due_original
    becomes = pair.after.due_current or pair.after.due_original
    return becomes - was if was is not None and becomes is not None else ZERO


def _most_changed_first(tally: Tally) -> tuple[int, str, str]:
    return -(tally.open.changed + tally.closed.changed), tally.unit or "", tally.procedure or ""


def _most_turned_first(turn: Turn) -> tuple[bool, int, int, str, str]:
    return turn.closed, list(Aspect).index(turn.aspect), -turn.cycles, turn.before, turn.after
