"""The audit in memory and in ClickHouse: what stands stays, the earliest of a step counts, and it reads back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.audit import Book
from agents.drivers.audit_book import AuditBook
from agents.drivers.local import Services
from agents.drivers.memory_tables import MemoryBook
from agents.settings import Settings
from schemas.audit import Entry, audit_id
from schemas.errors import ConfigError, Unavailable
from tests.tables import clickhouse_settings, fresh_tables

AT = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
VOID = Entry(
    audit_id("void", "H26.12-260302-0001", "e1"),
    "void",
    "e1",
    "a" * 64,
    "H26.12-260302-0001",
    "v1",
    "b" * 64,
    "wrong-dossier",
    AT,
    "Nguyễn Thị Hoa",
)
RESEND = replace(
    VOID,
    audit_id=audit_id("resend", "dossier.events.v1/3/7"),
    action="resend",
    record="dossier.events.v1/3/7",
    sha256="a" * 64,
    reason="invalid_code",
)
LATER = timedelta(hours=1)


@pytest.fixture(params=["memory", pytest.param("clickhouse", marks=pytest.mark.system)])
def book(request: pytest.FixtureRequest) -> Iterator[Book]:
    """An empty book."""
    if request.param == "memory":
        yield MemoryBook()
        return
    with fresh_tables(request.getfixturevalue("services")) as tables, AuditBook.open(tables.settings) as opened:
        yield opened


def test_an_action_reads_back_as_it_was_begun(book: Book) -> None:
    book.write("begun", [VOID, RESEND])
    assert book.begun(VOID.audit_id) == VOID
    assert book.begun(RESEND.audit_id) == RESEND
    assert book.begun(audit_id("void", "another")) is None
    assert book.done("void") == book.done("resend") == {}


def test_the_earliest_row_of_a_step_counts_in_any_order(book: Book) -> None:
    second = replace(VOID, by="minh", at=AT + LATER, reason="another")
    for entry in (second, VOID, second):
        book.write("begun", [entry])
    assert book.begun(VOID.audit_id) == VOID


def test_done_is_known_by_record_and_hash_since_the_first_time(book: Book) -> None:
    book.write("begun", [RESEND])
    edited = replace(RESEND, audit_id=audit_id("resend", "edited"), sha256="c" * 64, at=AT - LATER)
    for entry in (RESEND, replace(RESEND, at=AT + LATER), edited, VOID):
        book.write("done", [entry])
    assert book.done("resend") == {(RESEND.record, RESEND.record_sha256): AT - LATER}
    assert book.done("void") == {("e1", "a" * 64): AT}
    assert book.begun(edited.audit_id) is None


@pytest.mark.system
def test_the_desk_reads_one_row_an_action_and_nothing_of_the_table(services: Services) -> None:
    with fresh_tables(services) as tables:
        with AuditBook.open(tables.settings) as book:
            book.write("begun", [VOID, RESEND])
            book.write("begun", [replace(RESEND, by="minh", at=AT + LATER)])
            book.write("done", [replace(RESEND, by="minh", at=AT + LATER)])
            book.write("begun", [replace(RESEND, audit_id=audit_id("resend", "x"), sha256="c" * 64, at=AT + LATER)])
        rows = {row["audit_id"]: row for row in tables.rows("desk_audit")}
        assert len(rows) == 3
        assert rows[RESEND.audit_id] | {"audit_id": 0} == {
            "at": AT,
            "by": "Nguyễn Thị Hoa",
            "action": "resend",
            "record": "dossier.events.v1/3/7",
            "dossier_code": VOID.dossier_code,
            "event_id": "v1",
            "reason": "invalid_code",
            "edited": 0,
            "done_at": AT + LATER,
            "audit_id": 0,
        }
        assert rows[VOID.audit_id]["done_at"] is None
        assert rows[VOID.audit_id]["edited"] == 0
        assert rows[audit_id("resend", "x")]["edited"] == 1


@pytest.mark.system
def test_a_book_without_tables_and_one_without_server_say_so(services: Services) -> None:
    with pytest.raises(ConfigError, match="dunghan migrate"), AuditBook.open(clickhouse_settings(services, "none")):
        pass
    nowhere = Settings(clickhouse_host="127.0.0.1", clickhouse_port=1)
    with pytest.raises(Unavailable), AuditBook.open(nowhere):
        pass
