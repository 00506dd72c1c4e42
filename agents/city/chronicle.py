"""The chronicle of a city: every record from one day to another in the order of arrival, and the truth beside it.

Dossiers are made day by day, each from draws of its own; what of them lies ahead waits by day, so that memory is
bounded by the dossiers that are open and not by the length of the log.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

import orjson

from agents.city.arrivals import Arrivals
from agents.city.causes import Causes
from agents.city.clerk import Clerk, causes
from agents.city.dirt import Feed, Record, told
from agents.city.dossiers import tell
from agents.city.lives import City
from agents.city.office import CityOffice
from agents.city.places import Places
from streams.calendar import DAY
from streams.rules import Rules

Tell = Callable[[dict[str, object]], None]  #: takes a line of the truth
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What to make: dossiers that come from ``begin`` on, events until ``until``.

    ``scale`` 1 is all Hanoi, ``late`` is in percent, ``dirt`` from 0 to 1. The truth is as of ``now``, which is not
    before ``until``; absent, it is that.
    """

    begin: datetime
    until: datetime
    seed: int
    scale: float
    late: float
    dirt: float
    now: datetime | None = None

    @property
    def judged_at(self) -> datetime:
        """The instant at which the truth holds."""
        return self.now or self.until


class Chronicle:
    """A city told once. Equal rules and plan give the equal bytes."""

    def __init__(self, rules: Rules, plan: Plan) -> None:
        office, places = CityOffice(rules), Places(rules.units)
        self.plan = plan
        self.city = City(
            plan.seed,
            office,
            places,
            Arrivals(office.calendar, plan.scale),
            Causes(office.calendar, places, plan.seed, plan.late),
        )
        self.feed = Feed(self.city, plan.dirt)
        self._clerk = Clerk(office, plan.judged_at)
        self._waiting: dict[int, list[Record]] = {}
        self._first = office.calendar.day(plan.begin)
        self._midnight = int(office.calendar.at(self._first).timestamp())
        self.dossiers = self.cycles = self.records_sent = 0

    @property
    def expected(self) -> int:
        """About how many records there will be, to show how far one has come."""
        return int(sum(self.city.arrivals.count(day) for day in self.days()) * RECORDS_A_DOSSIER)

    def days(self) -> Iterator[date]:
        """The days of the log."""
        day, last = self._first, self.city.office.calendar.day(self.plan.until)
        while day <= last:
            yield day
            day += DAY

    def records(self, truth: Tell) -> Iterator[Record]:
        """Every record in the order of arrival. ``truth`` is told first what was drawn for the whole city, then each
        dossier as it is made, and at the end what was refused and how much there was."""
        self._open(truth)
        for index, day in enumerate(self.days()):
            for number in range(1, self.city.arrivals.count(day) + 1):
                self._make(day, number, truth)
            arriving = self._waiting.pop(index, [])
            arriving.sort()
            self.records_sent += len(arriving)
            yield from arriving
        self._close(truth)

    def _open(self, truth: Tell) -> None:
        plan, zone = self.plan, self.city.office.zone
        last = self.city.office.calendar.day(plan.until)
        self.city.causes.prepare(self._first, last)
        truth(
            {
                "kind": "log",
                "now": plan.judged_at.astimezone(zone),
                "begin": plan.begin.astimezone(zone),
                **{name: getattr(plan, name) for name in ("seed", "scale", "late", "dirt")},
            }
        )
        for episode in self.city.causes.episodes:
            line: dict[str, object] = {"kind": "episode", "cause": episode.kind}
            line |= {name: getattr(episode, name) for name in ("name", "unit", "field", "stage", "factor", "other")}
            line |= {"begin": episode.begin.astimezone(zone), "end": episode.end.astimezone(zone)}
            truth(line | {"idle_seconds": int(episode.idle.total_seconds())})
        for source in self.city.places.sources():
            self.feed.skew(source)
        for line in told(self.feed, {day: self.feed.silences(day) for day in self.days()}):
            truth(line)

    def _make(self, day: date, number: int, truth: Tell) -> None:
        life = tell(self.city, day, number)
        if life is None or life.events[0]["at"] < self.plan.begin:
            return
        records, known = self.feed.send(life, day, number, self.plan.until, now=self.plan.judged_at)
        for record in records:
            self._waiting.setdefault((record.arrives - self._midnight) // SECONDS_A_DAY, []).append(record)
        if not known:
            return
        self.dossiers += 1
        touched = [name for since, name in life.touched if since <= self.plan.until]
        for row, why in causes(self._clerk.rows(life.code, known), touched):
            self.cycles += 1
            truth({"kind": "cycle", **row, "causes": why})

    def _close(self, truth: Tell) -> None:
        for reason, count in sorted(self.feed.refused.items()):
            truth({"kind": "refused", "reason": reason, "records": count})
        for code, event_id in self.feed.misplaced:
            truth({"kind": "misplaced", "dossier_code": code, "event_id": event_id})
        for what, events in sorted(self.feed.touched.items()):
            truth({"kind": "dirt", "what": what, "events": events})
        counts = {"dossiers": self.dossiers, "cycles": self.cycles, "records": self.records_sent}
        truth({"kind": "counts", **counts})


#: Measured: what a dossier comes to in a log of two weeks; it only moves the bar.
RECORDS_A_DOSSIER = 11.5


def line(value: dict[str, object]) -> bytes:
    """A line of the truth as it is written."""
    return orjson.dumps(value) + b"\n"


def last_office_instant(rules: Rules, now: datetime) -> datetime:
    """The last instant, up to ``now``, at which the office was open: where a log ends by itself."""
    calendar = rules.newest.home
    second = now.replace(microsecond=0)
    return second if calendar.opening(second) == second else calendar.reach(calendar.worked(second))


def working_days_back(rules: Rules, until: datetime, days: int) -> datetime:
    """The beginning of the first of so many working days that end with the day of ``until``, or the last before it."""
    calendar = rules.newest.home
    day = calendar.day(until)
    found = 0
    while True:
        found += calendar.is_open(day)
        if found >= days:
            return calendar.at(day)
        day -= DAY


def working_days_on(rules: Rules, begin: datetime, days: int) -> datetime:
    """The end of the last of so many working days from ``begin`` on, its own day included when it is one."""
    calendar = rules.newest.home
    last = calendar.nth_open_day(calendar.day(begin) - DAY, days)
    return calendar.closing(last) or calendar.at(last + DAY)
