"""judge: takes events and looks, keeps each dossier's history, and says what holds.

The order of writes of one chunk, each step awaited before the next:

1. what must not be forgotten once it is out (alerts about to be told, a further cycle) is in the state;
2. assessments, alerts and dead letters are acknowledged by the broker;
3. then the state (events, alerts told) is;
4. then the chunk is acknowledged, and its offset may be committed.

A crash between any two repeats the chunk, and repeating it changes nothing: ids and versions come
from meaning. A repeated event sends everything of its dossier again, or a crash after 2 would lose
it. Without 1, a repeated chunk that brings more could judge otherwise, and an alert or a row that
is out already would stand for ever: nobody would know that there is something to take back.
"""

import asyncio
import gc
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import structlog
from pydantic import ValidationError

from agents.dead_letters import dead_letter
from agents.drivers.kafka import partition_of
from agents.ports import Chunk, Clock, Lease, Outbox, Outgoing, Record, StateLog
from agents.reroute import reroute
from agents.shard import Dossier, Shard, Unread, read_in
from agents.telemetry import Meters
from schemas import metrics, topics
from schemas.alert import Action, Alert
from schemas.assessment import Assessment
from schemas.dossier import LOOK, Judgement, Memory, dump
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from schemas.outlook import Outlook
from streams.alerts import decide
from streams.history import add
from streams.ladder import unbucketed
from streams.ledger import imbalance
from streams.outlook import foresee
from streams.rules import Rules
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
        began = time.monotonic()
        records = await self.state.read(partition)
        read = time.monotonic()
        shard = await asyncio.to_thread(read_in, records)
        gc.freeze()  # or every collection would look through all of it again
        assessed = 0
        for index, code in enumerate(tuple(shard.unread)):
            outlook = self._foreseen(shard.unread[code])
            if outlook is None:
                assessed += 1
                self._look_anew(shard, code)
            else:
                shard.look(code, self.clock.now() if shard.unread[code].unconfirmed else outlook.look_at)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        self.shards[partition] = shard
        self._count_dossiers()
        log.info(
            "partition_read",
            partition=partition,
            records=len(records),
            dossiers=len(shard),
            assessed=assessed,
            reading_seconds=round(read - began, 3),
            seconds=round(time.monotonic() - began, 3),
        )

    def _foreseen(self, unread: Unread) -> Outlook | None:
        """The outlook by which a dossier need not be judged at the start: as these rules say, and nothing untold."""
        outlook = unread.foreseen
        if outlook is None or not self.clock.live or outlook.version.rules != self.rules.version:
            return None
        return outlook if outlook.live or outlook.done_at is not None else None

    def _look_anew(self, shard: Shard, code: str) -> None:
        dossier = shard.dossier(code)
        if not dossier.history.events:
            return
        # From the last event on, not from now: a change while nobody judged is still to be told.
        latest = dossier.history.events[-1].at
        self.clock.saw(latest)
        answer = assess(dossier.history, self.rules, now=min(latest, self.clock.now()))
        at_once = dossier.unconfirmed or self._untold(dossier, answer)
        shard.look(code, self.clock.now() if at_once else answer.look_again_at)

    def _untold(self, dossier: Dossier, answer: Assessment) -> bool:
        """Whether a level stands of which nobody was ever told: it was judged by a clock that tells nobody anything."""
        actions = decide(answer, dossier.sent.values(), now=answer.version.as_of) if self.clock.live else ()
        return any(alert.action is Action.RAISE for alert in actions)

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
        aside: list[_Aside] = []
        for record in chunk.records:
            try:
                event = self._accept(record)
                partition = partition_of(event.dossier_code.encode(), self.partitions)
                if partition != record.partition:
                    aside.append(_rerouted(record, event, partition, shard))
                    continue
                dossier = shard.dossier(event.dossier_code)
                dossier.history = add(dossier.history, event)
            except InvalidRecord as error:
                aside.append(_buried(record, error))
            else:
                self.clock.saw(event.at)
                brought.setdefault(event.dossier_code, []).append(event)
        await self._judge(chunk, lease, shard, brought, aside)

    async def looks(self, chunk: Chunk, lease: Lease) -> None:
        """Judge the dossiers whose time has come. Raises as `events` does."""
        shard = self.shards[chunk.partition]
        asked: dict[str, list[Event]] = {}
        aside: list[_Aside] = []
        earliest = None
        for record in chunk.records:
            try:
                look = LOOK.validate_json(record.value or b"")
            except ValidationError:
                aside.append(_buried(record, InvalidRecord("unreadable", "the record is no look")))
                continue
            if look.dossier_code in shard:
                asked[look.dossier_code] = []
                earliest = look.at if earliest is None else min(earliest, look.at)
        await self._judge(chunk, lease, shard, asked, aside)
        if earliest is not None and self.clock.live:
            self.meters.observe(metrics.LOOK_DELAY, max(0.0, (self.clock.now() - earliest).total_seconds()))

    def _accept(self, record: Record) -> Event:
        event = read_event(record.value)
        self.rules.check_codes(event)
        if self.clock.live and event.at > self.clock.now() + self.rules.office.skew:
            raise InvalidRecord("future_time", "the time lies further in the future than the tolerated skew")
        return event

    async def _judge(
        self, chunk: Chunk, lease: Lease, shard: Shard, brought: dict[str, list[Event]], aside: Sequence["_Aside"]
    ) -> None:
        verdicts: list[_Judged] = []
        now = self.clock.now()
        for index, (code, events) in enumerate(brought.items()):
            dossier = shard.dossier(code)
            answer = assess(dossier.history, self.rules, now=now)
            alerts = decide(answer, dossier.sent.values(), now=now) if self.clock.live else ()
            again = tuple(dossier.unconfirmed.values())
            outlook = foresee(dossier.history, answer, live=self.clock.live)
            verdicts.append(_Judged(dossier, answer, tuple(events), alerts, again, outlook))
            self._prove(answer)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        await self._send([memory for judged in verdicts for memory in judged.intents(chunk)], lease)
        for judged in verdicts:
            judged.intend()
        outputs = [each.output for each in aside if each.output is not None]
        await self._send([*outputs, *(output for judged in verdicts for output in judged.outputs(chunk))], lease)
        memories = [_state(chunk, each.memory) for each in aside if each.memory is not None]
        await self._send([*memories, *(memory for judged in verdicts for memory in judged.memories(chunk))], lease)
        for each in aside:
            if each.memory is not None and each.memory.rerouted is not None:
                shard.rerouted.add(each.memory.rerouted)
        for judged in verdicts:
            judged.confirm()
            shard.look(judged.answer.dossier_code, judged.answer.look_again_at)
        self._count(chunk, aside, verdicts)

    async def _send(self, records: Sequence[Outgoing], lease: Lease) -> None:
        """Write and await, as long as the partition is ours."""
        lease.check()
        if records:
            await self.outbox.send(records)

    def _prove(self, answer: Assessment) -> None:
        for metric, wrong, event in (
            (metrics.UNBALANCED, imbalance, "time_unbalanced"),
            (metrics.UNBUCKETED, unbucketed, "time_unbucketed"),
        ):
            worst = max((wrong(cycle).total_seconds() for cycle in answer.cycles), default=0.0)
            if worst:
                self.meters.put(metric, worst)
                log.error(event, dossier=answer.dossier_code[-4:], seconds=worst)

    def _count(self, chunk: Chunk, aside: Sequence["_Aside"], verdicts: Sequence["_Judged"]) -> None:
        self.meters.count(metrics.RECORDS, len(chunk.records) - len(aside), topic=chunk.topic, fate="done")
        for each in aside:
            self.meters.count(metrics.RECORDS, topic=chunk.topic, fate=each.fate)
            if each.fate == "buried":
                self.meters.count(metrics.BURIED, reason=each.label)
            elif each.output is not None:
                self.meters.count(metrics.REROUTED, source=each.label)
        self.meters.count(metrics.ASSESSMENTS, len(verdicts))
        for judged in verdicts:
            for alert in judged.alerts:
                self.meters.count(metrics.ALERTS, action=alert.action.value, level=alert.level.value)
        self._count_dossiers()

    def _count_dossiers(self) -> None:
        self.meters.put(metrics.DOSSIERS, sum(len(shard) for shard in self.shards.values()))


