"""The dead letters as Kafka keeps them, read partition by partition and in no group."""

from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import TopicPartition

from agents.drivers.kafka import reader, to_the_end
from agents.ports import Record
from agents.settings import Settings
from schemas import topics


async def read_letters(settings: Settings, partitions: Iterable[int]) -> AsyncIterator[tuple[int, Sequence[Record]]]:
    """What stands on these partitions of ``dossier.dead-letters.v1``, oldest first, to the end as it is now.

    Each answer is a partition's number and some of its records, none at its end. Raises `Unavailable`.
    """
    topic = topics.DEAD_LETTERS.name
    async with reader(settings, f"reading {topic}") as consumer:
        for partition in partitions:
            async for records in to_the_end(consumer, TopicPartition(topic, partition)):
                yield partition, records
            yield partition, ()
