"""The batch way into Faust: each partition's fetched chunk is one message, one in flight a partition.

Stock Faust hands over single records: 77 to 132 µs each on one core, of which decoding is 2%. Here
one Faust message carries all records that a fetch brought of one partition (``message.value`` is
their tuple, its offset the last of them), so the cost is a chunk's and not a record's.

What the rest relies on (DESIGN, guarantee 8), and how it is kept on faust-streaming 0.15.3 with
aiokafka 0.14:

1. No more of a partition is taken until its chunk is acknowledged, so memory is bounded by
   partitions times chunk, Faust's drain loop never blocks, and a held partition starves no other.
2. A chunk of offsets 11 to 20 is a message of offset 20, and acknowledging it commits 21. Because of 1 all
   before it is done, so Faust's own search for the first unacknowledged offset is left out. (It takes 11 to
   19 for a gap, and knows no gap after offset 0: when the first chunk of a partition was one record, it
   never committed again.)
3. Only the chunk in flight can be acknowledged: `ChunkConsumer.ack` refuses one from before a
   rebalance. (Faust's pure Python stream acknowledges what it skips; the compiled one does not.)
4. The poll interval measures whether our main loop lives, and nothing else. aiokafka leaves the group
   when its fetcher was idle for that long, and then does not even rejoin before somebody fetches, which
   Faust does not do while it is held or in a rebalance: a stock worker never comes back. So the main
   loop's pulse enters the fetch context for an instant, whatever else goes on.
5. The topics of one worker move together: aiokafka's range assignor gives partition n of topics with
   equal partitions and equal subscribers to the same member. (Without Tables Faust takes round robin,
   which tears them apart.)

No Faust Tables and no leader topic here: their records would have to stay single messages.
"""

import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Protocol, cast

import faust
from aiokafka import ConsumerRecord
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage, Message
from mode import Service
from yarl import URL

from agents.drivers.fetching import HEARTBEATS, ChunkThread
from agents.settings import Settings
from schemas.errors import LeaseLost

PULSE_SECONDS = 1.0


class AssignmentLease:
    """The right to write for what one rebalance gave us; ends at the next. Fits `agents.ports.Lease`."""

    def __init__(self, consumer: "ChunkConsumer") -> None:
        self._consumer = consumer
        self.generation = consumer.app.consumer_generation_id
        self.gone = False

    def check(self) -> None:
        """Return while the partitions are surely ours; each reason for doubt is a `LeaseLost`.

        ``heartbeat_late`` may pass: the broker gives our partitions away one session after the last
        heartbeat it saw, and after a suspension (SIGSTOP, a stopped virtual machine) this clock is
        the first thing that knows.
        """
        if self.gone:
            raise LeaseLost("partition_moved", "the partition was taken away by a rebalance")
        if self._consumer.app.rebalancing or self.generation != self._consumer.app.consumer_generation_id:
            raise LeaseLost("rebalancing", "a rebalance is under way")
        late = time.monotonic() - self._consumer.heartbeat_at - self._consumer.settings.session_timeout
        if late > 0:
            raise LeaseLost("heartbeat_late", f"the last heartbeat is {late:.1f} s older than the session")


class Tenant(Protocol):
    """Whoever works on the chunks: told, in the main loop, before the first and after the last."""

    def lease_began(self, lease: AssignmentLease, partitions: frozenset[TP]) -> None:
        """These partitions are ours under this lease, none of their chunks has been handed over yet."""
        ...

    def lease_ended(self) -> None:
        """The lease is gone; the group has not given the partitions to others yet, but will now."""
        ...


