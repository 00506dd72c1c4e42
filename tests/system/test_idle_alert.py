"""The alert of an idle topic: nothing arrives, and the dossier is told of at its instant, whoever died meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from schemas import topics
from schemas.alert import Action, Alert
from schemas.assessment import Level
from schemas.dossier import ALERT
from schemas.event import Event
from tests.system.always import always_open
from tests.system.office import Office, WorkerProcess
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

#: What is promised, from the instant to the record on its topic, and to the row in ClickHouse.
RECORD_WITHIN = timedelta(seconds=2)
ROW_WITHIN = timedelta(seconds=5)
#: An exact limit is missed from one second after its due instant.
MISSED_AFTER = timedelta(seconds=1)

SOON, LATER = ("1.000006", timedelta(seconds=6.48)), ("1.000015", timedelta(seconds=15.12))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """An office that never closes, with limits of seconds."""
    folder = tmp_path_factory.mktemp("idle")
    config = always_open(folder / "config", {"1.000006": 0.0018, "1.000015": 0.0042})
    with Office(folder, config) as office:
        office.start("archive").wait_caught_up()
        yield office


@pytest.fixture
def judge(office: Office) -> Iterator[WorkerProcess]:
    """A judge at work; it is killed in the end, if it was not before."""
    judge = office.start("judge").wait_caught_up()
    yield judge
    judge.kill()


def _receive(office: Office, code: str, promise: tuple[str, timedelta]) -> datetime:
    """A dossier received now, and judged; the instant from which it is overdue."""
    procedure, limit = promise
    received = datetime.now(UTC)
    event = Event(
        event_id=f"{code}-received",
        dossier_code=code,
        at=received,
        status=2,
        procedure_code=procedure,
        processing_unit="H26.12",
    )
    office.publish([event])
    office.wait_for(lambda progress: progress.committed == progress.end, "judge", topics.EVENTS.name, what="judged")
    assert datetime.now(UTC) < received + limit, "the machine is too slow to see anything"
    return received + limit + MISSED_AFTER


def _row_seen(office: Office, code: str) -> datetime:
    """When the row of the dossier's overdue alert is there."""
    query = "SELECT count() AS rows FROM dunghan.alerts WHERE dossier_code = %(code)s AND level = 'overdue'"
    until(lambda: office.ask(query, code=code)[0]["rows"], f"the row of the alert of {code}")
    return datetime.now(UTC)


def _told(office: Office, code: str) -> list[tuple[Alert, datetime]]:
    """What was told of the dossier, each with the time at which the broker wrote it down."""
    records = [record for record in office.records(topics.ALERTS) if record.key.decode() == code]
    return [
        (ALERT.validate_json(record.value), datetime.fromtimestamp(record.timestamp / 1000, UTC)) for record in records
    ]


def _actions(told: list[tuple[Alert, datetime]]) -> list[tuple[Action, Level]]:
    return [(alert.action, alert.level) for alert, _ in told]


STORY = [
    (Action.RAISE, Level.NEAR_DUE),  # within the last hour from its first second
    (Action.REPLACE, Level.NEAR_DUE),
    (Action.RAISE, Level.OVERDUE),
]


def test_on_an_idle_topic_the_alert_stands_within_two_seconds_and_its_row_within_five(
    office: Office, judge: WorkerProcess
) -> None:
    code = "H26.12-260302-0001"
    instant = _receive(office, code, SOON)
    arrived = office.progress("judge", topics.EVENTS.name)
    row_seen = _row_seen(office, code)
    told = _told(office, code)
    assert _actions(told) == STORY
    overdue, written = told[-1]
    assert (overdue.due, overdue.at, overdue.found_late) == (instant - MISSED_AFTER, instant, False)
    assert timedelta(milliseconds=-1) <= written - instant < RECORD_WITHIN
    assert row_seen - instant < ROW_WITHIN
    assert office.progress("judge", topics.EVENTS.name) == arrived, "no event has come meanwhile"


def test_a_judge_killed_before_the_instant_and_started_again_is_in_time(office: Office, judge: WorkerProcess) -> None:
    code = "H26.12-260302-0002"
    instant = _receive(office, code, LATER)
    judge.kill()
    judge.lose_files()
    office.start("judge").wait_caught_up()
    assert datetime.now(UTC) < instant, "the machine is too slow to see anything"
    row_seen = _row_seen(office, code)
    told = _told(office, code)
    assert _actions(told) == STORY
    assert told[-1][1] - instant < RECORD_WITHIN
    assert row_seen - instant < ROW_WITHIN
    office.workers[-1].kill()


def test_an_instant_that_passes_while_nobody_judges_is_told_of_at_the_next_start(
    office: Office, judge: WorkerProcess
) -> None:
    code = "H26.12-260302-0003"
    instant = _receive(office, code, SOON)
    judge.kill()
    until(lambda: datetime.now(UTC) > instant, "the instant has passed")
    again = office.start("judge").wait_caught_up()
    started = datetime.now(UTC)
    _row_seen(office, code)
    told = _told(office, code)
    assert _actions(told) == STORY
    assert told[-1][0].at == instant
    assert told[-1][1] - started < RECORD_WITHIN
    again.kill()
