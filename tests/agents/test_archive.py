"""archive: what is judged, told and refused becomes rows, and nothing else happens to it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.archive import Archive
from agents.dead_letters import LARGEST, dead_letter, read_dead_letter, source_of
from agents.drivers.memory import MemoryLease, MemoryOutbox, MemoryRecord
from agents.drivers.memory_tables import MemoryFacts
from agents.gatherer import Gatherer
from agents.ports import Chunk
from agents.rows import COLUMNS, Row, assessment_rows, heard_row, version_number
from agents.telemetry import Meters
from schemas import topics
from schemas.alert import Action, Alert, alert_id
from schemas.assessment import Level, Version
from schemas.dossier import Judgement, dump
from schemas.errors import InvalidRecord, LeaseLost, Unavailable
from schemas.event import Event
from schemas.feed import Heard, Release, Silence, dump_feed
from schemas.limits import Limit
from streams.verdict import assess
from tests.hanoi import at, event, history, rules

OFFICE = rules(limit=Limit("working_day", 5))
STARTED = event(2, "2026-03-02T09:00", event_id="start", stage="intake")
PAUSED = event(5, "2026-03-03T10:00", event_id="pause")
ENDED = event(9, "2026-03-04T10:00", event_id="end")
REOPENED = event(4, "2026-03-05T10:00", event_id="again")
VOIDED = event(None, "2026-03-06T10:00", event_id="void", kind="void", voids="again")
CODE = STARTED.dossier_code


def judgement(*events: Event, now: str = "2026-03-06T09:00", highest: int = 0, new: Sequence[Event] = ()) -> Judgement:
    answer = assess(history(*events), OFFICE, now=at(now))
    return Judgement(answer, max(highest, len(answer.cycles)), tuple(new))


def chunk(*values: bytes | None, topic: topics.Topic = topics.ASSESSMENTS, partition: int = 0) -> Chunk:
    records = [MemoryRecord(topic.name, partition, 7 + n, 0, CODE.encode(), value) for n, value in enumerate(values)]
    return Chunk(topic.name, partition, records)


def archive(facts: MemoryFacts, outbox: MemoryOutbox | None = None) -> Archive:
    return Archive(facts, outbox or MemoryOutbox(), Meters(), pace=0)


def an_alert(**changes: object) -> Alert:
    due = at("2026-03-09T17:00")
    alert = Alert(
        alert_id(CODE, 1, Level.OVERDUE, due),
        Action.RAISE,
        "level_reached",
        CODE,
        1,
        Level.OVERDUE,
        at("2026-03-10T00:00"),
        due,
        Version(3, 1, at("2026-03-10T00:00")),
    )
    return replace(alert, **changes)  # type: ignore[arg-type]


def named(table: str, row: Row) -> dict[str, object]:
    return dict(zip(COLUMNS[table], row, strict=True))


async def test_a_judgement_becomes_a_row_a_cycle_and_a_row_an_event() -> None:
    facts = MemoryFacts()
    said = judgement(STARTED, PAUSED, ENDED, REOPENED, new=(ENDED, REOPENED))
    await archive(facts).handle(chunk(dump(said)), MemoryLease())
    first, second = facts.tables["assessments"]
    assert (first["dossier_code"], first["cycle"], first["clock"], first["ended_at"]) == (CODE, 1, "stopped", ENDED.at)
    assert (second["cycle"], second["clock"], second["current_since"]) == (2, "running", REOPENED.at)
    assert first["version"] == second["version"] == version_number(said.assessment.version)
    assert [row["event_id"] for row in facts.tables["events"]] == ["end", "again"]


async def test_time_that_runs_is_stored_up_to_the_beginning_of_its_segment() -> None:
    facts = MemoryFacts()
    await archive(facts).handle(chunk(dump(judgement(STARTED, PAUSED))), MemoryLease())
    (row,) = facts.tables["assessments"]
    assert row["current_since"] == PAUSED.at
    assert (row["used_working_seconds"], row["used_paused_seconds"]) == (9 * 3600, 0)
    assert row["segments.begin"] == [STARTED.at, PAUSED.at]
    assert row["segments.end"] == [PAUSED.at, None]
    assert row["segments.working_seconds"] == [9 * 3600, None]


def test_a_cycle_that_vanished_is_written_as_deleted_with_the_same_version() -> None:
    said = judgement(STARTED, ENDED, REOPENED, VOIDED, now="2026-03-07T09:00", highest=3)
    rows = [named("assessments", row) for row in assessment_rows(said)]
    assert [(row["cycle"], row["is_deleted"]) for row in rows] == [(1, 0), (2, 1), (3, 1)]
    assert {row["version"] for row in rows} == {version_number(said.assessment.version)}


def test_equal_judgements_are_equal_rows_at_any_instant_between_two_changes() -> None:
    earlier = judgement(STARTED, PAUSED, now="2026-03-04T09:00")
    later = judgement(PAUSED, STARTED, now="2026-03-05T21:13")
    assert list(assessment_rows(earlier)) == list(assessment_rows(later))


def test_versions_rise_with_events_then_rules_then_instants() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    rising = [
        Version(1, 9, noon + timedelta(days=9)),
        Version(2, 1, noon),
        Version(2, 1, noon + timedelta(microseconds=1)),
        Version(2, 2, noon - timedelta(days=30)),
        Version(3, 1, noon - timedelta(days=60)),
    ]
    numbers = [version_number(version) for version in rising]
    assert numbers == sorted(set(numbers))


async def test_an_alert_becomes_a_row() -> None:
    facts = MemoryFacts()
    raised, resolved = an_alert(), an_alert(action=Action.RESOLVE, reason="completed")
    await archive(facts).handle(chunk(dump(raised), dump(resolved), topic=topics.ALERTS), MemoryLease())
    rows = facts.tables["alerts"]
    assert [(row["alert_id"], row["action"]) for row in rows] == [
        (raised.alert_id, "raise"),
        (raised.alert_id, "resolve"),
    ]
    assert rows[0]["at"] == raised.at


async def test_a_dead_letter_becomes_a_row_without_its_bytes() -> None:
    facts, outbox = MemoryFacts(), MemoryOutbox()
    refused = MemoryRecord("dossier.events.v1", 2, 41, 0, b"k", b"\xff\xfe? ")
    await outbox.send([dead_letter(refused, InvalidRecord("unreadable", "no JSON"), at=at("2026-03-02T09:00"))])
    (letter,) = outbox.records(topics.DEAD_LETTERS.name)
    await archive(facts).handle(Chunk(letter.topic, 2, [letter]), MemoryLease())
    assert facts.tables["dead_letters"] == [
        {
            "topic": "dossier.events.v1",
            "partition": 2,
            "offset": 41,
            "sha256": read_dead_letter(letter).sha256,
            "reason": "unreadable",
            "detail": "no JSON",
            "size": 4,
            "source": "",
            "buried_at": at("2026-03-02T09:00"),
        }
    ]


@pytest.mark.parametrize("bad", [b"\xff", b"{}", b'{"assessment": 1}', None])
async def test_a_record_of_ours_that_cannot_be_read_is_buried_and_the_rest_goes_on(bad: bytes | None) -> None:
    facts, outbox = MemoryFacts(), MemoryOutbox()
    await archive(facts, outbox).handle(
        chunk(dump(judgement(STARTED)), bad, dump(judgement(STARTED, ENDED))), MemoryLease()
    )
    assert len(facts.tables["assessments"]) == 2
    (letter,) = outbox.records(topics.DEAD_LETTERS.name)
    assert (letter.value, letter.key) == (bad, CODE.encode())
    said = read_dead_letter(letter)
    assert (said.topic, said.offset, said.reason) == ("dossier.assessments.v1", 8, "unreadable")


async def test_an_unreadable_dead_letter_gets_a_row_and_no_second_copy() -> None:
    facts, outbox = MemoryFacts(), MemoryOutbox()
    await archive(facts, outbox).handle(chunk(b"whose?", topic=topics.DEAD_LETTERS), MemoryLease())
    (row,) = facts.tables["dead_letters"]
    assert (row["topic"], row["offset"], row["reason"]) == ("dossier.dead-letters.v1", 7, "unreadable")
    assert outbox.topics == {}


def test_bytes_that_do_not_fit_the_dead_letter_topic_stay_where_they_are() -> None:
    record = MemoryRecord("dossier.assessments.v1", 0, 1, 0, b"k", b"x" * (LARGEST + 1))
    letter = dead_letter(record, InvalidRecord("unreadable", "too long"), at=at("2026-03-02T09:00"))
    assert letter.value is None
    assert dict(letter.headers)["size"] == str(LARGEST + 1).encode()


async def test_a_sign_of_life_a_silence_and_a_release_become_rows() -> None:
    facts, outbox = MemoryFacts(), MemoryOutbox()
    came, since = at("2026-03-02T09:00"), at("2026-03-02T11:00:01")
    heard, silence, release = (
        Heard("H26.12", "portal", 3, came, came),
        Silence("H26.12", came, since),
        Release(since, came, "Lan"),
    )
    said = [dump_feed(heard), dump_feed(silence), dump_feed(release), b"{}"]
    await archive(facts, outbox).handle(chunk(*said, topic=topics.FEEDS), MemoryLease())
    assert facts.tables == {
        "feeds": [named("feeds", heard_row(heard))],
        "silences": [{"unit": "H26.12", "heard_at": came, "since": since}],
        "releases": [{"until": since, "at": came, "by": "Lan"}],
    }
    assert facts.tables["feeds"][0]["heard_at"] == came
    assert len(outbox.records(topics.DEAD_LETTERS.name)) == 1


def test_a_sign_of_life_that_came_later_has_the_higher_version_and_then_the_one_that_happened_later() -> None:
    def version(came: str, happened: str) -> object:
        return named("feeds", heard_row(Heard("H26.12", "", 0, at(came), at(happened))))["version"]

    early, late, latest = (
        version("2026-03-02T09:00", "2026-03-02T12:00"),
        version("2026-03-02T09:01", "2026-03-01T09:00"),
        version("2026-03-02T09:01", "2026-03-01T09:01"),
    )
    assert early < late < latest  # type: ignore[operator]


@pytest.mark.parametrize(
    ("value", "source"),
    [
        pytest.param(b'{"source": "one-stop:H26", "status": "x"}', "one-stop:H26", id="named"),
        pytest.param(b'{"source": "Nguyen Van A"}', "", id="no-source-but-perhaps-a-person"),
        pytest.param(b'{"source": 7}', "", id="a-number"),
        pytest.param(b'["source"]', "", id="no-object"),
        pytest.param(b"\xff", "", id="bytes"),
        pytest.param(None, "", id="tombstone"),
    ],
)
async def test_a_dead_letter_names_its_source_as_far_as_it_can_be_read(value: bytes | None, source: str) -> None:
    assert source_of(value) == source
    record = MemoryRecord(topics.EVENTS.name, 1, 2, 0, b"", value)
    letter = dead_letter(record, InvalidRecord("unreadable", "why"), at=ENDED.at, source=source_of(value))
    outbox, facts = MemoryOutbox(), MemoryFacts()
    await outbox.send([letter])
    await archive(facts).handle(Chunk(letter.topic, 1, outbox.records(letter.topic)), MemoryLease())
    assert [row["source"] for row in facts.tables["dead_letters"]] == [source]


async def test_a_dead_letter_with_a_source_that_cannot_be_is_unreadable() -> None:
    letter = dead_letter(
        MemoryRecord("t", 0, 0, 0, b"", b""), InvalidRecord("unreadable", "why"), at=ENDED.at, source="?"
    )
    outbox = MemoryOutbox()
    await outbox.send([letter])
    with pytest.raises(InvalidRecord):
        read_dead_letter(outbox.records(letter.topic)[0])


async def test_while_clickhouse_is_down_the_chunk_waits_and_buries_nothing() -> None:
    facts, outbox = MemoryFacts(), MemoryOutbox()
    facts.fail_next(1)
    worker = archive(facts, outbox)
    waiting = chunk(dump(judgement(STARTED)), b"?")
    with pytest.raises(Unavailable):
        await worker.handle(waiting, MemoryLease())
    assert (facts.tables, outbox.topics) == ({}, {})
    await worker.handle(waiting, MemoryLease())
    assert len(facts.tables["assessments"]) == len(outbox.records(topics.DEAD_LETTERS.name)) == 1


async def test_a_lost_lease_drops_the_chunk_before_the_next_table() -> None:
    facts, lease = MemoryFacts(), MemoryLease()
    lease.lose_after(1)
    with pytest.raises(LeaseLost):
        await archive(facts).handle(chunk(dump(judgement(STARTED, new=(STARTED,)))), lease)
    assert set(facts.tables) == {"events"}


class SlowFacts(MemoryFacts):
    """Inserts that wait to be let through, and are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.inserts: list[tuple[str, int]] = []

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        self.inserts.append((table, len(rows)))
        await self.gate.wait()
        await super().insert(table, columns, rows)


