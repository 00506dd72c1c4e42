"""sum_up: tells what a change of rules did to the alerts of a partition, in one record, when its review is over.

The count is in the state before it is out, and marked as told after: a crash in between tells the very same again.
"""

from collections.abc import Mapping

from agents.judge import Judge
from agents.judged import remembered
from agents.ports import Lease, Outgoing
from agents.shard import Shard
from schemas import metrics, topics
from schemas.dossier import Memory, dump
from schemas.rulebook import Change, Rulebook
from streams.rulebook import count_up

EVERY = 0.5  # seconds

#: The key of the grouped records, which belong to no dossier.
KEY = b"change"


class SumUp:
    """The timer of one judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def run(self, leases: Mapping[int, Lease]) -> None:
        """Tell of the reviews that are over. Raises `Unavailable`, and goes on with it the next time."""
        shards = self._judge.shards
        self._judge.meters.put(metrics.UNREVIEWED, sum(len(shard.review.waiting) for shard in shards.values()))
        for partition, lease in leases.items():
            shard = shards.get(partition)
            for book, change in shard.review.settled() if shard is not None else ():
                await self._tell(partition, lease, shards[partition], book, change)

    async def _tell(self, partition: int, lease: Lease, shard: Shard, book: Rulebook, change: Change | None) -> None:
        if change is None:
            change = count_up(book.version, partition, shard.told_under(book.version))
            await self._remember(partition, lease, shard, Memory("", intended=True, rules=book, change=change))
        lease.check()
        await self._judge.outbox.send([Outgoing(topics.ALERTS.name, KEY, dump(change), partition)])
        await self._remember(partition, lease, shard, Memory("", rules=book, change=change))

    async def _remember(self, partition: int, lease: Lease, shard: Shard, memory: Memory) -> None:
        lease.check()
        await self._judge.outbox.send([remembered(memory, partition)])
        shard.review.remember(memory)
