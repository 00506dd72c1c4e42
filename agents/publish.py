"""Publish: a file of events, checked row by row, onto ``dossier.events.v1``.

The file is read once, as a stream, with bounded memory: a row is checked, then sent; a refused row
is told and the rest goes on. Publishing a file twice changes nothing: an event without an id gets
one from its content, and an event that is known already counts once.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol
from uuid import UUID, uuid5

import orjson

from agents.mapping import CsvMapping, EventRule, check_header, ignored, values_from_row
from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event, canonical, read_event
from streams.rules import Rules

#: Names of events without an id are made in this space; changing it would count their repeats twice.
_SPACE = UUID("0f6a8f0e-6d55-5f0e-9d0a-6c5b3a0c9a11")
_UNNAMED = "?"

Check = Callable[[Event], None]  #: raises `InvalidRecord`


@dataclass(frozen=True, slots=True)
class Accepted:
    """A row that became events (none: the mapping ignores it)."""

    line: int
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A row of which nothing is sent, and why. ``raw`` is the row as it stood."""

    line: int
    reason: str
    message: str
    raw: bytes


Row = Accepted | Refused


class Outlet(Protocol):
    """Where accepted events go."""

    def send(self, event: Event) -> None:
        """Take the event; it may be acknowledged later. Raises `Unavailable`."""
        ...

    def finish(self) -> None:
        """Return when every event taken has been acknowledged. Raises `Unavailable`."""
        ...


@dataclass(slots=True)
class Summary:
    """What became of a file: rows, and the events that they made."""

    sent: int = 0
    accepted: int = 0
    ignored: int = 0
    refused: dict[str, int] = field(default_factory=dict)


def office_check(rules: Rules, now: datetime) -> Check:
    """What the worker will check of an event beyond its format: codes, and a time in the future."""
    latest = now + rules.office.skew

    def check(event: Event) -> None:
        rules.check_codes(event)
        if event.at > latest:
            raise InvalidRecord("future_time", "the time lies in the future")

    return check


def derive_id(event: Event) -> str:
    """An id from all else that the event says: the same content has the same id, in every run.

    The same instant in another offset is the same content. Two events that agree in every field are
    one event.
    """
    return str(uuid5(_SPACE, canonical(replace(event, event_id=_UNNAMED)).decode()))


def event_from(values: dict[str, object]) -> Event:
    """The event with these fields (in the terms of JSON), its id derived where they have none.

    Raises `InvalidRecord`.
    """
    try:
        event = read_event(orjson.dumps({"event_id": _UNNAMED, **values}))
    except orjson.JSONEncodeError:  # lists within lists: no field of an event is so deep
        raise InvalidRecord("invalid_field", "a field has a value that it cannot have") from None
    return event if "event_id" in values else replace(event, event_id=derive_id(event))


def read_jsonl(stream: BinaryIO, check: Check) -> Iterator[Row]:
    """Every line of a file of JSON lines, in order; empty lines are passed over."""
    for line, raw in _lines(stream):
        if not raw.strip():
            continue
        try:
            if len(raw) > topics.EVENTS.max_message_bytes:
                raise InvalidRecord("oversized", "the line is longer than a record may be")
            event = _event_of_line(raw)
            check(event)
        except InvalidRecord as refusal:
            yield Refused(line, refusal.reason, refusal.message, raw)
        else:
            yield Accepted(line, (event,))


