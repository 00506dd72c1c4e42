"""A real ClickHouse database of its own for a test: migrated, with calendars, dropped in the end."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from clickhouse_driver import Client

from agents.drivers.clickhouse import connect
from agents.drivers.local import Services
from agents.drivers.tables import fill_calendars, migrate
from agents.rows import COLUMNS
from agents.settings import Settings
from streams.rules import Rules
from tests.hanoi import rules

Row = dict[str, object]


@dataclass(frozen=True)
class Tables:
    """The database of a test, and what a test asks of it."""

    settings: Settings
    client: Client

    @property
    def database(self) -> str:
        return self.settings.clickhouse_database

    def use(self, office: Rules) -> None:
        """Measure by the calendars of this office from now on."""
        fill_calendars(self.client, office, database=self.database)

    def rows(self, source: str) -> list[Row]:
        """All rows of a table (of facts as they count: with FINAL) or a view, in the order of their columns."""
        final = "FINAL" if source in COLUMNS else ""
        values, columns = self.client.execute(
            f"SELECT * FROM {self.database}.{source} {final} ORDER BY ALL", with_column_types=True
        )
        return [dict(zip((name for name, _ in columns), row, strict=True)) for row in values]

    def empty(self) -> None:
        """Take out all facts."""
        for table in COLUMNS:
            self.client.execute(f"TRUNCATE TABLE {self.database}.{table} SYNC")


def clickhouse_settings(services: Services, database: str = "dunghan", user: str = "writer") -> Settings:
    """Settings that lead to the ClickHouse of a test run."""
    host, port = services.clickhouse
    return Settings(clickhouse_host=host, clickhouse_port=port, clickhouse_user=user, clickhouse_database=database)


@contextmanager
def asking(settings: Settings) -> Iterator[Client]:
    """A client of ClickHouse, closed in the end."""
    client = connect(settings)
    try:
        yield client
    finally:
        client.disconnect()


@contextmanager
def fresh_tables(services: Services) -> Iterator[Tables]:
    """An empty database with the newest tables and Hanoi's calendars."""
    settings = clickhouse_settings(services, f"dunghan_{uuid.uuid4().hex[:8]}")
    with asking(settings) as client:
        tables = Tables(settings, client)
        try:
            migrate(client, database=tables.database)
            tables.use(rules())
            yield tables
        finally:
            client.execute(f"DROP DATABASE IF EXISTS {tables.database} SYNC")
