"""shadow: judges everything from the beginning beside the live judge, sends nothing, and says what differs.

One partition after the other, so that memory holds the dossiers of one. Read are the state of the live judge, the
events up to where it had come before, and its rows. A dossier of which something is still on its way (a record that
judge or archive has not finished, an instant that has just come) is not compared: nobody can say yet what live makes
of it.
"""

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from agents.accept import accept
from agents.batches import batches
from agents.difference import Difference, Known, Stored, difference, missing
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_past import KafkaPast, Place
from agents.drivers.live_facts import LiveFacts
from agents.ports import Clock, Record, StateLog
from schemas import topics
from schemas.assessment import Assessment
from schemas.errors import InvalidRecord
from schemas.event import read_event
from schemas.state import check_format, read_memories
from streams.history import History, add
from streams.rules import Rules
from streams.verdict import assess

#: What judge and archive need for a look and its row, with room to spare: at midnight all dated limits flip.
SETTLING = timedelta(seconds=60)
BATCH = 1_000  # dossiers asked of ClickHouse at a time

JUDGED = (topics.EVENTS, topics.REROUTED)
ARCHIVED = (topics.ASSESSMENTS, topics.ALERTS)

Places = dict[tuple[str, int], Place]


@dataclass(slots=True)
class Tally:
    """What was read and found."""

    now: datetime
    rules: int
    records: int = 0
    misplaced: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    events: int = 0
    dossiers: int = 0
    on_their_way: int = 0
    differing: int = 0


class Shadow:
    """The judge of everything; ``report`` is called with every difference, ``advance`` with every partition read."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        past: KafkaPast,
        state: StateLog,
        facts: LiveFacts,
        *,
        partitions: int,
        report: Callable[[Difference], None],
        advance: Callable[[int], None],
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._past = past
        self._state = state
        self._facts = facts
        self._partitions = partitions
        self._report = report
        self._advance = advance
        clock.saw(facts.last())
        self.tally = Tally(clock.now(), rules.version)

    async def run(self) -> Tally:
        """Judge all partitions at one now. Raises `Unavailable` when Kafka or ClickHouse does not answer."""
        places = await self._past.places("judge", JUDGED) | await self._past.places("archive", ARCHIVED)
        seen = array("q")
        for partition in range(self._partitions):
            known = await self._known(partition)
            histories = await self._histories(partition, places)
            differing = list(self._compare(histories, known))
            seen.extend(hash(code) for code in histories)
            seen.extend(hash(code) for code in known.keys() - histories.keys())
            del histories, known
            await self._settle(partition, differing, places)
        await self._strangers(array("q", sorted(seen)), places)
        return self.tally

    async def _histories(self, partition: int, places: Places) -> dict[str, History]:
        """Every dossier of the partition with the events that the live judge had to take, in the order of arrival."""
        rules, tally = self._rules, self.tally
        histories: dict[str, History] = {}
        events, rerouted = (
            self._past.read(topic, partition, end=places[topic.name, partition].done) for topic in JUDGED
        )
        count = 0
        async for record in merged(events, deque([record async for record in rerouted])):
            count += 1
            taken = datetime.fromtimestamp(record.timestamp / 1000, UTC) if self._clock.live else None
            try:
                event = accept(record, rules, present=taken)
                code = event.dossier_code
                if partition_of(code.encode(), self._partitions) != partition:
                    if record.topic == topics.REROUTED.name:
                        raise InvalidRecord("wrong_partition", "a rerouted record is not on its dossier's partition")
                    tally.misplaced += 1
                    continue
                histories[code] = add(histories.get(code) or History(code), event)
            except InvalidRecord as error:
                tally.refused[error.reason] = tally.refused.get(error.reason, 0) + 1
        tally.records += count
        self._advance(count)
        return histories

    async def _known(self, partition: int) -> dict[str, Known]:
        """What the live judge remembers of the partition."""
        records = await self._state.read(partition)
        for key, value in records.items():
            check_format(key, value)
        known: dict[str, Known] = {}
        for some in batches(records.values(), BATCH):
            for memory in read_memories(f"{topics.STATE.name} [{partition}]", some):
                if memory.event is not None or memory.alert is not None or memory.stub is not None:
                    known.setdefault(memory.dossier_code, Known()).remember(memory)
        return known

    def _compare(
        self, histories: dict[str, History], known: dict[str, Known]
    ) -> Iterator[tuple[Difference, Assessment | None]]:
        now, tally = self.tally.now, self.tally
        for codes in batches([*histories, *(known.keys() - histories.keys())], BATCH):
            rows, told = self._facts.assessments(codes), self._facts.told(codes)
            for code in codes:
                history, live = histories.get(code), known.get(code, Known())
                stored = Stored(rows.get(code, {}), told.get(code, {}))
                if history is None:
                    yield missing(code, live, stored), None
                    continue
                tally.events += len(history.events)
                tally.dossiers += 1
                answer = assess(history, self._rules, now=now)
                found = difference(answer, history, live, stored, alerts=self._clock.live, now=now)
                if found:
                    yield found, answer

    async def _settle(
        self, partition: int, differing: Sequence[tuple[Difference, Assessment | None]], places: Places
    ) -> None:
        """Report those of which nothing is on its way."""
        if not differing:
            return
        moving = {code async for code in self._moving(partition, places)}
        for found, answer in differing:
            if found.dossier_code in moving or (answer is not None and self._restless(answer)):
                self.tally.on_their_way += 1
            else:
                self.tally.differing += 1
                self._report(found)

    def _restless(self, answer: Assessment) -> bool:
        """Whether the answer changed by itself a moment ago, or has since."""
        if not self._clock.live:
            return False
        soon = answer.look_again_at is not None and answer.look_again_at <= self._clock.now()
        return soon or answer.version.as_of > self.tally.now - SETTLING

    async def _moving(self, partition: int, places: Places) -> AsyncIterator[str]:
        """The dossiers of records that judge or archive had not finished when we began."""
        for topic in (*JUDGED, *ARCHIVED):
            async for record in self._past.read(topic, partition, begin=places[topic.name, partition].done):
                if record.key is not None:
                    yield record.key.decode(errors="replace")
                if topic in JUDGED:
                    try:
                        yield read_event(record.value).dossier_code
                    except InvalidRecord:
                        continue

    async def _strangers(self, seen: Sequence[int], places: Places) -> None:
        """Report the dossiers that have rows in ClickHouse and no events; ``seen`` are the hashes of all others."""
        found: dict[int, list[tuple[Difference, Assessment | None]]] = {}
        strangers = (code for code in self._facts.dossiers() if not _holds(seen, hash(code)))
        for codes in batches(strangers, BATCH):
            for code, rows in self._facts.assessments(codes).items():
                partition = partition_of(code.encode(), self._partitions)
                found.setdefault(partition, []).append((missing(code, Known(), Stored(rows)), None))
        for partition, differing in found.items():
            await self._settle(partition, differing, places)


def _holds(ordered: Sequence[int], value: int) -> bool:
    index = bisect_left(ordered, value)
    return index < len(ordered) and ordered[index] == value


async def merged(events: AsyncIterator[Record], rerouted: "deque[Record]") -> AsyncIterator[Record]:
    """Both topics as they came in: which events a full dossier refuses depends on the order."""
    async for record in events:
        while rerouted and rerouted[0].timestamp < record.timestamp:
            yield rerouted.popleft()
        yield record
    for record in rerouted:
        yield record
