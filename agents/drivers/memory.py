"""Kafka in memory: what unit tests, fault scripts and stories use instead of a broker.

Public on purpose and small on purpose: it keeps the contracts of `agents.ports`, as the real
drivers do, and can be told to fail. Nothing here is thread-safe, and nothing survives the process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka.partitioner import DefaultPartitioner

from agents.ports import Outgoing
from schemas import topics
from schemas.errors import LeaseLost, Unavailable
from schemas.event import Event, canonical


@dataclass(frozen=True, slots=True)
class MemoryRecord:
    """A record as the memory broker keeps it; fits `agents.ports.Record`."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class MemoryOutbox:
    """An `Outbox` whose broker is ``topics``: topic → records in the order they were accepted.

    ``fail_next(n)`` makes the next n calls raise `Unavailable`; with ``accept`` the broker keeps
    that many records of each failing call first, as a real one may.
    """

    partitions: int = 4
    topics: dict[str, list[MemoryRecord]] = field(default_factory=dict)
    _ends: dict[tuple[str, int], int] = field(default_factory=dict)
    _failures: int = 0
    _accept: int = 0

    def fail_next(self, times: int, *, accept: int = 0) -> None:
        """Make the next ``times`` calls fail after keeping ``accept`` of their records."""
        self._failures, self._accept = times, accept

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Keep the records, or some of them and raise `Unavailable` when told to."""
        if self._failures:
            self._failures -= 1
            self._keep(records[: self._accept])
            raise Unavailable("kafka_unavailable", "the memory broker was told to fail")
        self._keep(records)

    def records(self, topic: str, partition: int | None = None) -> list[MemoryRecord]:
        """What the broker has of a topic, or of one partition of it, in order."""
        kept = self.topics.get(topic, [])
        return [record for record in kept if partition is None or record.partition == partition]

    def _keep(self, records: Sequence[Outgoing]) -> None:
        for record in records:
            partition = record.partition
            if partition is None:
                everywhere = list(range(self.partitions))
                partition = DefaultPartitioner()(record.key, everywhere, everywhere)
            offset = self._ends.get((record.topic, partition), 0)
            self._ends[record.topic, partition] = offset + 1
            kept = MemoryRecord(record.topic, partition, offset, 0, record.key, record.value, record.headers)
            self.topics.setdefault(record.topic, []).append(kept)


@dataclass(slots=True)
class MemoryStateLog:
    """A `StateLog` over a topic of a `MemoryOutbox`: the compacted view, tombstones gone.

    ``fail_next(n)`` makes the next n readings raise `Unavailable`.
    """

    outbox: MemoryOutbox
    topic: str
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` readings fail."""
        self._failures = times

    async def read(self, partition: int) -> dict[bytes, bytes]:
        """The last value of every key."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("kafka_unavailable", "the memory state log was told to fail")
        records = self.outbox.records(self.topic, partition)
        latest = {record.key: record.value for record in records if record.key is not None}
        return {key: value for key, value in latest.items() if value is not None}


@dataclass(slots=True)
class MemoryFeedLog:
    """A `FeedLog` over a topic of a `MemoryOutbox`; ``end`` and ``done`` are the offsets, set by whoever plays Kafka.

    ``fail_next(n)`` makes the next n calls raise `Unavailable`.
    """

    outbox: MemoryOutbox
    topic: str
    end: dict[int, int] = field(default_factory=dict)
    done: dict[int, int] = field(default_factory=dict)
    _read: int = 0
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` calls fail."""
        self._failures = times

    async def news(self) -> Sequence[bytes]:
        """What was written since the last call."""
        self._answer()
        records = self.outbox.records(self.topic)[self._read :]
        self._read += len(records)
        return [record.value for record in records if record.value is not None]

    async def ends(self) -> Mapping[int, int]:
        """``end``, as it is now."""
        self._answer()
        return dict(self.end)

    async def committed(self) -> Mapping[int, int]:
        """``done``, as it is now."""
        self._answer()
        return dict(self.done)

    def _answer(self) -> None:
        if self._failures:
            self._failures -= 1
            raise Unavailable("kafka_unavailable", "the memory feed log was told to fail")


@dataclass(slots=True)
class MemoryLease:
    """A `Lease` that is ours until ``lose()``; ``lose_after(n)`` loses it after n more checks."""

    gone: bool = False
    _checks_left: int | None = None

    def lose(self) -> None:
        """Give the partition to somebody else, now."""
        self.gone = True

    def lose_after(self, checks: int) -> None:
        """Give it away once ``checks`` more checks have passed."""
        self._checks_left = checks

    def check(self) -> None:
        """Return while the lease is ours, else raise `LeaseLost`."""
        if self._checks_left is not None:
            self.gone = self.gone or self._checks_left <= 0
            self._checks_left -= 1
        if self.gone:
            raise LeaseLost("partition_moved", "the memory lease was given away")


@dataclass(slots=True)
class MemoryOutlet:
    """The way onto ``dossier.events.v1`` in memory: ``records`` are those taken, ``acknowledged`` how many of them are.

    ``fail_next(n)`` makes the next n calls of ``finish`` raise `Unavailable`.
    """

    records: list[Outgoing] = field(default_factory=list)
    acknowledged: int = 0
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` calls of ``finish`` fail."""
        self._failures = times

    def send(self, event: Event) -> None:
        """Take an event."""
        self.forward(event.dossier_code.encode(), canonical(event))

    def forward(self, key: bytes, value: bytes, headers: Sequence[tuple[str, bytes]] = ()) -> None:
        """Take a record as it is."""
        self.records.append(Outgoing(topics.EVENTS.name, key, value, None, tuple(headers)))

    def finish(self) -> None:
        """All that was taken is acknowledged."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("kafka_unavailable", "the memory outlet was told to fail")
        self.acknowledged = len(self.records)
