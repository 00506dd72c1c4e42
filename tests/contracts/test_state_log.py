"""The port `StateLog`: the last value of every key, to the end as it was, or `Unavailable`."""

import asyncio

import pytest

from agents.drivers.kafka_state import KafkaStateLog
from agents.drivers.memory import MemoryOutbox, MemoryStateLog
from agents.ports import Outgoing
from agents.settings import Settings
from schemas.errors import Unavailable
from tests.contracts.brokers import PARTITIONS, Broker


async def test_an_empty_partition_reads_as_nothing(broker: Broker) -> None:
    assert await broker.state.read(3) == {}


async def test_a_single_record_is_read(broker: Broker) -> None:
    await broker.outbox.send([Outgoing(broker.topic, b"a", b"1", 0)])
    assert await broker.state.read(0) == {b"a": b"1"}


async def test_the_last_value_of_a_key_holds_and_a_tombstone_deletes(broker: Broker) -> None:
    await broker.outbox.send(
        [
            Outgoing(broker.topic, b"a", b"1", 1),
            Outgoing(broker.topic, b"b", b"1", 1),
            Outgoing(broker.topic, b"a", b"2", 1),
            Outgoing(broker.topic, b"c", b"1", 1),
            Outgoing(broker.topic, b"b", None, 1),
            Outgoing(broker.topic, b"other", b"partition", 2),
        ]
    )
    assert await broker.state.read(1) == {b"a": b"2", b"c": b"1"}


async def test_everything_acknowledged_before_the_reading_is_read(broker: Broker) -> None:
    records = [Outgoing(broker.topic, f"{i}".encode(), b"x" * 300, 0) for i in range(10_000)]
    await broker.outbox.send(records)
    assert len(await broker.state.read(0)) == 10_000


async def test_reading_ends_though_others_keep_writing(broker: Broker) -> None:
    await broker.outbox.send([Outgoing(broker.topic, b"first", b"1", 0)])
    stop = asyncio.Event()

    async def write() -> None:
        i = 0
        while not stop.is_set():
            i += 1
            await broker.outbox.send([Outgoing(broker.topic, f"late-{i}".encode(), b"1", 0)])
            await asyncio.sleep(0)

    writing = asyncio.create_task(write())
    assert b"first" in await asyncio.wait_for(broker.state.read(0), 20)
    stop.set()
    await writing


async def test_all_partitions_can_be_read_at_once(broker: Broker) -> None:
    await broker.outbox.send([Outgoing(broker.topic, f"{i}".encode(), b"1", i % PARTITIONS) for i in range(40)])
    memories = await asyncio.gather(*(broker.state.read(i) for i in range(PARTITIONS)))
    assert [len(memory) for memory in memories] == [10] * PARTITIONS


async def test_the_memory_log_fails_when_told() -> None:
    outbox = MemoryOutbox()
    await outbox.send([Outgoing("s", b"a", b"1", 0)])
    state = MemoryStateLog(outbox, "s")
    state.fail_next(1)
    with pytest.raises(Unavailable):
        await state.read(0)
    assert await state.read(0) == {b"a": b"1"}


async def test_a_broker_that_does_not_listen_is_unavailable() -> None:
    with pytest.raises(Unavailable) as refused:
        await KafkaStateLog(Settings(brokers=("127.0.0.1:1",)), "s").read(0)
    assert refused.value.reason == "kafka_unavailable"
