"""How far behind the workers are, as the broker sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaError,
    NotCoordinatorForGroupError,
    for_code,
)
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from agents.drivers.kafka import connection, unavailable
from agents.settings import Settings
from schemas.topics import Topic

NOT_YET = (GroupCoordinatorNotAvailableError, GroupLoadInProgressError, NotCoordinatorForGroupError)
"""What a broker says of a group while it makes room for groups, reads them in, or gives them to another broker."""

PATIENCE_SECONDS = 5.0


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
    try:
        await admin.start()
        members, committed = await standing(admin, name)
        return not members and not committed
    except (KafkaError, OSError, TimeoutError) as failure:
        raise unavailable(failure, "asking Kafka for a consumer group") from failure
    finally:
        await admin.close()


@retry(
    retry=retry_if_exception_type(NOT_YET), wait=wait_fixed(0.1), stop=stop_after_delay(PATIENCE_SECONDS), reraise=True
)
async def standing(admin: AIOKafkaAdminClient, name: str) -> tuple[int, Mapping[TopicPartition, int]]:
    """How many workers of this name are in their group and what they have committed, as soon as the cluster can tell.

    Members are asked first: while a group is read in, aiokafka finds none of its offsets and raises nothing.
    """
    group = f"dunghan-{name}"
    ((answer,),) = [answer.groups for answer in await admin.describe_consumer_groups([group])]
    code, members = answer[0], answer[5]
    if code:
        raise for_code(code)(group)
    committed = await admin.list_consumer_group_offsets(group)
    return len(members), {where: known.offset for where, known in committed.items() if known.offset >= 0}


async def _group(
    admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer, settings: Settings, name: str, topics: Sequence[Topic]
) -> Group:
    partitions = [TopicPartition(topic.name, number) for topic in topics for number in range(settings.partitions)]
    begins, ends = await consumer.beginning_offsets(partitions), await consumer.end_offsets(partitions)
    behind = dict.fromkeys((topic.name for topic in topics), 0)
    members, committed = await standing(admin, name)
    for partition in partitions:
        behind[partition.topic] += max(0, ends[partition] - committed.get(partition, begins[partition]))
    return Group(name, members, behind)
