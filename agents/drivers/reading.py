"""A topic read by whoever looks: in no group, from the first record on, to an end that is known beforehand."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from agents.drivers.kafka import REQUEST_SECONDS, connection
from agents.ports import Record
from agents.settings import Settings

#: Reading is given up when nothing came for this long.
READ_SECONDS = 30.0


def reader(settings: Settings, *, request_seconds: float = REQUEST_SECONDS, **fetching: int) -> AIOKafkaConsumer:
    """A consumer in no group, not started; ``fetching`` are aiokafka's own limits of a fetch. End it by `close`."""
    return AIOKafkaConsumer(
        **connection(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=int(request_seconds * 1000),
        **fetching,
    )


async def close(consumer: AIOKafkaConsumer) -> None:
    """Stop a reader, whatever became of its last fetch; raises what aiokafka raises.

    When a fetch has failed just before, aiokafka 0.14 lets its cancellation out of its stop, which whoever stops
    would take for his own, and leaves every connection open.
    """
    failure: BaseException | None
    (failure,) = await asyncio.gather(consumer.stop(), return_exceptions=True)
    await consumer._client.close()  # noqa: SLF001
    if isinstance(failure, Exception):
        raise failure


async def to_the_end(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int], *, most: int | None = None
) -> AsyncIterator[Sequence[Record]]:
    """What stands before these offsets, from where the consumer is, and perhaps some beyond, at most so many at a time.

    The end test is the position and not the last offset seen: compaction leaves gaps, also at the end, and the
    records before the end may be gone. Raises `TimeoutError` when nothing comes, and what aiokafka raises.
    """
    behind, known, since = [where for where, end in ends.items() if end], -1, time.monotonic()
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
        fetched = await consumer.getmany(*behind, timeout_ms=1_000, max_records=most)
        for records in fetched.values():
            yield records
