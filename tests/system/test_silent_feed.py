"""A unit falls silent in its office hours: its alerts are held, all are told so, and it is decided when it is back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas import topics
from schemas.alert import Action
from schemas.dossier import ALERT
from schemas.event import Event
from schemas.feed import FEED, Silence
from tests.system.always import always_open
from tests.system.office import Office, WorkerProcess
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

LIMIT = timedelta(hours=0.007)  # 25.2 seconds
SILENT, LOUD = "H26.12", "H26.13"


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("silent")
    limits = {"1.000025": 0.007, "": 1000}
    config = always_open(folder / "config", limits, office="levels: {silent_feed: 5s}\n")  # five seconds without a word
    with Office(folder, config) as office:
        office.start("archive").wait_caught_up()
        yield office


class Talk:
    """What units publish, each event with an id of its own."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._count = 0

    def event(self, code: str, unit: str, status: int = 4, procedure: str = "1.000099") -> datetime:
        """One event that happens now."""
        self._count += 1
        now = datetime.now(UTC)
        event = Event(
            event_id=f"{code}-{self._count}",
            dossier_code=code,
            at=now,
            status=status,
            procedure_code=procedure,
            processing_unit=unit,
            source=f"one-stop-{unit}",
        )
        self._office.publish([event])
        return now


def _actions(office: Office, code: str) -> list[tuple[Action, str, str]]:
    told = [
        ALERT.validate_json(record.value) for record in office.records(topics.ALERTS) if record.key == code.encode()
    ]
    return [(alert.action, alert.level.value, alert.reason) for alert in told]


def _silences(office: Office) -> list[Silence]:
    found = [FEED.validate_json(record.value) for record in office.records(topics.FEEDS)]
    return [record for record in found if isinstance(record, Silence)]


def _silent(office: Office) -> dict[str, bool]:
    return {row["unit"]: bool(row["silent"]) for row in office.ask("SELECT unit, silent FROM dunghan.desk_feeds")}


def _keeps(judge: WorkerProcess) -> set[str]:
    lines = judge.ask("/metrics").decode().splitlines()
    return {line.split('"')[1] for line in lines if line.startswith("dunghan_silent_feeds{")}


def test_a_unit_falls_silent_its_alerts_are_held_and_decided_when_it_is_back_also_after_kill_9(office: Office) -> None:
    judge = office.start("judge").wait_caught_up()
    talk = Talk(office)
    code = "H26.12-260302-0001"
    received = talk.event(code, SILENT, status=2, procedure="1.000025")
    other = "H26.13-260302-0002"
    talk.event(other, LOUD, status=2)

    def silent_and_stored() -> bool:
        talk.event(other, LOUD)  # on its own partition: the silent unit is silent in spite of it
        return _silent(office).get(SILENT, False)

    until(silent_and_stored, "the silence of the unit in desk_feeds")
    assert _silent(office) == {SILENT: True, LOUD: False}
    assert datetime.now(UTC) < received + LIMIT, "the machine is too slow to see anything"
    assert _keeps(judge) == {SILENT}
    said = office.command("status").decode()
    assert "2 units heard of, 1 silent" in said
    assert "silent since" in said.split(SILENT)[1].splitlines()[0]
    assert "không rõ" in said

    def held() -> bool:
        talk.event(other, LOUD)
        return (Action.HOLD, "overdue", "feed_silent") in _actions(office, code)

    until(held, "the alert that is held")
    assert not [action for action, level, _ in _actions(office, code) if (action, level) == (Action.RAISE, "overdue")]
    judge.kill()
    judge.lose_files()
    again = office.start("judge").wait_caught_up()
    until(lambda: SILENT in _keeps(again), "the silence is known after a kill")
    assert not [action for action, level, _ in _actions(office, code) if (action, level) == (Action.RAISE, "overdue")]
    assert [silence.unit for silence in _silences(office)].count(SILENT) == 1, "a restart says it no second time"

    talk.event("H26.12-260302-0003", SILENT, status=2)  # any dossier of the unit
    until(lambda: (Action.RAISE, "overdue", "feed_returned") in _actions(office, code), "decided at once", within=15)
    until(lambda: not _silent(office)[SILENT], "desk_feeds shows it is back", within=15)
    query = "SELECT count() AS rows FROM dunghan.alerts FINAL WHERE action = 'raise' AND reason = 'feed_returned'"
    until(lambda: office.ask(query)[0]["rows"] == 1, "its row")


def test_while_what_came_is_not_done_nobody_is_called_silent(office: Office) -> None:
    office.start("judge", commit_interval=30).wait_caught_up()
    talk = Talk(office)
    heard = talk.event("H26.12-260302-0011", SILENT, status=2)
    until(lambda: office.records(topics.ASSESSMENTS), "judged")
    until(lambda: datetime.now(UTC) > heard + timedelta(seconds=12), "longer than may be silent, by some turns")
    progress = office.progress("judge", topics.EVENTS.name)
    assert progress.committed < progress.end, "the machine is too slow to see anything"
    assert _silences(office) == [], "for all the group knows there may be more of it"
    until(lambda: _silences(office), "the silence, once its event is committed")
    assert office.progress("judge", topics.EVENTS.name).committed == 1
