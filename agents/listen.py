"""listen: keeps up what judge knows of the feeds, and looks at once at what was held when a unit comes back."""

import asyncio
from collections.abc import Mapping

import structlog

from agents.judge import Judge
from agents.ports import Lease
from schemas import metrics

EVERY = 2.0  # seconds; how late a silence, or its end, may be noticed

log = structlog.stdlib.get_logger(__name__)


class Listen:
    """The timer of one judge."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    async def run(self, _: Mapping[int, Lease]) -> None:
        """Learn what there is to know. Raises `Unavailable`, and what was known stands.

        A judge whose clock tells nobody anything claims nothing either.
        """
        judge = self._judge
        now = judge.clock.now()
        returned = await judge.feeds.refresh(now=now)
        if not judge.clock.live:
            return
        await judge.feeds.announce(judge.outbox, now=now)
        judge.meters.replace(metrics.SILENT_FEEDS, dict.fromkeys(judge.feeds.silent, 1))
        if returned:
            log.info("feed_returned", units=sorted(returned))
            await self._look_at_held()

    async def _look_at_held(self) -> None:
        """Ask for every dossier with a held alert: whichever unit it is, what is still silent stays held."""
        for shard in tuple(self._judge.shards.values()):
            for code in shard.held():
                shard.looks.put(code, self._judge.clock.now())
            await asyncio.sleep(0)
