"""Tables that are made anew beside the living ones and take their place at once.

While the new table is filled, a view copies into it whatever is inserted into the living one, so the exchange loses
nothing, and whoever writes need not know. Tried on ClickHouse 26: the view goes by names, so that after the exchange
it copies new rows into the old table, which does no harm until both are dropped. Breaking off at any point leaves the
living table whole, and at worst a view that copies in vain; the next attempt, or `clear`, takes it away.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from clickhouse_driver import Client

from agents.drivers.clickhouse import COMMAND_SECONDS, INSERT, named_failures
from agents.drivers.tables import opened
from agents.rows import COLUMNS, Row
from agents.settings import Settings

PROBE_SECONDS = 0.05


class Staging:
    """Fills and exchanges tables of one database; every method raises `Unavailable` when ClickHouse does not answer."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """A staging for as long as the context is open; raises `ConfigError` when the tables are not there."""
        with opened(settings, answer_seconds=COMMAND_SECONDS) as client:
            yield cls(client, settings.clickhouse_database)

    def begin(self, table: str) -> None:
        """An empty table like this one, which from now on gets whatever the living one gets."""
        self.clear(table)
        self._do(f"CREATE TABLE {self._new(table)} AS {self._database}.{table}")
        source = f"SELECT * FROM {self._database}.{table}"  # noqa: S608 - names are ours, values are parameters
        self._do(f"CREATE MATERIALIZED VIEW {self._view(table)} TO {self._new(table)} AS {source}")

    def insert(self, table: str, rows: Sequence[Row]) -> None:
        """Rows into the living table; those that are there already, by their key and version, change nothing."""
        self._insert(f"{self._database}.{table}", table, rows)

    def stage(self, table: str, rows: Sequence[Row]) -> None:
        """Rows into the new table."""
        self._insert(self._new(table), table, rows)

    def exchange(self, table: str) -> None:
        """Let the new table take the place of the living one, for every reader at once, and drop the old."""
        self._do(f"EXCHANGE TABLES {self._database}.{table} AND {self._new(table)}")
        self.clear(table)

    def clear(self, table: str) -> None:
        """Take away what an attempt has left; the view first, or inserts into the living table would fail."""
        self._do(f"DROP VIEW IF EXISTS {self._view(table)} SYNC")
        dropped = time.monotonic()
        while self._inserting(table, time.monotonic() - dropped):
            time.sleep(PROBE_SECONDS)
        self._do(f"DROP TABLE IF EXISTS {self._new(table)} SYNC")

    def count(self, table: str) -> int:
        """Rows of the living table, roughly: those that were replaced count until they are merged away."""
        with named_failures():
            ((rows,),) = self._client.execute(f"SELECT count() FROM {self._database}.{table}")  # noqa: S608 - names are ours, values are parameters
            return int(rows)

    def _inserting(self, table: str, since: float) -> bool:
        """Whether an insert that may still know the view is running: it began more than so many seconds ago."""
        query = "SELECT count() FROM system.processes WHERE startsWith(query, %(insert)s) AND elapsed >= %(since)s"
        with named_failures():
            values = {"insert": f"INSERT INTO {self._database}.{table} ", "since": since}
            ((running,),) = self._client.execute(query, values)
            return bool(running)

    def _insert(self, target: str, table: str, rows: Sequence[Row]) -> None:
        names = ", ".join(f"`{column}`" for column in COLUMNS[table])
        with named_failures():
            self._client.execute(f"INSERT INTO {target} ({names}) VALUES", list(rows), settings=INSERT)

    def _do(self, statement: str) -> None:
        with named_failures():
            self._client.execute(statement, settings={"max_table_size_to_drop": 0})  # ClickHouse spares large ones

    def _new(self, table: str) -> str:
        return f"{self._database}.{table}_rebuilt"

    def _view(self, table: str) -> str:
        return f"{self._database}.{table}_beside"