class ChunkConsumer(driver.Consumer):
    """Faust's consumer, which hands over chunks and acknowledges only those in flight."""

    logger = driver.logger
    _thread: ChunkThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        transport = cast("ChunkTransport", self.transport)
        self.settings = transport.settings
        self._tenant = transport.tenant
        self._in_flight: dict[TP, ConsumerMessage] = {}
        self._lease: AssignmentLease | None = None
        self._owned: frozenset[TP] = frozenset()

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def heartbeat_at(self) -> float:
        """When the last heartbeat that the group accepted was sent (monotonic seconds)."""
        return self._thread.heartbeat_at

    @property
    def owned(self) -> frozenset[TP]:
        """The partitions of the lease that holds now."""
        return self._owned

    def free_of(self, partitions: set[TP]) -> set[TP]:
        """Those of the partitions that have no chunk in flight. Called by the thread as well."""
        return set(partitions).difference(tuple(self._in_flight))

    def progress_of(self, tp: TP) -> tuple[bool, object]:
        """Whether records of the partition wait, here or at the broker, and a mark that any progress changes."""
        message = self._in_flight.get(tp)
        state = self._thread.position_of(tp)
        return message is not None or state.behind, (message, state.offset)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109
        """Yield each fetched partition's chunk once; the drain loop gives it to the conductor."""
        fetched, _ = await self._wait_next_records(timeout)
        for tp, records in (fetched or {}).items():
            # What is left out here comes again: before the flow resumes, Faust seeks to what is committed.
            if self.flow_active and not self.should_stop:
                message = self._chunk_message(tp, records)
                self._in_flight[tp] = message
                yield tp, message

    def _chunk_message(self, tp: TP, records: Sequence[ConsumerRecord]) -> ConsumerMessage:
        last = records[-1]
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            last.offset,
            last.timestamp / 1000,
            last.timestamp_type,
            None,
            None,
            cast("bytes", tuple(records)),  # Faust's raw codec passes on whatever it is given
            None,
            tp=tp,
            generation_id=self.app.consumer_generation_id,
        )

    def ack(self, message: Message) -> bool:
        """Mark the chunk as done, if it is the one in flight; False, and nothing done, if not."""
        if self._in_flight.get(message.tp) is not message:
            return False
        acked: bool = super().ack(message)
        del self._in_flight[message.tp]
        self._thread.wake()
        return acked

    def _new_offset(self, tp: TP) -> int | None:
        acked = self._acked[tp]
        if not acked:
            return None
        offset: int = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Note nothing: 2 above."""

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's watch would call a long hold an error, once a second; ours is `agents.watch`."""

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """End the lease before the group is told that we let go."""
        self._end_lease()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Begin a lease; Faust resumes the flow only afterwards."""
        self._end_lease()
        self._lease = AssignmentLease(self)
        self._owned = frozenset(assigned)
        self._tenant.lease_began(self._lease, self._owned)
        await super().on_partitions_assigned(assigned, generation_id)

    def _end_lease(self) -> None:
        self._in_flight.clear()
        self._owned = frozenset()
        if self._lease is not None:
            self._lease.gone = True
            self._lease = None
            self._tenant.lease_ended()

    @Service.task
    async def _pulse(self) -> None:
        while not self.should_stop:
            self._thread.pulse()
            await self.sleep(min(PULSE_SECONDS, self.settings.poll_interval / HEARTBEATS))


class ChunkTransport(driver.Transport):
    """Faust's transport with this consumer; knows the installation and who works on the chunks."""

    Consumer = ChunkConsumer

    def __init__(self, app: "ChunkApp", settings: Settings, tenant: Tenant) -> None:
        super().__init__([URL(f"kafka://{broker}") for broker in settings.brokers], app)
        self.settings = settings
        self.tenant = tenant


class ChunkApp(faust.App):
    """A Faust app that reads through `ChunkTransport`, sends nothing itself and writes no file."""

    logger = driver.logger

    def __init__(self, name: str, settings: Settings, tenant: Tenant, **options: Any) -> None:
        super().__init__(name, **options)
        self._settings = settings
        self._tenant = tenant

    def _new_transport(self) -> ChunkTransport:
        return ChunkTransport(self, self._settings, self._tenant)

    def _create_directories(self) -> None:
        """No Tables, so no folders."""
