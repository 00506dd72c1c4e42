"""One insert for what several partitions bring at nearly the same time: ClickHouse wants few, large inserts."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agents.ports import Facts, Lease
from agents.rows import COLUMNS, Row
from agents.telemetry import Meters
from schemas import metrics
from schemas.errors import LeaseLost

Rows = Mapping[str, Sequence[Row]]  #: table → rows


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What one chunk brought, and the promise that its rows are acknowledged."""

    rows: Rows
    lease: Lease
    acknowledged: asyncio.Future[None]


class Gatherer:
    """Writes rows to `Facts`, those of all callers that wait together.

    Inserts begin at most once in ``pace`` seconds: the first caller after a pause is served at
    once, and whoever comes while an insert runs, or soon after it began, shares the next one.
    """

    def __init__(self, facts: Facts, meters: Meters, *, pace: float) -> None:
        self._facts = facts
        self._meters = meters
        self._pace = pace
        self._waiting: list[_Part] = []
        self._began = float("-inf")
        self._writer: asyncio.Task[None] | None = None

    async def write(self, rows: Rows, lease: Lease) -> None:
        """Return when ClickHouse has acknowledged the rows.

        Raises what `Facts.insert` raises, to every caller of that insert, and `LeaseLost` to those
        whose lease is gone when their rows are about to be written.
        """
        loop = asyncio.get_running_loop()
        part = _Part(rows, lease, loop.create_future())
        self._waiting.append(part)
        if self._writer is None or self._writer.done():
            self._writer = loop.create_task(self._write_waiting())
        await part.acknowledged

    async def _write_waiting(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            await asyncio.sleep(max(0.0, self._began + self._pace - clock()))
            self._began = clock()
            parts, self._waiting = self._waiting, []
            try:
                for table in COLUMNS:
                    await self._insert(table, parts)
                failure = None
            except Exception as error:  # noqa: BLE001  # theirs who wait, whatever it is
                failure = error
            for part in parts:
                _settle(part, failure)

    async def _insert(self, table: str, parts: Sequence[_Part]) -> None:
        for part in parts:
            try:
                part.lease.check()
            except LeaseLost as lost:
                _settle(part, lost)
        rows = [row for part in parts if not part.acknowledged.done() for row in part.rows.get(table, ())]
        if rows:
            await self._facts.insert(table, COLUMNS[table], rows)
            self._meters.count(metrics.ROWS, len(rows), table=table)


def _settle(part: _Part, failure: Exception | None) -> None:
    if part.acknowledged.done():
        return
    if failure is None:
        part.acknowledged.set_result(None)
    else:
        part.acknowledged.set_exception(failure)
