"""A real log the whole way: published, judged, stored, and asked for by one query; the same rows however it came."""

import random
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from tests.system.answers import differences
from tests.system.office import ROOT, Office, Row

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

EXAMPLE = ROOT / "examples" / "permit-receipts"
LAST_EVENT = "2012-01-23T15:42:54.644+01:00"

COUNTS = """
SELECT
    countIf(cycle = 1 AND verdict = 'early') AS early,
    countIf(cycle = 1 AND verdict = 'on_time') AS on_time,
    countIf(cycle = 1 AND verdict = 'overdue' AND isNotNull(ended_at)) AS overdue,
    countIf(cycle = 1 AND isNull(ended_at)) AS open,
    countIf(cycle = 1 AND isNull(ended_at) AND verdict = 'overdue') AS open_overdue,
    countIf(cycle = 2 AND isNull(ended_at) AND verdict = 'in_time') AS reopened_in_time,
    countIf(cycle = 2 AND isNull(ended_at) AND verdict = 'overdue') AS reopened_overdue,
    countIf(cycle > 1) AS reopened
FROM dunghan.desk_assessments
"""
ANSWER = {
    "early": 951,
    "on_time": 69,
    "overdue": 309,
    "open": 105,
    "open_overdue": 37,
    "reopened_in_time": 4,
    "reopened_overdue": 141,
    "reopened": 145,
}


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, permit_log: Path) -> Iterator[Office]:
    """The log published once, with the clock at the last event."""
    with Office(tmp_path_factory.mktemp("permits"), EXAMPLE / "config", now="last-event") as office:
        office.start_all()
        said = office.command("publish", permit_log, "--mapping", EXAMPLE / "mapping.yaml")
        assert b"11340 events sent and acknowledged, 0 rows refused" in said
        office.wait_done(within=120)
        yield office


@pytest.fixture(scope="module")
def events(office: Office, permit_log: Path) -> list[bytes]:
    """The same events as JSON lines, in the order of the file."""
    return office.command("publish", permit_log, "--mapping", EXAMPLE / "mapping.yaml", "--dry-run").splitlines()


def test_one_query_answers_for_every_permit(office: Office) -> None:
    assert office.ask(COUNTS) == [ANSWER]


def test_publishing_the_log_a_second_time_gives_the_same_rows(office: Office, permit_log: Path) -> None:
    before, read = office.facts(), office.progress("judge", "dossier.events.v1")
    office.command("publish", permit_log, "--mapping", EXAMPLE / "mapping.yaml")
    office.wait_done(within=120)
    assert office.progress("judge", "dossier.events.v1").committed == read.committed + 11_340
    assert office.facts() == before
    assert office.ask(COUNTS) == [ANSWER]


def test_in_random_order_into_a_fresh_system_it_gives_the_same_rows(
    office: Office, events: list[bytes], tmp_path: Path
) -> None:
    shuffled = list(events)
    random.Random(766).shuffle(shuffled)
    # The other clock that a back-load may have: both stand at the last event in the end.
    with Office(tmp_path, EXAMPLE / "config", now=LAST_EVENT) as fresh:
        fresh.start_all()
        fresh.command("publish", "-", given=b"\n".join(shuffled))
        fresh.wait_done(within=120)
        assert fresh.facts() == office.facts()


def test_replay_agrees_for_every_dossier_field_by_field(office: Office, events: list[bytes], tmp_path: Path) -> None:
    file = tmp_path / "permits.jsonl"
    file.write_bytes(b"\n".join(events) + b"\n")
    replayed: list[Row] = [
        orjson.loads(line) for line in office.command("replay", file, "--now", LAST_EVENT).splitlines()
    ]
    stored = office.desk(datetime.fromisoformat(LAST_EVENT))
    assert len(replayed) == 1_434 + 145
    assert differences(replayed, stored) == []
