"""How far behind the workers are, as the broker sees it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError, for_code

from agents.drivers.kafka import connection, unavailable
from agents.settings import Settings
from schemas.topics import Topic


@dataclass(frozen=True, slots=True)
class Group:
    """One consumer group: how many workers are in it, and how many records of each topic it has still to finish."""

    name: str
    members: int
    behind: Mapping[str, int]


async def groups(settings: Settings, wanted: Mapping[str, Sequence[Topic]]) -> list[Group]:
    """The groups of these workers, by name; a group that never was has no members and all records before it.

    Raises `Unavailable` when no broker answers.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    consumer = AIOKafkaConsumer(**connection(settings))
    try:
        await admin.start()
        await consumer.start()
        await _until_coordinated(admin)
        return [await _group(admin, consumer, settings, name, topics) for name, topics in wanted.items()]
    except (KafkaError, OSError, TimeoutError) as failure:
        raise unavailable(failure, "asking Kafka for its consumer groups") from failure
    finally:
        await consumer.stop()
        await admin.close()


async def is_new(settings: Settings, name: str) -> bool:
    """Whether no worker of this name is in its group, and none ever finished a chunk on this Kafka.

    Raises `Unavailable` when no broker answers.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    group = f"dunghan-{name}"
    try:
        await admin.start()
        await _until_coordinated(admin)
        committed = await admin.list_consumer_group_offsets(group)
        return not await _members(admin, group) and all(known.offset < 0 for known in committed.values())
    except (KafkaError, OSError, TimeoutError) as failure:
        raise unavailable(failure, "asking Kafka for a consumer group") from failure
    finally:
        await admin.close()


async def _until_coordinated(admin: AIOKafkaAdminClient) -> None:
    """Return when the cluster can tell of groups: it makes room for them when it is first asked."""
    for _ in range(50):
        with suppress(GroupCoordinatorNotAvailableError):
            await admin.find_coordinator("dunghan")
            return
        await asyncio.sleep(0.1)


async def _group(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, settings: Settings, name: str, topics: Sequence[Topic]
) -> Group:
    partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(settings.partitions)]
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    behind = dict.fromkeys((topic.name for topic in topics), 0)
    committed = await admin.list_consumer_group_offsets(f"dunghan-{name}")
    for partition in partitions:
        known = committed.get(partition)
        done = known.offset if known is not None and known.offset >= 0 else begins[partition]
        behind[partition.topic] += max(0, ends[partition] - done)
    return Group(name, await _members(admin, f"dunghan-{name}"), behind)


async def _members(admin: AIOKafkaAdminClient, group: str) -> int:
    ((answer,),) = [answer.groups for answer in await admin.describe_consumer_groups([group])]
    code, members = answer[0], answer[5]
    if code:
        raise for_code(code)(group)
    return len(members)
