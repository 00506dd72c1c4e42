"""The shadow on real services: everything judged again beside the live judge, nothing sent, and what differs named."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from kafka import KafkaAdminClient

from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from agents.ports import Outgoing
from schemas import topics
from schemas.dossier import Memory, dump
from schemas.event import canonical
from streams.history import FULL
from tests.hanoi import event
from tests.system.generated import Log, configuration
from tests.system.office import Office

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

TAKEN = (topics.EVENTS.name, topics.REROUTED.name)
CROWDED = "H26.12-260302-9998"  # more events than a dossier may have


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, log: Log) -> Iterator[Office]:
    """The generated log with all its dirt, judged live; and an event of the future, and a dossier gone wild."""
    folder = tmp_path_factory.mktemp("shadow")
    with Office(folder, configuration(folder / "config")) as office:
        office.start_all()
        office.send(log.records())
        start = event(2, "2026-03-02T09:00", dossier_code=CROWDED, event_id="0")
        moments = (replace(start, at=start.at + timedelta(seconds=n), event_id=str(n)) for n in range(FULL + 3))
        soon = replace(start, event_id="future", at=datetime.now(UTC) + timedelta(minutes=7))
        office.publish([*moments, soon])
        office.wait_done(within=300)
        yield office


def test_the_shadow_names_what_differs_and_nothing_else_and_writes_nothing(office: Office) -> None:
    _says_nothing_where_nothing_differs(office)
    _names_every_dossier_that_differs_and_no_other(office)
    _leaves_out_what_is_on_its_way(office)


def shadow(office: Office, exit_code: int) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The summary, and the differences by dossier."""
    told = office.command("worker", "judge", "--shadow", "--format", "json", exit_code=exit_code)
    *found, last = map(json.loads, told.decode().splitlines())
    return last["summary"], {each["dossier_code"]: each for each in found}


def groups(office: Office) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=office.services.brokers)
    try:
        return {str(group[0] if isinstance(group, tuple) else group["group_id"]) for group in admin.list_groups()}
    finally:
        admin.close()


def _says_nothing_where_nothing_differs(office: Office) -> None:
    before, there = office.ends(), groups(office)
    summary, found = shadow(office, 0)
    assert (found, summary["differing"]) == ({}, 0)
    assert (office.ends(), groups(office)) == (before, there)
    letters = office.ask("SELECT reason FROM dunghan.dead_letters FINAL WHERE topic IN %(taken)s", taken=TAKEN)
    assert summary["refused"] == Counter(row["reason"] for row in letters)
    assert summary["refused"]["history_full"] == 3
    assert summary["refused"]["future_time"] >= 1
    assert summary["misplaced"] > 0
    ((events,),) = (row.values() for row in office.ask("SELECT count() FROM dunghan.events FINAL"))
    assert summary["events"] == events
    text = office.command("worker", "judge", "--shadow").decode()
    assert text.rstrip().endswith("no difference")


def _names_every_dossier_that_differs_and_no_other(office: Office) -> None:
    changed, lost, alert = (
        row["dossier_code"]
        for row in office.ask("SELECT DISTINCT dossier_code FROM dunghan.alerts FINAL ORDER BY dossier_code LIMIT 3")
    )
    stranger, unheard = "H26.12-260302-9997", "H26.12-260302-9996"
    rows = (
        "SELECT * REPLACE ({}) FROM (SELECT * FROM dunghan.assessments FINAL WHERE dossier_code = '{}' AND cycle = 1)"
    )
    into = "INSERT INTO dunghan.assessments "
    office.ask(into + rows.format("version + 1 AS version, 'no_deadline' AS verdict", changed))
    office.ask(into + rows.format(f"'{stranger}' AS dossier_code", changed))
    for table, code in (("assessments", lost), ("alerts", alert)):
        office.ask(f"ALTER TABLE dunghan.{table} DELETE WHERE dossier_code = '{code}' SETTINGS mutations_sync = 2")
    told = Memory(unheard, event=event(2, "2026-03-02T09:00", dossier_code=unheard))
    office.send([Outgoing(topics.STATE.name, told.key(), dump(told), _partition(unheard))])

    summary, found = shadow(office, 1)
    assert found.keys() == {changed, lost, alert, stranger, unheard}
    assert summary["differing"] == 5
    (column,) = found[changed]["columns"]
    assert (column["name"], column["live"]) == ("verdict", "no_deadline")
    assert {(each["name"], each["live"]) for each in found[lost]["columns"]} == {("cycle", None)}
    assert [(each["name"], each["live"], each["shadow"]) for each in found[stranger]["columns"]] == [("cycle", 1, None)]
    assert found[alert]["stored_otherwise"]
    assert found[unheard]["events"] == {"live": 1, "shadow": 0}
    text = office.command("worker", "judge", "--shadow", exit_code=1).decode()
    assert all(code in text for code in found)


def _partition(code: str) -> int:
    return partition_of(code.encode(), PARTITIONS)


def _leaves_out_what_is_on_its_way(office: Office) -> None:
    archive = next(worker for worker in office.workers if worker.name.startswith("archive"))
    assert archive.stop() == 0
    before, _ = shadow(office, 1)
    late = event(2, "2026-03-02T09:00", dossier_code="H26.12-260302-9995")
    office.send([Outgoing(topics.EVENTS.name, b"k", canonical(late), _partition(late.dossier_code))])
    office.wait_done("judge")
    summary, found = shadow(office, 1)
    assert late.dossier_code not in found
    assert summary["on_their_way"] == before["on_their_way"] + 1
