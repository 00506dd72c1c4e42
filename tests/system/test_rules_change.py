"""The rules change while the workers run: verdicts follow without a restart, one record says what the change did,
a bad file leaves the old rules in force, and a judge that is killed in the middle tells nobody twice.
"""

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from agents.config import load
from schemas import topics
from schemas.alert import Action, Alert
from schemas.dossier import TOLD
from schemas.event import Event
from schemas.rulebook import Change
from tests.system.office import Office, WorkerProcess
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

NOW = datetime.now(UTC)
TODAY = NOW.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
UNITS = ("H26.01", "H26.02", "H26.03")
CLOSED = "H26.12-260302-9999"

CALENDAR = """
calendar: always
year: {year}
version: {version}
{since}
zone: Asia/Ho_Chi_Minh
shifts: {{mon-sun: ["{shift}"]}}
"""
LIMITS = """
version: {version}
in_force_from: {since}
rules:
  - {{match: {{}}, limit: {{value: {hours}, unit: hour}}}}
"""
LONG, SHORT = 2000, 24


def _calendars(config: Path, version: int, shift: str, since: date | None = None) -> None:
    in_force = f"in_force_from: {since}" if since is not None else ""
    for year in range(NOW.year - 1, NOW.year + 2):
        text = CALENDAR.format(year=year, version=version, since=in_force, shift=shift)
        _put(config / "calendars" / f"always-{year}-{version}.yaml", text)


def _limits(config: Path, version: int, hours: int, since: date) -> Path:
    return _put(config / f"limits-{version}.yaml", LIMITS.format(version=version, hours=hours, since=since))


def _put(path: Path, text: str) -> Path:
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(text)
    beside.rename(path)
    return path


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """An office that never closes, with a limit of months."""
    config = tmp_path / "config"
    (config / "calendars").mkdir(parents=True)
    (config / "office.yaml").write_text("calendar: always\nreception: always\n")
    _calendars(config, 1, "00:00-24:00")
    _limits(config, 1, LONG, date(2020, 1, 1))
    with Office(tmp_path, config) as office:
        yield office


def _event(code: str, status: int, ago: timedelta, unit: str) -> Event:
    return Event(
        event_id=f"{code}-{status}",
        dossier_code=code,
        at=NOW - ago,
        status=status,
        procedure_code="1.000006",
        processing_unit=unit,
    )


def _receive(office: Office, dossiers: int) -> None:
    """Open dossiers of three units, received three days ago, and judged; and one that is done."""
    codes = [f"H26.12-260302-{number:04}" for number in range(dossiers)]
    events = [_event(code, 2, timedelta(days=3), UNITS[number % len(UNITS)]) for number, code in enumerate(codes)]
    done = [_event(CLOSED, 2, timedelta(days=4), UNITS[0]), _event(CLOSED, 9, timedelta(days=2), UNITS[0])]
    office.publish([*events, *done])
    office.wait_done(within=120)


def _verdicts(office: Office) -> Counter[tuple[str, int]]:
    rows = office.ask("SELECT verdict, version_rules AS rules FROM dunghan.assessments FINAL")
    return Counter((row["verdict"], row["rules"]) for row in rows)


def _told(office: Office) -> tuple[list[Alert], list[Change]]:
    told = [TOLD.validate_json(record.value) for record in office.records(topics.ALERTS)]
    return [each for each in told if isinstance(each, Alert)], [each for each in told if isinstance(each, Change)]


def _changed(office: Office, change: int, column: str) -> dict[str, int]:
    query = "SELECT unit, sum({}) AS count FROM dunghan.changes FINAL WHERE change = %(change)s GROUP BY unit"
    return {row["unit"]: row["count"] for row in office.ask(query.format(column), change=change)}


def _refusal(worker: WorkerProcess) -> str:
    refused = worker.health().get("rules", {}).get("refused")
    return refused["message"] if refused else ""


