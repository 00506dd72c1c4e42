"""Void: an event that was wrong is taken back by hand, without waiting for upstream.

The void is an event like any other and stands in the log for ever. Its id comes from the event that it takes
back, so that voiding twice is one event; its time and reason are those that were written down first.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from agents.audit import Book
from agents.publish import Outlet, event_from
from schemas.alert import Alert
from schemas.audit import Entry, audit_id
from schemas.errors import ConfigError
from schemas.event import Event, canonical
from streams.alerts import decide
from streams.history import History, add
from streams.replay import rows
from streams.rules import Rules
from streams.verdict import assess

#: The publishing system that such an event names.
SOURCE = "dunghan"
#: Names of voids are made in this space; changing it would make a second event of one that is repeated.
_SPACE = UUID("b1c7e0f4-59a8-5a0b-8d53-2f6e4c9a7d21")


@dataclass(frozen=True, slots=True)
class Change:
    """A field of `dunghan replay` that comes out otherwise; None on the side that has no such cycle, or no value."""

    cycle: int
    field: str
    before: object
    after: object


def wrong_event(history: History, event_id: str) -> Event:
    """The event to take back: of two contents under one id that which counts.

    Raises `ConfigError`: ``event_unknown``, or ``event_is_void``, because a void of a void does nothing.
    """
    found = next((event for event in history.events if event.event_id == event_id), None)
    if found is None:
        raise ConfigError("event_unknown", f"no accepted event {event_id} of dossier {history.dossier_code} is known")
    if found.kind == "void":
        raise ConfigError("event_is_void", f"{event_id} is a void itself: send again what it took back, as a new event")
    return found


def standing_void(history: History, event_id: str) -> Event | None:
    """The void that took the event back already, whoever sent it."""
    return next((event for event in history.events if event.voids == event_id), None)


def void_of(wrong: Event, *, reason: str, at: datetime) -> Event:
    """The event that takes this one back; raises `InvalidRecord` when the reason is no code."""
    return event_from(
        {
            "event_id": str(uuid5(_SPACE, f"{wrong.dossier_code}\x1f{wrong.event_id}")),
            "kind": "void",
            "dossier_code": wrong.dossier_code,
            "at": at.isoformat(),
            "voids": wrong.event_id,
            "reason": reason,
            "source": SOURCE,
        }
    )


def changes(history: History, void: Event, rules: Rules, *, now: datetime) -> Iterator[Change]:
    """What `dunghan replay` says otherwise at ``now`` once the void is there, by cycle and field.

    Raises `InvalidRecord` (``history_full``) when it would not be taken.
    """
    sides = [{row["cycle"]: row for row in rows(each, rules, now=now)} for each in (history, add(history, void))]
    before, after = sides
    for cycle in sorted(before.keys() | after.keys(), key=str):
        old, new = before.get(cycle, {}), after.get(cycle, {})
        for field in old or new:
            if old.get(field) != new.get(field) and field not in ("dossier_code", "cycle"):
                yield Change(int(str(cycle)), field, old.get(field), new.get(field))


def told(history: History, void: Event, rules: Rules, sent: Iterable[Alert], *, now: datetime) -> tuple[Alert, ...]:
    """What supervisors are told when it is taken back; ``sent`` are all alerts of the dossier, in their order."""
    latest = {alert.alert_id: alert for alert in sent}
    return decide(assess(add(history, void), rules, now=now), latest.values(), now=now)


def name_of(wrong: Event) -> UUID:
    """The name of taking back this event, in the audit."""
    return audit_id("void", wrong.dossier_code, wrong.event_id)


def take_back(
    wrong: Event, reason: str, book: Book, outlet: Outlet, *, by: str, at: datetime | None, now: Callable[[], datetime]
) -> Event:
    """Send the void, written down before and after, and return it as it was sent.

    What was begun before, and perhaps sent, is sent again as it was then: with its reason, and at its time
    (``at``, where the clock of the office is not the real one). Raises `Unavailable`, then doing it again is safe.
    """
    moment = now()
    entry = _entry(wrong, void_of(wrong, reason=reason, at=at or moment), by=by, at=moment)
    book.write("begun", [entry])
    first = book.begun(entry.audit_id) or entry
    event = void_of(wrong, reason=first.reason, at=at or first.at)
    outlet.send(event)
    outlet.finish()
    book.write("done", [_entry(wrong, event, by=by, at=now())])
    return event


def _entry(wrong: Event, void: Event, *, by: str, at: datetime) -> Entry:
    return Entry(
        name_of(wrong),
        "void",
        wrong.event_id,
        _sha256(wrong),
        void.dossier_code,
        void.event_id,
        _sha256(void),
        void.reason or "",
        at,
        by,
    )


def _sha256(event: Event) -> str:
    return hashlib.sha256(canonical(event)).hexdigest()
