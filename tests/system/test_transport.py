"""Chunks through Faust on a real Kafka: nothing lost, nothing starved, nothing hung, whoever dies or waits."""

import asyncio
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.drivers.kafka import KafkaOutbox, connection
from agents.drivers.kafka_groups import standing
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.ports import Outgoing
from schemas.topics import Topic
from tests.contracts.brokers import PARTITIONS, local_settings
from tests.system.workers import CountingProcess, Seen, until

pytestmark = pytest.mark.system

SESSION = 3.0


@dataclass
class Stage:
    """Two topics, a group, and the processes of one test."""

    services: Services
    folder: Path
    name: str = field(default_factory=lambda: f"count{uuid.uuid4().hex[:8]}")
    processes: list[CountingProcess] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings = local_settings(self.services)
        self.events, self.looks = f"{self.name}.events", f"{self.name}.looks"

    @property
    def topics(self) -> list[str]:
        return [self.events, self.looks]

    def worker(self, worker_id: str = "one", *, folder: str | None = None, **settings: object) -> CountingProcess:
        """A new process of this worker; the folder it obeys is named by its id."""
        environment = {
            "DUNGHAN_BROKERS": self.services.brokers,
            "DUNGHAN_PARTITIONS": str(PARTITIONS),
            "DUNGHAN_REPLICATION": "1",
            "DUNGHAN_MIN_INSYNC": "1",
            "DUNGHAN_WORKER_ID": worker_id,
            "DUNGHAN_SESSION_TIMEOUT": str(SESSION),
            **{f"DUNGHAN_{name.upper()}": str(value) for name, value in settings.items()},
        }
        process = CountingProcess(self.folder / (folder or worker_id), self.name, self.topics, environment)
        self.processes.append(process)
        return process

    def publish(self, count: int, *topics: str) -> None:
        """So many records into each partition of the topics (of both, when none is named)."""

        async def send() -> None:
            async with KafkaOutbox(self.settings) as outbox:
                for topic in topics or self.topics:
                    for partition in range(PARTITIONS):
                        await outbox.send([Outgoing(topic, b"k", b"x" * 100, partition) for _ in range(count)])

        asyncio.run(send())

    def committed(self) -> dict[tuple[str, int], int]:
        """What the group has committed, by partition."""

        async def ask() -> dict[tuple[str, int], int]:
            admin = AIOKafkaAdminClient(**connection(self.settings))
            await admin.start()
            try:
                _, committed = await standing(admin, self.name)
                return {(tp.topic, tp.partition): offset for tp, offset in committed.items()}
            finally:
                await admin.close()

        return asyncio.run(ask())

    def ends(self) -> dict[tuple[str, int], int]:
        """The end offset of every partition."""

        async def ask() -> dict[tuple[str, int], int]:
            consumer = AIOKafkaConsumer(**connection(self.settings))
            await consumer.start()
            try:
                where = [TopicPartition(topic, number) for topic in self.topics for number in range(PARTITIONS)]
                return {(tp.topic, tp.partition): end for tp, end in (await consumer.end_offsets(where)).items()}
            finally:
                await consumer.stop()

        return asyncio.run(ask())

    def wait_until_all_committed(self) -> None:
        """Return when the group has committed everything that was published."""
        ends = self.ends()
        until(lambda: self.committed() == ends, "everything committed")

    def seen(self) -> list[Seen]:
        """What all processes of this test handled."""
        return [chunk for process in self.processes for chunk in process.seen()]


