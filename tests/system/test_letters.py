"""By hand, on real services: what was refused is looked at, sent again once and judged; an event is taken back."""

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.drivers.audit_book import AuditBook
from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from agents.drivers.memory import MemoryOutlet
from agents.ports import Outgoing
from agents.void import take_back
from schemas import topics
from schemas.errors import Unavailable
from schemas.event import Event, canonical
from tests.commands import dunghan
from tests.madeup.log import CONFIG
from tests.system.office import Office, Row
from tests.system.workers import until
from tests.test_pages import OPERATOR, section

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

CODE, OTHER, LATE = "H26.01-260302-0001", "H26.01-260302-0002", "H26.01-260302-0003"
#: A pattern that lets in the procedures of one more source.
LENIENT = "\ncodes: {procedure: 'KT-[0-9]{2}|[0-9]\\.[0-9]{6}'}\n"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office with a configuration of its own, judge and archive at work."""
    config = Path(shutil.copytree(CONFIG, tmp_path / "config"))
    with Office(tmp_path / "office", config) as office:
        office.start_all()
        yield office


def started(code: str, **more: Any) -> Event:
    """A dossier is received, forty days ago."""
    at = datetime.now(UTC).replace(microsecond=0) - timedelta(days=40)
    values: dict[str, Any] = {"procedure_code": "1.004441", "processing_unit": "H26.01", "status": 2, "at": at}
    return Event(**(values | {"dossier_code": code, "event_id": f"{code}:1"} | more))


def letters(office: Office) -> list[str]:
    """The names of all dead letters, in the order in which `list` has them."""
    said = office.command("dead-letters", "list").decode().splitlines()
    return [line.split()[0] for line in said if line.split()[:1] and line.split()[0].count("/") == 2]


def audit(office: Office, action: str) -> list[Row]:
    """What was written down."""
    return office.ask(f"SELECT * EXCEPT audit_id FROM dunghan.desk_audit WHERE action = '{action}' ORDER BY at")


def judged(office: Office, code: str) -> list[str]:
    """The verdict of each cycle of a dossier."""
    rows = office.ask("SELECT verdict FROM dunghan.desk_assessments WHERE dossier_code = %(code)s", code=code)
    return [row["verdict"] for row in rows]


def put_right(config: Path) -> None:
    """Let the other source's procedures in."""
    rules = config / "office.yaml"
    rules.write_text(rules.read_text() + LENIENT)


def test_a_refused_record_is_looked_at_and_sent_again_once_when_its_cause_is_gone(
    office: Office, tmp_path: Path
) -> None:
    event = started(CODE, procedure_code="KT-12")
    office.publish([event])
    office.wait_done()
    (name,) = letters(office)
    place = name.removeprefix("dossier.events.v1/")
    assert place == f"{partition_of(CODE.encode(), PARTITIONS)}/0"
    listed = office.command("dead-letters", "list", "--reason", "invalid_code").decode()
    assert "invalid_code  dossier.events.v1        1" in listed
    assert office.command("dead-letters", "list", "--reason", "unreadable") == b"no letters\n"

    shown = office.command("dead-letters", "show", name).decode()
    assert shown.splitlines()[-1] == canonical(event).decode()
    assert "detail  the procedure code does not follow" in shown
    assert office.command("dead-letters", "show", name, "--raw") == canonical(event)
    office.command("dead-letters", "show", "dossier.events.v1/0/999", exit_code=1)

    # By the rules of today it would be refused again, so it is not sent.
    refused = dunghan("dead-letters", "resend", "--yes", settings=office.environment)
    assert refused.code == 3
    assert f"{name}: " in refused.err
    assert "[invalid_code]" in refused.err
    assert len(office.records(topics.EVENTS)) == 1
    assert audit(office, "resend") == []

    # The configuration is put right, but not where judge works: it buries the record again, and says so.
    desk = Path(shutil.copytree(office.config, tmp_path / "desk"))
    put_right(desk)
    assert dunghan("dead-letters", "resend", "--config", desk, settings=office.environment).code == 1  # nobody said yes
    office.command("dead-letters", "resend", "--config", desk, "--yes", "--by", "hoa")
    office.wait_done()
    first, again = letters(office)
    assert first == name
    assert f"buried again, was {name}" in office.command("dead-letters", "list").decode()
    assert judged(office, CODE) == []
    blind = dunghan("dead-letters", "resend", "--config", desk, "--yes", settings=office.environment)
    assert blind.code == 3
    assert "[buried_again]" in blind.err
    assert len(office.records(topics.EVENTS)) == 2

    # Now judge has the new rules, too, and a person names the letter.
    put_right(office.config)
    judge = office.workers[0]
    until(lambda: any(line["event"] == "rules_taken_up" for line in judge.lines), "judge has the new rules")
    assert office.command("dead-letters", "resend", again, "--yes", "--by", "minh").startswith(b"1 letters resent")
    office.wait_done()
    assert judged(office, CODE) == ["no_deadline"]
    *_, record = office.records(topics.EVENTS)
    assert (record.key, record.value) == (CODE.encode(), canonical(event))
    assert record.headers == (("resent_from", again.encode()),)
    for arguments in ((), (again,), (first,)):
        said = office.command("dead-letters", "resend", *arguments, "--yes")
        assert said == b"0 letters resent and acknowledged\n"
    assert len(office.records(topics.EVENTS)) == 3

    rows = audit(office, "resend")
    assert [(row["record"], row["by"], row["event_id"]) for row in rows] == [
        (first, "hoa", event.event_id),
        (again, "minh", event.event_id),
    ]
    assert all(row["done_at"] >= row["at"] and row["reason"] == "invalid_code" for row in rows)
    ((query,),) = [re.findall(r"```sql\n(.*?)```", page, re.DOTALL) for page in [section(OPERATOR, "Who did what")]]
    assert [row["record"] for row in office.ask(query)] == [again, first]


