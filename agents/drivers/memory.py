"""The outside world in memory: what unit tests, fault scripts and stories use instead of services.

Public on purpose and small on purpose: it keeps the contracts of `agents.ports`, as the real
drivers do, and can be told to fail. Nothing here is thread-safe, and nothing survives the process.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from aiokafka.partitioner import DefaultPartitioner

from agents.ports import Archived, Outgoing
from schemas import topics
from schemas.alert import Alert
from schemas.audit import Action, Entry, Step
from schemas.dossier import JUDGEMENT, TOLD
from schemas.errors import LeaseLost, Unavailable
from schemas.event import Event, canonical
from schemas.topics import ALERTS, ASSESSMENTS
from streams.rules import Rules


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
class MemoryPast:
    """A `Past` over the topics of a `MemoryOutbox`, as if archive had stored every record the moment it was sent.

    ``fail_next(n)`` makes the next n readings raise `Unavailable`; ``lose(code)`` forgets one until ``find(code)``.
    """

    outbox: MemoryOutbox
    _failures: int = 0
    _lost: set[str] = field(default_factory=set)

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` readings fail."""
        self._failures = times

    def lose(self, code: str) -> None:
        """Hold nothing of this dossier any more."""
        self._lost.add(code)

    def find(self, code: str) -> None:
        """Hold it again."""
        self._lost.remove(code)

    async def read(self, codes: Sequence[str]) -> Mapping[str, Archived]:
        """What the topics hold of these dossiers."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory tables were told to fail")
        found = {code: Archived() for code in codes}
        wanted = found.keys() - self._lost
        judgements = [JUDGEMENT.validate_json(one.value or b"") for one in self.outbox.records(ASSESSMENTS.name)]
        for judgement in sorted(judgements, key=lambda one: one.assessment.version):
            version = judgement.assessment.version
            code = judgement.assessment.dossier_code
            if code in wanted:
                found[code].events.extend(judgement.events)
                for cycle in range(1, judgement.highest_cycle + 1):
                    found[code].rows[cycle] = version.events, version.as_of
                for standing in judgement.news.standings if judgement.news is not None else ():
                    found[code].said[standing.cycle] = standing
        for record in self.outbox.records(ALERTS.name):
            told = TOLD.validate_json(record.value or b"")
            if isinstance(told, Alert) and told.dossier_code in wanted:
                found[told.dossier_code].alerts.append(told)
        return found


@dataclass(slots=True)
class MemoryFacts:
    """ClickHouse in memory: ``tables`` maps a table to its rows, each a dict, as often as inserted.

    Unlike the real one it never replaces rows by version: a test sees every insert.
    """

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` inserts raise `Unavailable`, without a row."""
        self._failures = times

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Keep the rows by column name."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory tables were told to fail")
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        self.tables.setdefault(table, []).extend(named)


@dataclass(slots=True)
class MemoryCalendars:
    """Calendars in memory: ``versions`` are those of the rules that were taken up, oldest first.

    ``fail_next(n)`` makes the next n calls raise `Unavailable`, with nothing taken up.
    """

    versions: list[int] = field(default_factory=list)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` calls fail."""
        self._failures = times

    async def take_up(self, rules: Rules) -> None:
        """Remember the version, unless it or a newer one is there."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory calendars were told to fail")
        if rules.version > max(self.versions, default=0):
            self.versions.append(rules.version)


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
class MemoryBook:
    """An `agents.audit.Book` in memory: ``rows`` has the earliest of each step of each action, by both.

    ``fail_next(n)`` makes the next n writings raise `Unavailable`, without a row.
    """

    rows: dict[tuple[UUID, Step], Entry] = field(default_factory=dict)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` writings fail."""
        self._failures = times

    def write(self, step: Step, entries: Sequence[Entry]) -> None:
        """Keep the rows, the earliest of each key."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory book was told to fail")
        for entry in entries:
            known = self.rows.setdefault((entry.audit_id, step), entry)
            if entry.at < known.at:
                self.rows[entry.audit_id, step] = entry

    def begun(self, audit_id: UUID) -> Entry | None:
        """The action as it was begun."""
        return self.rows.get((audit_id, "begun"))

    def done(self, action: Action) -> Mapping[tuple[str, str], datetime]:
        """The records with which this was done."""
        found: dict[tuple[str, str], datetime] = {}
        for (_, step), entry in self.rows.items():
            if step == "done" and entry.action == action:
                key = (entry.record, entry.record_sha256)
                found[key] = min(entry.at, found.get(key, entry.at))
        return found


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
