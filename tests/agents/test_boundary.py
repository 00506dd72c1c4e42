"""One fate for every chunk: done, held until done, dropped, or the end of the process."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from tenacity import wait_fixed, wait_none

from agents.boundary import Boundary, Fate
from agents.drivers.memory import MemoryLease, MemoryRecord
from agents.health import Health
from agents.ports import Chunk, Lease
from schemas.errors import LeaseLost, Unavailable

CHUNK = Chunk("events", 3, (MemoryRecord("events", 3, 7, 0, b"k", b"v"),))
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Scripted:
    """A worker whose calls end as the script says; the last word is repeated."""

    def __init__(self, *outcomes: BaseException | Callable[[], None] | None) -> None:
        self._outcomes = list(outcomes)
        self.calls = 0

    async def handle(self, chunk: Chunk, lease: Lease) -> None:
        outcome = self._outcomes[min(self.calls, len(self._outcomes) - 1)]
        self.calls += 1
        if isinstance(outcome, BaseException):
            raise outcome
        if outcome is not None:
            outcome()


def down(reason: str = "clickhouse_unavailable") -> Unavailable:
    return Unavailable(reason, "connection refused")


def healthy() -> Health:
    health = Health("judge", now=lambda: NOON)
    health.assigned({3})
    health.caught_up(3)
    return health


def boundary(worker: Scripted, health: Health) -> Boundary:
    return Boundary(worker.handle, health, pause=wait_none())


async def test_a_chunk_whose_handle_returns_is_done() -> None:
    worker, health = Scripted(None), healthy()
    assert await boundary(worker, health).carry(CHUNK, MemoryLease()) is Fate.DONE
    assert (worker.calls, health.status) == (1, "running")
    assert health.report()["progress_at"] == "2026-01-05T12:00:00.000+00:00"


async def test_an_outage_holds_the_same_chunk_until_it_is_done() -> None:
    health = healthy()
    worker = Scripted(down(), down(), lambda: seen.append(health.report()["held"]), None)
    seen: list[object] = []
    assert await boundary(worker, health).carry(CHUNK, MemoryLease()) is Fate.DONE
    assert worker.calls == 3
    held = {
        "partition": 3,
        "reason": "clickhouse_unavailable",
        "message": "connection refused",
        "since": "2026-01-05T12:00:00+00:00",
    }
    assert seen == [[held]]
    assert health.status == "running"


async def test_the_reason_of_a_hold_is_the_latest_failure() -> None:
    health = healthy()
    reasons: list[str] = []

    def note() -> None:
        reasons.append(health.holds[3].reason)
        raise down("b")

    await boundary(Scripted(down("a"), note, lambda: reasons.append(health.holds[3].reason)), health).carry(
        CHUNK, MemoryLease()
    )
    assert reasons == ["a", "b"]


async def test_a_held_chunk_whose_partition_was_taken_away_is_dropped() -> None:
    lease, health = MemoryLease(), healthy()

    def lose() -> None:
        lease.lose()
        raise down()

    worker = Scripted(lose)
    assert await boundary(worker, health).carry(CHUNK, lease) is Fate.DROPPED
    assert worker.calls == 1


async def test_the_lease_is_checked_before_each_try() -> None:
    lease = MemoryLease()
    lease.lose_after(2)
    worker = Scripted(down())
    assert await boundary(worker, healthy()).carry(CHUNK, lease) is Fate.DROPPED
    assert worker.calls == 2


async def test_a_late_heartbeat_holds_because_the_partition_may_still_be_ours() -> None:
    worker, health = Scripted(LeaseLost("heartbeat_late", "3 s late"), None), healthy()
    assert await boundary(worker, health).carry(CHUNK, MemoryLease()) is Fate.DONE
    assert worker.calls == 2


async def test_a_bug_is_raised_on_and_tried_once() -> None:
    worker = Scripted(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await boundary(worker, healthy()).carry(CHUNK, MemoryLease())
    assert worker.calls == 1


async def test_a_long_pause_ends_when_the_partition_is_taken_away() -> None:
    lease, worker = MemoryLease(), Scripted(down())
    carrying = asyncio.create_task(Boundary(worker.handle, healthy(), pause=wait_fixed(60)).carry(CHUNK, lease))
    await asyncio.sleep(0.01)
    lease.lose()
    assert await asyncio.wait_for(carrying, 1) is Fate.DROPPED


async def test_a_dropped_chunk_says_nothing_about_a_partition_that_is_anothers() -> None:
    lease, health = MemoryLease(), healthy()

    def lose_and_come_back() -> None:
        lease.lose()
        health.revoked()
        health.assigned({3})
        health.held(3, "kafka_unavailable", "the next assignment waits already")
        raise down()

    await boundary(Scripted(lose_and_come_back), health).carry(CHUNK, lease)
    assert health.holds[3].reason == "kafka_unavailable"
