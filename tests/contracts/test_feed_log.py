"""The port `FeedLog`: what is new since the last call, where the events end, and how far they are read."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
from aiokafka import TopicPartition

from agents.drivers.kafka import KafkaOutbox
from agents.drivers.kafka_feeds import GROUP, KafkaFeedLog
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.drivers.memory import MemoryFeedLog, MemoryOutbox
from agents.ports import FeedLog, Outbox, Outgoing
from agents.settings import Settings
from schemas import topics
from schemas.errors import Unavailable
from tests.contracts.brokers import PARTITIONS, commit, local_settings


@dataclass
class Ears:
    """A feed log, the way onto its topics, and a group of judges that commits when it is told to."""

    log: FeedLog
    other: FeedLog
    outbox: Outbox
    settings: Settings | None

    async def tell(self, *values: bytes | None) -> None:
        records = [Outgoing(topics.FEEDS.name, b"%d" % n, value, n % PARTITIONS) for n, value in enumerate(values)]
        await self.outbox.send(records)

    async def happen(self, partition: int, count: int) -> None:
        """So many events more on a partition."""
        await self.outbox.send([Outgoing(topics.EVENTS.name, b"k", b"{}", partition)] * count)
        if isinstance(self.log, MemoryFeedLog):
            self.log.end[partition] = self.log.end.get(partition, 0) + count

    async def commit(self, partition: int, offset: int) -> None:
        """The judges have done everything of a partition before this offset."""
        if isinstance(self.log, MemoryFeedLog):
            self.log.done[partition] = offset
        else:
            assert self.settings is not None
            await commit(self.settings, GROUP, TopicPartition(topics.EVENTS.name, partition), offset)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.system)])
async def ears(request: pytest.FixtureRequest) -> AsyncIterator[Ears]:
    if request.param == "memory":
        outbox = MemoryOutbox(PARTITIONS)
        log = MemoryFeedLog(outbox, topics.FEEDS.name)
        yield Ears(log, MemoryFeedLog(outbox, topics.FEEDS.name, log.end, log.done), outbox, None)
        return
    folder = request.getfixturevalue("tmp_path")
    with Services(folder) as services:  # of its own: the group of judges belongs to the whole Kafka
        settings = local_settings(services)
        await create_topics(settings)
        async with AsyncExitStack() as opened:
            outbox_ = await opened.enter_async_context(KafkaOutbox(settings))
            real = await opened.enter_async_context(KafkaFeedLog(settings))
            other = await opened.enter_async_context(KafkaFeedLog(settings))
            yield Ears(real, other, outbox_, settings)


async def test_what_is_new_is_returned_once_and_everything_to_who_asks_first(ears: Ears) -> None:
    assert list(await ears.log.news()) == []
    await ears.tell(b"a", b"b", b"c", b"d", b"e")
    assert sorted(await ears.log.news()) == [b"a", b"b", b"c", b"d", b"e"]
    assert list(await ears.log.news()) == []
    await ears.tell(b"f", None)
    assert list(await ears.log.news()) == [b"f"]
    assert sorted(await ears.other.news())[-1] == b"f"


async def test_how_far_the_events_go_and_how_far_they_are_read(ears: Ears) -> None:
    assert set((await ears.log.ends()).values()) <= {0}
    assert dict(await ears.log.committed()) == {}
    await ears.happen(2, 3)
    await ears.happen(0, 1)
    assert {number: end for number, end in (await ears.log.ends()).items() if end} == {0: 1, 2: 3}
    await ears.commit(2, 2)
    assert dict(await ears.log.committed()) == {2: 2}
    await ears.commit(2, 3)
    assert dict(await ears.other.committed()) == {2: 3}


async def test_the_memory_log_fails_when_told() -> None:
    log = MemoryFeedLog(MemoryOutbox(), "f")
    log.fail_next(3)
    for ask in (log.news, log.ends, log.committed):
        with pytest.raises(Unavailable):
            await ask()
    assert list(await log.news()) == []


async def test_a_broker_that_does_not_listen_is_unavailable() -> None:
    async with KafkaFeedLog(Settings(brokers=("127.0.0.1:1",))) as log:
        for ask in (log.news, log.ends, log.committed):
            with pytest.raises(Unavailable) as refused:
                await ask()
            assert refused.value.reason == "kafka_unavailable"
