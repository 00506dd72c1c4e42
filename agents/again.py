"""again: the events that judge took, read once more from their topics, for whoever judges them again.

Which these are does not follow from the topics alone: an event too far in the future when it came is taken all the same
when the stream was held until it was not. Then judge remembers it, so whoever asks says what judge knows.
"""

from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from agents.accept import accept, check_time
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_past import KafkaPast
from agents.known import Known, took
from agents.ports import Clock, Record
from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event
from streams.history import History, add
from streams.rules import Rules

TAKEN = (topics.EVENTS, topics.REROUTED)


class Again:
    """Reads them partition by partition; counts the records, those on a wrong partition, and why others are refused."""

    def __init__(self, rules: Rules, clock: Clock, past: KafkaPast, *, partitions: int) -> None:
        self._rules = rules
        self._clock = clock
        self._past = past
        self._partitions = partitions
        self.records = self.misplaced = 0
        self.refused: Counter[str] = Counter()

    async def events(
        self,
        partition: int,
        known: Mapping[str, Known],
        histories: dict[str, History],
        ends: Mapping[str, int] = MappingProxyType({}),
    ) -> AsyncIterator[tuple[Event, datetime]]:
        """Events and when they arrived, in that order, up to the offset in ``ends`` of each topic (absent: the end).

        Each is added to ``histories``, by dossier, before it is given.
        """
        events, rerouted = (self._past.read(topic, partition, end=ends.get(topic.name)) for topic in TAKEN)
        async for record in _merged(events, deque([record async for record in rerouted])):
            self.records += 1
            arrived = datetime.fromtimestamp(record.timestamp / 1000, UTC)
            try:
                event = self._accepted(record, arrived, known)
                code = event.dossier_code
                if partition_of(code.encode(), self._partitions) == partition:
                    histories[code] = add(histories.get(code) or History(code), event)
                    yield event, arrived
                elif record.topic == topics.REROUTED.name:
                    raise InvalidRecord("wrong_partition", "a rerouted record is not on its dossier's partition")
                else:
                    self.misplaced += 1
            except InvalidRecord as error:
                self.refused[error.reason] += 1

    def _accepted(self, record: Record, arrived: datetime, known: Mapping[str, Known]) -> Event:
        event = accept(record, self._rules, present=None)
        try:
            if self._clock.live:
                check_time(event, self._rules, present=arrived)
        except InvalidRecord:
            if not took(known, event):
                raise
        return event


async def _merged(events: AsyncIterator[Record], rerouted: deque[Record]) -> AsyncIterator[Record]:
    """Both topics as they came in: which events a full dossier refuses depends on the order."""
    async for record in events:
        while rerouted and rerouted[0].timestamp < record.timestamp:
            yield rerouted.popleft()
        yield record
    for record in rerouted:
        yield record
