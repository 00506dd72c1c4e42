"""The broker behind the port `StateLog`: what a worker's memory is rebuilt from, read at one microsecond a record.

It asks the broker for batches itself. aiokafka's consumer makes an object of twelve fields of every record, which
takes three times as long as all the rest, and a client of its own for each partition takes 0.2 s to find its place.
The private parts of aiokafka used here were read in 0.14; `agents.process` refuses to start with another version.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import CorruptRecordException, KafkaError, LeaderNotAvailableError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest
from aiokafka.record.memory_records import MemoryRecords

from agents.drivers.kafka import REQUEST_SECONDS, connection, unavailable
from agents.settings import Settings

#: A worker may own many partitions; so many are read at a time, and the first may judge while others are read.
READERS = 4
#: Of a partition in one answer; taking it apart blocks the loop for some ten milliseconds.
FETCH_BYTES = 4 * 1024 * 1024
#: How long the broker may wait with an answer that is empty.
WAIT_MS = 500

_EARLIEST, _LATEST = -2, -1
_UNCOMMITTED = 0


class KafkaStateLog:
    """The `StateLog` of a real cluster, in no group."""

    def __init__(self, settings: Settings, topic: str) -> None:
        self._settings = settings
        self._topic = topic
        self._readers = asyncio.Semaphore(READERS)

    async def read(self, partition: int) -> dict[bytes, bytes]:
        """The last value of every key from the first record that compaction left to the end as it is now."""
        async with self._readers:
            try:
                async with _client(self._settings) as client:
                    return await _Reading(client, self._topic, partition).all()
            except (KafkaError, OSError, TimeoutError) as failure:
                raise unavailable(failure, f"reading {self._topic} [{partition}]") from failure


@asynccontextmanager
async def _client(settings: Settings) -> AsyncIterator[AIOKafkaClient]:
    client = AIOKafkaClient(**connection(settings), request_timeout_ms=int(REQUEST_SECONDS * 1000))
    try:
        await client.bootstrap()
        yield client
    finally:
        await client.close()


class _Reading:
    """One reading of one partition; every request is answered or raises within its timeout."""

    def __init__(self, client: AIOKafkaClient, topic: str, partition: int) -> None:
        self._client = client
        self._topic = topic
        self._partition = partition
        self._leader = -1

    async def all(self) -> dict[bytes, bytes]:
        await self._client.set_topics([self._topic])
        leader = self._client.cluster.leader_for_partition(TopicPartition(self._topic, self._partition))
        if leader is None or leader < 0:
            raise LeaderNotAvailableError(f"{self._topic} [{self._partition}] has no leader")
        self._leader = leader
        offset, end = await self._bound(_EARLIEST), await self._bound(_LATEST)
        latest: dict[bytes, bytes] = {}
        while offset < end:
            offset = _take(await self._fetch(offset), offset, latest)
        return latest

    async def _bound(self, which: int) -> int:
        request = OffsetRequest(-1, _UNCOMMITTED, [(self._topic, [(self._partition, which)])])
        _, error, _, offset = _only(await self._client.send(self._leader, request))
        _check(error)
        return int(offset)

    async def _fetch(self, offset: int) -> bytes:
        wanted = [(self._topic, [(self._partition, offset, FETCH_BYTES)])]
        request = FetchRequest(WAIT_MS, 1, FETCH_BYTES, _UNCOMMITTED, wanted)
        _, error, _, *_, batches = _only(await self._client.send(self._leader, request))
        _check(error)
        return bytes(batches)


def _take(fetched: bytes, offset: int, latest: dict[bytes, bytes]) -> int:
    """Take what was fetched from ``offset`` on, and return where the next fetch begins.

    The batches may begin before the offset, and end after the last record that compaction has left of them.
    """
    batches = MemoryRecords(fetched)
    while batches.has_next():
        batch: Any = batches.next_batch()
        if not batch.validate_crc():
            raise CorruptRecordException(f"a batch at offset {batch.base_offset} is not what was written")
        if not batch.is_control_batch:
            for record in batch:
                if record.value is None:
                    latest.pop(record.key, None)
                elif record.key is not None:
                    latest[record.key] = record.value
        offset = max(offset, batch.next_offset)
    return offset


def _only(response: Any) -> Any:
    """The answer about the one partition that was asked for."""
    ((_, (answer,)),) = response.topics
    return answer


def _check(code: int) -> None:
    if code:
        raise for_code(code)(f"the broker answers with error {code}")
