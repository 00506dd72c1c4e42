"""A made-up log with everything that can go wrong in it, the whole way on real services."""

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest

from agents.config import load
from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from schemas.dossier import digest, dump
from streams.replay import collect, rows
from streams.rules import Rules
from tests.system.answers import alerts_called_for, differences
from tests.system.generated import CITIZEN, MISPLACED, Log, configuration
from tests.system.office import Office, Row
from tests.system.outcome import Outcome

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Rules:
    return load(configuration(tmp_path_factory.mktemp("rules") / "config"))


def test_every_accepted_event_is_stored_once(calm: Outcome, log: Log) -> None:
    stored = [(row["dossier_code"], row["event_id"], row["digest"]) for row in calm.facts["events"]]
    accepted = {(event.dossier_code, event.event_id, digest(dump(event))) for event in log.events}
    assert len(log.events) > len(accepted), "some were sent again"
    assert sorted(stored) == sorted(accepted)


def test_replay_agrees_field_by_field(calm: Outcome, log: Log, rules: Rules) -> None:
    histories, _ = collect(log.events)
    replayed = [row for history in histories.values() for row in rows(history, rules, now=calm.now)]
    assert {row["cycle"] for row in replayed} >= {1, 2}
    assert differences(replayed, calm.desk) == []


def test_the_parts_of_every_dossiers_time_add_up(calm: Outcome) -> None:
    def gap(row: Row) -> Decimal:
        parts = row["working_seconds"] + row["paused_seconds"] + row["off_seconds"] - row["wall_seconds"]
        return abs(Decimal(parts))

    assert [row["dossier_code"] for row in calm.desk if gap(row)] == []
    assert calm.unbalanced == 0


def test_every_alert_that_the_answers_call_for_was_told_and_none_stands_open_that_they_do_not(
    calm: Outcome, log: Log, rules: Rules
) -> None:
    called_for = alerts_called_for(log, rules, now=calm.now)
    assert called_for <= calm.alerts.keys()
    assert {alert for alert, is_open in calm.alerts.items() if is_open} <= called_for


def test_every_bad_record_is_a_dead_letter_with_its_place_its_reason_and_its_bytes(calm: Outcome, log: Log) -> None:
    reasons = {bad.record.value: bad.reason for bad in log.bad}
    assert len(reasons) == len(log.bad)
    expected = {
        (record.topic, record.partition, record.offset, reasons[record.value], record.key, record.value)
        for record in calm.sent
        if _is_bad(record.value, record.partition, log)
    }
    letters = [(dict(letter.headers), letter) for letter in calm.letters]
    found = [
        (
            said["topic"].decode(),
            int(said["partition"]),
            int(said["offset"]),
            said["reason"].decode(),
            letter.key,
            letter.value,
        )
        for said, letter in letters
    ]
    assert len(found) == len(log.bad)
    assert set(found) == expected


def _is_bad(value: bytes | None, partition: int, log: Log) -> bool:
    return any(
        bad.record.value == value and partition in (bad.record.partition, partition_of(bad.record.key, PARTITIONS))
        for bad in log.bad
    )


def test_every_dead_letter_is_a_row_without_its_bytes(calm: Outcome, log: Log) -> None:
    told = [
        (row["topic"], row["partition"], row["offset"], row["reason"], row["size"], row["sha256"])
        for row in calm.facts["dead_letters"]
    ]
    expected = [
        (
            said["topic"].decode(),
            int(said["partition"]),
            int(said["offset"]),
            said["reason"].decode(),
            len(letter.value or b""),
            hashlib.sha256(letter.value or b"").hexdigest(),
        )
        for letter in calm.letters
        for said in [dict(letter.headers)]
    ]
    assert sorted(told) == sorted(expected)


def test_the_bytes_of_a_refused_record_stand_in_the_dead_letter_topic_alone(calm: Outcome) -> None:
    def tells(value: object) -> bool:
        return CITIZEN in str(value) or "ho_ten" in str(value)

    letters = [letter for letter in calm.letters if tells((letter.value or b"").decode(errors="replace"))]
    assert len(letters) == 3
    assert not any(tells(letter.headers) for letter in calm.letters)
    derived = [(record.value or b"").decode() for record in calm.derived]
    assert len(derived) > len(calm.sent)
    assert not any(tells(value) for value in derived)
    assert not any(tells(row) for table in calm.facts.values() for row in table)


def test_every_record_was_done_buried_or_rerouted(calm: Outcome, log: Log) -> None:
    assert len(calm.sent) == len(log.events) + len(log.bad)
    assert (calm.done, calm.buried) == (len(log.events), len(log.bad))
    assert calm.rerouted == len(log.events[::MISPLACED])
    assert (calm.taken, calm.in_flight) == (calm.done + calm.buried + calm.rerouted, 0)


def test_with_the_clock_at_the_last_event_every_change_in_between_is_made_up_for(
    log: Log, rules: Rules, tmp_path: Path
) -> None:
    events = sorted(log.events, key=lambda event: event.at)[: len(log.events) // 2]
    last = events[-1].at
    with Office(tmp_path, configuration(tmp_path / "config"), now="last-event", chunk_records=20) as office:
        judge, _ = office.start_all()
        office.publish(events)
        office.wait_done()
        histories, _ = collect(events)
        replayed = [row for history in histories.values() for row in rows(history, rules, now=last)]
        assert differences(replayed, office.desk(last)) == []
        assert judge.metric("dunghan_looks_total") > 50
