"""The topics of an installation: made once by ``dunghan migrate``, checked at every start, never repaired.

A topic that differs from `schemas.topics` is a decision somebody made, or a mistake that has
already moved keys or dropped records; both need a person.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError, for_code

from agents.drivers.kafka import REQUEST_SECONDS, connection, unavailable
from agents.settings import Settings
from schemas import topics
from schemas.errors import ConfigError, Unavailable
from schemas.topics import Topic


async def create_topics(settings: Settings, wanted: Sequence[Topic] = topics.ALL) -> list[str]:
    """Make the wanted topics that are not there yet, and return their names; then check all of them.

    Raises what `check_topics` raises; a topic that exists is left as it is.
    """
    async with _admin(settings) as admin:
        there = await _partitions(admin, wanted)
        missing = [topic for topic in wanted if topic.name not in there]
        new = [_new_topic(topic, settings) for topic in missing]
        if new:
            answer = await admin.create_topics(new)
            for name, code, message in answer.topic_errors:
                if for_code(code) is not TopicAlreadyExistsError and code:
                    raise ConfigError("topic_refused", f"Kafka refuses to create {name}: {message}", path=name)
        await _until_there(admin, missing)
    await check_topics(settings, wanted)
    return [topic.name for topic in missing]


async def check_topics(settings: Settings, wanted: Sequence[Topic] = topics.ALL) -> None:
    """Return when every wanted topic is there with its partitions and settings.

    Raises `ConfigError` naming what differs and what to do, `Unavailable` when no broker answers.
    """
    async with _admin(settings) as admin:
        there = await _partitions(admin, wanted)
        missing = [topic.name for topic in wanted if topic.name not in there]
        if missing:
            raise ConfigError("topics_missing", f"no topic {', '.join(missing)}; run `dunghan migrate`")
        for name, partitions in there.items():
            if partitions != settings.partitions:
                raise ConfigError(
                    "topic_partitions",
                    f"{partitions} partitions, but DUNGHAN_PARTITIONS is {settings.partitions}; the number is "
                    "fixed at birth, so correct the setting (see `dunghan migrate --help`)",
                    path=name,
                )
        await _check_configs(admin, settings, wanted)


async def _until_there(admin: AIOKafkaAdminClient, created: Sequence[Topic]) -> None:
    # The controller has made them before every broker tells of them.
    for _ in range(100):
        if len(await _partitions(admin, created)) == len(created):
            return
        await asyncio.sleep(0.1)


def _new_topic(topic: Topic, settings: Settings) -> NewTopic:
    return NewTopic(topic.name, settings.partitions, settings.replication, topic_configs=_config(topic, settings))


def _config(topic: Topic, settings: Settings) -> dict[str, str]:
    return {**topic.config(), "min.insync.replicas": str(settings.min_insync)}


async def _partitions(admin: AIOKafkaAdminClient, wanted: Iterable[Topic]) -> dict[str, int]:
    found = {}
    for described in await admin.describe_topics([topic.name for topic in wanted]):
        failure = for_code(described["error_code"])
        if failure is UnknownTopicOrPartitionError:
            continue
        if described["error_code"]:
            raise unavailable(failure(), f"describing {described['topic']}")
        found[described["topic"]] = len(described["partitions"])
    return found


async def _check_configs(admin: AIOKafkaAdminClient, settings: Settings, wanted: Iterable[Topic]) -> None:
    configs = {topic.name: _config(topic, settings) for topic in wanted}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in configs]
    for answer in await admin.describe_configs(resources):
        for code, message, _kind, name, entries in answer.resources:
            if code:
                raise Unavailable("kafka_refused", f"Kafka does not show the settings of {name}: {message}")
            actual = {entry[0]: entry[1] for entry in entries}
            for key, value in configs[name].items():
                if actual.get(key) != value:
                    raise ConfigError(
                        "topic_config",
                        f"{key} is {actual.get(key)}, not {value}; set it with kafka-configs, "
                        "after reading why in schemas/topics.py",
                        path=name,
                    )


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=int(REQUEST_SECONDS * 1000))
    try:
        await admin.start()
        yield admin
    except (KafkaError, OSError, TimeoutError) as failure:
        where = ", ".join(settings.brokers)
        raise unavailable(failure, f"no Kafka broker answers at {where} (DUNGHAN_BROKERS)") from failure
    finally:
        await admin.close()
