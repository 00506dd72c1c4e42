"""A dossier's history: the set of its events. It only grows, and any order of arrival makes the same set."""

import functools
import itertools
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import NamedTuple

from schemas.errors import InvalidRecord
from schemas.event import Event, canonical

FULL = 2_000  # events a dossier; more is a sender gone wild, and would make every judgement slow

#: The order of events at the same instant, where their source does not say it.
_RANK = {status: rank for rank, status in enumerate((1, 2, 4, 5, 6, 8, 3, 7, 9, 10))}
_OTHER_KINDS = len(_RANK)

_place = attrgetter("at", "event_id")


@dataclass(frozen=True, slots=True)
class History:
    """The events known of one dossier, by time, then id, then content. Made by `add`, from an empty one."""

    dossier_code: str
    events: tuple[Event, ...] = ()


class Timeline(NamedTuple):
    """The events that count as of an instant, in the order in which they happened.

    ``conflicting`` says that an id stood for more than one content; ``latest`` is the time of the
    last event known, ``upcoming`` that of the first left out because it is dated after the instant.
    """

    events: tuple[Event, ...]
    conflicting: bool
    upcoming: datetime | None
    latest: datetime | None


def add(history: History, event: Event) -> History:
    """The history with this event; the very same object when it is known already.

    Raises `InvalidRecord` (``history_full``) when the dossier has reached its largest number of events.
    """
    events = history.events
    index = bisect_left(events, (event.at, event.event_id), key=_place)
    while index < len(events) and (events[index].at, events[index].event_id) == (event.at, event.event_id):
        if events[index] == event:
            return history
        if canonical(event) < canonical(events[index]):
            break
        index += 1
    if len(events) >= FULL:
        raise InvalidRecord("history_full", f"the dossier has {FULL} events already")
    return History(history.dossier_code, (*events[:index], event, *events[index:]))


def build(dossier_code: str, events: Iterable[Event]) -> History:
    """The history of these events: the same as if they were added one by one, which takes longer.

    Raises `InvalidRecord` (``history_full``) when that would.
    """
    ordered = sorted(events, key=_place)
    alone = all(
        earlier.at < later.at or earlier.event_id != later.event_id for earlier, later in itertools.pairwise(ordered)
    )
    if alone and len(ordered) <= FULL:
        return History(dossier_code, tuple(ordered))
    return functools.reduce(add, ordered, History(dossier_code))


def until(history: History, now: datetime) -> History:
    """The history without the events dated after ``now``; the very same object when there are none."""
    if not history.events or history.events[-1].at <= now:
        return history
    return History(history.dossier_code, tuple(event for event in history.events if event.at <= now))


def timeline(history: History, *, now: datetime) -> Timeline:
    """What happened as of ``now``: later events left out, one content per id, voided events taken out."""
    events, upcoming = history.events, None
    if events and events[-1].at > now:
        known = bisect_left(events, True, key=lambda event: event.at > now)
        events, upcoming = events[:known], events[known].at
    latest = events[-1].at if events else None
    conflicting: frozenset[str] = frozenset()
    if len({event.event_id for event in events}) < len(events):
        ids = [event.event_id for event in events]
        conflicting = frozenset(name for name in ids if ids.count(name) > 1)
        first: dict[str, Event] = {}
        for event in events:
            first.setdefault(event.event_id, event)
        events = tuple(first.values())
    voided = {event.voids for event in events if event.kind == "void"}
    if voided:
        events = tuple(event for event in events if event.kind == "void" or event.event_id not in voided)
        conflicting &= {event.event_id for event in events}
    return Timeline(_ordered(events), bool(conflicting), upcoming, latest)


def _ordered(events: tuple[Event, ...]) -> tuple[Event, ...]:
    """By time; at one instant as the source counts, else by rank, then id."""
    if all(earlier.at < later.at for earlier, later in itertools.pairwise(events)):
        return events
    ordered: list[Event] = []
    start = 0
    for end in range(1, len(events) + 1):
        if end == len(events) or events[end].at != events[start].at:
            ordered += _same_instant(events[start:end])
            start = end
    return tuple(ordered)


def _same_instant(events: tuple[Event, ...]) -> list[Event]:
    counted = len({event.source for event in events}) == 1 and all(event.sequence is not None for event in events)
    return sorted(
        events,
        key=lambda event: (
            (event.sequence or 0) if counted else 0,
            _RANK[event.status] if event.status is not None else _OTHER_KINDS,
            event.event_id,
        ),
    )
