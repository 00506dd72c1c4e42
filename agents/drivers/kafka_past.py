"""What stands on the topics, read in nobody's group: for whoever judges the past again and writes nothing there."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from types import TracebackType
from typing import NamedTuple, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from agents.drivers.kafka import REQUEST_SECONDS, connection, unavailable
from agents.drivers.kafka_groups import standing
from agents.drivers.reading import READ_SECONDS, close, reader, to_the_end
from agents.ports import Record
from agents.settings import Settings
from schemas.topics import Topic


class Place(NamedTuple):
    """Offsets of one partition: its first record, the first that the workers have not finished, the end."""

    begin: int
    done: int
    end: int


class KafkaPast:
    """Reads partitions from and to any offset; used as ``async with``, one reading at a time.

    Everything raises `Unavailable` when no broker answers.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._consumer: AIOKafkaConsumer

    async def __aenter__(self) -> Self:
        self._consumer = reader(self._settings, max_partition_fetch_bytes=4 * 1024 * 1024, max_poll_records=5_000)
        try:
            await asyncio.wait_for(self._consumer.start(), READ_SECONDS)
        except (KafkaError, OSError, TimeoutError) as failure:
            await close(self._consumer)
            raise unavailable(failure, "reading the topics") from failure
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await close(self._consumer)

    async def places(self, worker: str, topics: Sequence[Topic]) -> dict[tuple[str, int], Place]:
        """How far the workers of that name have come, by topic and partition."""
        wanted = [TopicPartition(topic.name, number) for topic in topics for number in range(self._settings.partitions)]
        admin = AIOKafkaAdminClient(**connection(self._settings), request_timeout_ms=int(REQUEST_SECONDS * 1000))
        try:
            await admin.start()
            _, committed = await standing(admin, worker)
            begins = await self._consumer.beginning_offsets(wanted)
            ends = await self._consumer.end_offsets(wanted)
        except (KafkaError, OSError, TimeoutError) as failure:
            raise unavailable(failure, f"asking how far {worker} has come") from failure
        finally:
            await admin.close()
        return {
            (where.topic, where.partition): Place(
                begins[where], max(committed.get(where, 0), begins[where]), ends[where]
            )
            for where in wanted
        }

    async def read(
        self, topic: Topic, partition: int, begin: int | None = None, end: int | None = None
    ) -> AsyncIterator[Record]:
        """The records of one partition in order, from ``begin`` (None: the first) up to ``end`` (None: that of now)."""
        where = TopicPartition(topic.name, partition)
        try:
            end = await self._begin(where, begin, end)
            async for records in to_the_end(self._consumer, {where: end}):
                for record in records:
                    if record.offset < end:
                        yield record
        except (KafkaError, OSError, TimeoutError) as failure:
            raise unavailable(failure, f"reading {topic.name} [{partition}]") from failure

    async def _begin(self, where: TopicPartition, begin: int | None, end: int | None) -> int:
        """Stand at the beginning of what is to be read; where it ends."""
        self._consumer.assign([where])
        if end is None:
            end = (await asyncio.wait_for(self._consumer.end_offsets([where]), READ_SECONDS))[where]
        if begin is None:
            await asyncio.wait_for(self._consumer.seek_to_beginning(where), READ_SECONDS)
        else:
            self._consumer.seek(where, begin)
        return end
