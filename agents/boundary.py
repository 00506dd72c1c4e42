"""Every chunk has one fate, and nothing escapes: done, held until done, dropped, or the process ends.

Faust acknowledges a record whose agent raises, so no exception may reach it. What a worker raises
decides:

==================  ===========================================================================
returns             done: the chunk may be acknowledged
`Unavailable`       held: the same chunk again after a pause, as long as it is ours; nothing is skipped
`LeaseLost`         dropped, unacknowledged, when the partition was taken away; while only the
                    heartbeat is late the chunk is held, because it may still be ours
anything else       a bug: raised on, so that the process ends non-zero and the offset stays
==================  ===========================================================================
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from typing import Protocol

import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception
from tenacity.wait import wait_base, wait_random_exponential

from agents.health import Health
from agents.ports import Chunk, Lease
from schemas.errors import DunghanError, LeaseLost, Unavailable

#: A worker: it returns when its outputs, and then its state, are acknowledged.
Handle = Callable[[Chunk, Lease], Awaitable[None]]

#: Between two tries of a held chunk: random up to 0.25 s, 0.5 s, 1 s … at most 5 s, so that workers which
#: wait for the same thing do not come back at the same moment, and nobody notices the last pause.
PAUSE = wait_random_exponential(multiplier=0.25, max=5.0)
#: How soon a waiting chunk notices that its partition was taken away; its partition's next owner may be this
#: very process, and waits for the chunk to let go.
NOTICE_SECONDS = 0.1

log = structlog.stdlib.get_logger(__name__)


class Fate(Enum):
    """What became of a chunk that did not end the process."""

    DONE = "done"
    DROPPED = "dropped"


class EndingLease(Lease, Protocol):
    """A lease that knows whether it ended for good."""

    @property
    def gone(self) -> bool:
        """True, and for ever, once the partition was taken away; a late heartbeat alone is not that."""
        ...


class Boundary:
    """Carries chunks to one worker and its failures to their fates."""

    def __init__(self, handle: Handle, health: Health, *, pause: wait_base = PAUSE) -> None:
        self._handle = handle
        self._health = health
        self._pause = pause

    async def carry(self, chunk: Chunk, lease: EndingLease) -> Fate:
        """Return the fate of the chunk, after as many tries as it takes.

        A chunk that waits (`Unavailable`) waits without bound; `agents.health` says so. Raises
        only what is a bug.
        """

        async def attempt() -> None:
            lease.check()
            await self._handle(chunk, lease)

        return await insist(attempt, chunk.partition, lease, self._health, pause=self._pause)


async def insist(
    attempt: Callable[[], Awaitable[None]],
    partition: int,
    lease: EndingLease,
    health: Health,
    *,
    pause: wait_base = PAUSE,
) -> Fate:
    """Try until it is done or the lease is gone: the fates of this module, for any work on a partition."""

    async def once() -> None:  # tenacity awaits coroutine functions alone
        await attempt()

    def waits(failure: BaseException) -> bool:
        return isinstance(failure, Unavailable | LeaseLost) and not lease.gone

    def hold(state: RetryCallState) -> None:
        failure = state.outcome.exception() if state.outcome else None
        if isinstance(failure, DunghanError):
            _hold(health, partition, failure)

    async def sleep(seconds: float) -> None:
        await _sleep_while_ours(seconds, lease)

    done = False
    try:
        await AsyncRetrying(retry=retry_if_exception(waits), wait=pause, before_sleep=hold, sleep=sleep, reraise=True)(
            once
        )
        done = True
    except (Unavailable, LeaseLost) as lost:
        log.warning("chunk_dropped", partition=partition, reason=lost.reason)
    finally:
        if not lease.gone:  # else the partition is nobody's, or another chunk's, to speak of
            health.resumed(partition, progress=done)
    return Fate.DONE if done else Fate.DROPPED


def _hold(health: Health, partition: int, failure: DunghanError) -> None:
    known = health.holds.get(partition)
    if known is None or known.reason != failure.reason:
        log.warning("partition_held", partition=partition, reason=failure.reason, why=failure.message)
    health.held(partition, failure.reason, failure.message)


async def _sleep_while_ours(seconds: float, lease: EndingLease) -> None:
    while seconds > 0 and not lease.gone:
        await asyncio.sleep(min(seconds, NOTICE_SECONDS))
        seconds -= NOTICE_SECONDS
