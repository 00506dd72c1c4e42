"""The broker behind the ports: what we send; `agents.drivers.kafka_state` has what a worker's memory is rebuilt from.

Failures of the broker become `Unavailable` here, so that nobody else knows aiokafka's errors:
``kafka_unavailable`` when it may answer later by itself, ``kafka_refused`` when it answers no (a
right, a size, a topic that is not there) and a person must act; both are waited out.
"""

import asyncio
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_lz4
from aiokafka.errors import BrokerResponseError, KafkaError, KafkaTimeoutError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from agents.ports import Outgoing
from agents.settings import Settings
from schemas.errors import Unavailable

#: A request that the broker does not answer is given up after this long, and `Unavailable` is raised after at
#: most twice that; much longer, and a worker would count as stalled before it says that it is held.
REQUEST_SECONDS = 10.0
#: Records wait this long for company in one request: a chunk's records are handed over within it anyway.
LINGER_MS = 2
#: Kafka's default of 16 KiB makes one request of every 80 records; every topic allows at least a megabyte.
BATCH_BYTES = 256 * 1024

log = structlog.stdlib.get_logger(__name__)


def connection(settings: Settings) -> dict[str, Any]:
    """How to reach and enter the cluster, as keyword arguments that every aiokafka client takes."""
    answer: dict[str, Any] = {
        "bootstrap_servers": list(settings.brokers),
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        answer["ssl_context"] = ssl.create_default_context(cafile=settings.ssl_cafile)
    if settings.security_protocol.startswith("SASL"):
        answer["sasl_mechanism"] = settings.sasl_mechanism
        answer["sasl_plain_username"] = settings.sasl_username
        answer["sasl_plain_password"] = settings.sasl_password.get_secret_value()
    return answer


@lru_cache(maxsize=65_536)  # in Python it costs 6 µs, and a dossier has many events
def partition_of(key: bytes, partitions: int) -> int:
    """The partition of a key: murmur2 as every Kafka client computes it, from aiokafka."""
    numbers = range(partitions)
    chosen: int = DefaultPartitioner()(key, numbers, numbers)
    return chosen


def unavailable(failure: BaseException, what: str) -> Unavailable:
    """What a failure of the broker means to us, in one line."""
    refused = isinstance(failure, BrokerResponseError) and not failure.retriable
    reason = "kafka_refused" if refused else "kafka_unavailable"
    return Unavailable(reason, f"{what}: {type(failure).__name__}: {failure}".strip().rstrip(":"))


class KafkaOutbox:
    """The `Outbox` to a real cluster: one idempotent producer, every record acknowledged by all in sync.

    Used as ``async with KafkaOutbox(settings) as outbox``, in the loop that sends. What was not
    acknowledged in time stays on its way, in its order (an idempotent batch never expires), so a
    broker that comes back may write it as well as what is sent again. After a refusal the sequence
    numbers have a hole that the broker would refuse for ever: the next send opens a new producer.
    """

    def __init__(self, settings: Settings, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self._settings = settings
        self._patience = request_seconds
        self._producer: AIOKafkaProducer | None = None
        self._opening = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, failure: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._discard(self._producer)
        if self._closing:
            await asyncio.wait(self._closing, timeout=self._patience)

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Return when every in-sync copy of the cluster has acknowledged every record; see the port."""
        producer: AIOKafkaProducer | None = None
        try:
            async with asyncio.timeout(2 * self._patience):
                producer = await self._open()
                await _send_all(producer, records)
        except (KafkaError, OSError, TimeoutError) as failure:
            if not isinstance(failure, OSError | TimeoutError | KafkaTimeoutError):
                self._discard(producer)
            raise unavailable(failure, f"sending to {', '.join(self._settings.brokers)}") from failure

    async def _open(self) -> AIOKafkaProducer:
        async with self._opening:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **connection(self._settings),
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=LINGER_MS,
                    max_batch_size=BATCH_BYTES,
                    request_timeout_ms=int(self._patience * 1000),
                    compression_type="lz4" if has_lz4() else None,
                )
                try:
                    await producer.start()
                except BaseException:
                    self._close_later(producer)
                    raise
                self._producer = producer
            return self._producer

    def _discard(self, producer: AIOKafkaProducer | None) -> None:
        if producer is not None and producer is self._producer:
            self._producer = None
            self._close_later(producer)

    def _close_later(self, producer: AIOKafkaProducer) -> None:
        closing = asyncio.create_task(_close(producer))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


async def _send_all(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> None:
    """Send in batches that we fill ourselves: one future for each and not for each record (5 µs instead of 14)."""
    acknowledged: list[asyncio.Future[object]] = []
    try:
        for (topic, partition), group in (await _by_partition(producer, records)).items():
            for batch in _batches(producer, group):
                # One by one: when a later batch cannot be sent, the earlier ones are on their way.
                acknowledged.append(await producer.send_batch(batch, topic, partition=partition))  # noqa: PERF401
        outcomes = await asyncio.gather(*acknowledged, return_exceptions=True)
    finally:
        for future in acknowledged:
            future.add_done_callback(_heard)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


def _heard(future: asyncio.Future[object]) -> None:
    """Take the outcome nobody waits for any more, or asyncio would log it as an error."""
    if not future.cancelled():
        future.exception()


def _batches(producer: AIOKafkaProducer, records: Sequence[Outgoing]) -> Iterator[BatchBuilder]:
    batch = producer.create_batch()
    for record in records:
        if not _add(batch, record):
            yield batch
            batch = producer.create_batch()
            _add(batch, record)  # the first record of a batch always fits
    yield batch


async def _by_partition(
    producer: AIOKafkaProducer, records: Sequence[Outgoing]
) -> dict[tuple[str, int], list[Outgoing]]:
    groups: dict[tuple[str, int], list[Outgoing]] = {}
    for record in records:
        partition = record.partition
        if partition is None:
            partition = partition_of(record.key, len(await producer.partitions_for(record.topic)))
        groups.setdefault((record.topic, partition), []).append(record)
    return groups


def _add(batch: BatchBuilder, record: Outgoing) -> bool:
    fitted = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
    return fitted is not None


async def _close(producer: AIOKafkaProducer) -> None:
    """Give the producer up: its batches never expire, and whoever still waits for one hears it.

    Not by `AIOKafkaProducer.stop`, which waits for them; and when they are failed first, a request under way puts
    its batch back where it no longer is, which ends the stop halfway with every connection open.
    """
    sender, accumulator = producer._sender, producer._message_accumulator  # noqa: SLF001
    producer._closed = True  # noqa: SLF001
    while sender.sender_task is not None and not sender.sender_task.done():
        sender.sender_task.cancel()  # first it begins to wait for its requests, then each time for one less
        await asyncio.wait([sender.sender_task], timeout=0.05)
    # What is about to be sent again is not among those under way, and would be missed there when it fails.
    waiting = [batch for batches in accumulator._batches.values() for batch in batches]  # noqa: SLF001
    accumulator._pending_batches.update(waiting)  # noqa: SLF001
    accumulator.fail_all(KafkaError("the producer was given up"))
    for batch in accumulator._pending_batches:  # noqa: SLF001
        _heard(batch.future)
        _heard(batch._drain_waiter)  # noqa: SLF001
    with suppress(KafkaError, OSError, TimeoutError):
        await asyncio.wait_for(producer.client.close(), REQUEST_SECONDS)
