"""The topic of feeds on a real cluster: read to its end again and again, by a consumer in no group.

Beside it, how far the events go and how far the group of judges has committed them.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from agents.drivers.kafka import REQUEST_SECONDS, connection, unavailable
from agents.drivers.reading import READ_SECONDS, close, reader, to_the_end
from agents.settings import Settings
from schemas import topics

GROUP = "dunghan-judge"


class KafkaFeedLog:
    """The `FeedLog` of a real cluster; open it with ``async with``, in the loop that asks.

    It connects when it is first asked, and again, from the beginning of the topic, after a failure.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._events = [TopicPartition(topics.EVENTS.name, number) for number in range(settings.partitions)]
        self._feeds = [TopicPartition(topics.FEEDS.name, number) for number in range(settings.partitions)]
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def news(self) -> Sequence[bytes]:
        """See the port."""
        found: list[bytes] = []
        async with self._asking("reading the feeds") as (consumer, _):
            ends = await consumer.end_offsets(self._feeds)
            async for records in to_the_end(consumer, ends):
                found += [record.value for record in records if record.value]
        return found

    async def ends(self) -> Mapping[int, int]:
        """See the port."""
        async with self._asking("asking for the ends of the events") as (consumer, _):
            ends = await consumer.end_offsets(self._events)
            return {where.partition: end for where, end in ends.items()}

    async def committed(self) -> Mapping[int, int]:
        """See the port."""
        async with self._asking("asking how far the events are read") as (_, admin):
            try:
                known = await admin.list_consumer_group_offsets(GROUP, partitions=self._events)
            except GroupCoordinatorNotAvailableError:  # the cluster makes room for groups when it is first asked
                return {}
            return {where.partition: found.offset for where, found in known.items() if found.offset >= 0}

    @asynccontextmanager
    async def _asking(self, what: str) -> AsyncIterator[tuple[AIOKafkaConsumer, AIOKafkaAdminClient]]:
        """The clients, opened where they are not; closed when they fail, also by being given up halfway."""
        try:
            async with asyncio.timeout(2 * READ_SECONDS):
                yield await self._open()
        except (KafkaError, OSError, TimeoutError) as failure:
            await self._close()
            raise unavailable(failure, what) from failure
        except BaseException:
            await self._close()
            raise

    async def _open(self) -> tuple[AIOKafkaConsumer, AIOKafkaAdminClient]:
        if self._consumer is None or self._admin is None:
            self._consumer = reader(self._settings)
            self._admin = AIOKafkaAdminClient(
                **connection(self._settings), request_timeout_ms=int(REQUEST_SECONDS * 1000)
            )
            await self._consumer.start()
            await self._admin.start()
            self._consumer.assign(self._feeds)
            await self._consumer.seek_to_beginning(*self._feeds)
        return self._consumer, self._admin

    async def _close(self) -> None:
        consumer, admin, self._consumer, self._admin = self._consumer, self._admin, None, None
        with suppress(KafkaError, OSError, TimeoutError):
            if consumer is not None:
                await close(consumer)
        with suppress(KafkaError, OSError, TimeoutError):
            if admin is not None:
                await admin.close()
