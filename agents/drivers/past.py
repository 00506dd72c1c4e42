"""What ClickHouse holds of a few dossiers: the port `Past`, for a judge that evicts and reads back."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import UTC
from types import TracebackType
from typing import Self

from clickhouse_driver import Client
from clickhouse_driver.errors import ErrorCodes, ServerException

from agents.batches import batches
from agents.drivers.clickhouse import connect, named_failures
from agents.drivers.desk import ALERT_COLUMNS, alert_of, standing_of
from agents.drivers.event_log import EVENT_COLUMNS, event_of
from agents.drivers.tables import check
from agents.ports import Archived
from agents.settings import Settings
from schemas.errors import ConfigError, Unavailable

#: A right or a table is missing: the rows are there, and we may not see them.
REFUSED = (
    *(ErrorCodes.UNKNOWN_TABLE, ErrorCodes.UNKNOWN_DATABASE, ErrorCodes.UNKNOWN_IDENTIFIER),
    497,  # ACCESS_DENIED, which the driver has no name for
)
CODES = 500  # dossiers asked for in one query


@contextmanager
def _refusals() -> Iterator[None]:
    """Whatever is wrong with ClickHouse or its tables, judging goes on: it is `Unavailable`, with a reason of its own.

    Archive, whose tables they are, refuses to start on wrong ones.
    """
    try:
        yield
    except ConfigError as wrong:
        raise Unavailable(wrong.reason, wrong.message) from wrong
    except ServerException as refusal:
        if refusal.code in REFUSED:
            raise Unavailable(
                "clickhouse_refused", f"ClickHouse refuses to tell what it holds: {refusal.code}"
            ) from refusal
        raise


class ClickHousePast:
    """The port `Past` on a real ClickHouse, one question at a time; it connects when it is first asked."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="past")

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._thread.shutdown)
        self._close()

    async def read(self, codes: Sequence[str]) -> Mapping[str, Archived]:
        """What is known of these dossiers; see the port."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._read, codes)

    def _read(self, codes: Sequence[str]) -> Mapping[str, Archived]:
        try:
            with named_failures(), _refusals():
                if self._client is None:
                    self._client = connect(self._settings)
                    check(self._client, database=self._settings.clickhouse_database)
                found: dict[str, Archived] = {code: Archived() for code in codes}
                for some in batches(codes, CODES):
                    self._into(found, self._client, tuple(some))
                return found
        except BaseException:
            self._close()
            raise

    def _into(self, found: dict[str, Archived], client: Client, codes: Sequence[str]) -> None:
        database = self._settings.clickhouse_database
        wanted = {"codes": codes}
        where = "WHERE dossier_code IN %(codes)s"
        for row in client.execute(f"SELECT {', '.join(EVENT_COLUMNS)} FROM {database}.events FINAL {where}", wanted):  # noqa: S608 - names are ours, values are parameters
            found[row[0]].events.append(event_of(row))
        query = f"SELECT {', '.join(ALERT_COLUMNS)} FROM {database}.alerts FINAL {where} ORDER BY sequence, version"  # noqa: S608 - names are ours, values are parameters
        for row in client.execute(query, wanted):
            alert = alert_of(row)
            found[alert.dossier_code].alerts.append(alert)
        query = (
            "SELECT dossier_code, cycle, max((version, version_events, version_as_of)) AS newest"  # noqa: S608 - names are ours, values are parameters
            f" FROM {database}.assessments {where} GROUP BY dossier_code, cycle"
        )
        for code, cycle, (_, events, as_of) in client.execute(query, wanted):
            found[code].rows[cycle] = events, as_of.astimezone(UTC)
        query = (
            f"SELECT dossier_code, cycle, verdict, level, due FROM {database}.verdict_changes FINAL {where}"  # noqa: S608 - names are ours, values are parameters
            " ORDER BY dossier_code, cycle, version DESC LIMIT 1 BY dossier_code, cycle"
        )
        for code, cycle, *row in client.execute(query, wanted):
            found[code].said[cycle] = standing_of(cycle, *row)

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(Exception):
                client.disconnect()