class _Aside(NamedTuple):
    """A record that is not judged here: its fate, with the reason or the source, and what to send and remember."""

    fate: Literal["buried", "rerouted"]
    label: str
    output: Outgoing | None
    memory: Memory | None = None


def _buried(record: Record, error: InvalidRecord) -> _Aside:
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    log.warning("record_buried", reason=error.reason, **where)
    return _Aside("buried", error.reason, dead_letter(record, error, at=datetime.now(UTC)))


def _rerouted(record: Record, event: Event, partition: int, shard: Shard) -> _Aside:
    """Send the event on, unless that was done before: a replay reroutes nothing twice."""
    output = reroute(record, event, partition)
    if record.offset in shard.rerouted:
        return _Aside("rerouted", event.source or "", None)
    log.info("record_rerouted", source=event.source, partition=record.partition, offset=record.offset, to=partition)
    return _Aside("rerouted", event.source or "", output, Memory(event.dossier_code, rerouted=record.offset))


@dataclass(frozen=True, slots=True)
class _Judged:
    """One dossier judged: the answer, the events that led to it, what to tell, once more or first, what to expect."""

    dossier: Dossier
    answer: Assessment
    events: tuple[Event, ...]
    alerts: tuple[Alert, ...]
    again: tuple[Alert, ...]
    outlook: Outlook

    @property
    def highest_cycle(self) -> int:
        return max(self.dossier.highest_cycle, len(self.answer.cycles))

    def intents(self, chunk: Chunk) -> Iterator[Outgoing]:
        """What must not be forgotten once it is out."""
        code = self.answer.dossier_code
        if self.highest_cycle > self.dossier.highest_cycle:
            yield _state(chunk, Memory(code, cycle=self.highest_cycle))
        for alert in self.alerts:
            yield _state(chunk, Memory(code, alert=alert, intended=True))

    def intend(self) -> None:
        """The intents are acknowledged."""
        self.dossier.highest_cycle = self.highest_cycle
        for alert in self.alerts:
            self.dossier.tell(alert, confirmed=False)

    def outputs(self, chunk: Chunk) -> Iterator[Outgoing]:
        code = self.answer.dossier_code
        judgement = Judgement(self.answer, self.highest_cycle, self.events)
        yield Outgoing(topics.ASSESSMENTS.name, code.encode(), dump(judgement), chunk.partition)
        for alert in (*self.again, *self.alerts):
            yield Outgoing(topics.ALERTS.name, code.encode(), dump(alert), chunk.partition)

    def memories(self, chunk: Chunk) -> Iterator[Outgoing]:
        code = self.answer.dossier_code
        for event in self.events:
            yield _state(chunk, Memory(code, event=event))
        for alert in self.dossier.unconfirmed.values():
            yield _state(chunk, Memory(code, alert=alert))
        yield _state(chunk, Memory(code, outlook=self.outlook))

    def confirm(self) -> None:
        """Outputs and state are acknowledged."""
        self.dossier.unconfirmed.clear()


def _state(chunk: Chunk, memory: Memory) -> Outgoing:
    return Outgoing(topics.STATE.name, memory.key(), dump(memory), chunk.partition)
