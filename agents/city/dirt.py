"""The feed: what becomes of true events on their way. Late, twice, skewed, silent, unreadable, misplaced."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from random import Random
from typing import NamedTuple

import orjson

from agents.city.clerk import Event
from agents.city.knobs import DIRT, chance
from agents.city.lives import City, Life
from agents.city.unreadable import broken
from streams.calendar import DAY

LATE_HOURS = (1, 72)
JITTER_SECONDS = 600
SKEW_MINUTES = (1, 90)
AHEAD_MINUTES = 4  # a clock may be that much ahead and still be tolerated
BURST_PER_SECOND = 70  # how fast a branch comes back
YEAR = DAY * 365


class Record(NamedTuple):
    """What is sent: when it arrives (seconds since the epoch), a number that settles ties, key and value."""

    arrives: int
    number: int
    key: bytes
    value: bytes


class Silence(NamedTuple):
    """A branch without a word, and when its burst begins."""

    branch: str
    source: str
    begin: datetime
    end: datetime


class Feed:
    """The way from the city to us; ``dirt`` scales every knob of `DIRT` (0: clean, 1: as they stand)."""

    def __init__(self, city: City, dirt: float) -> None:
        self.city = city
        self.rates = {name: knob.value * dirt for name, knob in DIRT.items()}
        self._touching = sum(self.rates[name] for name in _ONE_OF)
        self.skews: dict[str, timedelta] = {}
        self._silences: dict[date, tuple[Silence, ...]] = {}
        self.refused: dict[str, int] = {}
        self.touched: dict[str, int] = {}
        self.misplaced: list[tuple[str, str]] = []  # dossier and event id
        self._number = 0

    def skew(self, source: str) -> timedelta:
        """How wrong the clock of a source is."""
        known = self.skews.get(source)
        if known is None:
            draw = chance(self.city.seed, "skew", source)
            known = timedelta(0)
            if draw.random() < self.rates["skewed"]:
                ahead = draw.random() < 0.15
                minutes = draw.randint(1, AHEAD_MINUTES) if ahead else -draw.randint(*SKEW_MINUTES)
                known = timedelta(minutes=minutes)
            self.skews[source] = known
        return known

    def silences(self, day: date) -> tuple[Silence, ...]:
        """The silences of that day."""
        known = self._silences.get(day)
        if known is None:
            known = self._silences[day] = tuple(self._draw_silences(day))
        return known

    def _draw_silences(self, day: date) -> Iterator[Silence]:
        calendar, draw = self.city.office.calendar, chance(self.city.seed, "silent", day)
        if calendar.is_open(day) and draw.random() < self.rates["silent"]:
            branch = self.city.places.branches.at(draw.random())
            begin = calendar.at(day, 8 * 60 + draw.randint(0, 300))
            yield Silence(branch, self.city.places.source(branch), begin, begin + timedelta(hours=draw.uniform(3, 5)))

    def send(
        self, life: Life, day: date, number: int, until: datetime, *, now: datetime
    ) -> tuple[list[Record], list[Event]]:
        """The records of a life that arrive until then, and the events that a clerk knows of ``now``."""
        draw = chance(self.city.seed, "feed", day, number)
        records: list[Record] = []
        known: list[Event] = []
        end = int(until.timestamp())
        key = life.code.encode()
        for event in life.events:
            arrives = self._arrival(event)
            event["at"] += self.skew(event["source"])
            if draw.random() < self._touching:
                self._touched(life, event, arrives, end, draw, records, known)
            elif arrives <= end:
                records.append(self._record(arrives, key, self._written(event)))
                known.append(event)
        return records, [event for event in known if event["at"] <= now]

    def _arrival(self, event: Event) -> int:
        at: datetime = event["at"]
        arrives = int(at.timestamp())
        for silence in self.silences(self.city.office.calendar.day(at)) if self.rates["silent"] else ():
            if silence.source == event["source"] and silence.begin <= at < silence.end:
                waited = (at - silence.begin) / (silence.end - silence.begin)
                return int(silence.end.timestamp()) + int(waited * 3600 / BURST_PER_SECOND)
        return arrives

    def _written(self, event: Event) -> bytes:
        zone = self.city.office.zone
        local = {**event, "at": event["at"].astimezone(zone)}
        if "due" in event:
            local["due"] = event["due"].astimezone(zone)
        return bytes(memoryview(orjson.dumps(local)))  # a copy of its own length: orjson's bytes keep a page each

    def _record(self, arrives: int, key: bytes, value: bytes) -> Record:
        self._number += 1
        return Record(arrives, self._number, key, value)

    def _touched(
        self, life: Life, event: Event, arrives: int, end: int, draw: Random, records: list[Record], known: list[Event]
    ) -> None:
        """One event to which something happens: exactly one thing."""
        what = draw.choices(_ONE_OF, [self.rates[name] for name in _ONE_OF])[0]
        self.touched[what] = self.touched.get(what, 0) + 1
        key = life.code.encode()
        copies: list[tuple[int, bytes, Event]] = []
        if what == "late":
            arrives += int(3600 * LATE_HOURS[0] * (LATE_HOURS[1] / LATE_HOURS[0]) ** draw.random())
        elif what == "jittered":
            arrives += draw.randint(1, JITTER_SECONDS)
        elif what == "repeated":
            copies.append((arrives + draw.randint(0, 6 * 3600), key, event))
        elif what == "resent":
            copies.append((arrives + draw.randint(60, 24 * 3600), key, {**event, "event_id": f"{event['event_id']}r"}))
        elif what == "misplaced":
            key = f"{life.code[:-5]}{draw.randint(0, 9_999_999):07}".encode()
            if arrives <= end:
                self.misplaced.append((life.code, event["event_id"]))
        elif arrives <= end:
            reason, value = self._refusal(what, event, draw)
            self.refused[reason] = self.refused.get(reason, 0) + 1
            records.append(self._record(arrives, key, value))
        for at, name, copy in ((arrives, key, event), *copies):
            if at <= end:
                records.append(self._record(at, name, self._written(copy)))
                known.append(copy)

    def _refusal(self, what: str, event: Event, draw: Random) -> tuple[str, bytes]:
        if what == "future":
            ahead = {**event, "event_id": f"{event['event_id']}f", "at": event["at"] + YEAR}
            return "future_time", self._written(ahead)
        return broken({**event, "event_id": f"{event['event_id']}x"}, self._written, draw)


_ONE_OF = ("late", "jittered", "repeated", "resent", "misplaced", "unreadable", "future")


def told(feed: Feed, silences: Mapping[date, tuple[Silence, ...]]) -> Iterator[dict[str, object]]:
    """Lines of the truth about the feed: the clocks that were wrong, the branches that were silent."""
    zone = feed.city.office.zone
    for day in sorted(silences):
        for silence in silences[day]:
            begin, end = silence.begin.astimezone(zone), silence.end.astimezone(zone)
            yield {"kind": "silence", "branch": silence.branch, "source": silence.source, "begin": begin, "end": end}
    for source, skew in sorted(feed.skews.items()):
        if skew:
            yield {"kind": "skew", "source": source, "seconds": int(skew.total_seconds())}
