"""rebuild: writes the facts of ClickHouse anew from Kafka, right whatever stands there, beside a living archive.

Two kinds of facts, two ways:

- ``events`` and ``assessments`` follow from the events in Kafka, which are kept for ever. They are made anew in full
  and exchanged (`agents.drivers.staging`): rows that are missing, old, wrong, or of nobody are all put right, whatever
  version they claim. The state of judge adds how many cycles a dossier once had, and says whether judge took an event
  that was too far in the future when it came (it may have been held until it was not).
- What was *said* (alerts, dead letters, arrivals, changes of verdicts, feeds) cannot be judged again, and Kafka keeps
  most of it for a while only. It is written again from the topics, and nothing that is older is taken away.
"""

from collections.abc import AsyncIterator, Callable, Mapping

from agents.again import Again
from agents.archive import TOPICS, read_into
from agents.batches import in_turns
from agents.drivers.kafka_past import KafkaPast
from agents.drivers.staging import Staging
from agents.known import Known, know
from agents.ports import Clock, Record, StateLog
from agents.rows import ARRIVALS, ASSESSMENTS, EVENTS, Row, arrival_row, assessment_rows, event_row
from schemas import topics
from schemas.dossier import Judgement
from schemas.errors import ConfigError, InvalidRecord
from streams.history import History
from streams.rules import Rules
from streams.verdict import assess

BATCH = 1_000  # dossiers, or records, whose rows are written at a time

#: The tables that are made anew and exchanged.
EXCHANGED = (EVENTS, ASSESSMENTS)


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
        self._again = Again(rules, clock, past, partitions=partitions)
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
                async for event, _ in self._again.events(partition, {}, {}):
                    self._clock.saw(event.at)
        for table in EXCHANGED:
            self._staging.begin(table)
        for partition in range(self._partitions):
            await self._stage(partition)
            self._advance()
        if not self.rows.get(EVENTS) and self._staging.count(EVENTS):
            for table in EXCHANGED:
                self._staging.clear(table)
            raise ConfigError("events_empty", f"{topics.EVENTS.name} is empty, ClickHouse is not: nothing was changed")
        for table in EXCHANGED:
            self._staging.exchange(table)
        for partition in range(self._partitions):
            await self._say_again(partition)
            self._advance()
        return self.rows

    async def _stage(self, partition: int) -> None:
        """The rows of a partition's dossiers as they stand now into the new tables; when their events arrived."""
        known = await know(partition, await self._state.read(partition))
        histories: dict[str, History] = {}
        events = self._again.events(partition, known, histories)
        arrivals = [arrival_row(event, arrived) async for event, arrived in events]
        async for rows in in_turns(arrivals, BATCH):
            self._count(ARRIVALS, rows)
        async for some in in_turns(histories.values(), BATCH):
            self._count(EVENTS, [event_row(event) for history in some for event in history.events], living=False)
            answers = [self._judged(history, known.get(history.dossier_code, Known())) for history in some]
            self._count(ASSESSMENTS, [row for each in answers for row in assessment_rows(each)], living=False)

    def _judged(self, history: History, live: Known) -> Judgement:
        answer = assess(history, self._rules, now=self._clock.now())
        return Judgement(answer, max(live.highest_cycle, len(answer.cycles)))

    async def _say_again(self, partition: int) -> None:
        """What was said, from its topics."""
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

    def _count(self, table: str, rows: list[Row], *, living: bool = True) -> None:
        if rows:
            (self._staging.insert if living else self._staging.stage)(table, rows)
            self.rows[table] = self.rows.get(table, 0) + len(rows)


async def _gathered(records: AsyncIterator[Record]) -> AsyncIterator[list[Record]]:
    some: list[Record] = []
    async for record in records:
        some.append(record)
        if len(some) == BATCH:
            yield some
            some = []
    if some:
        yield some
