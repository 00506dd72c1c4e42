"""The lease: each reason for doubt says so before something is written."""

import asyncio
import time
from types import SimpleNamespace
from typing import cast

import faust
import pytest

from agents.drivers.fetching import ChunkThread
from agents.drivers.transport import AssignmentLease, ChunkConsumer
from schemas.errors import LeaseLost


def consumer(*, heartbeat_age: float = 0.0, rebalancing: bool = False) -> SimpleNamespace:
    return SimpleNamespace(
        app=SimpleNamespace(consumer_generation_id=7, rebalancing=rebalancing),
        heartbeat_at=time.monotonic() - heartbeat_age,
        settings=SimpleNamespace(session_timeout=10.0),
    )


def reason_of(lease: AssignmentLease) -> str | None:
    try:
        lease.check()
    except LeaseLost as lost:
        return lost.reason
    return None


def lease_on(stub: SimpleNamespace) -> AssignmentLease:
    return AssignmentLease(cast("ChunkConsumer", stub))


def test_a_lease_with_a_fresh_heartbeat_holds() -> None:
    assert reason_of(lease_on(consumer(heartbeat_age=9))) is None


def test_a_heartbeat_older_than_the_session_is_doubt_until_the_next_one() -> None:
    stub = consumer(heartbeat_age=11)
    lease = lease_on(stub)
    assert reason_of(lease) == "heartbeat_late"
    stub.heartbeat_at = time.monotonic()
    assert reason_of(lease) is None
    assert not lease.gone


def test_a_rebalance_under_way_is_doubt() -> None:
    assert reason_of(lease_on(consumer(rebalancing=True))) == "rebalancing"


def test_a_generation_that_moved_is_doubt_before_anybody_told_us() -> None:
    stub = consumer()
    lease = lease_on(stub)
    stub.app.consumer_generation_id = 8
    assert reason_of(lease) == "rebalancing"


@pytest.mark.parametrize("heartbeat_age", [0, 11])
def test_a_lease_that_ended_is_lost_for_ever(heartbeat_age: float) -> None:
    lease = lease_on(consumer(heartbeat_age=heartbeat_age))
    lease.gone = True
    assert reason_of(lease) == "partition_moved"


async def test_a_consumer_that_has_not_begun_yet_has_not_been_silent_since_the_machine_was_started() -> None:
    here = asyncio.get_running_loop()
    app = faust.App("not-started", loop=here)
    consumer = SimpleNamespace(app=app, transport=SimpleNamespace(app=app), RebalanceListener=lambda thread: None)
    thread = ChunkThread(consumer, loop=here, thread_loop=here)
    assert time.monotonic() - thread.heartbeat_at < 5