@pytest.fixture
def stage(services: Services, tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(services, tmp_path)
    topics = [Topic(name, "for a test") for name in stage.topics]

    async def create() -> None:
        await create_topics(stage.settings)
        await create_topics(stage.settings, topics)

    asyncio.run(create())
    try:
        yield stage
    finally:
        for process in stage.processes:
            process.kill()


def offsets(chunks: list[Seen]) -> dict[tuple[str, int], list[int]]:
    """The offsets handled, as often as they were, by partition."""
    answer: dict[tuple[str, int], list[int]] = {}
    for chunk in chunks:
        answer.setdefault((chunk.topic, chunk.partition), []).extend(range(chunk.first, chunk.last + 1))
    return answer


def lost(stage: Stage) -> dict[tuple[str, int], set[int]]:
    """What nobody handled, by partition; empty when nothing was lost."""
    handled = offsets(stage.seen())
    missing = {where: set(range(end)) - set(handled.get(where, ())) for where, end in stage.ends().items()}
    return {where: numbers for where, numbers in missing.items() if numbers}


def test_every_record_comes_once_in_chunks_and_the_commits_cover_the_chunks(stage: Stage) -> None:
    stage.publish(5_000)
    worker = stage.worker()
    stage.wait_until_all_committed()
    assert {where: sorted(numbers) for where, numbers in offsets(worker.seen()).items()} == {
        where: list(range(end)) for where, end in stage.ends().items()
    }
    assert len(worker.seen()) < 8 * 5_000 / 100
    assert worker.health()["status"] == "running"


def test_a_record_on_an_idle_topic_is_handled_within_a_second_and_so_is_the_next(stage: Stage) -> None:
    worker = stage.worker()
    worker.wait_until("running")
    time.sleep(1)
    for number in range(1, 6):
        stage.publish(1, stage.looks)
        until(lambda count=number: len(worker.seen()) >= count * PARTITIONS, "handled", within=1.0)  # type: ignore[misc]


def test_many_chunks_of_one_partition_follow_each_other_at_once(stage: Stage) -> None:
    worker = stage.worker(chunk_records=100)
    worker.wait_until("running")
    worker.ask("pause")
    stage.publish(2_000, stage.events)
    until(lambda: sum(chunk.count for chunk in worker.seen()) == 8_000, "handled", within=8)
    assert len(worker.seen()) >= 80


def test_a_partition_is_read_in_before_its_first_chunk(stage: Stage) -> None:
    stage.publish(10)
    (stage.folder / "one").mkdir()
    (stage.folder / "one" / "slow-read").touch()
    worker = stage.worker()
    worker.wait_until("catching_up")
    assert worker.health()["code"] == 503
    assert worker.seen() == []
    stage.wait_until_all_committed()
    assert worker.told() == [f"assigned {number}" for number in range(PARTITIONS)]
    assert worker.health()["code"] == 200


def test_after_sigkill_the_same_worker_goes_on_where_it_had_committed(stage: Stage) -> None:
    # The session is longer than the test is patient: only a static member is served before it ends.
    first = stage.worker(session_timeout=60)
    stage.publish(500)
    stage.wait_until_all_committed()
    first.ask("hold-1")
    stage.publish(500)
    ends = stage.ends()
    until(lambda: sum(end == stage.committed()[where] for where, end in ends.items()) == 6, "all but two committed")
    first.kill()
    committed = stage.committed()
    first.unask("hold-1")
    stage.publish(500)
    began = time.monotonic()
    second = stage.worker(session_timeout=60)
    until(lambda: (second.folder / f"seen-{second.process.pid}").exists() and second.seen(), "records again")
    assert time.monotonic() - began < 20
    stage.wait_until_all_committed()
    assert lost(stage) == {}
    assert {where: min(numbers) for where, numbers in offsets(second.seen()).items()} == committed


def test_a_hold_longer_than_the_poll_interval_keeps_the_partitions_and_goes_on(stage: Stage) -> None:
    worker = stage.worker(poll_interval=2)
    worker.wait_until("running")
    worker.ask("hold")
    stage.publish(100)
    worker.wait_until("held")
    time.sleep(3 * 2 + SESSION)
    report = worker.health()
    assert (report["code"], {hold["reason"] for hold in report["held"]}) == (200, {"test_hold"})
    worker.unask("hold")
    stage.wait_until_all_committed()
    assert lost(stage) == {}
    assert [line for line in worker.told() if "assigned" in line] == [
        f"assigned {number}" for number in range(PARTITIONS)
    ]
    assert not [line for line in worker.told() if "revoked" in line]


def test_a_held_partition_starves_no_other_and_holds_its_number_in_every_topic(stage: Stage) -> None:
    worker = stage.worker()
    worker.wait_until("running")
    worker.ask("hold-2")
    for _ in range(5):
        stage.publish(1_000)
    ends = stage.ends()
    free = {where for where in ends if where[1] != 2}
    until(lambda: all(stage.committed().get(where) == ends[where] for where in free), "the others are done")
    assert not any(chunk.partition == 2 for chunk in worker.seen())
    assert [hold["partition"] for hold in worker.health()["held"]] == [2]
    worker.unask("hold-2")
    stage.wait_until_all_committed()
    assert lost(stage) == {}


def test_a_held_partition_keeps_one_chunk_in_memory_however_much_is_published(stage: Stage) -> None:
    worker = stage.worker(chunk_records=100)
    worker.wait_until("running")
    worker.ask("hold")
    stage.publish(2_000)
    worker.wait_until("held")
    time.sleep(3)
    assert set(worker.told()) - {f"assigned {number}" for number in range(PARTITIONS)} == {"chunks-of-a-partition 1"}


def test_a_second_worker_that_joins_during_a_hold_takes_over_and_nothing_is_lost(stage: Stage) -> None:
    holding = stage.worker("one")
    holding.wait_until("running")
    holding.ask("hold")
    stage.publish(1_000)
    holding.wait_until("held")
    helping = stage.worker("two")
    helping.wait_until("running")
    until(lambda: len(holding.health().get("assigned", [])) == 2, "shared")
    moved = set(helping.health()["assigned"])
    ends = stage.ends()
    until(
        lambda: all(stage.committed().get(where) == end for where, end in ends.items() if where[1] in moved),
        "the moved partitions are done",
    )
    assert holding.seen() == []
    assert holding.said("chunk_dropped")
    holding.unask("hold")
    stage.wait_until_all_committed()
    assert lost(stage) == {}
    assert {chunk.partition for chunk in holding.seen()} == set(range(PARTITIONS)) - moved


def test_a_chunk_finished_after_a_rebalance_is_not_acknowledged_in_the_name_of_the_next_one(stage: Stage) -> None:
    worker = stage.worker("one")
    worker.wait_until("running")
    worker.ask("slow")
    stage.publish(100, stage.events)
    until(lambda: len({line for line in worker.told() if "taken" in line}) == PARTITIONS, "a chunk of each is taken")
    worker.ask("hold")  # every chunk after those, from the first moment of the next assignment
    stage.worker("two", folder="idle").ask("hold")
    until(lambda: len(worker.health().get("assigned", [])) == 2, "shared")
    worker.unask("slow")
    until(lambda: len(worker.seen()) == PARTITIONS, "the old chunks finish")
    worker.wait_until("held")
    time.sleep(1.5)
    assert stage.committed() == {}


@pytest.mark.parametrize("count", [2, 3])
def test_the_partitions_of_one_number_go_to_the_same_worker(stage: Stage, count: int) -> None:
    workers = [stage.worker(f"w{number}") for number in range(count)]

    def shared() -> bool:
        reports = [worker.health() for worker in workers]
        numbers = [number for report in reports for number in report.get("assigned", [])]
        return sorted(numbers) == list(range(PARTITIONS)) and all(report["status"] == "running" for report in reports)

    until(shared, "shared out")
    stage.publish(50)
    stage.wait_until_all_committed()
    for worker in workers:
        by_topic = [{chunk.partition for chunk in worker.seen() if chunk.topic == topic} for topic in stage.topics]
        assert by_topic[0] == by_topic[1] == set(worker.health()["assigned"])


def test_a_worker_suspended_past_its_session_comes_back_and_nothing_is_lost(stage: Stage) -> None:
    # Suspended past the poll interval as well: with stock Faust such a worker lives on and never comes back.
    sleepy, other = stage.worker("one", poll_interval=2), stage.worker("two")
    for worker in (sleepy, other):
        until(lambda it=worker: len(it.health().get("assigned", [])) == 2, "shared")  # type: ignore[misc]
        worker.wait_until("running")
    sleepy.ask("hold")
    stage.publish(500)
    sleepy.wait_until("held")
    sleepy.signal(signal.SIGSTOP)
    until(lambda: len(other.health()["assigned"]) == PARTITIONS, "taken over")
    stage.wait_until_all_committed()
    sleepy.unask("hold")
    stage.publish(500)
    sleepy.signal(signal.SIGCONT)
    until(lambda: sleepy.health().get("status") == "running", "it came back")
    until(lambda: len(sleepy.health()["assigned"]) == 2, "with partitions")
    stage.publish(500)
    stage.wait_until_all_committed()
    assert lost(stage) == {}
    assert sleepy.seen()


def _hang(worker: CountingProcess) -> None:
    worker.ask("hang-1")


def _block(worker: CountingProcess) -> None:
    worker.ask("block-1")


@pytest.mark.parametrize("stick", [_hang, _block])
def test_a_worker_that_is_stuck_ends_non_zero_and_another_loses_nothing(
    stage: Stage, stick: Callable[[CountingProcess], None]
) -> None:
    worker = stage.worker(stall_timeout=3)
    worker.wait_until("running")
    stick(worker)
    stage.publish(100)
    assert worker.wait() == 75
    assert worker.said("worker_stalled")
    stage.worker(folder="other")
    stage.wait_until_all_committed()
    assert lost(stage) == {}


def test_a_bug_ends_the_process_with_its_traceback_and_the_record_stays(stage: Stage) -> None:
    worker = stage.worker()
    worker.wait_until("running")
    worker.ask("bug-3")
    stage.publish(10, stage.events)
    assert worker.wait() == 70
    assert "ZeroDivisionError" in worker.said("worker_failed")[0]["exception"]
    assert stage.committed().get((stage.events, 3), 0) == 0
    worker.unask("bug-3")
    stage.worker()
    until(lambda: stage.committed().get((stage.events, 3)) == 10, "handled by the next one")


@pytest.mark.parametrize("held", [False, True])
def test_sigterm_stops_in_bounded_time_also_during_a_hold(stage: Stage, *, held: bool) -> None:
    worker = stage.worker()
    worker.wait_until("running")
    if held:
        worker.ask("hold")
    stage.publish(100)
    if held:
        worker.wait_until("held")
    else:
        stage.wait_until_all_committed()
    worker.signal(signal.SIGTERM)
    assert worker.wait(within=20) == 0


@pytest.mark.parametrize(
    ("settings", "code", "reason", "advice"),
    [
        ({"brokers": "127.0.0.1:1"}, 69, "kafka_unavailable", "DUNGHAN_BROKERS"),
        ({"partitions": 8}, 78, "topic_partitions", "DUNGHAN_PARTITIONS is 8"),
        ({"min_insync": 2}, 78, "topic_config", "min.insync.replicas is 1, not 2"),
        ({"web_host": "203.0.113.1"}, 78, "web_address", "DUNGHAN_WEB_PORT"),
    ],
)
def test_a_worker_refuses_to_start_with_one_line_that_says_what_to_do(
    stage: Stage, settings: dict[str, Any], code: int, reason: str, advice: str
) -> None:
    worker = stage.worker(**settings)
    assert worker.wait() == code
    problems = [line for line in worker.lines if line["level"] in {"warning", "error"}]
    assert [line["reason"] for line in problems] == [reason]
    assert advice in problems[0]["why"]
