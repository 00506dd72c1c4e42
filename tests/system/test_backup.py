"""The drills of docs/operator.md, by the very lines of the page: backed up, lost, restored, and the same rows.

Nothing but the backup is carried from one installation to the next. Before the workers start, the drill also empties
the tables that can be judged again, so that the rows compared at the end were made from the events.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import ConsumerRecord

from agents.drivers.clickhouse import connect
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import ALERT
from tests.commands import ROOT
from tests.hanoi import event
from tests.system.generated import Log, configuration
from tests.system.office import Office, Row

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PAGE = (ROOT / "docs" / "operator.md").read_text(encoding="utf-8")
#: A dossier of 2 November 2026 that nobody has finished.
LATE = "H26.12-261102-9999"
TABLES = {
    "events": "dossier_code, event_id, digest",
    "assessments": "dossier_code, cycle",
    "alerts": "dossier_code, alert_id, sequence, digest",
    "dead_letters": "topic, partition, offset, sha256",
    "arrivals": "dossier_code, event_id, digest",
    "verdict_changes": "dossier_code, cycle, version",
}


@dataclass(frozen=True)
class Stood:
    """What stands in ClickHouse and in the memory of judge, in full."""

    now: datetime
    tables: dict[str, list[Row]]
    desk: list[Row]
    memory: dict[bytes, bytes]


def standing(office: Office, now: datetime) -> Stood:
    """All of it, measured at that instant."""
    tables = {table: office.ask(f"SELECT * FROM dunghan.{table} FINAL ORDER BY {key}") for table, key in TABLES.items()}
    memory = {record.key: record.value for record in office.records(topics.STATE) if _is_lasting(record)}
    return Stood(now, tables, office.desk(now), memory)


def _is_lasting(record: ConsumerRecord) -> bool:
    """Whether judge would miss it: of the numbers of cycles only the highest means anything, and places in the old
    Kafka mean nothing in the new one; an outlook is found again by judging.
    """
    return not any(mark in record.key for mark in (b"\x1fcycle\x1f", b"\x1frerouted\x1f", b"\x1foutlook"))


def steps(heading: str) -> Iterator[tuple[str, str]]:
    """What stands to be run below a heading of the page: language and text, in order."""
    (section,) = re.findall(rf"^#+ {heading}\n(.*?)(?=^##|\Z)", PAGE, flags=re.DOTALL | re.MULTILINE)
    found = re.findall(r"```(bash|sql)\n(.*?)```", section, flags=re.DOTALL)
    assert found, heading
    yield from found


def follow(heading: str, office: Office, backup: Path) -> None:
    """Do what the page says there, as an operator does: SQL as the user `backup`, the rest in a shell."""
    for language, text in steps(heading):
        if language == "sql":
            client = connect(office.settings.model_copy(update={"clickhouse_user": "backup"}))
            client.execute(text)
            client.disconnect()
        elif "dunghan worker" in text:
            back_load(office, **settings_before("dunghan worker", text))
        else:
            run(text, office, backup)


def settings_before(command: str, text: str) -> dict[str, str]:
    """The settings that stand before a command."""
    return {name.lower(): value for name, value in re.findall(r"\bDUNGHAN_([A-Z_]+)=(\S+)", text.partition(command)[0])}


def back_load(office: Office, **settings: str) -> None:
    """Both workers with these settings until nothing is behind; then they are stopped."""
    assert settings == {"now": "last-event"}
    assert refill(office) == (0, "")  # once more, as after an interruption
    for table in ("events", "assessments"):
        office.ask(f"TRUNCATE TABLE dunghan.{table}")
    workers = office.start("workers", "agents", "worker", "--until-eof", **settings)
    office.wait_done()
    assert workers.stop() == 0


def refill(office: Office) -> tuple[int, str]:
    """Exit code and standard error of filling Kafka from ClickHouse."""
    done = subprocess.run(
        [sys.executable, "-m", "agents.cli.refill"],
        cwd=ROOT,
        env={**os.environ, **office.environment},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.decode()


def run(text: str, office: Office, backup: Path) -> None:
    """A block of the page in a shell; the commands are those of this tree."""
    places = {
        "BACKUP": str(backup),
        "CLICKHOUSE_BACKUPS": str(office.services.folder / "clickhouse" / "data" / "backups"),
    }
    script = text.replace(".venv/bin/dunghan", ".venv/bin/python -m agents").replace(
        ".venv/bin/python", shlex.quote(sys.executable)
    )
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=ROOT,
        env={**os.environ, **office.environment, **places},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"


def judged(office: Office, log: Log) -> Stood:
    """The generated log the whole way, and all that came of it."""
    judge, archive = office.start_all()
    office.send(log.records())
    office.wait_done()
    assert judge.stop() == 0
    office.wait_done("archive")
    assert archive.stop() == 0
    return standing(office, datetime.now(UTC))


def life_goes_on(office: Office, now: datetime) -> list[Alert]:
    """An overdue dossier is finished and a new one comes in too late; the actions on alerts that follow from it."""
    (overdue,) = office.ask(
        "SELECT dossier_code, unit FROM dunghan.assessments FINAL"
        " WHERE clock = 'running' AND level = 'seriously_overdue' ORDER BY dossier_code, cycle LIMIT 1"
    )
    finished = event(9, now.isoformat(), dossier_code=overdue["dossier_code"], processing_unit=overdue["unit"])
    office.publish([finished, event(2, "2026-11-02T09:00", dossier_code=LATE, channel="online")])
    office.wait_done()
    return [ALERT.validate_json(record.value) for record in office.records(topics.ALERTS)]


class Saved(NamedTuple):
    """What is left of an office after its end: its backup, a copy of its folders, and what once stood there."""

    backup: Path
    folders: Path
    before: Stood
    told: list[ConsumerRecord]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, log: Log) -> Saved:
    """The generated log the whole way, backed up in both ways; the office itself is gone."""
    folder = tmp_path_factory.mktemp("saved")
    with Office(folder / "office", configuration(folder / "config")) as office:
        before = judged(office, log)
        told = office.records(topics.ALERTS)
        follow("Back up", office, folder / "backup")
    shutil.copytree(folder / "office" / "services", folder / "copy", symlinks=True)
    shutil.rmtree(folder / "office")
    shutil.rmtree(folder / "config")
    assert all(before.tables.values())
    return Saved(folder / "backup", folder / "copy", before, told)


@contextmanager
def put_back(saved: Saved, folder: Path) -> Iterator[Office]:
    """An office on the copied folders; the configuration is that of the backup."""
    shutil.copytree(saved.folders, folder / "services", symlinks=True)
    with Office(folder, saved.backup / "2026-11-27" / "config", bare=True) as office:
        yield office


def test_after_the_loss_of_everything_the_same_rows_stand_and_nobody_is_told_twice(
    saved: Saved, tmp_path: Path
) -> None:
    before = saved.before
    with Office(tmp_path / "new", ROOT / "config", bare=True) as office:
        office.environment["DUNGHAN_CONFIG"] = str(tmp_path / "config")
        follow("Everything is lost", office, saved.backup)
        office.start_all()
        office.wait_done()
        assert standing(office, before.now) == before
        assert office.records(topics.ALERTS) == []

        ended, raised = sorted(life_goes_on(office, before.now), key=lambda alert: alert.action, reverse=True)
        told = {(row["dossier_code"], str(row["alert_id"])) for row in before.tables["alerts"]}
        assert (ended.action, ended.sequence, (ended.dossier_code, ended.alert_id) in told) == ("resolve", 2, True)
        assert (raised.action, raised.sequence, raised.dossier_code) == ("raise", 1, LATE)
        code, said = refill(office)
        assert (code, said.rstrip()[-len("[kafka_in_use]") :]) == (1, "[kafka_in_use]")


def test_a_copy_of_all_folders_is_the_same_office_again(saved: Saved, tmp_path: Path) -> None:
    with put_back(saved, tmp_path / "office") as office:
        office.start_all()
        office.wait_done()
        assert standing(office, saved.before.now) == saved.before
        assert [record.value for record in office.records(topics.ALERTS)] == [record.value for record in saved.told]


def test_clickhouse_lost_alone_is_filled_from_its_backup_and_from_kafka(saved: Saved, tmp_path: Path) -> None:
    with put_back(saved, tmp_path / "office") as office:
        _, archive = office.start_all()
        life_goes_on(office, saved.before.now)
        assert archive.stop() == 0
        before = standing(office, saved.before.now)
        assert before.tables != saved.before.tables

        server = office.services.clickhouse_server
        server.kill()
        shutil.rmtree(office.services.folder / "clickhouse" / "data")
        server.restart()
        assert office.ask("SHOW DATABASES LIKE 'dunghan'") == []
        follow("ClickHouse alone is lost", office, saved.backup)
        office.start("archive")
        office.wait_done()
        assert standing(office, before.now) == before
