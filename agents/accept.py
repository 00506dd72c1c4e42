"""Which records are events of ours: what judge takes, and what anybody takes who judges the same topics again."""

from datetime import datetime

from agents.ports import Record
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.rules import Rules


def accept(record: Record, rules: Rules, *, present: datetime | None) -> Event:
    """The event in a record; ``present`` is when it is taken, null where nothing is too far in the future.

    Raises `InvalidRecord` with the reason for which it is to be buried.
    """
    event = read_event(record.value)
    rules.check_codes(event)
    if present is not None:
        check_time(event, rules, present=present)
    return event


def check_time(event: Event, rules: Rules, *, present: datetime) -> None:
    """Raises `InvalidRecord` (``future_time``) when the event is too far in the future of ``present``."""
    if event.at > present + rules.office.skew:
        raise InvalidRecord("future_time", "the time lies further in the future than the tolerated skew")
