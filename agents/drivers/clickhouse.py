"""ClickHouse over its native protocol: the connection, the failures by name, and the port `Facts`.

The driver blocks, so each call runs in a thread, on a connection that nobody else uses meanwhile.
"""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

import structlog
from clickhouse_driver import Client
from clickhouse_driver.errors import (
    ChecksumDoesntMatchError,
    ErrorCodes,
    NetworkError,
    ServerException,
    SocketTimeoutError,
    UnexpectedPacketFromServerError,
    UnknownPacketFromServerError,
)

from agents.drivers.migrations import prove
from agents.settings import Settings
from schemas.errors import Unavailable

CONNECT_SECONDS = 5
#: One answer. A thousand rows take 0.02 s, so whoever waits this long waits for a server that does not answer;
#: with eight tables it stays below the stall timeout of a worker, which would end the process instead.
ANSWER_SECONDS = 7
#: The same for a command that somebody gave and waits for: a new column, all events in order. The server may take its
#: time to begin, and waits as long for us while we judge.
COMMAND_SECONDS = 300

#: What an insert relies on is said with it, because the server's defaults have changed before and will again.
INSERT = {
    "async_insert": 0,  # acknowledged means written; we batch ourselves
    "insert_deduplicate": 0,  # rows are equal when they are sent again; no window to fall out of
    "deduplicate_blocks_in_dependent_materialized_views": 0,
    "max_partitions_per_insert_block": 0,  # a back-load brings events of many years at once
    "optimize_on_insert": 1,
}

#: Refusals of a server that is up which say nothing about our rows: waiting helps, or a person must.
REASONS = {
    "clickhouse_unavailable": (
        *(ErrorCodes.ABORTED, ErrorCodes.QUERY_WAS_CANCELLED, ErrorCodes.NETWORK_ERROR, ErrorCodes.SOCKET_TIMEOUT),
        *(ErrorCodes.NO_ZOOKEEPER, ErrorCodes.KEEPER_EXCEPTION, ErrorCodes.UNKNOWN_STATUS_OF_INSERT),
    ),
    "clickhouse_busy": (
        *(ErrorCodes.TOO_MANY_PARTS, ErrorCodes.TOO_MANY_SIMULTANEOUS_QUERIES, ErrorCodes.MEMORY_LIMIT_EXCEEDED),
        *(ErrorCodes.TIMEOUT_EXCEEDED, ErrorCodes.TOO_SLOW, ErrorCodes.NO_FREE_CONNECTION, ErrorCodes.QUOTA_EXPIRED),
        *(439, 745),  # CANNOT_SCHEDULE_TASK and SERVER_OVERLOADED, which the driver has no names for
    ),
    "clickhouse_full": (ErrorCodes.NOT_ENOUGH_SPACE, ErrorCodes.CANNOT_WRITE_TO_FILE_DESCRIPTOR),
    "clickhouse_read_only": (ErrorCodes.READONLY, ErrorCodes.TABLE_IS_READ_ONLY),
    "clickhouse_login": (
        *(ErrorCodes.WRONG_PASSWORD, ErrorCodes.REQUIRED_PASSWORD, ErrorCodes.IP_ADDRESS_NOT_ALLOWED),
        *(ErrorCodes.UNKNOWN_USER, 516),  # AUTHENTICATION_FAILED, which the driver has no name for
    ),
}
_REASON_OF = {code: reason for reason, codes in REASONS.items() for code in codes}
#: The connection itself broke, or what came over it was not ClickHouse's.
BROKEN = (
    *(NetworkError, SocketTimeoutError, ChecksumDoesntMatchError, UnexpectedPacketFromServerError),
    *(UnknownPacketFromServerError, EOFError, OSError),
)

log = structlog.stdlib.get_logger(__name__)


def connect(settings: Settings, *, answer_seconds: float = ANSWER_SECONDS) -> Client:
    """A client for one thread at a time; it connects when it is first used, and again when it must."""
    return Client(
        settings.clickhouse_host,
        settings.clickhouse_port,
        user=settings.clickhouse_user,
        password=settings.clickhouse_password.get_secret_value(),
        compression="lz4",
        settings={"network_compression_method": "LZ4"},  # the server's default is zstd, which needs one more package
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=answer_seconds,
        sync_request_timeout=min(CONNECT_SECONDS, answer_seconds),
        client_name="dunghan",
    )


@contextmanager
def named_failures() -> Iterator[None]:
    """Turn what only says that ClickHouse is not there, or not now, into `Unavailable` with a reason of its own.

    What it says about our query (an unknown table, a type that does not fit) is a bug, and stays what it is.
    """
    try:
        yield
    except BROKEN as error:
        raise Unavailable("clickhouse_unavailable", f"ClickHouse does not answer: {error}") from error
    except ServerException as error:
        reason = _REASON_OF.get(error.code)
        if reason is None:
            raise
        said = str(error.message).partition("Stack trace:")[0].strip()
        raise Unavailable(reason, f"ClickHouse refuses for now: {said}") from error


class ClickHouseFacts:
    """The port `Facts` on a real ClickHouse; open it with ``async with``.

    Every new connection first proves that the tables are those of this program: on wrong ones
    `ConfigError` is raised, when opening and, should somebody change them later, by `insert`.
    Opening does not wait for a server that is down; the first insert will say so.

    ``threads`` is how many inserts may run at once; ``answer_seconds`` how long each may wait for an answer.
    """

    def __init__(self, settings: Settings, *, threads: int = 2, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._settings = settings
        self._answer_seconds = answer_seconds
        self._idle: list[Client] = []
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="clickhouse")

    async def __aenter__(self) -> Self:
        try:
            self._idle.append(await asyncio.get_running_loop().run_in_executor(self._threads, self._connect))
        except Unavailable as down:
            log.warning("clickhouse_missed", reason=down.reason, why=down.message)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown)
        for client in self._idle:
            client.disconnect()
        self._idle.clear()

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Return when ClickHouse has acknowledged the rows; raises `Unavailable` as the port says."""
        names = ", ".join(f"`{column}`" for column in columns)
        query = f"INSERT INTO {self._settings.clickhouse_database}.{table} ({names}) VALUES"
        await asyncio.get_running_loop().run_in_executor(self._threads, self._insert, query, rows)

    def _connect(self) -> Client:
        client = connect(self._settings, answer_seconds=self._answer_seconds)
        with _closed_on_failure(client), named_failures():
            prove(client, self._settings.clickhouse_database)
        return client

    def _insert(self, query: str, rows: Sequence[Sequence[object]]) -> None:
        client = self._idle.pop() if self._idle else self._connect()
        with _closed_on_failure(client), named_failures():
            client.execute(query, rows, settings=INSERT)
        self._idle.append(client)


@contextmanager
def _closed_on_failure(client: Client) -> Iterator[None]:
    try:
        yield
    except BaseException:
        with suppress(Exception):
            client.disconnect()
        raise
