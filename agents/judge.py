"""judge: takes events and looks, keeps each dossier's history, and says what holds.

The order of writes of one chunk, each step awaited before the next:

1. assessments, alerts and dead letters are acknowledged by the broker;
2. then the state (events, alerts sent) is;
3. then the chunk is acknowledged, and its offset may be committed.

A crash between any two repeats the chunk, and repeating it changes nothing: ids and versions come
from meaning. A repeated event sends everything of its dossier again, or a crash after 1 would lose it.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from agents.dead_letters import dead_letter
from agents.drivers.kafka import partition_of
from agents.ports import Chunk, Clock, Lease, Outbox, Outgoing, Record, StateLog
from agents.shard import Dossier, Shard
from agents.telemetry import Meters
from schemas import metrics, topics
from schemas.alert import Alert
from schemas.assessment import Assessment
from schemas.dossier import LOOK, MEMORY, Judgement, Memory, dump
from schemas.errors import InvalidRecord, Unavailable
from schemas.event import Event, read_event
from streams.alerts import decide
from streams.history import add
from streams.ledger import imbalance
from streams.limits import Rules
from streams.verdict import assess

BREATH = 200  # dossiers judged between two turns of the event loop, or heartbeats would be late

log = structlog.stdlib.get_logger(__name__)


class Judge:
    """The judge of some partitions. Its handles are those of an `agents.app.Worker`."""

    def __init__(
        self, rules: Rules, clock: Clock, outbox: Outbox, state: StateLog, meters: Meters, *, partitions: int
    ) -> None:
        self.rules = rules
        self.clock = clock
        self.outbox = outbox
        self.state = state
        self.meters = meters
        self.partitions = partitions
        self.shards: dict[int, Shard] = {}

    async def assigned(self, partition: int) -> None:
        """Read back what is known of a partition; when it returns, its chunks may come."""
        shard = Shard()
        count = 0
        async for key, value in self.state.read(partition):
            count += 1
            if value is not None:
                shard.remember(_memory(key, value))
        for index, (code, dossier) in enumerate(shard.dossiers.items()):
            if not dossier.history.events:
                continue
            # From the last event on, not from now: a change while nobody judged is still to be told.
            latest = dossier.history.events[-1].at
            self.clock.saw(latest)
            answer = assess(dossier.history, self.rules, now=min(latest, self.clock.now()))
            shard.look(code, answer.look_again_at)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        self.shards[partition] = shard
        self._count_dossiers()
        log.info("partition_read", partition=partition, records=count, dossiers=len(shard.dossiers))

    def revoked(self, partitions: frozenset[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self.shards.pop(partition, None)
        self._count_dossiers()

    async def events(self, chunk: Chunk, lease: Lease) -> None:
        """Judge the dossiers whose events this chunk brings.

        Raises `Unavailable` to be called again with the same chunk, `LeaseLost` to have it dropped.
        """
        shard = self.shards[chunk.partition]
        brought: dict[str, list[Event]] = {}
        buried: list[Outgoing] = []
        for record in chunk.records:
            try:
                event = self._accept(record)
                dossier = shard.dossier(event.dossier_code)
                dossier.history = add(dossier.history, event)
            except InvalidRecord as error:
                buried.append(dead_letter(record, error, at=datetime.now(UTC)))
                log.warning(
                    "record_buried",
                    topic=record.topic,
                    partition=record.partition,
                    offset=record.offset,
                    reason=error.reason,
                )
            else:
                self.clock.saw(event.at)
                brought.setdefault(event.dossier_code, []).append(event)
        await self._judge(chunk, lease, shard, brought, buried)

    async def looks(self, chunk: Chunk, lease: Lease) -> None:
        """Judge the dossiers whose time has come. Raises as `events` does."""
        shard = self.shards[chunk.partition]
        asked: dict[str, list[Event]] = {}
        buried: list[Outgoing] = []
        earliest = None
        for record in chunk.records:
            try:
                look = LOOK.validate_json(record.value or b"")
            except ValidationError:
                error = InvalidRecord("unreadable", "the record is no look")
                buried.append(dead_letter(record, error, at=datetime.now(UTC)))
                continue
            if look.dossier_code in shard.dossiers:
                asked[look.dossier_code] = []
                earliest = look.at if earliest is None else min(earliest, look.at)
        await self._judge(chunk, lease, shard, asked, buried)
        if earliest is not None and self.clock.live:
            self.meters.observe(metrics.LOOK_DELAY, max(0.0, (self.clock.now() - earliest).total_seconds()))

    def _accept(self, record: Record) -> Event:
        event = read_event(record.value)
        self.rules.check_codes(event)
        if partition_of(event.dossier_code.encode(), self.partitions) != record.partition:
            raise InvalidRecord("wrong_partition", "the partition is not murmur2 of the dossier code")
        if self.clock.live and event.at > self.clock.now() + self.rules.office.skew:
            raise InvalidRecord("future_time", "the time lies further in the future than the tolerated skew")
        return event

    async def _judge(
        self, chunk: Chunk, lease: Lease, shard: Shard, brought: dict[str, list[Event]], buried: Sequence[Outgoing]
    ) -> None:
        outputs, memories = list(buried), list[Outgoing]()
        answers: list[tuple[Dossier, Assessment, tuple[Alert, ...]]] = []
        now = self.clock.now()
        for index, (code, events) in enumerate(brought.items()):
            dossier = shard.dossiers[code]
            answer = assess(dossier.history, self.rules, now=now)
            alerts = decide(answer, dossier.sent.values(), now=now) if self.clock.live else ()
            answers.append((dossier, answer, alerts))
            highest = max(dossier.highest_cycle, len(answer.cycles))
            outputs.append(_to(topics.ASSESSMENTS, chunk, code, dump(Judgement(answer, highest, tuple(events)))))
            outputs += [_to(topics.ALERTS, chunk, code, dump(alert)) for alert in alerts]
            memories += _memories(chunk, code, events, alerts, highest if highest > dossier.highest_cycle else None)
            self._prove(answer)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        lease.check()
        await self.outbox.send(outputs)
        lease.check()
        await self.outbox.send(memories)
        for dossier, answer, alerts in answers:
            self._settle(shard, dossier, answer, alerts)
        self._count(chunk, buried, answers)

    def _settle(self, shard: Shard, dossier: Dossier, answer: Assessment, alerts: tuple[Alert, ...]) -> None:
        """Both writes are acknowledged: now it may be remembered."""
        dossier.sent.update((alert.alert_id, alert) for alert in alerts)
        dossier.highest_cycle = max(dossier.highest_cycle, len(answer.cycles))
        shard.look(answer.dossier_code, answer.look_again_at)

    def _prove(self, answer: Assessment) -> None:
        worst = max((imbalance(cycle).total_seconds() for cycle in answer.cycles), default=0.0)
        if worst:
            self.meters.put(metrics.UNBALANCED, worst)
            log.error("time_unbalanced", dossier=answer.dossier_code[-4:], seconds=worst)

    def _count(
        self, chunk: Chunk, buried: Sequence[Outgoing], answers: Sequence[tuple[Dossier, Assessment, tuple[Alert, ...]]]
    ) -> None:
        done = len(chunk.records) - len(buried)
        self.meters.count(metrics.RECORDS, done, topic=chunk.topic, fate="done")
        for letter in buried:
            self.meters.count(metrics.RECORDS, topic=chunk.topic, fate="buried")
            self.meters.count(metrics.BURIED, reason=dict(letter.headers)["reason"].decode())
        self.meters.count(metrics.ASSESSMENTS, len(answers))
        for _, _, alerts in answers:
            for alert in alerts:
                self.meters.count(metrics.ALERTS, action=alert.action.value, level=alert.level.value)
        self._count_dossiers()

    def _count_dossiers(self) -> None:
        self.meters.put(metrics.DOSSIERS, sum(len(shard.dossiers) for shard in self.shards.values()))


def _memory(key: bytes, value: bytes) -> Memory:
    try:
        return MEMORY.validate_json(value)
    except ValidationError as error:
        # Judging without a part of the history would be wrong in silence.
        raise Unavailable("state_unreadable", f"a state record cannot be read: {key!r}") from error


def _to(topic: topics.Topic, chunk: Chunk, code: str, value: bytes) -> Outgoing:
    return Outgoing(topic.name, code.encode(), value, chunk.partition)


def _memories(
    chunk: Chunk, code: str, events: Sequence[Event], alerts: Sequence[Alert], cycle: int | None
) -> list[Outgoing]:
    memories = [Memory(code, event=event) for event in events] + [Memory(code, alert=alert) for alert in alerts]
    if cycle is not None:
        memories.append(Memory(code, cycle=cycle))
    return [Outgoing(topics.STATE.name, memory.key(), dump(memory), chunk.partition) for memory in memories]
