"""shadow: judges everything from the beginning beside the live judge, sends nothing, and says what differs.

One partition after the other, so that memory holds the dossiers of one. Read are the state of the live judge, the
events up to where it had come before, and its rows. A dossier of which something is still on its way (a record that
judge or archive has not finished, an instant that has just come) is not compared: nobody can say yet what live makes
of it.
"""

from array import array
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from agents.again import TAKEN, Again
from agents.batches import batches, in_turns
from agents.difference import Difference, Stored, difference, missing
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_past import KafkaPast, Place
from agents.drivers.live_facts import LiveFacts
from agents.known import Known, know
from agents.ports import Clock, StateLog
from schemas import topics
from schemas.assessment import Assessment
from schemas.errors import InvalidRecord
from schemas.event import read_event
from streams.history import History
from streams.rules import Rules
from streams.verdict import assess

#: What judge and archive need for a look and its row, with room to spare: at midnight all dated limits flip.
SETTLING = timedelta(seconds=60)
BATCH = 1_000  # dossiers asked of ClickHouse at a time

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
        self._again = Again(rules, clock, past, partitions=partitions)
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
        places = await self._past.places("judge", TAKEN) | await self._past.places("archive", ARCHIVED)
        seen = array("q")
        for partition in range(self._partitions):
            known = await know(partition, await self._state.read(partition))
            histories = await self._histories(partition, places, known)
            differing = [found async for found in self._compare(histories, known)]
            seen.extend(hash(code) for code in histories)
            seen.extend(hash(code) for code in known.keys() - histories.keys())
            del histories, known
            await self._settle(partition, differing, places)
        await self._strangers(array("q", sorted(seen)), places)
        again, tally = self._again, self.tally
        tally.records, tally.misplaced, tally.refused = again.records, again.misplaced, dict(again.refused)
        return tally

    async def _histories(self, partition: int, places: Places, known: Mapping[str, Known]) -> dict[str, History]:
        """Every dossier of the partition with the events that the live judge had to take, in the order of arrival."""
        histories: dict[str, History] = {}
        ends = {topic.name: places[topic.name, partition].done for topic in TAKEN}
        before = self._again.records
        async for _ in self._again.events(partition, known, histories, ends):
            pass
        self._advance(self._again.records - before)
        return histories

    async def _compare(
        self, histories: dict[str, History], known: dict[str, Known]
    ) -> AsyncIterator[tuple[Difference, Assessment | None]]:
        now, tally = self.tally.now, self.tally
        async for codes in in_turns([*histories, *(known.keys() - histories.keys())], BATCH):
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
        for topic in (*TAKEN, *ARCHIVED):
            async for record in self._past.read(topic, partition, begin=places[topic.name, partition].done):
                if record.key is not None:
                    yield record.key.decode(errors="replace")
                if topic in TAKEN:
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
