"""What was known when, on real services: every change with its cause and its time, once, also after a replay."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from kafka import KafkaAdminClient

from schemas import topics
from schemas.event import Event
from tests.system.always import always_open
from tests.system.office import Office, Row
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

HOUR = timedelta(hours=1)
LATE, SOON, REOPENED = "H26.12-261101-0001", "H26.12-261101-0002", "H26.12-261101-0003"
PROCEDURES = {LATE: "1.000006", REOPENED: "1.000006", SOON: "1.000015"}
#: The judge of SOON looks after this, and finds it late one second later.
LIMIT = timedelta(seconds=10.8)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("known")
    config = always_open(folder / "config", {"1.000006": 1, "1.000015": LIMIT / HOUR})
    with Office(folder, config) as office:
        yield office


def event(code: str, name: str, status: int | None, ago: timedelta, **fields: str) -> Event:
    told: dict[str, str] = dict(fields)
    if status is not None:
        told |= {"procedure_code": PROCEDURES[code], "processing_unit": "H26.12"}
    return Event(
        event_id=name,
        dossier_code=code,
        at=datetime.now(UTC) - ago,
        status=status,
        **told,  # type: ignore[arg-type]
    )


def changes(office: Office, code: str, cycle: int = 1) -> list[Row]:
    return office.ask(
        "SELECT * FROM dunghan.desk_verdict_changes WHERE dossier_code = %(code)s AND cycle = %(cycle)s"
        " ORDER BY seen_at",
        code=code,
        cycle=cycle,
    )


def kept(office: Office) -> dict[str, list[Row]]:
    tables = {"verdict_changes": "dossier_code, cycle, version", "arrivals": "dossier_code, event_id, digest"}
    return {name: office.ask(f"SELECT * FROM dunghan.{name} FINAL ORDER BY {key}") for name, key in tables.items()}


def forget_place(office: Office) -> None:
    """Let the judge begin at the first record again; its state stays."""
    admin = KafkaAdminClient(bootstrap_servers=office.services.brokers)
    try:
        until(lambda: "OK" in str(admin.delete_groups(["dunghan-judge"])), "the member that was stopped is let go")
    finally:
        admin.close()


def test_every_change_has_its_cause_and_its_time_and_a_replay_adds_nothing(office: Office) -> None:
    began = datetime.now(UTC)
    judge, _ = office.start_all()
    received = event(SOON, "soon", 2, timedelta(0))
    office.publish([event(LATE, "start", 2, 3 * HOUR), event(REOPENED, "first", 2, HOUR / 2), received])
    office.publish([event(REOPENED, "end", 9, HOUR / 3), event(REOPENED, "again", 4, HOUR / 4)])
    office.wait_done()
    between = datetime.now(UTC)
    office.publish([event(LATE, "pause", 5, 2.9 * HOUR)])
    office.publish([event(REOPENED, "void", None, timedelta(0), kind="void", voids="again")])
    until(lambda: len(changes(office, SOON)) > 1, "the look is told")
    office.publish([event(SOON, "done", 9, timedelta(0))])
    office.wait_done()

    first, second = changes(office, LATE)
    assert (first["verdict_before"], first["verdict_after"], second["verdict_after"]) == (None, "overdue", "in_time")
    assert (first["causing_events"], second["causing_events"]) == (["start"], ["pause"])
    assert {first["cause"], second["cause"]} == {"events"}
    assert second["verdict_before"] == "overdue"
    assert began <= first["seen_at"] <= between <= second["seen_at"] <= datetime.now(UTC)

    looked = [row for row in changes(office, SOON) if row["verdict_after"] == "overdue"]
    assert [(row["cause"], row["causing_events"]) for row in looked[:1]] == [("look", [])]
    missed = received.at + LIMIT + timedelta(seconds=1)
    assert missed <= looked[0]["seen_at"] <= missed + timedelta(seconds=5)
    assert [row["verdict_after"] for row in changes(office, REOPENED, 2)] == ["in_time", None]

    told = json.loads(
        office.command("explain", LATE, "--as-known-at", between.isoformat(), "--format", "json").decode()
    )
    assert told["as_known_at"]["later_arrivals"] == 1
    assert [said["verdict"] for said in told["as_known_at"]["said"]] == ["overdue"]
    assert [cycle["answer"]["verdict"] for cycle in told["cycles"]] == ["overdue"]
    assert [alert["action"] for alert in told["sent"]][-1:] == ["raise"]
    now = json.loads(office.command("explain", LATE, "--format", "json").decode())
    assert (now["as_known_at"], now["cycles"][0]["answer"]["verdict"]) == (None, "in_time")
    refused = office.command("explain", LATE, "--as-known-at", (began - HOUR).isoformat(), exit_code=1)
    assert refused == b""

    before = kept(office)
    assert {(row["dossier_code"], row["event_id"]) for row in before["arrivals"]} == {
        *((LATE, name) for name in ("start", "pause")),
        *((SOON, name) for name in ("soon", "done")),
        *((REOPENED, name) for name in ("first", "end", "again", "void")),
    }
    assert judge.stop() == 0
    judged = len(office.records(topics.ASSESSMENTS))
    forget_place(office)
    office.start("judge").wait_caught_up()
    office.wait_done()
    assert len(office.records(topics.ASSESSMENTS)) > judged, "everything was judged once more"
    assert kept(office) == before
