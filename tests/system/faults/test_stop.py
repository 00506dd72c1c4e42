"""SIGTERM ends a real worker in bounded time and in order, also while it holds because a service does not answer."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.process import STOP_SECONDS
from tests.system.generated import Log, configuration
from tests.system.office import Office
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

#: The process itself, and a busy machine.
SLACK = 5.0


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder: Path = tmp_path_factory.mktemp("stop")
    with Office(folder, configuration(folder / "config"), session_timeout=6) as office:
        yield office


@pytest.mark.parametrize(("name", "service"), [("judge", "kafka_server"), ("archive", "clickhouse_server")])
def test_a_worker_that_holds_stops_within_its_bound(office: Office, log: Log, name: str, service: str) -> None:
    workers = {each: office.start(each) for each in dict.fromkeys(("judge", name))}
    for each in workers.values():
        each.wait_caught_up()
    worker, frozen = workers[name], getattr(office.services, service)
    frozen.freeze()
    if name == "archive":  # the judge holds when its heartbeats are not answered, and needs no record for that
        office.send(log.records()[:500])
    try:
        until(lambda: worker.health().get("status") == "held", f"{name} holds")
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        code = worker.wait_gone()
        assert time.monotonic() - began < STOP_SECONDS + SLACK
        assert code == 0
    finally:
        frozen.thaw()
        for each in office.workers:
            each.kill()