def test_verdicts_follow_a_changed_limit_without_a_restart_and_a_bad_file_changes_nothing(office: Office) -> None:
    dossiers = 60
    judge, archive = office.start_all()
    _receive(office, dossiers)
    first = load(office.config).version
    assert _verdicts(office) == {("in_time", first): dossiers, ("early", first): 1}
    assert _told(office) == ([], [])

    _limits(office.config, 2, SHORT, TODAY)
    second = load(office.config).version
    until(lambda: _verdicts(office)["overdue", second] == dossiers, "the verdicts by the new limit")
    office.wait_done()
    assert _verdicts(office) == {("overdue", second): dossiers, ("early", first): 1}, "what is done keeps its verdict"
    alerts, changes = _told(office)
    assert [(alert.action, alert.change) for alert in alerts] == [(Action.RAISE, second)] * dossiers
    assert len({alert.alert_id for alert in alerts}) == dossiers
    assert len({change.partition for change in changes}) == len(changes)
    assert _changed(office, second, "raised") == dict.fromkeys(UNITS, dossiers // len(UNITS))

    broken = _put(office.config / "limits-3.yaml", "version: 3\nin_force_from: tomorrow\nrules: []\n")
    until(lambda: all(map(_refusal, (judge, archive))), "the bad file is refused")
    assert _refusal(judge).startswith(f"{broken}:2: in_force_from: must be a date")
    assert judge.health()["status"] == "running"
    said = office.command("status", "--web", str(judge.address), exit_code=1).decode()
    assert f"4 partitions, rules of version {second}, last chunk" in said
    assert re.search(rf"✗ judge +new rules are refused since .+: {re.escape(str(broken))}:2: in_force_from", said)
    assert judge.metric("dunghan_rules_refused") == archive.metric("dunghan_rules_refused") == 1
    assert judge.metric("dunghan_rules_version") == second
    office.publish([_event("H26.12-260302-5000", 2, timedelta(days=3), UNITS[0])])
    until(lambda: _verdicts(office)["overdue", second] == dossiers + 1, "the old rules are in force")

    _limits(office.config, 3, SHORT - 1, TODAY - timedelta(days=1))
    until(lambda: "version_order" in _refusal(judge), "versions that do not rise are refused")
    _limits(office.config, 3, LONG, TODAY)
    _calendars(office.config, 2, "08:00-20:00", TODAY)
    third = load(office.config).version
    until(lambda: _verdicts(office)["in_time", third] == dossiers + 1, "the verdicts by the limit put right")
    office.wait_done()
    assert not _refusal(judge)
    alerts, changes = _told(office)
    assert Counter((alert.action, alert.reason, alert.change) for alert in alerts) == {
        (Action.RAISE, "seriously_overdue", second): dossiers,
        (Action.RAISE, "seriously_overdue", None): 1,
        (Action.RETRACT, "policy", third): dossiers + 1,
    }
    assert sum(_changed(office, third, "retracted").values()) == dossiers + 1
    assert not any(office.alerts().values())
    until(lambda: office.ask("SELECT version FROM dunghan.calendar_rules") == [{"version": third}], "the calendars")
    assert {row["calendar"] for row in office.ask("SELECT calendar FROM dunghan.unit_calendars")} == {
        "always",
        "always@2",
    }
    assert judge.exit_code is archive.exit_code is None
    assert len(office.workers) == 2


def test_a_judge_killed_while_it_reviews_ends_as_if_nothing_had_happened_and_tells_nobody_twice(
    office: Office,
) -> None:
    dossiers = 3_000
    judge, _ = office.start_all()
    _receive(office, dossiers)
    _limits(office.config, 2, SHORT, TODAY)
    second = load(office.config).version
    office.wait_for(lambda progress: progress.end > 0, "archive", topics.ALERTS.name, what="the first are told")
    judge.kill()
    told = office.progress("archive", topics.ALERTS.name).end
    assert told < dossiers, "it was killed too late to see anything"
    office.start("judge").wait_caught_up()
    until(lambda: _verdicts(office)["overdue", second] == dossiers, "the verdicts by the new limit", within=120)
    office.wait_done(within=120)
    alerts, changes = _told(office)
    assert {(alert.action, alert.change) for alert in alerts} == {(Action.RAISE, second)}
    assert len({alert.alert_id for alert in alerts}) == dossiers
    assert len({(alert.alert_id, alert.sequence, alert.version) for alert in alerts}) == dossiers, "the very same again"
    assert len(office.ask("SELECT * FROM dunghan.alerts FINAL")) == dossiers
    assert _changed(office, second, "raised") == dict.fromkeys(UNITS, dossiers // len(UNITS))
    assert {change.change for change in changes} == {second}
    assert len(set(changes)) == len({change.partition for change in changes})
