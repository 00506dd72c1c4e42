"""What the broker says of the workers' groups, also in the moments when it cannot tell yet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.drivers.kafka import KafkaOutbox, connection
from agents.drivers.kafka_groups import groups, is_new
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.ports import Outgoing
from agents.settings import Settings
from schemas import topics
from tests.contracts.brokers import commit, local_settings

pytestmark = pytest.mark.system

NAMES = [f"of-{number}" for number in range(60)]  # the broker keeps groups on fifty partitions


@asynccontextmanager
async def member(settings: Settings, name: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A worker in its group that has been given partitions of the events."""
    consumer = AIOKafkaConsumer(
        topics.EVENTS.name, **connection(settings), group_id=f"dunghan-{name}", enable_auto_commit=False
    )
    await consumer.start()
    try:
        while not consumer.assignment():
            await consumer.getmany(timeout_ms=100)
        yield consumer
    finally:
        await consumer.stop()


async def test_a_broker_in_its_first_moments_and_after_a_restart_is_asked_until_it_can_tell(tmp_path: Path) -> None:
    """Whoever asks first has it make the partitions for groups; each is read in before it answers."""
    with Services(tmp_path) as services:
        settings = local_settings(services)
        assert all(await asyncio.gather(*(is_new(settings, name) for name in NAMES)))

        await create_topics(settings)
        where, worked = TopicPartition(topics.EVENTS.name, 0), NAMES[:10]
        for name in worked:
            await commit(settings, f"dunghan-{name}", where, 1)
        services.kafka_server.restart()
        assert not any(await asyncio.gather(*(is_new(settings, name) for name in worked)))


async def test_a_group_is_new_until_a_worker_joins_or_has_finished_a_chunk(services: Services) -> None:
    settings = local_settings(services)
    await create_topics(settings)
    assert await is_new(settings, "joining")
    async with member(settings, "joining") as consumer:
        assert not await is_new(settings, "joining")
        where = next(iter(consumer.assignment()))
        await consumer.commit({where: 1})
    assert not await is_new(settings, "joining")


async def test_a_group_tells_its_members_and_what_is_before_it(services: Services) -> None:
    settings = local_settings(services)
    await create_topics(settings)
    async with KafkaOutbox(settings) as outbox:
        await outbox.send([Outgoing(topics.EVENTS.name, b"k", b"{}", 0)] * 3)
    wanted = {"telling": (topics.EVENTS,)}
    (before,) = await groups(settings, wanted)
    async with member(settings, "telling") as consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        behind = TopicPartition(topics.EVENTS.name, 0)
        await consumer.commit({**ends, behind: ends[behind] - 2})
        (during,) = await groups(settings, wanted)
    (after,) = await groups(settings, wanted)
    assert (before.members, during.members, after.members) == (0, 1, 0)
    assert before.behind[topics.EVENTS.name] >= 3
    assert during.behind == after.behind == {topics.EVENTS.name: 2}
