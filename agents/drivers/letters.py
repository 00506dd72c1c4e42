"""The dead letters as Kafka keeps them, read in no group: whoever looks leaves no trace."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.drivers.kafka import READ_SECONDS, REQUEST_SECONDS, connection, unavailable
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
    consumer = AIOKafkaConsumer(
        **connection(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=int(REQUEST_SECONDS * 1000),
        max_partition_fetch_bytes=FETCH_BYTES,
    )
    try:
        await asyncio.wait_for(consumer.start(), READ_SECONDS)
        begins = await asyncio.wait_for(consumer.beginning_offsets(places), READ_SECONDS)
        ends = await asyncio.wait_for(consumer.end_offsets(places), READ_SECONDS)
        there = sum(ends[where] - begins[where] for where in places)
        async for records in _to_the_end(consumer, ends):
            yield there, records
    except (KafkaError, OSError, TimeoutError) as failure:
        raise unavailable(failure, f"reading {topics.DEAD_LETTERS.name}") from failure
    finally:
        await consumer.stop()


async def _to_the_end(consumer: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> AsyncIterator[Sequence[Record]]:
    """Everything before these offsets, and perhaps some beyond; `TimeoutError` when nothing comes.

    The end test is the position and not the last offset seen: the records before the end may be gone.
    """
    behind, known, since = list(ends), -1, time.monotonic()
    consumer.assign(behind)
    await consumer.seek_to_beginning(*behind)
    while True:
        reached = {where: await asyncio.wait_for(consumer.position(where), READ_SECONDS) for where in behind}
        behind = [where for where, position in reached.items() if position < ends[where]]
        if not behind:
            return
        left = sum(ends[where] - reached[where] for where in behind)
        if left != known:
            known, since = left, time.monotonic()
        elif time.monotonic() - since > READ_SECONDS:
            raise TimeoutError(f"no record for {READ_SECONDS:.0f} s, {left} before the end")
        fetched = await consumer.getmany(*behind, timeout_ms=1_000, max_records=RECORDS)
        for records in fetched.values():
            yield records