def _event_of_line(raw: bytes) -> Event:
    try:
        values = orjson.loads(raw)
    except orjson.JSONDecodeError:
        values = None
    nameless = isinstance(values, dict) and "event_id" not in values
    return event_from(values) if nameless else read_event(raw)  # as the worker will read it, or refuse it


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Lines with their numbers; of one that is longer than any record only the beginning is kept."""
    longest, number = topics.EVENTS.max_message_bytes + 2, 0
    while raw := stream.readline(longest):
        number += 1
        raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        part = raw
        while part and not part.endswith(b"\n"):
            part = stream.readline(longest)
        yield number, raw


class Header(NamedTuple):
    """The first line of a table."""

    columns: list[str]
    raw: bytes


def read_header(stream: BinaryIO, mapping: CsvMapping) -> Header:
    """The header of a CSV; raises `ConfigError` when it has not the columns that the mapping names."""
    raw = stream.readline()
    text = raw.decode("utf-8-sig", "surrogateescape")
    columns = next(csv.reader([text], delimiter=mapping.file.delimiter), [])
    check_header(mapping, columns)
    return Header(columns, raw)


def read_csv(stream: BinaryIO, header: Header, mapping: CsvMapping, check: Check) -> Iterator[Row]:
    """Every row of a CSV after its header, in order, as the events that the mapping makes of it."""
    return events_from_csv(_cells(stream, mapping.file.delimiter), header.columns, mapping, check)


class CsvRow(NamedTuple):
    """A row of a table: the line it begins on, its cells (None: its quotes make no sense), its bytes."""

    line: int
    cells: list[str] | None
    raw: bytes


def _cells(stream: BinaryIO, delimiter: str) -> Iterator[CsvRow]:
    """The rows after the header, which was line 1."""
    taken: list[bytes] = []

    def lines() -> Iterator[str]:
        for raw in stream:
            taken.append(raw)
            yield raw.decode("utf-8", "surrogateescape")

    reader = csv.reader(lines(), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 2
        taken.clear()
        try:
            cells = next(reader)
        except csv.Error:
            yield CsvRow(line, None, b"".join(taken))
        except StopIteration:
            return
        else:
            yield CsvRow(line, cells, b"".join(taken))


def events_from_csv(rows: Iterable[CsvRow], header: Sequence[str], mapping: CsvMapping, check: Check) -> Iterator[Row]:
    """What the rows become: all events of a row, or one reason why there are none."""
    made: dict[tuple[str, str], bytes] = {}
    for line, cells, raw in rows:
        if cells == []:
            continue
        try:
            events = _events_of_row(cells, header, mapping, made, check)
        except InvalidRecord as refusal:
            yield Refused(line, refusal.reason, refusal.message, raw)
        else:
            yield Accepted(line, events)


def _events_of_row(
    cells: list[str] | None,
    header: Sequence[str],
    mapping: CsvMapping,
    made: dict[tuple[str, str], bytes],
    check: Check,
) -> tuple[Event, ...]:
    row = _named(cells, header)
    if ignored(row, mapping):
        return ()
    events = [(rule, _checked(rule, values, check)) for rule, values in values_from_row(row, mapping)]
    if not events:
        raise InvalidRecord("no_event", "no event of the mapping applies to the row")
    fresh = []
    once: dict[tuple[str, str], bytes] = {}
    for rule, event in events:
        if rule.once_per is not None:
            key, content = (rule.name, row[rule.once_per]), hashlib.sha256(canonical(event)).digest()[:16]
            if made.get(key, content) != content:
                raise InvalidRecord("conflicting_row", f"{rule.name}: an earlier row made it with another content")
            if key in made:
                continue
            once[key] = content
        fresh.append(event)
    made.update(once)  # only now: a refused row has made nothing
    return tuple(fresh)


def _named(cells: list[str] | None, header: Sequence[str]) -> dict[str, str]:
    if cells is None or len(cells) != len(header):
        raise InvalidRecord("ragged_row", "the row has more or fewer cells than the header, or its quotes do not close")
    try:
        "".join(cells).encode()
    except UnicodeEncodeError:
        raise InvalidRecord("unreadable", "the row is not UTF-8") from None
    return dict(zip(header, cells, strict=True))


def _checked(rule: EventRule, values: dict[str, object], check: Check) -> Event:
    try:
        event = event_from(values)
        check(event)
    except InvalidRecord as refusal:
        raise InvalidRecord(refusal.reason, f"{rule.name}: {refusal.message}") from None
    return event


def publish(rows: Iterable[Row], outlet: Outlet, refuse: Callable[[Refused], None]) -> Summary:
    """Send what was accepted, tell ``refuse`` what was not, and return when all is acknowledged.

    Raises `Unavailable` when the broker does not acknowledge: then any of the events sent may be
    there, and publishing the file again is safe.
    """
    summary = Summary()
    for row in rows:
        if isinstance(row, Refused):
            summary.refused[row.reason] = summary.refused.get(row.reason, 0) + 1
            refuse(row)
            continue
        for event in row.events:
            outlet.send(event)
        summary.sent += len(row.events)
        if row.events:
            summary.accepted += 1
        else:
            summary.ignored += 1
    outlet.finish()
    return summary
