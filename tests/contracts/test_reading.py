"""A reader of a topic is stopped for good, also when its last fetch has just failed."""

import asyncio
import time

import pytest
from aiokafka import TopicPartition

from agents.drivers.local import Services
from agents.drivers.reading import close, reader
from tests.contracts.brokers import real_broker

pytestmark = pytest.mark.system

REQUEST_SECONDS = 0.6  # a little more than the half second for which a broker keeps a fetch that finds nothing


async def test_a_reader_whose_fetch_timed_out_is_stopped_with_all_its_connections(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    async with real_broker(services) as broker:
        consumer = reader(broker.settings, request_seconds=REQUEST_SECONDS)
        await consumer.start()
        consumer.assign([TopicPartition(broker.topic, 0)])
        await consumer.seek_to_beginning()
        services.kafka_server.freeze()
        try:
            deadline = time.monotonic() + 30
            while not any("Failed fetch messages" in line for line in caplog.messages):
                assert time.monotonic() < deadline, "no fetch has failed"
                await asyncio.sleep(0)
            await close(consumer)  # within the tenth of a second before the fetch is tried again
        finally:
            services.kafka_server.thaw()
        assert not consumer._client._conns
