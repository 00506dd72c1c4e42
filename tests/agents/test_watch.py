"""A process that cannot go on must notice, and one that waits for good reason must be left alone."""

import pytest
from faust.types import TP

from agents.health import Health
from agents.watch import LOST_SECONDS, StallWatch

A3, B3, A4 = TP("a", 3), TP("b", 3), TP("a", 4)


class World:
    """A consumer and a clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.heartbeat_at = 1000.0
        self.waiting: dict[TP, object] = {}

    def progress_of(self, tp: TP) -> tuple[bool, object]:
        return tp in self.waiting, self.waiting.get(tp)

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        self.heartbeat_at = self.now


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def health() -> Health:
    health = Health("judge")
    health.assigned({3, 4})
    health.caught_up(3)
    health.caught_up(4)
    return health


@pytest.fixture
def watch(world: World, health: Health) -> StallWatch:
    return StallWatch(world, health, stall_timeout=60, session_timeout=10, monotonic=lambda: world.now)


def test_records_that_wait_without_progress_are_a_stall(watch: StallWatch, world: World, health: Health) -> None:
    world.waiting[A3] = "chunk 1"
    assert watch.look([A3, A4]) is None
    world.pass_time(59)
    assert watch.look([A3, A4]) is None
    world.pass_time(2)
    assert watch.look([A3, A4]) == "records of partitions [3] wait, and nothing moved for 60 s"
    assert health.status == "stalled"


def test_an_idle_partition_never_stalls(watch: StallWatch, world: World) -> None:
    for _ in range(10):
        world.pass_time(59)
        assert watch.look([A3]) is None


def test_progress_starts_the_count_again(watch: StallWatch, world: World) -> None:
    for chunk in range(10):
        world.waiting[A3] = chunk
        assert watch.look([A3]) is None
        world.pass_time(50)


def test_a_held_partition_and_the_topics_behind_it_never_stall(watch: StallWatch, world: World, health: Health) -> None:
    world.waiting = {A3: "chunk", B3: "its neighbour, waiting for its turn"}
    health.held(3, "clickhouse_unavailable", "x")
    for _ in range(10):
        world.pass_time(59)
        assert watch.look([A3, B3]) is None
    health.resumed(3)
    world.pass_time(59)
    assert watch.look([A3, B3]) is None
    world.pass_time(61)
    assert watch.look([A3, B3]) is not None


def test_reading_in_is_not_a_stall(watch: StallWatch, world: World, health: Health) -> None:
    health.assigned({3})
    world.waiting[A3] = "chunk"
    for _ in range(10):
        world.pass_time(59)
        assert watch.look([A3]) is None


def test_a_silent_broker_holds_also_an_idle_worker_and_then_ends_it(
    watch: StallWatch, world: World, health: Health
) -> None:
    world.now += 11
    assert watch.look([A3, A4]) is None
    assert {hold.reason for hold in health.holds.values()} == {"kafka_unavailable"}
    world.now += LOST_SECONDS
    assert watch.look([A3, A4]) == "no heartbeat was accepted for 131 s"


def test_a_broker_that_answers_again_ends_its_hold_alone(watch: StallWatch, world: World, health: Health) -> None:
    health.held(4, "clickhouse_unavailable", "x")
    world.now += 11
    watch.look([A3, A4])
    world.pass_time(1)
    watch.look([A3, A4])
    assert {number: hold.reason for number, hold in health.holds.items()} == {4: "clickhouse_unavailable"}


def test_before_the_first_heartbeat_a_slow_start_counts_from_the_start(world: World, health: Health) -> None:
    world.heartbeat_at = 0.0
    watch = StallWatch(world, health, stall_timeout=60, session_timeout=10, monotonic=lambda: world.now)
    world.now += 9
    assert watch.look([A3]) is None
    assert health.holds == {}
    world.now += LOST_SECONDS
    assert watch.look([A3]) == "no heartbeat was accepted for 129 s"
