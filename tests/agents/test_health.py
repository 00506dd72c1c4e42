"""Health tells the truth: one word, its HTTP code, and why."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.health import Health, Status

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


class Watch:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def health(watch: Watch) -> Health:
    return Health("archive", now=watch)


def says(health: Health) -> tuple[Status, bool]:
    return health.status, health.healthy


def test_a_worker_without_assignment_is_starting_and_not_healthy(health: Health) -> None:
    assert says(health) == ("starting", False)


def test_a_worker_is_catching_up_until_every_partition_is_read_in(health: Health) -> None:
    health.assigned({0, 1})
    health.caught_up(0)
    assert says(health) == ("catching_up", False)
    health.caught_up(1)
    assert says(health) == ("running", True)


def test_one_worker_too_many_stands_by_and_is_healthy(health: Health) -> None:
    health.assigned(set())
    assert says(health) == ("standby", True)


def test_a_held_worker_is_healthy_because_a_restart_helps_nobody(health: Health) -> None:
    health.assigned({0})
    health.caught_up(0)
    health.held(0, "clickhouse_unavailable", "connection refused")
    assert says(health) == ("held", True)
    assert health.hold_counts() == {"clickhouse_unavailable": 1}


def test_since_when_is_kept_while_the_reason_stays(health: Health, watch: Watch) -> None:
    health.assigned({0})
    health.held(0, "a", "first")
    watch.now += timedelta(minutes=5)
    health.held(0, "a", "again")
    assert (health.holds[0].since, health.holds[0].message) == (NOON, "again")
    health.held(0, "b", "other")
    assert health.holds[0].since == watch.now


def test_stalled_outweighs_everything(health: Health) -> None:
    health.assigned({0, 1})
    health.held(0, "a", "x")
    health.stalled({1})
    assert says(health) == ("stalled", False)
    health.stalled(())
    assert health.status == "held"


def test_a_revocation_forgets_holds_and_stalls(health: Health) -> None:
    health.assigned({0})
    health.held(0, "a", "x")
    health.stalled({0})
    health.revoked()
    assert says(health) == ("starting", False)
    assert health.report() == {
        "worker": "archive",
        "status": "starting",
        "assigned": [],
        "catching_up": [],
        "held": [],
        "stalled": [],
        "progress_at": None,
    }
