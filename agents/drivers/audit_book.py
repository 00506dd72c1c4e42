"""The audit in ClickHouse."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, fields
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from clickhouse_driver import Client

from agents.drivers.clickhouse import INSERT, named_failures
from agents.drivers.event_log import plain
from agents.drivers.tables import opened
from agents.settings import Settings
from schemas.audit import Action, Entry, Step

COLUMNS = tuple(field.name for field in fields(Entry))


class AuditBook:
    """The `agents.audit.Book` of one database."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._table = f"{database}.audit"

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """The book for as long as the context is open; raises `ConfigError` when the tables are not there."""
        with opened(settings) as client:
            yield cls(client, settings.clickhouse_database)

    def write(self, step: Step, entries: Sequence[Entry]) -> None:
        """Return when the rows are acknowledged; see the port."""
        query = f"INSERT INTO {self._table} (step, {', '.join(COLUMNS)}) VALUES"
        with named_failures():
            self._client.execute(query, [(step, *astuple(entry)) for entry in entries], settings=INSERT)

    def begun(self, audit_id: UUID) -> Entry | None:
        """The action as it was begun."""
        found = self._rows(
            f"SELECT {', '.join(COLUMNS)} FROM {self._table} FINAL"  # noqa: S608 - names are ours, values are parameters
            " WHERE audit_id = %(audit_id)s AND step = 'begun'",
            {"audit_id": audit_id},
        )
        return Entry(*map(plain, found[0])) if found else None

    def done(self, action: Action) -> Mapping[tuple[str, str], datetime]:
        """The records with which this was done."""
        found = self._rows(
            f"SELECT record, record_sha256, min(at) FROM {self._table}"  # noqa: S608 - names are ours, values are parameters
            " WHERE action = %(action)s AND step = 'done' GROUP BY record, record_sha256",
            {"action": action},
        )
        return {(record, sha256): plain(at) for record, sha256, at in found}

    def _rows(self, query: str, parameters: Mapping[str, object]) -> list[tuple[Any, ...]]:
        with named_failures():
            return list(self._client.execute(query, parameters))
