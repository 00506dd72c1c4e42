"""Recall: what was known of a dossier at an instant, whatever has become known since.

An event was known once Kafka had taken it in. What was said then is not judged again: it is what judge wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.alert import Alert
from schemas.dossier import digest, dump
from schemas.event import Event
from schemas.standing import Standing
from streams.history import History, build

Arrivals = Mapping[tuple[str, str], datetime]  #: when an event arrived, by its id and the digest of its content


@dataclass(frozen=True, slots=True)
class Said:
    """What judge said of a cycle, when, and by which version of the rules."""

    standing: Standing
    seen_at: datetime
    rules: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was known at ``at``: the history, the alerts that had been told, and what had been said last, by cycle.

    ``later`` events have arrived since. Of ``undated`` ones nobody kept when they arrived; they are taken as known
    since they happened.
    """

    at: datetime
    history: History
    alerts: tuple[Alert, ...]
    said: tuple[Said, ...]
    later: int
    undated: int


def recall(
    dossier_code: str,
    events: Iterable[Event],
    arrivals: Arrivals,
    alerts: Iterable[Alert],
    said: Iterable[Said],
    *,
    at: datetime,
) -> Recalled:
    """What was known at ``at`` of these events, alerts and sayings (in the order of their versions)."""
    known: list[Event] = []
    later = undated = 0
    for event in events:
        arrived = arrivals.get((event.event_id, digest(dump(event))))
        if arrived is None and event.at <= at:
            undated += 1
        if (arrived or event.at) <= at:
            known.append(event)
        else:
            later += 1
    told = tuple(a for a in alerts if a.version.events <= len(known) and a.version.as_of <= at)
    last = {each.standing.cycle: each for each in said if each.seen_at <= at}
    return Recalled(at, build(dossier_code, known), told, tuple(last[cycle] for cycle in sorted(last)), later, undated)
