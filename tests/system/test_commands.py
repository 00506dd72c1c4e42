"""The operator's commands on real services: both workers under one command, status, explain, migrate, doctor."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agents.cli.status import CONSUMED
from agents.settings import Settings
from agents.telemetry import Meters
from agents.workers import WORKERS, build, real_ports
from schemas.event import Event
from tests.commands import dunghan
from tests.madeup.log import CONFIG
from tests.system.office import Office, WorkerProcess
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

CODE = "H26.01-260302-0001"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The office of the demonstration, with nothing in it and nobody at work."""
    with Office(tmp_path_factory.mktemp("commands"), CONFIG) as office:
        yield office


def both(office: Office) -> WorkerProcess:
    """`dunghan worker` without a name, its children at work."""
    parent = office.start("all", "agents", "worker", "--until-eof")

    def ready() -> bool:
        assert parent.exit_code is None
        return {line["worker"] for line in parent.lines if line["event"] == "partitions_assigned"} == set(WORKERS)

    until(ready, "both workers have their partitions")
    return parent


def children(parent: WorkerProcess) -> dict[str, int]:
    """The process ids of the workers, by name, as they logged them."""
    return {line["worker"]: line["pid"] for line in parent.lines if line["event"] == "worker_started"}


def gone(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_both_workers_stop_with_their_parent_and_it_ends_well(office: Office) -> None:
    parent = both(office)
    pids = children(parent)
    assert parent.stop() == 0
    until(lambda: all(map(gone, pids.values())), "the children are gone")


def test_when_one_worker_dies_the_other_is_stopped_and_the_whole_fails(office: Office) -> None:
    parent = both(office)
    pids = children(parent)
    os.kill(pids["archive"], signal.SIGKILL)
    assert parent.wait_gone() != 0
    office.workers.remove(parent)  # it was to fail
    until(lambda: all(map(gone, pids.values())), "the children are gone")
    assert [line["ended"] for line in parent.lines if line["event"] == "worker_ended"] == ["archive"]


def test_a_killed_parent_leaves_no_worker_behind(office: Office) -> None:
    parent = both(office)
    pids = children(parent)
    parent.kill()
    until(lambda: all(map(gone, pids.values())), "the children are gone")


def test_status_tells_what_works_and_ends_well_only_when_all_does(office: Office) -> None:
    # Nobody is at work; a worker that was killed before is believed in for as long as its session lasts.
    until(lambda: dunghan("status", settings=office.environment).code == 1, "status sees that nobody is at work")
    judge, archive = office.start_all()
    now = datetime.now(UTC).replace(microsecond=0)
    known: dict[str, Any] = {"dossier_code": CODE, "procedure_code": "1.004441", "processing_unit": "H26.01"}
    office.publish(
        [
            Event(**known, event_id="1", status=2, at=now - timedelta(hours=30)),
            Event(**known, event_id="2", status=4, at=now - timedelta(hours=3)),
        ]
    )
    office.wait_done()
    web = [option for worker in (judge, archive) for option in ("--web", str(worker.address))]
    said = office.command("status", *web).decode()
    assert "✗" not in said
    assert "behind: dossier.events.v1 0, dossier.events.rerouted.v1 0, dossier.looks.v1 0" in said
    assert re.search(r"2 events, 1 dossiers, [0-9]+ alerts, 0 dead letters", said)
    assert said.count("running, 4 partitions") == 2
    assert (
        "✗ worker       nobody answers at http://127.0.0.1:1"
        in office.command("status", *web, "--web", "http://127.0.0.1:1", exit_code=1).decode()
    )
    explained = office.command("explain", CODE).decode()
    assert explained.startswith(f"Hồ sơ {CODE} · xét đến ")
    assert "Chi nhánh số 1 (H26.01)" in explained
    assert "≠" not in explained
    office.command("explain", "H26.01-260302-0002", exit_code=1)
    judge.stop()
    archive.stop()


def test_migrate_may_run_again(office: Office) -> None:
    said = office.command("migrate").decode()
    assert said.splitlines()[:2] == ["topics     are right", "tables     are right"]


def test_doctor_shows_settings_without_secrets_and_what_the_folder_says(office: Office) -> None:
    secret = {"DUNGHAN_CLICKHOUSE_PASSWORD": "s3cret"}
    answered = dunghan("doctor", settings={**office.environment, **secret})
    assert answered.code == 0
    assert f"DUNGHAN_BROKERS={office.settings.brokers[0]}\n" in answered.out
    assert "DUNGHAN_CLICKHOUSE_PASSWORD is set (not shown)" in answered.out
    assert "s3cret" not in answered.out + answered.err
    assert "calendar vn 2026: confirmed, 249 open days" in answered.out


def test_doctor_names_every_fault_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "office.yaml").write_text("calendar: vn\nreception: vn\nreceit: civil\n")
    (tmp_path / "limits.yaml").write_text("version: one\nin_force_from: 2026-01-01\nrules: []\n")
    answered = dunghan("doctor", "--config", tmp_path)
    assert answered.code == 1
    assert f"✗ {tmp_path}/office.yaml:3: " in answered.out
    assert f"✗ {tmp_path}/limits.yaml:1: " in answered.out


def test_status_asks_for_the_topics_that_the_workers_consume() -> None:
    settings = Settings(config=CONFIG)
    wired = {name: tuple(build(name, settings, real_ports(settings), Meters()).topics) for name in WORKERS}
    assert wired == {name: tuple(topic.name for topic in wanted) for name, wanted in CONSUMED.items()}
