"""A broker that stops, dies or comes back: the worker says held, waits, and goes on by itself."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from schemas.topics import Topic
from tests.contracts.brokers import local_settings
from tests.system.test_transport import SESSION, Stage, lost
from tests.system.workers import until

pytestmark = pytest.mark.system


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    services = Services(tmp_path / "services")
    services.kafka_server.start()
    try:
        services.kafka_server.wait_ready()
        settings = local_settings(services)
        stage = Stage(services, tmp_path)

        async def create() -> None:
            await create_topics(settings)
            await create_topics(settings, [Topic(name, "for a test") for name in stage.topics])

        asyncio.run(create())
        try:
            yield stage
        finally:
            for process in stage.processes:
                process.kill()
    finally:
        services.kafka_server.stop()


def test_an_idle_worker_is_held_while_the_broker_is_frozen_and_goes_on_when_it_thaws(stage: Stage) -> None:
    worker = stage.worker()
    worker.wait_until("running")
    stage.services.kafka_server.freeze()
    worker.wait_until("held")
    report = worker.health()
    assert (report["code"], {hold["reason"] for hold in report["held"]}) == (200, {"kafka_unavailable"})
    time.sleep(SESSION)
    stage.services.kafka_server.thaw()
    worker.wait_until("running")
    stage.publish(100)
    stage.wait_until_all_committed()
    assert lost(stage) == {}


def test_a_worker_survives_a_broker_that_is_killed_under_load_and_started_again(stage: Stage) -> None:
    worker = stage.worker(chunk_records=50)
    worker.wait_until("running")
    worker.ask("pause")
    stage.publish(1_000)
    until(worker.seen, "under way")
    stage.services.kafka_server.kill()
    time.sleep(2)
    stage.services.kafka_server.restart()
    stage.services.kafka_server.wait_ready()
    worker.unask("pause")
    stage.wait_until_all_committed()
    assert lost(stage) == {}
    assert worker.process.poll() is None
    assert worker.health()["status"] == "running"