LETTER: Row = ("t", 0, 1, "0" * 64, "unreadable", "", 0, "portal", at("2026-03-02T09:00"))


async def settled(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_what_several_partitions_bring_while_an_insert_runs_goes_into_the_next_one() -> None:
    facts = SlowFacts()
    gatherer = Gatherer(facts, Meters(), pace=0)
    writes = [asyncio.create_task(gatherer.write({"dead_letters": [LETTER]}, MemoryLease()))]
    await settled()
    writes += [asyncio.create_task(gatherer.write({"dead_letters": [LETTER]}, MemoryLease())) for _ in range(3)]
    await settled()
    facts.gate.set()
    await asyncio.gather(*writes)
    assert facts.inserts == [("dead_letters", 1), ("dead_letters", 3)]


async def test_the_first_insert_after_a_pause_waits_for_nothing_and_the_next_for_the_pace() -> None:
    facts = SlowFacts()
    facts.gate.set()
    gatherer = Gatherer(facts, Meters(), pace=0.2)
    clock = asyncio.get_running_loop().time
    began = clock()
    await gatherer.write({"dead_letters": [LETTER]}, MemoryLease())
    assert clock() - began < 0.15
    await gatherer.write({"dead_letters": [LETTER]}, MemoryLease())
    assert clock() - began >= 0.2


async def test_a_lost_lease_takes_only_its_own_rows_out() -> None:
    facts, gone = MemoryFacts(), MemoryLease(gone=True)
    gatherer = Gatherer(facts, Meters(), pace=0)
    outcomes = await asyncio.gather(
        gatherer.write({"dead_letters": [LETTER]}, MemoryLease()),
        gatherer.write({"dead_letters": [LETTER]}, gone),
        return_exceptions=True,
    )
    assert outcomes[0] is None
    assert isinstance(outcomes[1], LeaseLost)
    assert len(facts.tables["dead_letters"]) == 1


async def test_a_failed_insert_is_the_failure_of_all_who_shared_it_and_of_nobody_after() -> None:
    facts = MemoryFacts()
    facts.fail_next(1)
    gatherer = Gatherer(facts, Meters(), pace=0)
    shared = [gatherer.write({"dead_letters": [LETTER]}, MemoryLease()) for _ in range(2)]
    outcomes = await asyncio.gather(*shared, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    await gatherer.write({"dead_letters": [LETTER]}, MemoryLease())
    assert len(facts.tables["dead_letters"]) == 1


async def test_no_more_is_made_into_rows_at_a_time_than_there_is_room_for() -> None:
    facts = SlowFacts()
    told = dump(judgement(STARTED, new=(STARTED,)))
    worker = Archive(facts, MemoryOutbox(), Meters(), pace=0, room=3 * len(told))
    chunks = [asyncio.create_task(worker.handle(chunk(told, told, partition=n), MemoryLease())) for n in range(3)]
    await settled()
    assert facts.inserts == [("events", 2)]
    assert [len(part.rows) for part in worker._gatherer._waiting] == []
    facts.gate.set()
    await asyncio.gather(*chunks)
    assert [table for table, _ in facts.inserts] == ["events", "assessments"] * 3


async def test_a_chunk_that_finds_no_room_says_that_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.archive.PATIENCE", 0.01)
    facts = SlowFacts()
    worker = Archive(facts, MemoryOutbox(), Meters(), pace=0, room=1)
    first = asyncio.create_task(worker.handle(chunk(dump(judgement(STARTED))), MemoryLease()))
    await settled()
    with pytest.raises(Unavailable) as waits:
        await worker.handle(chunk(dump(judgement(STARTED)), partition=1), MemoryLease())
    assert waits.value.reason == "clickhouse_busy"
    facts.gate.set()
    await first
