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
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from agents.accept import accept
from agents.aside import Aside, buried, rerouted
from agents.drivers.kafka import partition_of
from agents.feeds import Feeds, outgoing
from agents.judged import Arrived, Judged, news_of, remembered
from agents.ports import Chunk, Clock, Lease, Outbox, Outgoing, Past, Record, StateLog
from agents.recover import read_in
from agents.refusals import Refusals, Refused, outcomes_of
from agents.shard import Dossier, Shard
from agents.tally import count, count_dossiers, prove
from agents.telemetry import Meters
from schemas import metrics
from schemas.alert import Action, Alert
from schemas.assessment import Assessment
from schemas.dossier import LOOK
from schemas.errors import InvalidRecord, Unavailable
from schemas.event import Event
from schemas.feed import Heard
from schemas.rulebook import Rulebook
from streams.alerts import decide
from streams.history import add
from streams.outlook import foresee
from streams.rules import Rules
from streams.standing import cause
from streams.verdict import assess

BREATH = 200  # dossiers judged between two turns of the event loop, or heartbeats would be late

log = structlog.stdlib.get_logger(__name__)


class Judge:
    """The judge of some partitions. Its handles are those of an `agents.app.Worker`."""

    def __init__(
        self,
        rules: Rules,
        clock: Clock,
        outbox: Outbox,
        state: StateLog,
        past: Past,
        meters: Meters,
        *,
        partitions: int,
        feeds: Feeds | None = None,
        book: Rulebook | None = None,
    ) -> None:
        self.rules = rules
        self.book = book or Rulebook(rules.version)
        self.clock = clock
        self.outbox = outbox
        self.state = state
        self.past = past
        self.meters = meters
        self.partitions = partitions
        self.feeds = feeds or Feeds(rules)
        self.refusals = Refusals()
        self.shards: dict[int, Shard] = {}

    async def assigned(self, partition: int) -> None:
        """Read back what is known of a partition; when it returns, its chunks may come."""
        await self.feeds.ready(now=self.clock.now())
        began = time.monotonic()
        records = await self.state.read(partition)
        read = time.monotonic()
        shard = await asyncio.to_thread(read_in, records)
        gc.freeze()  # or every collection would look through all of it again
        assessed, waiting = 0, []
        rules, book = self.rules, self.book
        for index, code in enumerate(tuple(shard.unread)):
            unread = shard.unread[code]
            outlook = unread.trusted(rules.version) if self.clock.live else None
            if code in shard.evicted:  # a part of it is in ClickHouse alone, and whoever looks reads it back
                shard.looks.put(code, self.clock.now())
            elif outlook is None:
                assessed += 1
                judged = unread.outlook is not None and unread.outlook.version.rules == rules.version
                if self._look_anew(shard, code, rules) and not judged:
                    waiting.append(code)
            else:
                at_once = unread.unconfirmed or unread.held
                shard.looks.put(code, self.clock.now() if at_once else outlook.look_at)
                shard.over.put(code, outlook.done_at)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        shard.review.begin(book, waiting)
        if (fault := shard.enforce(self.book)) is not None:  # or others, which came meanwhile
            raise Unavailable(fault.reason, fault.message)
        self.shards[partition] = shard
        count_dossiers(self.meters, self.shards.values())
        log.info(
            "partition_read",
            partition=partition,
            records=len(records),
            dossiers=len(shard),
            evicted=len(shard.evicted),
            assessed=assessed,
            reading_seconds=round(read - began, 3),
            seconds=round(time.monotonic() - began, 3),
        )

    def take_up(self, rules: Rules, book: Rulebook) -> None:
        """Judge by these rules from now on, and every open dossier once more, in portions (`agents.tick`).

        Raises `ConfigError`, and keeps the rules as they are, when rows of both could not stand beside each other.
        """
        for shard in self.shards.values():
            if (fault := shard.review.clash(book)) is not None:
                raise fault
        self.rules, self.book = rules, book
        self.feeds.take_up(rules)
        for shard in self.shards.values():
            shard.enforce(book)

    def _look_anew(self, shard: Shard, code: str, rules: Rules) -> bool:
        """Whether something is open in the dossier."""
        dossier = shard.dossier(code)
        if not dossier.history.events:
            return False
        # From the last event on, not from now: a change while nobody judged is still to be told.
        latest = dossier.history.events[-1].at
        self.clock.saw(latest)
        answer = assess(dossier.history, rules, now=min(latest, self.clock.now()))
        at_once = dossier.unconfirmed or self._untold(dossier, answer)
        shard.looks.put(code, self.clock.now() if at_once else answer.look_again_at)
        dossier.outlook = foresee(dossier.history, answer, live=self.clock.live)
        shard.over.put(code, dossier.outlook.done_at)
        return dossier.outlook.done_at is None

    def _untold(self, dossier: Dossier, answer: Assessment) -> bool:
        """Whether a level stands of which nobody was ever told: it was judged by a clock that tells nobody anything."""
        actions = decide(answer, dossier.sent.values(), now=answer.version.as_of) if self.clock.live else ()
        return any(alert.action is Action.RAISE for alert in actions)

    def revoked(self, partitions: frozenset[int]) -> None:
        """Forget these partitions."""
        for partition in partitions:
            self.shards.pop(partition, None)
        count_dossiers(self.meters, self.shards.values())

    async def events(self, chunk: Chunk, lease: Lease) -> None:
        """Judge the dossiers whose events this chunk brings.

        Raises `Unavailable` to be called again with the same chunk, `LeaseLost` to have it dropped.
        """
        shard = self.shards[chunk.partition]
        async with shard.turn:
            await self._events(chunk, lease, shard)

    async def _events(self, chunk: Chunk, lease: Lease, shard: Shard) -> None:
        brought: dict[str, list[Arrived]] = {}
        aside: list[Aside] = []
        mine: list[tuple[Record, Event]] = []
        accepted: list[tuple[Record, Event]] = []
        refused: list[Refused] = []
        present = self.clock.now() if self.clock.live else None
        for record in chunk.records:
            try:
                event = accept(record, self.rules, present=present)
                accepted.append((record, event))
                partition = partition_of(event.dossier_code.encode(), self.partitions)
                if partition != record.partition:
                    aside.append(rerouted(record, event, partition, shard))
                else:
                    mine.append((record, event))
            except InvalidRecord as error:
                refused.append((record, error))
        await self._recall(shard, {event.dossier_code for _, event in mine})
        for record, event in mine:
            try:
                dossier = shard.dossier(event.dossier_code)
                dossier.history = add(dossier.history, event)
            except InvalidRecord as error:
                refused.append((record, error))
            else:
                self.clock.saw(event.at)
                taken = datetime.fromtimestamp(record.timestamp / 1000, UTC)
                brought.setdefault(event.dossier_code, []).append(Arrived(event, taken))
        outcomes = outcomes_of(accepted, refused)
        self.refusals.weigh(outcomes, released=self.feeds.released)
        aside += [buried(record, error) for record, error in refused]
        heard = self.feeds.heard(accepted, now=self.clock.now())
        await self._judge(chunk, lease, shard, brought, aside, heard)
        self.refusals.count(outcomes)

    async def looks(self, chunk: Chunk, lease: Lease) -> None:
        """Judge the dossiers whose time has come. Raises as `events` does."""
        shard = self.shards[chunk.partition]
        asked: dict[str, list[Arrived]] = {}
        aside: list[Aside] = []
        earliest = None
        for record in chunk.records:
            try:
                look = LOOK.validate_json(record.value or b"")
            except ValidationError:
                aside.append(buried(record, InvalidRecord("unreadable", "the record is no look")))
                continue
            if look.dossier_code in shard:
                asked[look.dossier_code] = []
                earliest = look.at if earliest is None else min(earliest, look.at)
        async with shard.turn:
            await self._recall(shard, asked)
            await self._judge(chunk, lease, shard, asked, aside)
        if earliest is not None and self.clock.live:
            self.meters.observe(metrics.LOOK_DELAY, max(0.0, (self.clock.now() - earliest).total_seconds()))

    async def _recall(self, shard: Shard, codes: Iterable[str]) -> None:
        """Read back those that were evicted; raises `Unavailable` when ClickHouse cannot say."""
        evicted = [code for code in codes if code in shard.evicted]
        if evicted:
            found = await self.past.read(evicted)
            for code in evicted:
                shard.recall(code, found[code])
            self.meters.count(metrics.RECALLS, len(evicted))

    async def _judge(
        self,
        chunk: Chunk,
        lease: Lease,
        shard: Shard,
        brought: dict[str, list[Arrived]],
        aside: Sequence[Aside],
        heard: Sequence[Heard] = (),
    ) -> None:
        verdicts: list[Judged] = []
        now, rules, book = self.clock.now(), self.rules, self.book  # the rules may change while we wait
        for index, (code, arrived) in enumerate(brought.items()):
            dossier = shard.dossier(code)
            answer = assess(dossier.history, rules, now=now)
            alerts: tuple[Alert, ...] = ()
            if self.clock.live:
                called_for = decide(answer, dossier.sent.values(), silent=self.feeds.silent, now=now)
                alerts = shard.review.mark(called_for, book)
            again = tuple(dossier.unconfirmed.values())
            outlook = foresee(dossier.history, answer, live=self.clock.live)
            why = cause(answer, rules, brought=bool(arrived), reviewed=shard.review.awaits(code, book))
            fresh = news_of(dossier, answer, why, at=self.clock.now()) if self.clock.live else None
            verdicts.append(Judged(dossier, answer, tuple(arrived), alerts, again, outlook, fresh))
            prove(answer, self.meters)
            if index % BREATH == BREATH - 1:
                await asyncio.sleep(0)
        begun = shard.review.unrecorded(book, chunk.partition) if verdicts else ()
        intents = (memory for judged in verdicts for memory in judged.intents(chunk))
        await self._send([*(remembered(memory, chunk.partition) for memory in begun), *intents], lease)
        for memory in begun:
            shard.review.remember(memory)
        for judged in verdicts:
            judged.intend()
        outputs = [each.output for each in aside if each.output is not None]
        outputs += [outgoing(each) for each in heard]
        await self._send([*outputs, *(output for judged in verdicts for output in judged.outputs(chunk))], lease)
        memories = [remembered(each.memory, chunk.partition) for each in aside if each.memory is not None]
        self.feeds.tell(heard)
        await self._send([*memories, *(memory for judged in verdicts for memory in judged.memories(chunk))], lease)
        for each in aside:
            if each.memory is not None and each.memory.rerouted is not None:
                shard.rerouted.add(each.memory.rerouted)
        for judged in verdicts:
            code, done_at = judged.answer.dossier_code, judged.outlook.done_at
            # Whoever was called back stays for as long again.
            shard.over.put(code, now if done_at is not None and judged.dossier.recalled else done_at)
            judged.confirm()
            shard.review.judged(code, book, still_open=done_at is None)
            # The feed of its unit may have come back since it was judged.
            back = self.clock.live and judged.dossier.held and not judged.silent(self.feeds.silent)
            shard.looks.put(code, self.clock.now() if back else judged.answer.look_again_at)
        count(self.meters, chunk, aside, verdicts, self.refusals)
        count_dossiers(self.meters, self.shards.values())

    async def _send(self, records: Sequence[Outgoing], lease: Lease) -> None:
        """Write and await, as long as the partition is ours."""
        lease.check()
        if records:
            await self.outbox.send(records)
