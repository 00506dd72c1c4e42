"""The only wiring: from a worker's description to a Faust app that brings it chunks.

Faust does what it is good at (group, assignment, fetching, commits); the fate of a chunk is
`agents.boundary`'s, its delivery `agents.drivers.transport`'s.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, cast

import faust
import structlog
from faust.app.base import BootStrategy
from faust.types import TP, EventT, StreamT

from agents.boundary import Boundary, Fate, Handle, insist
from agents.drivers.transport import AssignmentLease, ChunkApp
from agents.health import Health
from agents.ports import Chunk, Lease
from agents.settings import Settings
from agents.telemetry import Meters
from schemas import metrics
from schemas.errors import LeaseLost, Unavailable

#: Kafka waits this long for the other members in a rebalance. Ours answer at once, held or not.
REBALANCE_SECONDS = 30.0

log = structlog.stdlib.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Timer:
    """Something a worker does every so often: ``run`` is given the leases of the partitions that are read in.

    It runs beside the handles and not in turn with them, so it may read memory and send, no more.
    `Unavailable` and `LeaseLost` are logged and tried again next time; anything else ends the process.
    """

    seconds: float
    run: Callable[[Mapping[int, Lease]], Awaitable[None]]


async def _nothing_to_read(partition: int) -> None:
    """For a worker without memory."""


def _nothing_to_forget(partitions: frozenset[int]) -> None:
    """For a worker without memory."""


@dataclass(frozen=True, slots=True)
class Worker:
    """What there is to know of a worker to run it.

    ``topics`` maps each topic it consumes to its `Handle`; all have the same partitions, and one
    worker process gets the same numbers of each. Handles of one partition number take turns,
    whatever the topic; those of different partitions interleave at every await.

    ``assigned(p)`` has returned before the first chunk of p is handled; on `Unavailable` it is
    held and called again from the start. ``revoked`` names partitions that are ours no more: a
    handle that still runs then finds its lease gone and may finish later, so memory belongs in one
    object per assignment. A rebalance revokes everything and assigns again, also what stays.

    ``resources`` are opened before the first chunk, in the loop that handles, and closed after the last.
    ``notes`` are what the worker says of itself in ``/healthz``, by name, as plain JSON values.
    """

    name: str
    topics: Mapping[str, Handle]
    assigned: Callable[[int], Awaitable[None]] = _nothing_to_read
    revoked: Callable[[frozenset[int]], None] = _nothing_to_forget
    timers: tuple[Timer, ...] = ()
    resources: tuple[AbstractAsyncContextManager[object], ...] = ()
    notes: Mapping[str, Callable[[], object]] = field(default_factory=dict)


class _Tenure:
    """One period between two rebalances: the partitions, their lease, their turns, what is read in."""

    def __init__(self, lease: AssignmentLease, partitions: frozenset[int]) -> None:
        self.lease = lease
        self.partitions = partitions
        self.turns = {partition: asyncio.Lock() for partition in partitions}
        self.reading: dict[int, asyncio.Task[Fate]] = {}

    def leases(self) -> dict[int, Lease]:
        """The partitions that are read in, with the lease they share."""
        done = [number for number, reading in self.reading.items() if reading.done() and not reading.cancelled()]
        return {number: self.lease for number in done if self.reading[number].result() is Fate.DONE}


class Tenancy:
    """Stands between Faust and one worker: each chunk to its handle, in turn, and to its fate.

    ``failure`` is done when something happened that must end the process; nothing else stops here.
    """

    def __init__(self, worker: Worker, health: Health, meters: Meters) -> None:
        self._worker = worker
        self._health = health
        self._meters = meters
        self._boundaries = {topic: Boundary(handle, health) for topic, handle in worker.topics.items()}
        self._tenure: _Tenure | None = None
        self._tasks: dict[asyncio.Task[Any], int | None] = {}
        self._accepting = True
        self._in_flight = 0
        self.failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def lease_began(self, lease: AssignmentLease, partitions: frozenset[TP]) -> None:
        """Start reading what must be known of these partitions."""
        by_topic = {
            topic: frozenset(tp.partition for tp in partitions if tp.topic == topic) for topic in self._worker.topics
        }
        numbers = frozenset[int]().union(*by_topic.values())
        if any(mine != numbers for mine in by_topic.values()):
            self._fail(RuntimeError(f"partitions of one number went to different workers: {by_topic}"))
            return
        log.info("partitions_assigned", partitions=sorted(numbers))
        self._health.assigned(numbers)
        self._meters.put(metrics.ASSIGNED, len(numbers))
        tenure = self._tenure = _Tenure(lease, numbers)
        for number in sorted(numbers):
            tenure.reading[number] = self._spawn(self._read_in(number, lease))

    def lease_ended(self) -> None:
        """Forget the partitions; chunks and readings still under way find their lease gone."""
        tenure, self._tenure = self._tenure, None
        if tenure is None:
            return
        for reading in tenure.reading.values():
            reading.cancel()
        log.info("partitions_revoked", partitions=sorted(tenure.partitions))
        self._health.revoked()
        self._meters.put(metrics.ASSIGNED, 0)
        self._worker.revoked(tenure.partitions)

    async def consume(self, stream: StreamT[Any]) -> None:
        """The agent: a task for each chunk. It never yields, never raises, and acknowledges by hand."""
        async for event in cast("faust.Stream[Any]", stream).noack().events():
            if self._accepting:
                self._spawn(self._carry(event, self._tenure), event.message.partition)

    async def every(self, timer: Timer) -> None:
        """Run the timer for as long as the process lives."""
        while True:
            await asyncio.sleep(timer.seconds)
            leases = self._tenure.leases() if self._tenure is not None else {}
            try:
                await timer.run(leases)
            except (Unavailable, LeaseLost) as failure:
                log.warning("timer_postponed", reason=failure.reason, why=failure.message)

    async def finish(self, patience: float) -> None:
        """Take no more chunks, and let those that are not held finish, for so many seconds at most."""
        self._accepting = False
        held = self._health.holds
        busy = [task for task, partition in self._tasks.items() if partition is not None and partition not in held]
        if busy:
            await asyncio.wait(busy, timeout=patience)
        for task in tuple(self._tasks):
            task.cancel()

    async def _read_in(self, partition: int, lease: AssignmentLease) -> Fate:
        fate = await insist(lambda: self._worker.assigned(partition), partition, lease, self._health)
        if fate is Fate.DONE:
            self._health.caught_up(partition)
        return fate

    async def _carry(self, event: EventT[Any], tenure: _Tenure | None) -> None:
        message = event.message
        if tenure is None or tenure.lease.gone or message.generation_id != tenure.lease.generation:
            return
        chunk = Chunk(message.topic, message.partition, cast("tuple[Any, ...]", message.value))
        self._fly(len(chunk.records))
        self._meters.count(metrics.TAKEN, len(chunk.records), topic=chunk.topic)
        began = time.monotonic()
        fate = await asyncio.shield(tenure.reading[chunk.partition])
        if fate is Fate.DONE:
            async with tenure.turns[chunk.partition]:
                fate = await self._boundaries[chunk.topic].carry(chunk, tenure.lease)
        if fate is Fate.DONE:
            event.ack()
            self._meters.observe(metrics.CHUNK_SECONDS, time.monotonic() - began, topic=chunk.topic)
        else:
            self._meters.count(metrics.RECORDS, len(chunk.records), topic=chunk.topic, fate="dropped")
        self._fly(-len(chunk.records))

    def _fly(self, records: int) -> None:
        self._in_flight += records
        self._meters.put(metrics.IN_FLIGHT, self._in_flight)

    def spawn_timers(self) -> None:
        """Start the worker's timers."""
        for timer in self._worker.timers:
            self._spawn(self.every(timer))

    def _spawn(self, work: Coroutine[Any, Any, Any], partition: int | None = None) -> asyncio.Task[Any]:
        task = asyncio.create_task(work)
        self._tasks[task] = partition
        task.add_done_callback(self._settle)
        return task

    def _settle(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        log.error("worker_failed", exc_info=failure)
        if not self.failure.done():
            self.failure.set_result(failure)


class _NoProducerNoWeb(BootStrategy):
    """Faust's own producer and web server stay off: we send through `KafkaOutbox` and serve `agents.web`."""

    enable_kafka_producer = False
    enable_web = False


def build(settings: Settings, worker: Worker, tenancy: Tenancy) -> faust.App:
    """The Faust app of a worker, not started; the defaults it changes are changed here, each for its reason."""
    partitions = settings.partitions * len(worker.topics)
    app = ChunkApp(
        f"dunghan-{worker.name}",
        settings,
        tenancy,
        broker=[f"kafka://{broker}" for broker in settings.brokers],
        consumer_group_instance_id=f"{worker.name}-{settings.worker_id}" if settings.worker_id else None,
        broker_session_timeout=settings.session_timeout,
        broker_request_timeout=max(90.0, settings.session_timeout),
        broker_rebalance_timeout=REBALANCE_SECONDS,
        broker_commit_interval=settings.commit_interval,
        broker_max_poll_interval=settings.poll_interval,
        # Chunks, not records; there are never more in flight than partitions.
        stream_buffer_maxsize=partitions + 16,
        # A rebalance does not wait for handles: a held one would make the group wait until it throws us out.
        stream_wait_empty=False,
        table_standby_replicas=0,
        # Topics are declared by `dunghan migrate`, and ours needs no leader.
        topic_allow_declare=False,
        topic_disable_leader=True,
        key_serializer="raw",
        value_serializer="raw",
        autodiscover=False,
        web_enabled=False,
    )
    app.boot_strategy = _NoProducerNoWeb(app)
    app.agent(app.topic(*worker.topics, key_serializer="raw", value_serializer="raw"), name=worker.name)(
        tenancy.consume
    )
    return app
