"""The dead letters as Kafka keeps them, read in no group: whoever looks leaves no trace."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from agents.drivers.kafka import unavailable
from agents.drivers.reading import READ_SECONDS, close, reader, to_the_end
from agents.ports import Record
from agents.settings import Settings
from schemas import topics

#: All partitions are read at once, so little of each; a letter that is longer still comes whole.
FETCH_BYTES = 256 * 1024
#: As objects records take several times their bytes.
RECORDS = 2_000


async def read_letters(settings: Settings, partitions: Iterable[int]) -> AsyncIterator[tuple[int, Sequence[Record]]]:
    """What stands on these partitions of ``dossier.dead-letters.v1`` to the end as it is now, each oldest first.

    Each answer is about how many records there are altogether, and some of them. Raises `Unavailable`.
    """
    places = [TopicPartition(topics.DEAD_LETTERS.name, number) for number in partitions]
    if not places:
        return
    consumer = reader(settings, max_partition_fetch_bytes=FETCH_BYTES)
    try:
        await asyncio.wait_for(consumer.start(), READ_SECONDS)
        begins = await asyncio.wait_for(consumer.beginning_offsets(places), READ_SECONDS)
        ends = await asyncio.wait_for(consumer.end_offsets(places), READ_SECONDS)
        there = sum(ends[where] - begins[where] for where in places)
        consumer.assign(places)
        await consumer.seek_to_beginning(*places)
        async for records in to_the_end(consumer, ends, most=RECORDS):
            yield there, records
    except (KafkaError, OSError, TimeoutError) as failure:
        raise unavailable(failure, f"reading {topics.DEAD_LETTERS.name}") from failure
    finally:
        await close(consumer)
