"""Letters go back once, unchanged or corrected, when the rules of today would take them; and it is written down."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from agents.dead_letters import Letter, dead_letter, read_letter
from agents.drivers.memory import MemoryOutbox, MemoryOutlet, MemoryRecord
from agents.drivers.memory_tables import MemoryBook
from agents.publish import office_check
from agents.resend import LARGEST, Plan, resend
from schemas import topics
from schemas.audit import Entry
from schemas.errors import InvalidRecord, Unavailable
from schemas.event import canonical
from schemas.office import Codes, Office
from tests.hanoi import event, rules

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
STRICT = Office(calendar="vn", reception="vn", codes=Codes())
LENIENT = Office(calendar="vn", reception="vn", codes=Codes(procedure="KT-[0-9]{2}"))
GOOD = canonical(event(2, "2026-03-02T09:00", procedure_code="KT-12", event_id="e1"))
CODE = event(2, "2026-03-02T09:00").dossier_code


def letter(
    value: bytes | None = GOOD,
    *,
    offset: int = 7,
    topic: str = topics.EVENTS.name,
    reason: str = "invalid_code",
    resent_from: str | None = None,
) -> Letter:
    """A letter as it is read back."""
    headers = () if resent_from is None else (("resent_from", resent_from.encode()),)
    refused = MemoryRecord(topic, 2, offset, 0, b"any", value, headers)
    sent = dead_letter(refused, InvalidRecord(reason, "why"), at=NOW - timedelta(days=1))
    return read_letter(MemoryRecord(sent.topic, 2, 0, 0, sent.key, sent.value, sent.headers))


def plan(*letters: Letter, book: MemoryBook | None = None, office: Office = LENIENT, **more: object) -> Plan:
    known = {} if book is None else book.done("resend")
    made = Plan(office_check(rules(office=office), NOW), known)
    for name, value in more.items():
        setattr(made, name, value)
    for each in letters:
        made.take(each)
    return made


def refusals(made: Plan) -> list[tuple[str, str]]:
    return [(refused.about.name, refusal.reason) for refused, refusal in made.refused]


def send(made: Plan, book: MemoryBook, outlet: MemoryOutlet, *, by: str = "hoa", at: datetime = NOW) -> None:
    resend(made, book, outlet, by=by, now=lambda: at)


def written(book: MemoryBook) -> list[tuple[str, Entry]]:
    return [(step, entry) for (_, step), entry in book.rows.items()]


def test_a_letter_is_sent_as_it_came_under_its_dossiers_key_and_says_where_it_is_from() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    send(plan(letter()), book, outlet)
    (record,) = outlet.records
    assert (record.key, record.value) == (CODE.encode(), GOOD)
    assert record.headers == (("resent_from", b"dossier.events.v1/2/7"),)
    assert outlet.acknowledged == 1


def test_who_sent_what_when_and_why_it_had_been_refused_is_written_before_and_after() -> None:
    book = MemoryBook()
    send(plan(letter()), book, MemoryOutlet())
    (begun, first), (done, second) = written(book)
    assert (begun, done) == ("begun", "done")
    sha256 = hashlib.sha256(GOOD).hexdigest()
    assert (
        first
        == second
        == Entry(
            first.audit_id,
            "resend",
            "dossier.events.v1/2/7",
            sha256,
            CODE,
            "e1",
            sha256,
            "invalid_code",
            NOW,
            "hoa",
        )
    )


def test_what_was_resent_is_not_sent_again() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    send(plan(letter(), book=book), book, outlet)
    again = plan(letter(), letter(offset=8), book=book)
    assert refusals(again) == [("dossier.events.v1/2/7", "resent_already")]
    assert [ready.letter.about.offset for ready in again.ready] == [8]
    assert plan(letter(), book=book, named=True).ready == []


def test_another_record_at_the_same_place_of_a_new_kafka_is_another_letter() -> None:
    book = MemoryBook()
    send(plan(letter(), book=book), book, MemoryOutlet())
    other = canonical(event(4, "2026-03-02T10:00", procedure_code="KT-12", event_id="e2"))
    assert len(plan(letter(other), book=book).ready) == 1


def test_nothing_is_sent_that_is_not_written_down() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    book.fail_next(1)
    with pytest.raises(Unavailable):
        send(plan(letter()), book, outlet)
    assert (outlet.records, book.rows) == ([], {})


@pytest.mark.parametrize("broken", ["outlet", "book"])
def test_what_broke_off_is_done_again_and_recorded_once(broken: str) -> None:
    class Later(MemoryBook):
        def write(self, step: object, entries: Sequence[Entry]) -> None:
            if broken == "book" and step == "done" and not self.failed:
                self.failed = True
                raise Unavailable("clickhouse_unavailable", "gone before the second writing")
            super().write(step, entries)  # type: ignore[arg-type]

        failed = False

    book, outlet = Later(), MemoryOutlet()
    if broken == "outlet":
        outlet.fail_next(1)
    with pytest.raises(Unavailable):
        send(plan(letter(), book=book), book, outlet)
    assert [step for step, _ in written(book)] == ["begun"]
    later = NOW + timedelta(hours=1)
    send(plan(letter(), book=book), book, outlet, by="minh", at=later)
    (_, begun), (_, done) = written(book)
    assert ((begun.by, begun.at), (done.by, done.at)) == (("hoa", NOW), ("minh", later))
    assert len({record.value for record in outlet.records}) == 1  # twice the same event counts once


@pytest.mark.parametrize(
    ("buried", "office", "reason"),
    [
        (letter(), STRICT, "invalid_code"),
        (letter(b"{"), LENIENT, "unreadable"),
        (letter(None), LENIENT, "unreadable"),
        (letter(GOOD.replace(b"2026-03-02T", b"2026-04-02T")), LENIENT, "future_time"),
        (letter(b" " * LARGEST + GOOD), LENIENT, "oversized"),
        (letter(topic=topics.LOOKS.name), LENIENT, "not_an_event"),
        (letter(b"x" * (3 * 1024 * 1024), topic=topics.REROUTED.name), LENIENT, "bytes_missing"),
        (replace(letter(), value=GOOD + b" "), LENIENT, "bytes_missing"),
        (letter(resent_from="dossier.events.v1/0/1"), LENIENT, "buried_again"),
    ],
)
def test_what_would_be_refused_again_is_not_sent(buried: Letter, office: Office, reason: str) -> None:
    made = plan(buried, office=office)
    assert (made.ready, refusals(made)) == ([], [(buried.about.name, reason)])
    assert made.counts == {reason: 1}
    assert made.refused[0][0].value is None  # the bytes are not held any longer


def test_a_letter_that_was_buried_again_is_sent_when_it_is_named() -> None:
    again = letter(offset=9, resent_from="dossier.events.v1/2/7")
    book, outlet = MemoryBook(), MemoryOutlet()
    send(plan(again, named=True), book, outlet)
    assert outlet.records[0].headers == (("resent_from", b"dossier.events.v1/2/9"),)


def test_a_rerouted_event_goes_back_to_its_dossiers_partition() -> None:
    assert len(plan(letter(topic=topics.REROUTED.name, reason="wrong_partition")).ready) == 1


def test_a_dossier_without_room_gets_nothing_more() -> None:
    other = event(2, "2026-03-02T09:00", dossier_code="H26.12-260302-0002", procedure_code="KT-12")
    made = plan(letter(), letter(canonical(other), offset=8))
    made.leave_out_full(lambda codes: {code for code in codes if code == CODE})
    assert [ready.event.dossier_code for ready in made.ready] == [other.dossier_code]
    assert refusals(made) == [("dossier.events.v1/2/7", "history_full")]


def test_no_more_are_sent_in_one_go_than_memory_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.resend.MOST", 2)
    bad = [letter(b"?", offset=offset) for offset in range(3)]
    made = plan(*bad, *(letter(offset=offset) for offset in range(10, 14)))
    assert (len(made.ready), made.more) == (2, 2)
    assert (len(made.refused), made.counts) == (2, {"unreadable": 3})


def test_a_correction_is_sent_instead_and_the_audit_shows_that_it_was_edited() -> None:
    wrong = orjson.dumps({"event_id": "e1", "dossier_code": CODE, "ho_ten": "…"})
    book, outlet = MemoryBook(), MemoryOutlet()
    send(plan(letter(wrong, reason="unknown_field"), correction=GOOD), book, outlet)
    assert outlet.records[0].value == GOOD
    entry = written(book)[0][1]
    assert entry.record_sha256 == hashlib.sha256(wrong).hexdigest()
    assert entry.sha256 == hashlib.sha256(GOOD).hexdigest()


@pytest.mark.parametrize(
    ("was", "reason"),
    [
        (b'{"event_id": "e1"}', None),
        (b'{"event_id": "another"}', "event_id_changed"),
        (b"\xff not JSON", None),
        (b"[1]", None),
        (b"{}", None),
        (b'{"event_id": 12}', None),
        (b'{"event_id": "one\\nline"}', None),
        (None, None),
    ],
)
def test_a_correction_keeps_the_event_id_where_there_was_one(was: bytes | None, reason: str | None) -> None:
    made = plan(letter(was), correction=GOOD)
    assert refusals(made) == ([] if reason is None else [("dossier.events.v1/2/7", reason)])


def test_a_correction_is_checked_like_any_event() -> None:
    assert plan(letter(), correction=b"{}").counts == {"missing_field": 1}


async def test_a_letter_in_the_memory_broker_is_the_one_that_judge_writes() -> None:
    outbox = MemoryOutbox()
    refused = MemoryRecord(topics.EVENTS.name, 1, 3, 0, b"", GOOD)
    await outbox.send([dead_letter(refused, InvalidRecord("invalid_code", "why"), at=NOW)])
    (record,) = outbox.records(topics.DEAD_LETTERS.name, 1)
    assert len(plan(read_letter(record)).ready) == 1
