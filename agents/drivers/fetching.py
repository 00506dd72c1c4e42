"""The thread in which aiokafka's consumer lives: it fetches only what is free, and notes heartbeats.

Part of `agents.drivers.transport`, which says what the whole relies on. The private names of
aiokafka used here were read in 0.14; `agents.process` refuses to start with another version.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from agents.drivers.kafka import REQUEST_SECONDS, connection
from agents.settings import Settings

#: How long a broker may keep an empty fetch. aiokafka has one fetch a broker under way, and a partition whose
#: chunk was taken meanwhile is asked for again only after it: this is what an idle neighbour may cost.
FETCH_WAIT_MS = 100
#: Heartbeats in a session; Kafka's own advice is at least three.
HEARTBEATS = 4


@dataclass(frozen=True, slots=True)
class Position:
    """The next offset to fetch, and whether the broker has records from there on."""

    offset: int | None
    behind: bool


class Fetching(Protocol):
    """What the thread needs of the consumer it works for."""

    settings: Settings
    flow_active: bool

    def free_of(self, partitions: set[TP]) -> set[TP]:
        """Those of the partitions that have no chunk in flight."""
        ...


class ChunkThread(driver.AIOKafkaConsumerThread):
    """The thread with aiokafka's consumer: fetches only what is free, and notes heartbeats."""

    logger = driver.logger

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A start that takes its time is no silence: counted from the boot of the machine, it ended the worker.
        self.heartbeat_at = time.monotonic()

    @property
    def _reader(self) -> Fetching:
        return cast("Fetching", self.consumer)

    def _create_worker_consumer(self, transport: driver.Transport) -> AIOKafkaConsumer:
        settings = self._reader.settings
        conf = self.app.conf
        return AIOKafkaConsumer(
            **connection(settings),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            partition_assignment_strategy=(RangePartitionAssignor,),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=settings.chunk_records,
            max_poll_interval_ms=int(settings.poll_interval * 1000),
            session_timeout_ms=int(settings.session_timeout * 1000),
            heartbeat_interval_ms=int(settings.session_timeout * 1000 / HEARTBEATS),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            # Joining is one request, answered when all members have joined.
            request_timeout_ms=int((conf.broker_rebalance_timeout + REQUEST_SECONDS) * 1000),
            fetch_max_wait_ms=FETCH_WAIT_MS,
        )

    async def on_start(self) -> None:
        """Start the consumer and note when each heartbeat that the group accepted was sent."""
        await super().on_start()
        self.heartbeat_at = time.monotonic()
        coordinator = self._ensure_consumer()._coordinator  # noqa: SLF001 — aiokafka tells nobody its heartbeats
        beat = coordinator._do_heartbeat  # noqa: SLF001

        async def noted() -> bool:
            sent = time.monotonic()
            accepted: bool = await beat()
            if accepted:
                self.heartbeat_at = sent
            return accepted

        coordinator._do_heartbeat = noted  # noqa: SLF001

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Joining counts as a heartbeat: the broker starts the session with it."""
        self.heartbeat_at = time.monotonic()
        await super().on_partitions_assigned(assigned, generation_id)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 — the signature is Faust's
        max_records: int | None = None,
    ) -> dict[TP, list[ConsumerRecord]]:
        fetcher = consumer._fetcher  # noqa: SLF001 — the public getmany cannot leave out partitions
        if consumer._closed or fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        # A fatal answer of the group (fenced, not authorized) waits here for somebody to ask; Faust never does.
        consumer._coordinator.check_errors()  # noqa: SLF001
        deadline = time.monotonic() + (timeout or 0)
        while self._reader.flow_active:
            free = self._reader.free_of(active_partitions)
            if free and not consumer._subscription.reassignment_in_progress:  # noqa: SLF001
                # Without partitions named it would take all, so never call it with none.
                records = await fetcher.fetched_records(free, timeout=0, max_records=max_records)
                if records:
                    return cast("dict[TP, list[ConsumerRecord]]", records)
            patience = deadline - time.monotonic()
            if patience <= 0:
                break
            waiter = fetcher._create_fetch_waiter()  # noqa: SLF001 — done by new records, and by `wake`
            if not (await asyncio.wait([waiter], timeout=patience))[0]:
                waiter.cancel()
                break
            waiter.result()
        return {}

    def position_of(self, tp: TP) -> "Position":
        """Where fetching stands in a partition; (None, not behind) while that is unknown."""
        assignment = self._consumer and self._consumer._subscription.subscription.assignment  # noqa: SLF001
        if not assignment or tp not in assignment.tps:
            return Position(None, behind=False)
        state = assignment.state_value(tp)
        if not state.has_valid_position or state.highwater is None:
            return Position(None, behind=False)
        return Position(state.position, behind=state.highwater > state.position)

    def wake(self) -> None:
        """Look again for something to fetch, now: a chunk was acknowledged. Called by any thread."""
        self._soon(self._notify_fetch)

    def pulse(self) -> None:
        """Tell aiokafka that the main loop lives. Called by any thread."""
        self._soon(self._touch_fetch)

    def _soon(self, act: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the thread's loop is closed: the worker stops
            self.thread_loop.call_soon_threadsafe(act)

    def _notify_fetch(self) -> None:
        if self._consumer is not None and self._consumer._fetcher is not None:  # noqa: SLF001
            for waiter in tuple(self._consumer._fetcher._fetch_waiters):  # noqa: SLF001
                self._consumer._fetcher._notify(waiter)  # noqa: SLF001

    def _touch_fetch(self) -> None:
        if self._consumer is not None:
            with self._consumer._subscription.fetch_context():  # noqa: SLF001
                pass
