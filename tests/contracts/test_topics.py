"""The topics on a real broker: made once, checked, never repaired."""

import asyncio
import time
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from agents.drivers.kafka import connection
from agents.drivers.kafka_topics import check_topics, create_topics
from agents.drivers.local import Services
from agents.settings import Settings
from schemas import topics
from schemas.errors import ConfigError, Unavailable
from schemas.topics import Topic
from tests.contracts.brokers import local_settings

pytestmark = pytest.mark.system


@pytest.fixture
def topic() -> Topic:
    return Topic(f"contract.{uuid.uuid4().hex[:12]}", "for a test", retention_ms=1234_000)


async def test_every_topic_of_ours_is_made_and_then_as_wanted(services: Services) -> None:
    settings = local_settings(services)
    await create_topics(settings)
    await check_topics(settings)
    assert await create_topics(settings, topics.ALL) == []


async def test_making_twice_makes_once(services: Services, topic: Topic) -> None:
    settings = local_settings(services)
    assert await create_topics(settings, [topic]) == [topic.name]
    assert await create_topics(settings, [topic]) == []


async def test_a_missing_topic_is_named_and_so_is_the_command_that_makes_it(services: Services, topic: Topic) -> None:
    with pytest.raises(ConfigError, match=f"{topic.name}; run `dunghan migrate`") as missing:
        await check_topics(local_settings(services), [topic])
    assert missing.value.reason == "topics_missing"


async def test_another_number_of_partitions_is_refused(services: Services, topic: Topic) -> None:
    await create_topics(local_settings(services, partitions=6), [topic])
    settings = local_settings(services)
    for look in (check_topics, create_topics):
        with pytest.raises(ConfigError, match="6 partitions, but DUNGHAN_PARTITIONS is 4") as refused:
            await look(settings, [topic])
        assert (refused.value.reason, refused.value.path) == ("topic_partitions", topic.name)


async def test_another_setting_is_refused_and_left_as_it_is(services: Services, topic: Topic) -> None:
    settings = local_settings(services)
    await create_topics(settings, [topic])
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    changed = ConfigResource(ConfigResourceType.TOPIC, topic.name, {**topic.config(), "retention.ms": "5000"})
    await admin.alter_configs([changed])
    await admin.close()
    await _refused(settings, topic)
    for look in (create_topics, check_topics):
        with pytest.raises(ConfigError, match=r"retention\.ms is 5000, not 1234000") as refused:
            await look(settings, [topic])
        assert refused.value.reason == "topic_config"


async def _refused(settings: Settings, topic: Topic) -> None:
    """Return when the broker, which applies a change a moment after it has acknowledged it, shows the new setting."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            await check_topics(settings, [topic])
        except ConfigError:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the changed setting never showed")


async def test_more_copies_than_brokers_are_refused_with_kafkas_words(services: Services, topic: Topic) -> None:
    with pytest.raises(ConfigError, match="replication") as refused:
        await create_topics(local_settings(services, replication=3), [topic])
    assert refused.value.reason == "topic_refused"


async def test_a_broker_that_does_not_listen_is_unavailable(topic: Topic) -> None:
    with pytest.raises(Unavailable, match=r"no Kafka broker answers at 127\.0\.0\.1:1") as refused:
        await check_topics(Settings(brokers=("127.0.0.1:1",)), [topic])
    assert refused.value.reason == "kafka_unavailable"
