"""evict: a dossier that has been over for long leaves the memory of judge and the state, and a stub of it stays.

What is evicted can be read back, because it has just been: ClickHouse is asked for everything of the dossier, and
what it answers must cover all that judge knows, rows included. Then, each step acknowledged before the next:

1. the stub is in the state;
2. the dossier's records in the state, and an older stub, are deleted.

A crash between the two leaves a stub with records beside it that it covers; the next judge deletes them. What keeps a
stalled worker from taking anything away, however late its writes arrive: nothing is deleted but what a stub covers
that was acknowledged before, and a stub is deleted only when another one covers the same and more. So every record
that was ever acknowledged is there, or a stub covers it that is.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from agents.judge import Judge
from agents.judged import remembered
from agents.ports import Archived, Lease, Outgoing, Past
from agents.shard import Shard
from agents.tally import count_dossiers
from schemas import metrics, topics
from schemas.errors import DunghanError
from schemas.stub import names
from streams.outlook import foresee
from streams.verdict import assess

EVERY = 5.0  # seconds between two turns
MOST = 200  # dossiers a turn: three million a day is more than any city ends
AGAIN = timedelta(minutes=10)  # until ClickHouse is asked again about a dossier of which it did not hold everything

_NO_ROW = (0, datetime.min.replace(tzinfo=UTC))

log = structlog.stdlib.get_logger(__name__)


class Evict:
    """The timer of one judge."""

    def __init__(self, judge: Judge, past: Past, *, keep: timedelta) -> None:
        self._judge = judge
        self._past = past
        self._keep = keep

    async def run(self, leases: Mapping[int, Lease]) -> None:
        """Evict what may be, a few dossiers at a time. Raises `Unavailable` or `LeaseLost`, and goes on next time."""
        left = MOST
        for partition, lease in leases.items():
            shard = self._judge.shards.get(partition)
            if shard is None:
                continue
            await self._clear(shard, partition, lease)
            codes = [code for _, code in shard.over.due(self._judge.clock.now() - self._keep, left)]
            left -= len(codes)
            if codes:
                await self._evict(shard, codes, partition, lease)

    async def _evict(self, shard: Shard, codes: Sequence[str], partition: int, lease: Lease) -> None:
        now = self._judge.clock.now()
        try:
            known = await self._past.read(codes)
            async with shard.turn:
                ready = [code for code in codes if self._is_ready(shard, code, known[code], now)]
                stubs = [shard.stub(code) for code in ready]
                lease.check()
                await self._judge.outbox.send([remembered(stub, partition) for stub in stubs])
                for stub in stubs:
                    shard.evict(stub)
        except DunghanError:
            _put_off(shard, codes, now - self._keep)
            raise
        _put_off(shard, codes, now - self._keep + AGAIN)
        log.info("dossiers_evicted", partition=partition, dossiers=len(ready), kept=len(codes) - len(ready))
        self._judge.meters.count(metrics.EVICTIONS, len(ready))
        count_dossiers(self._judge.meters, self._judge.shards.values())
        await self._clear(shard, partition, lease)

    async def _clear(self, shard: Shard, partition: int, lease: Lease) -> None:
        """Delete what stubs cover."""
        async with shard.turn:
            keys = [key for covered in shard.covered.values() for key in covered]
            if keys:
                lease.check()
                await self._judge.outbox.send([Outgoing(topics.STATE.name, key, None, partition) for key in keys])
                shard.covered.clear()

    def _is_ready(self, shard: Shard, code: str, archived: Archived, now: datetime) -> bool:
        """Whether the dossier is over still, and ClickHouse holds all of it."""
        if code not in shard:
            return False
        dossier = shard.dossier(code)
        answer = assess(dossier.history, self._judge.rules, now=now)
        if foresee(dossier.history, answer, live=True).done_at is None or dossier.recalled or dossier.unconfirmed:
            return False
        newest = len(dossier.history.events), answer.version.as_of
        return (
            not any(alert.pending for alert in dossier.sent.values())
            and set(dossier.history.events) <= set(archived.events)
            and names(dossier.keys()) <= names(memory.key() for memory in archived.memories(code))
            and all(alert in archived.alerts for alert in dossier.sent.values())
            and dossier.said == archived.standings
            and all(archived.rows.get(cycle, _NO_ROW) >= newest for cycle in range(1, dossier.highest_cycle + 1))
        )


def _put_off(shard: Shard, codes: Iterable[str], over_since: datetime) -> None:
    """Those that are still here are asked about again, as if they had been over since then."""
    for code in codes:
        if code in shard:
            shard.over.put(code, over_since)