def test_a_letter_is_corrected_in_a_file_and_keeps_its_event_id(office: Office, tmp_path: Path) -> None:
    event = started(OTHER)
    naive = canonical(event).replace(b"+00:00", b"").replace(b'Z"', b'"')
    office.send([Outgoing(topics.EVENTS.name, OTHER.encode(), naive)])
    office.wait_done()
    (name,) = letters(office)
    file = tmp_path / "event.json"
    file.write_bytes(office.command("dead-letters", "show", name, "--raw"))
    assert file.read_bytes() == naive
    file.write_bytes(canonical(event).replace(f"{OTHER}:1".encode(), b"another"))
    office.command("dead-letters", "resend", name, "--file", file, "--yes", exit_code=3)
    file.write_bytes(canonical(event))
    office.command("dead-letters", "resend", name, "--file", file, "--yes", "--by", "hoa")
    office.wait_done()
    assert judged(office, OTHER) == ["overdue"]
    (row,) = audit(office, "resend")
    assert (row["record"], row["edited"], row["reason"]) == (name, 1, "naive_time")


def test_a_void_that_broke_off_is_finished_as_the_same_event(office: Office) -> None:
    received = started(LATE)
    wrong = started(LATE, event_id="wrong", status=9, at=received.at + timedelta(hours=1))
    office.publish([received, wrong])
    office.wait_done()
    outlet, began = MemoryOutlet(), wrong.at + timedelta(days=30)
    outlet.fail_next(1)
    with AuditBook.open(office.settings) as book, pytest.raises(Unavailable):
        take_back(wrong, "wrong-dossier", book, outlet, by="hoa", at=None, now=lambda: began)
    (lost,) = outlet.records  # was it sent? Whoever tried does not know
    office.workers[1].stop()  # and archive has not stored it yet
    office.send([lost])
    said = dunghan("void", "wrong", "--reason", "another", "--by", "minh", "--yes", settings=office.environment)
    assert said.code == 0
    assert "begun by hoa" in said.err
    office.start("archive").wait_caught_up()
    office.wait_done()
    first, second = (record.value for record in office.records(topics.EVENTS) if b'"void"' in record.value)
    assert first == second == lost.value
    (row,) = audit(office, "void")
    assert (row["by"], row["reason"], row["at"]) == ("hoa", "wrong-dossier", began)
    assert row["done_at"] > began
    (now,) = office.ask("SELECT verdict, flags FROM dunghan.desk_assessments")
    assert now["verdict"] == "overdue"
    assert "conflicting_event" not in now["flags"]


def test_a_void_changes_the_verdict_and_the_alerts_and_is_written_down(office: Office) -> None:
    received = started(LATE)
    wrong = started(LATE, event_id="wrong", status=9, at=received.at + timedelta(hours=1))
    office.publish([received, wrong])
    office.wait_done()
    assert judged(office, LATE) == ["early"]
    assert office.alerts() == {}
    unasked = dunghan("void", "wrong", "--reason", "wrong-dossier", settings=office.environment)
    assert unasked.code == 1  # nobody has said yes
    assert "verdict" in unasked.out
    assert "early" in unasked.out
    assert "raise (seriously_overdue)" in unasked.out
    assert audit(office, "void") == []

    office.command("void", "wrong", "--reason", "wrong-dossier", "--by", "hoa", "--yes")
    office.wait_done()
    assert judged(office, LATE) == ["overdue"]
    assert list(office.alerts().values()) == [True]
    (row,) = audit(office, "void")
    assert (row["record"], row["dossier_code"], row["reason"], row["by"]) == ("wrong", LATE, "wrong-dossier", "hoa")
    assert row["done_at"] >= row["at"]
    (void,) = [record for record in office.records(topics.EVENTS) if b'"void"' in record.value]
    said = orjson.loads(void.value)
    assert (said["event_id"], said["voids"], said["source"]) == (row["event_id"], "wrong", "dunghan")
    assert (void.key, void.partition) == (LATE.encode(), partition_of(LATE.encode(), PARTITIONS))

    again = office.command("void", "wrong", "--dossier", LATE, "--reason", "another", "--yes").decode()
    assert f"was taken back by {said['event_id']} already" in again
    for event, reason in ((said["event_id"], "event_is_void"), ("nowhere", "event_unknown")):
        answered = dunghan("void", event, "--reason", "x", "--yes", settings=office.environment)
        assert (answered.code, f"[{reason}]" in answered.err) == (1, True)
    assert dunghan("void", f"{LATE}:1", "--reason", "two words", settings=office.environment).code == 1
    assert len([record for record in office.records(topics.EVENTS) if b'"void"' in record.value]) == 1
    assert len(audit(office, "void")) == 1
