"""The same broker twice for the contract suites: in memory, and the real one under topics of its own."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from agents.drivers.kafka import KafkaOutbox, connection
from agents.drivers.kafka_state import KafkaStateLog
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.drivers.memory import MemoryOutbox, MemoryStateLog
from agents.ports import Outbox, Outgoing, StateLog
from agents.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topic

PARTITIONS = 4


def local_settings(services: Services, **changes: object) -> Settings:
    """Settings that lead to the services of a test run."""
    return Settings.model_validate(
        {"brokers": services.brokers, "partitions": PARTITIONS, "replication": 1, "min_insync": 1, **changes}
    )


class Broker(Protocol):
    """What a contract test needs of a broker besides the ports."""

    @property
    def topic(self) -> str: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def state(self) -> StateLog: ...

    async def stored(self, partition: int) -> list[Outgoing]:
        """What stands in a partition of the topic, oldest first."""
        ...


@dataclass
class InMemory:
    """The memory driver; its compaction is immediate."""

    topic: str
    outbox: MemoryOutbox
    state: MemoryStateLog

    async def stored(self, partition: int) -> list[Outgoing]:
        records = self.outbox.records(self.topic, partition)
        return [Outgoing(r.topic, r.key or b"", r.value, r.partition, r.headers) for r in records]


@dataclass
class Real:
    """The real broker; its compaction happens when it likes."""

    topic: str
    outbox: KafkaOutbox
    state: KafkaStateLog
    settings: Settings

    async def stored(self, partition: int) -> list[Outgoing]:
        records = await read_partition(self.settings, self.topic, partition)
        return [Outgoing(r.topic, r.key, r.value, r.partition, tuple(r.headers)) for r in records]


async def read_partition(settings: Settings, topic: str, partition: int) -> Sequence[AIOKafkaConsumer]:
    """Every record of a partition, as aiokafka gives it; written apart from the driver under test."""
    where = TopicPartition(topic, partition)
    records = []
    consumer = AIOKafkaConsumer(**connection(settings), enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([where])
        end = (await consumer.end_offsets([where]))[where]
        while await consumer.position(where) < end:
            for chunk in (await consumer.getmany(timeout_ms=500)).values():
                records += chunk
    finally:
        await consumer.stop()
    return records


@asynccontextmanager
async def real_broker(services: Services, *, compacted: bool = True) -> AsyncIterator[Real]:
    """The real broker with a fresh topic."""
    topic = f"contract.{uuid.uuid4().hex[:12]}"
    settings = local_settings(services)
    await create_topics(settings, [Topic(topic, "for a test", compacted=compacted)])
    state = KafkaStateLog(settings, topic)
    await asyncio.gather(*(_read(state, partition) for partition in range(PARTITIONS)))
    async with KafkaOutbox(settings) as outbox:
        yield Real(topic, outbox, state, settings)


async def commit(settings: Settings, group: str, where: TopicPartition, offset: int) -> None:
    """A group has done everything of a partition before this offset; nobody is in it."""
    consumer = AIOKafkaConsumer(**connection(settings), group_id=group, enable_auto_commit=False)
    await consumer.start()
    consumer.assign([where])
    await consumer.commit({where: offset})
    await consumer.stop()


@retry(retry=retry_if_exception_type(Unavailable), wait=wait_fixed(0.1), stop=stop_after_delay(30), reraise=True)
async def _read(state: KafkaStateLog, partition: int) -> None:
    """A partition that was just created has a leader that does not know of it for a moment."""
    await state.read(partition)


def memory_broker() -> InMemory:
    """The memory driver with an empty topic."""
    outbox = MemoryOutbox(partitions=PARTITIONS)
    return InMemory("contract.memory", outbox, MemoryStateLog(outbox, "contract.memory"))
