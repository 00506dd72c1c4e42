"""rebuild: writes the facts of ClickHouse anew from Kafka, right whatever stands there, beside a living archive.

Two kinds of facts, two ways:

- ``events`` and ``assessments`` follow from what judge remembers (``dossier.state.v1``, which is kept for ever). They
  are made anew in full and exchanged (`agents.drivers.staging`): rows that are missing, old, wrong, or of nobody are
  all put right, whatever version they claim.
- What was *said* (alerts, dead letters, arrivals, changes of verdicts, feeds) cannot be judged again, and Kafka keeps
  most of it for a while only. It is written again from the topics, and nothing that is older is taken away.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import TypeVar

from agents.accept import accept
from agents.archive import TOPICS, read_into
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_past import KafkaPast
from agents.drivers.staging import Staging
from agents.ports import Clock, Record, StateLog
from agents.rows import ARRIVALS, ASSESSMENTS, EVENTS, Row, arrival_row, assessment_rows, event_row
from schemas import topics
from schemas.dossier import Judgement, Memory
from schemas.errors import ConfigError, InvalidRecord
from schemas.state import check_format, read_memories
from streams.history import History, build
from streams.rules import Rules
from streams.verdict import assess

BATCH = 1_000  # dossiers, or records, whose rows are written at a time

#: The tables that are made anew and exchanged.
EXCHANGED = (EVENTS, ASSESSMENTS)

T = TypeVar("T")


class Rebuild:
    """One rebuilding of all facts; ``advance`` is called after each partition of each of the two ways."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        past: KafkaPast,
        state: StateLog,
        staging: Staging,
        *,
        partitions: int,
        advance: Callable[[], None],
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._past = past
        self._state = state
        self._staging = staging
        self._partitions = partitions
        self._advance = advance
        self.rows: dict[str, int] = {}

    async def run(self) -> Mapping[str, int]:
        """Do it, and return how many rows were written of each table.

        Raises `ConfigError` (``state_empty``) when there is nothing to rebuild from but something to lose,
        `Unavailable` when Kafka or ClickHouse does not answer; then, too, every living table is whole.
        """
        if not self._clock.live:
            for partition in range(self._partitions):  # all judges of a back-load share one last event
                for history, _ in await self._dossiers(partition):
                    self._clock.saw(history.events[-1].at)
        for table in EXCHANGED:
            self._staging.begin(table)
        for partition in range(self._partitions):
            await self._stage(partition)
            self._advance()
        if not self.rows.get(EVENTS) and self._staging.count(EVENTS):
            for table in EXCHANGED:
                self._staging.clear(table)
            raise ConfigError("state_empty", f"{topics.STATE.name} is empty and ClickHouse is not: nothing was changed")
        for table in EXCHANGED:
            self._staging.exchange(table)
        for partition in range(self._partitions):
            await self._say_again(partition)
            self._advance()
        return self.rows

    async def _stage(self, partition: int) -> None:
        """The rows of a partition's dossiers as they stand now, into the new tables."""
        for some in _batches(await self._dossiers(partition)):
            self._count(EVENTS, [event_row(event) for history, _ in some for event in history.events], living=False)
            answers = [self._judged(history, highest) for history, highest in some]
            self._count(ASSESSMENTS, [row for each in answers for row in assessment_rows(each)], living=False)

    def _judged(self, history: History, highest: int) -> Judgement:
        answer = assess(history, self._rules, now=self._clock.now())
        return Judgement(answer, max(highest, len(answer.cycles)))

    async def _dossiers(self, partition: int) -> list[tuple[History, int]]:
        """What judge knows of a partition: each dossier's history, and the highest cycle that it ever had."""
        records = await self._state.read(partition)
        for key, value in records.items():
            check_format(key, value)
        events: dict[str, list[Memory]] = {}
        highest: dict[str, int] = {}
        for some in _batches(records.values()):
            for memory in read_memories(f"{topics.STATE.name} [{partition}]", some):
                if memory.event is not None:
                    events.setdefault(memory.dossier_code, []).append(memory)
                elif memory.cycle is not None:
                    highest[memory.dossier_code] = max(highest.get(memory.dossier_code, 1), memory.cycle)
        return [
            (build(code, [memory.event for memory in found if memory.event is not None]), highest.get(code, 1))
            for code, found in events.items()
        ]

    async def _say_again(self, partition: int) -> None:
        """What was said, from its topics; when events arrived, from theirs."""
        for topic in TOPICS:
            async for some in _gathered(self._past.read(topic, partition)):
                rows: dict[str, list[Row]] = {}
                for record in some:
                    try:
                        read_into(rows, record)
                    except InvalidRecord:
                        continue  # archive has buried it
                for table, found in rows.items():
                    if table not in EXCHANGED:
                        self._count(table, found)
        known = {key for key in await self._state.read(partition) if b"\x1fevent\x1f" in key}
        for topic in (topics.EVENTS, topics.REROUTED):
            async for some in _gathered(self._past.read(topic, partition)):
                self._count(ARRIVALS, [row for record in some for row in self._arrival(record, partition, known)])

    def _arrival(self, record: Record, partition: int, known: set[bytes]) -> Iterator[Row]:
        try:
            event = accept(record, self._rules, present=None)
        except InvalidRecord:
            return
        code = event.dossier_code
        here = partition_of(code.encode(), self._partitions) == partition
        if here and Memory(code, event=event).key() in known:
            yield arrival_row(event, datetime.fromtimestamp(record.timestamp / 1000, UTC))

    def _count(self, table: str, rows: list[Row], *, living: bool = True) -> None:
        if rows:
            (self._staging.insert if living else self._staging.stage)(table, rows)
            self.rows[table] = self.rows.get(table, 0) + len(rows)


def _batches(things: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(things)
    while batch := list(islice(remaining, BATCH)):
        yield batch


async def _gathered(records: AsyncIterator[Record]) -> AsyncIterator[list[Record]]:
    some: list[Record] = []
    async for record in records:
        some.append(record)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some
