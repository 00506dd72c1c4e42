"""The event log as ClickHouse holds it, read dossier by dossier: for what looks at every history there is."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Self

from clickhouse_driver import Client

from agents.drivers.clickhouse import COMMAND_SECONDS, named_failures
from agents.drivers.tables import opened
from agents.rows import COLUMNS, EVENTS
from agents.settings import Settings
from schemas.event import Event
from schemas.limits import Limit
from streams.history import History, build

#: Neither side holds more than this at once: rows of a block here, a sort that goes to disk there.
READING = {"max_block_size": 8_192, "max_bytes_before_external_sort": 256 * 2**20}

#: What `event_of` reads, in its order.
EVENT_COLUMNS = tuple(name for name in COLUMNS[EVENTS] if name != "digest")
_NAMES = {"procedure": "procedure_code", "procedure_case": "case"}  # columns that are called otherwise in an event


class EventLog:
    """Reads all events of one database; every method raises `Unavailable` when ClickHouse does not answer."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._table = f"{database}.events"

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """The log for as long as the context is open; raises `ConfigError` when the tables are not there."""
        with opened(settings, answer_seconds=COMMAND_SECONDS) as client:
            yield cls(client, settings.clickhouse_database)

    def dossiers(self) -> int:
        """About how many dossiers there are, to show how far one has come."""
        return int(self._one("uniq(dossier_code)"))

    def last(self) -> datetime:
        """The time of the last event, in UTC; the epoch when there is none."""
        last: datetime = self._one("max(at)")
        return last.astimezone(UTC)

    def histories(self) -> Iterator[History]:
        """Every dossier with all its events, by code; one at a time, so that memory does not grow with the log."""
        query = f"SELECT {', '.join(EVENT_COLUMNS)} FROM {self._table} FINAL ORDER BY dossier_code"  # noqa: S608 - names are ours, values are parameters
        with named_failures():
            rows = self._client.execute_iter(query, settings=READING)
            for code, found in groupby(rows, key=lambda row: str(row[0])):
                yield build(code, map(event_of, found))

    def _one(self, wanted: str) -> Any:
        with named_failures():
            ((value,),) = self._client.execute(f"SELECT {wanted} FROM {self._table}")  # noqa: S608 - names are ours, values are parameters
            return value


def event_of(row: Sequence[Any]) -> Event:
    """The event of a row of `agents.rows.event_row` (without its digest)."""
    values = {_NAMES.get(name, name): plain(value) for name, value in zip(EVENT_COLUMNS, row, strict=True)}
    unit, value = values.pop("limit_unit"), values.pop("limit_value")
    return Event(**values, limit=None if unit is None else Limit(unit, value))


def plain(value: Any) -> Any:
    """A value as we hold it: instants in UTC."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
