"""The facts are written anew from Kafka: whatever was wrong with them, whoever breaks it off, archive goes on."""

import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest

from agents.clock import FixedClock
from agents.drivers.kafka_past import KafkaPast
from agents.drivers.local import PARTITIONS, Services
from agents.drivers.staging import Staging
from agents.ports import Record
from agents.rebuild import Rebuild
from agents.rows import ALERTS, ARRIVALS, ASSESSMENTS, DEAD_LETTERS, EVENTS, VERDICT_CHANGES
from schemas.errors import ConfigError
from schemas.topics import Topic
from tests.contracts.brokers import real_broker
from tests.hanoi import at, event, rules
from tests.system.generated import Log, configuration
from tests.system.office import ROOT, Office, Row
from tests.system.workers import until
from tests.tables import fresh_tables

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

NOW = at("2026-03-02T09:00")
ANOTHER = "H26.12-261102-9998"
KEPT = (EVENTS, ASSESSMENTS, ALERTS, DEAD_LETTERS, ARRIVALS, VERDICT_CHANGES)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, log: Log) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("rebuild")
    with Office(folder, configuration(folder / "config")) as office:
        office.start_all()
        office.send(log.records())
        office.wait_done(within=300)
        yield office


def facts(office: Office) -> dict[str, list[Row]]:
    return {table: office.ask(f"SELECT * FROM dunghan.{table} FINAL ORDER BY ALL") for table in KEPT}


def tables(office: Office) -> set[str]:
    return {row["name"] for row in office.ask("SELECT name FROM system.tables WHERE database = 'dunghan'")}


def test_empty_tables_are_filled_with_the_rows_of_the_pipeline(office: Office) -> None:
    before, there = facts(office), tables(office)
    assert all(before.values())
    for table in KEPT:
        office.ask(f"TRUNCATE TABLE dunghan.{table} SYNC")
    office.command("rebuild")
    assert facts(office) == before
    assert tables(office) == there


def test_rows_that_are_wrong_old_missing_or_of_nobody_are_put_right(office: Office) -> None:
    before = facts(office)
    codes = sorted({row["dossier_code"] for row in before["assessments"]})
    wrong, old, missing = codes[:3]
    rows = (
        "INSERT INTO dunghan.{0} SELECT * REPLACE ({1})"
        " FROM (SELECT * FROM dunghan.{0} FINAL WHERE dossier_code = '{2}')"
    )
    for table, change, code in (
        ("assessments", "version + toUInt128(pow(2, 100)) AS version, 'no_deadline' AS verdict", wrong),
        ("assessments", "'H26.12-260302-9999' AS dossier_code", wrong),
        ("events", "addYears(at, 3) AS at, 'nobody' AS source", wrong),
        ("events", "'nobody-sent-it' AS event_id", old),
        ("alerts", "'wrong' AS reason", wrong),
    ):
        office.ask(rows.format(table, change, code))
    for table in KEPT:
        if table != "dead_letters":
            office.ask(f"DELETE FROM dunghan.{table} WHERE dossier_code = '{missing}'")
    office.ask(
        "ALTER TABLE dunghan.assessments UPDATE level = 'none', `segments.unit` = arrayMap(one -> 'X', `segments.unit`)"
        f" WHERE dossier_code = '{old}' SETTINGS mutations_sync = 2"
    )
    office.ask("DELETE FROM dunghan.dead_letters WHERE offset % 2 = 0")
    spoilt = facts(office)
    assert all(spoilt[table] != before[table] for table in ("assessments", "events", "dead_letters", "arrivals"))
    office.command("rebuild")
    after = facts(office)
    for table in KEPT:
        assert after[table] == before[table], table


def test_broken_off_it_has_changed_nothing_and_archive_goes_on(office: Office) -> None:
    before, there = facts(office), tables(office)
    running = subprocess.Popen(
        [sys.executable, "-m", "agents", "rebuild"],
        cwd=ROOT,
        env={**os.environ, **office.environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: "assessments_beside" in tables(office), "the new tables are being filled")
    running.kill()
    running.wait()
    assert tables(office) > there, "it was killed in between"
    assert facts(office) == before
    late = event(2, "2026-11-02T09:00", dossier_code=ANOTHER, channel="online")
    office.publish([late])
    office.wait_done()
    stored = office.ask("SELECT event_id FROM dunghan.events FINAL WHERE dossier_code = %(code)s", code=ANOTHER)
    assert stored == [{"event_id": late.event_id}]
    before = facts(office)
    office.command("rebuild")
    assert facts(office) == before
    assert tables(office) == there


def test_what_archive_writes_meanwhile_is_not_lost(office: Office) -> None:
    over = threading.Event()
    sent = 0

    def rebuild_again_and_again() -> None:
        while not over.is_set():
            office.command("rebuild")

    rebuilding = threading.Thread(target=rebuild_again_and_again)
    rebuilding.start()
    try:
        for round_ in range(40):
            told = [
                replace(event(2, "2026-11-02T09:00", channel="online"), dossier_code=f"H26.12-261102-{round_:02}{n:02}")
                for n in range(10)
            ]
            office.publish(told)
            sent += len(told)
            threading.Event().wait(0.3)  # events come while tables are filled, exchanged, and dropped
    finally:
        over.set()
        rebuilding.join()
    office.wait_done()
    told_here = f"dossier_code LIKE 'H26.12-261102-%%' AND dossier_code != '{ANOTHER}'"
    query = f"SELECT uniqExact(dossier_code) AS there FROM dunghan.{{}} FINAL WHERE {told_here}"
    codes = {(table, office.ask(query.format(table))[0]["there"]) for table in ("events", "assessments", "arrivals")}
    assert codes == {(table, sent) for table in ("events", "assessments", "arrivals")}
    office.command("worker", "judge", "--shadow")


class EmptyPast(KafkaPast):
    """Topics on which nothing stands."""

    async def read(
        self, topic: Topic, partition: int, begin: int | None = None, end: int | None = None
    ) -> AsyncIterator[Record]:
        nothing: tuple[Record, ...] = ()
        for record in nothing:
            yield record


async def test_from_an_empty_topic_nothing_is_rebuilt(services: Services) -> None:
    with fresh_tables(services) as tables:
        async with real_broker(services) as broker:
            tables.client.execute(
                f"INSERT INTO {tables.database}.events (dossier_code, event_id, at) VALUES", [("x", "y", NOW)]
            )
            there = tables.rows("events")
            with Staging.open(tables.settings) as staging:
                past = EmptyPast(tables.settings)
                rebuilding = Rebuild(
                    rules(), FixedClock(NOW), past, broker.state, staging, partitions=PARTITIONS, advance=lambda: None
                )
                with pytest.raises(ConfigError) as refused:
                    await rebuilding.run()
            assert refused.value.reason == "events_empty"
            assert tables.rows("events") == there
            names = {name for (name,) in tables.client.execute(f"SHOW TABLES FROM {tables.database}")}
            assert not [name for name in names if name.endswith(("_rebuilt", "_beside"))]
