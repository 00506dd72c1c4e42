"""tick: asks for the dossiers whose time has come, so that an idle topic still alerts.

It only asks, through `dossier.looks.v1`; judge answers in order with the events. A crash after
asking loses nothing: the question stands in the topic. When rules change, it asks for all open dossiers in portions.
"""

from collections.abc import Mapping

from agents.judge import Judge
from agents.ports import Lease, Outgoing
from schemas import metrics, topics
from schemas.dossier import Look, dump
from schemas.errors import DunghanError

EVERY = 0.2  # seconds; an alert must stand within two of its instant
PACE = 500  # looks a partition and turn: at midnight all dated limits flip at once, and events come first
PORTION = 100  # looks a partition for changed rules; the next ones when these are answered, and events in between


class Tick:
    """The timer of one judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def run(self, leases: Mapping[int, Lease]) -> None:
        """Ask for what is due in these partitions. Raises `Unavailable`, and asks again the next time."""
        judge = self._judge
        for partition, lease in leases.items():
            shard = judge.shards.get(partition)
            if shard is None:
                continue
            now = judge.clock.now()
            due = shard.looks.due(now, PACE)
            portion = shard.review.portion(PORTION)
            if not due and not portion:
                continue
            asked = [*due, *((now, code) for code in portion)]
            looks = [Outgoing(topics.LOOKS.name, code.encode(), dump(Look(code, at)), partition) for at, code in asked]
            try:
                lease.check()
                await judge.outbox.send(looks)
            except DunghanError:
                shard.review.unasked()
                for at, code in due:
                    if code not in shard.looks:
                        shard.looks.put(code, at)
                raise
            judge.meters.count(metrics.LOOKS, len(looks))
