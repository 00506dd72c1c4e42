"""The port `Outbox`: acknowledged means there, in order, where murmur2 says; and no is no."""

import asyncio
import gc
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.drivers.kafka import KafkaOutbox, partition_of
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.drivers.memory import MemoryOutbox
from agents.ports import Outgoing
from agents.settings import Settings
from schemas.errors import Unavailable
from schemas.topics import Topic
from tests.contracts.brokers import PARTITIONS, Broker, local_settings, read_partition, real_broker


async def test_what_is_acknowledged_is_there_in_the_order_it_was_sent(broker: Broker) -> None:
    sent = [Outgoing(broker.topic, b"k", str(i).encode(), partition=2) for i in range(500)]
    await broker.outbox.send(sent)
    assert await broker.stored(2) == sent
    assert await broker.stored(1) == []


async def test_without_a_partition_murmur2_of_the_key_chooses(broker: Broker) -> None:
    keys = [f"H26.12-260105-{i:04d}".encode() for i in range(50)]
    await broker.outbox.send([Outgoing(broker.topic, key, b"v") for key in keys])
    stored = [await broker.stored(partition) for partition in range(PARTITIONS)]
    for partition, records in enumerate(stored):
        assert [record.key for record in records] == [k for k in keys if partition_of(k, PARTITIONS) == partition]


async def test_headers_and_tombstones_arrive_as_they_are(broker: Broker) -> None:
    sent = [
        Outgoing(broker.topic, b"k", b"\x00\xff", 0, (("reason", b"naive_time"), ("reason", b"again"))),
        Outgoing(broker.topic, b"k", None, 0),
    ]
    await broker.outbox.send(sent)
    assert await broker.stored(0) == sent


async def test_sending_nothing_is_acknowledged_at_once(broker: Broker) -> None:
    await broker.outbox.send([])


async def test_many_senders_share_one_outbox(broker: Broker) -> None:
    async def one(partition: int) -> None:
        for i in range(20):
            await broker.outbox.send([Outgoing(broker.topic, b"k", str(i).encode(), partition)])

    await asyncio.gather(*(one(partition) for partition in range(PARTITIONS)))
    for partition in range(PARTITIONS):
        assert [record.value for record in await broker.stored(partition)] == [str(i).encode() for i in range(20)]


def test_the_partitioner_is_the_java_clients() -> None:
    # The values of Kafka's own UtilsTest.testMurmur2.
    assert [partition_of(key, 2**31 - 1) for key in (b"21", b"foobar", b"a-little-bit-long-string")] == [
        (-973932308) & 0x7FFFFFFF,
        (-790332482) & 0x7FFFFFFF,
        (-985981536) & 0x7FFFFFFF,
    ]


async def test_the_memory_broker_fails_when_told_and_may_have_kept_some() -> None:
    outbox = MemoryOutbox()
    outbox.fail_next(1, accept=1)
    records = [Outgoing("t", b"k", b"1", 0), Outgoing("t", b"k", b"2", 0)]
    with pytest.raises(Unavailable):
        await outbox.send(records)
    assert [record.value for record in outbox.records("t")] == [b"1"]
    await outbox.send(records)
    assert [(record.offset, record.value) for record in outbox.records("t")] == [(0, b"1"), (1, b"1"), (2, b"2")]


async def test_a_broker_that_does_not_listen_is_unavailable() -> None:
    async with KafkaOutbox(Settings(brokers=("127.0.0.1:1",))) as outbox:
        with pytest.raises(Unavailable) as refused:
            await outbox.send([Outgoing("t", b"k", b"v")])
    assert refused.value.reason == "kafka_unavailable"


@pytest.mark.system
async def test_a_record_that_the_topic_does_not_allow_is_refused_and_the_next_one_goes(services: Services) -> None:
    async with real_broker(services) as broker:
        await broker.outbox.send([Outgoing(broker.topic, b"k", b"first", 0)])
        with pytest.raises(Unavailable) as refused:
            await broker.outbox.send([Outgoing(broker.topic, b"k", os.urandom(1_100_000), 0)])
        assert refused.value.reason == "kafka_refused"
        await broker.outbox.send([Outgoing(broker.topic, b"k", b"small", 0)])
        assert [record.value for record in await broker.stored(0)] == [b"first", b"small"]


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Services]:
    """A Kafka that only this test has, to be harmed."""
    services = Services(tmp_path)
    services.kafka_server.start()
    try:
        services.kafka_server.wait_ready()
        yield services
    finally:
        services.kafka_server.stop()


@pytest.mark.system
@pytest.mark.parametrize("harm", ["killed", "frozen"])
async def test_a_lost_broker_is_unavailable_within_bounds_and_sending_goes_on_when_it_is_back(
    own_broker: Services, harm: str
) -> None:
    settings = local_settings(own_broker)
    await create_topics(settings, [Topic("t", "for a test")])
    async with KafkaOutbox(settings, request_seconds=2.0) as outbox:
        await outbox.send([Outgoing("t", b"k", b"before", 0)])
        # A frozen broker takes what is sent without reading it: what it had not read dies with it.
        (own_broker.kafka_server.kill if harm == "killed" else own_broker.kafka_server.freeze)()
        many = [Outgoing("t", b"k", b"during" * 50, 0)] * 5_000  # several batches
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Unavailable) as refused:
                await outbox.send(many)
            assert refused.value.reason == "kafka_unavailable"
            assert time.monotonic() - began < 6
        own_broker.kafka_server.kill()
        own_broker.kafka_server.restart()
        own_broker.kafka_server.wait_ready()
        await outbox.send([Outgoing("t", b"k", b"after", 0)])
    values = [record.value for record in await read_partition(settings, "t", 0)]
    assert values[0] == b"before"
    assert values[-1] == b"after"


@pytest.mark.system
async def test_closed_while_the_broker_is_frozen_it_leaves_no_connection_and_no_failure_behind(
    own_broker: Services,
) -> None:
    settings = local_settings(own_broker)
    await create_topics(settings, [Topic("t", "for a test")])
    left: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: left.append(context))
    async with KafkaOutbox(settings, request_seconds=2.0) as outbox:
        await outbox.send([Outgoing("t", b"k", b"before", 0)])
        producer = outbox._producer
        assert producer is not None
        own_broker.kafka_server.freeze()
        with pytest.raises(Unavailable):
            await outbox.send([Outgoing("t", b"k", b"during" * 50, 0)] * 50_000)
    await asyncio.gather(*outbox._closing)
    gc.collect()
    assert left == []
    assert not producer.client._conns
