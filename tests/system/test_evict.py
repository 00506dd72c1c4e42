"""Judge evicts what is over, is killed, restarted, and asked again: the same rows as one that never evicted.

With ``evict_days=0`` everything that is over leaves as soon as archive has stored it.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.ports import Outgoing
from schemas import topics
from schemas.dossier import ALERT
from tests.system.answers import alerts_called_for
from tests.system.generated import Log, configuration
from tests.system.office import Office, WorkerProcess
from tests.system.outcome import Outcome
from tests.system.workers import until

Parts = tuple[list[Outgoing], list[Outgoing]]

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office whose judge keeps nothing that is over."""
    with Office(tmp_path, configuration(tmp_path / "config"), evict_days=0) as office:
        yield office


@pytest.fixture
def parts(log: Log) -> Parts:
    """The log in two parts: what is sent before dossiers are evicted, and after."""
    records = log.records()
    cut = 3 * len(records) // 4
    return records[:cut], records[cut:]


def _stubs(office: Office) -> set[bytes]:
    """The dossiers of which the state holds a stub and nothing else."""
    latest = {record.key: record.value for record in office.records(topics.STATE)}
    here = [key.split(b"\x1f") for key, value in latest.items() if value is not None]
    whole = {code for code, kind, *_ in here if kind in (b"event", b"alert")}
    return {code for code, kind, *_ in here if kind == b"stub"} - whole


def _wait_evicted(office: Office, judge: WorkerProcess, most: int) -> None:
    """Return when at least so many dossiers are stubs in memory."""
    until(lambda: judge.metric("dunghan_evicted_dossiers") >= most, f"{most} dossiers are evicted", within=120)
    office.check_alive()


def _same(office: Office, log: Log, calm: Outcome) -> None:
    """The rows of the calm run; what is called for was told, and nothing stands open that is not."""
    assert office.facts() == calm.facts
    alerts, called_for = office.alerts(), alerts_called_for(log, office.rules, now=calm.now)
    assert called_for <= alerts.keys()
    assert {alert for alert, is_open in alerts.items() if is_open} <= called_for


def _told_once(office: Office) -> None:
    """No action on an alert was told twice."""
    told = [ALERT.validate_json(record.value) for record in office.records(topics.ALERTS) if record.key != b"change"]
    actions = Counter((alert.alert_id, alert.sequence) for alert in told)
    assert actions
    assert set(actions.values()) == {1}


def test_evicted_restarted_and_asked_again_it_comes_to_the_rows_of_a_judge_that_never_evicted(
    log: Log, calm: Outcome, office: Office, parts: Parts
) -> None:
    first, second = parts
    judge, _ = office.start_all()
    office.send(first)
    office.wait_done()
    _wait_evicted(office, judge, 100)
    judge.kill()
    evicted = _stubs(office)
    assert len(evicted) >= 100
    judge = office.start("judge").wait_caught_up()
    assert judge.metric("dunghan_evicted_dossiers") >= 100
    office.send(second)
    office.wait_done(within=180)
    asked = ({record.key for record in second} - {bad.record.key for bad in log.bad}) & evicted
    assert asked, "late events come for dossiers that were evicted"
    assert judge.metric("dunghan_recalls_total") >= len(asked)
    _same(office, log, calm)
    _told_once(office)


@pytest.mark.parametrize("point", ["stubs_begun", "stubs_done", "deletions_begun"])
def test_killed_between_any_two_writes_of_an_eviction_nothing_is_known_by_halves(
    point: str, log: Log, calm: Outcome, office: Office, parts: Parts
) -> None:
    first, second = parts
    doomed = office.start("judge", "tests.system.dying", "judge", point, "1")
    office.start("archive").wait_caught_up()
    office.send(first)
    assert doomed.wait_gone() == -9
    judge = office.start("judge").wait_caught_up()
    office.wait_done(within=180)
    _wait_evicted(office, judge, 100)
    office.send(second)
    office.wait_done(within=180)
    _same(office, log, calm)


def test_while_clickhouse_is_down_nobody_is_evicted_and_a_late_event_on_a_stub_waits_for_it(
    log: Log, calm: Outcome, office: Office, parts: Parts
) -> None:
    first, second = parts
    judge, _ = office.start_all()
    office.send(first)
    office.wait_done()
    _wait_evicted(office, judge, 100)
    office.services.clickhouse_server.kill()
    evictions = judge.metric("dunghan_evictions_total")
    office.send(second)
    until(lambda: judge.health()["status"] == "held", "judge says that it is held")
    assert {hold["reason"] for hold in judge.health()["held"]} == {"clickhouse_unavailable"}
    assert judge.metric("dunghan_evictions_total") == evictions
    office.services.clickhouse_server.start()
    office.services.clickhouse_server.wait_ready()
    office.wait_done(within=180)
    assert judge.health()["status"] == "running"
    _same(office, log, calm)
    _told_once(office)


def test_tables_that_are_rebuilt_while_dossiers_are_evicted_say_the_same(
    log: Log, calm: Outcome, office: Office
) -> None:
    judge, _ = office.start_all()
    office.send(log.records())
    office.wait_done(within=180)
    _wait_evicted(office, judge, 100)
    for table in ("events", "assessments"):
        office.ask(f"TRUNCATE TABLE dunghan.{table} SYNC")
    office.command("rebuild")
    _same(office, log, calm)
    assert b"no difference" in office.command("worker", "judge", "--shadow")
