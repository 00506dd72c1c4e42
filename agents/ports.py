"""The seams between what we do and what we do it with; workers are written against these alone.

A port says what may be relied on. What it does not promise, no caller may assume: the memory
drivers and the real ones are held to the same contract tests, and nothing beyond them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from schemas.alert import Alert
from schemas.dossier import Memory
from schemas.event import Event
from schemas.standing import Standing
from streams.rules import Rules


class Clock(Protocol):
    """Now, as an argument: logic never reads the machine's clock itself.

    Two calls may give the same instant. Only a live clock moves by itself; a caller must not wait
    for another one to move.
    """

    @property
    def live(self) -> bool:
        """False for a fixed or last-event clock: a back-load sends no alert."""
        ...

    def now(self) -> datetime:
        """The instant of judging, aware, in UTC."""
        ...

    def saw(self, at: datetime) -> None:
        """Tell the time of an accepted event; it moves the last-event clock, others ignore it."""
        ...


class Record(Protocol):
    """One Kafka record as it was fetched: bytes, unread and untrusted.

    Offsets of a partition rise but may have gaps (compaction); a key or value may be absent.
    """

    @property
    def topic(self) -> str:
        """Where it was read."""
        ...

    @property
    def partition(self) -> int:
        """Its partition's number."""
        ...

    @property
    def offset(self) -> int:
        """Its place in the partition."""
        ...

    @property
    def timestamp(self) -> int:
        """Milliseconds since the epoch, from the producer or the broker as the topic says."""
        ...

    @property
    def key(self) -> bytes | None:
        """The key's bytes."""
        ...

    @property
    def value(self) -> bytes | None:
        """The value's bytes; None is a tombstone."""
        ...

    @property
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Name and value of each header, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one fetch of one partition brought: at least one record, in the order of offsets.

    Its borders mean nothing: after a crash or a rebalance the same records come in other chunks.
    """

    topic: str
    partition: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to send; ``value`` None is a tombstone, ``partition`` None is murmur2 of the key."""

    topic: str
    key: bytes
    value: bytes | None
    partition: int | None = None
    headers: tuple[tuple[str, bytes], ...] = ()


class Outbox(Protocol):
    """The way out: records the broker has acknowledged, or `Unavailable`."""

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Return when the broker has acknowledged every one of the records.

        Records of one partition keep their order. When this raises `Unavailable`, any subset may
        be there, and sending again may write some of them twice: what is sent must bear that.
        """
        ...


class StateLog(Protocol):
    """The compacted topic that a worker's memory is rebuilt from."""

    async def read(self, partition: int) -> dict[bytes, bytes]:
        """What holds in the partition, to the end as it was at the call: the last value of every key.

        A key whose last value is None is left out. What is written after the call may or may not be seen, and the
        order means nothing. Raises `Unavailable`.
        """
        ...


class FeedLog(Protocol):
    """The topic of feeds, as one judge reads it beside its chunks, and how far all judges have read the events.

    Every method raises `Unavailable`; partitions are those of the events.
    """

    async def news(self) -> Sequence[bytes]:
        """Every value that stood on the topic at the call and was not returned before, at least; the first
        call returns all that compaction left. Values may come again, and those of a key keep their order."""
        ...

    async def ends(self) -> Mapping[int, int]:
        """The offset that the next event of each partition will have."""
        ...

    async def committed(self) -> Mapping[int, int]:
        """The first offset of each partition that is not committed as done; where nothing is, it may lack."""
        ...


class Facts(Protocol):
    """ClickHouse, as archive needs it."""

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Return when ClickHouse has acknowledged the rows; `Unavailable` when it is down or too slow.

        After `Unavailable` the rows may be there or not: a row must be the same when it is sent again.
        """
        ...


class Calendars(Protocol):
    """The calendars by which the ClickHouse views measure what drifts."""

    async def take_up(self, rules: Rules) -> None:
        """Return when the views measure by these rules, or already did so by newer ones.

        Raises `Unavailable` when ClickHouse is down or cannot load them; calling again is safe.
        """
        ...


@dataclass(frozen=True, slots=True)
class Archived:
    """What ClickHouse holds of one dossier: its events, every action on its alerts in order, and its rows.

    ``rows`` says of the newest row of each cycle on how many events it rests, and the last instant at which the
    answer had changed then; ``said`` is what judge said last of each cycle.
    """

    events: list[Event] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    rows: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    said: dict[int, Standing] = field(default_factory=dict)

    @property
    def standings(self) -> tuple[Standing, ...] | None:
        """What was said last, as judge remembers it; None: nothing ever was."""
        return tuple(self.said[cycle] for cycle in sorted(self.said)) or None

    def memories(self, code: str) -> Iterator[Memory]:
        """The same as records of the state."""
        if self.standings is not None:
            yield Memory(code, said=self.standings)
        yield from (Memory(code, event=event) for event in self.events)
        yield from (Memory(code, alert=alert) for alert in self.alerts)


class Past(Protocol):
    """ClickHouse, as judge needs it: what is known of dossiers that were over long ago."""

    async def read(self, codes: Sequence[str]) -> Mapping[str, Archived]:
        """What is held of each of these dossiers, an empty answer where that is nothing.

        What archive was acknowledged before the call is there. An event, alert or action may come more than once.
        Raises `Unavailable`.
        """
        ...


class Lease(Protocol):
    """The right to write for a partition, which can be lost at any await."""

    def check(self) -> None:
        """Return while the partition is ours; raise `LeaseLost` when it is not, or may not be.

        Called right before each write. A write already on its way may still arrive afterwards:
        what is written must bear that too.
        """
        ...
