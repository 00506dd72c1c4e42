"""An event is taken back by one void, whoever asks how often; what it changes is said before."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.drivers.memory import MemoryOutlet
from agents.drivers.memory_tables import MemoryBook
from agents.void import Change, changes, name_of, standing_void, take_back, told, void_of, wrong_event
from schemas.alert import Action
from schemas.errors import ConfigError, InvalidRecord, Unavailable
from schemas.event import Event, canonical, read_event
from schemas.limits import Limit
from streams.alerts import decide
from streams.history import FULL, History, add, build
from streams.verdict import assess
from tests.hanoi import event, history, rules

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
OFFICE = rules(limit=Limit("working_day", 1))
RECEIVED = event(2, "2026-03-02T09:00", event_id="received")
WRONG = event(9, "2026-03-02T15:00", event_id="finished")
HISTORY = history(RECEIVED, WRONG)


def take(
    book: MemoryBook, outlet: MemoryOutlet, *, reason: str = "wrong-dossier", by: str = "hoa", at: datetime = NOW
) -> Event:
    return take_back(WRONG, reason, book, outlet, by=by, at=None, now=lambda: at)


def test_the_void_is_an_event_of_the_dossier_that_upstream_could_have_sent() -> None:
    void = void_of(WRONG, reason="wrong-dossier", at=NOW)
    assert (void.kind, void.voids, void.dossier_code) == ("void", "finished", WRONG.dossier_code)
    assert (void.at, void.reason, void.source) == (NOW, "wrong-dossier", "dunghan")
    assert read_event(canonical(void)) == void


def test_its_id_comes_from_the_event_that_it_takes_back() -> None:
    ids = {void_of(WRONG, reason=reason, at=at).event_id for reason in ("a", "b") for at in (NOW, RECEIVED.at)}
    assert len(ids) == 1
    assert void_of(RECEIVED, reason="a", at=NOW).event_id not in ids


def test_a_reason_is_a_code() -> None:
    with pytest.raises(InvalidRecord, match=r"^reason: "):
        void_of(WRONG, reason="the clerk pressed the wrong key", at=NOW)


def test_only_a_known_event_that_is_no_void_can_be_taken_back() -> None:
    assert wrong_event(HISTORY, "finished") == WRONG
    with pytest.raises(ConfigError, match="no accepted event nowhere of dossier") as unknown:
        wrong_event(HISTORY, "nowhere")
    assert unknown.value.reason == "event_unknown"
    void = void_of(WRONG, reason="a", at=NOW)
    with pytest.raises(ConfigError, match="is a void itself") as refusal:
        wrong_event(add(HISTORY, void), void.event_id)
    assert refusal.value.reason == "event_is_void"


def test_an_event_that_was_taken_back_is_seen_whoever_did_it() -> None:
    theirs = Event(event_id="upstream:9", kind="void", dossier_code=WRONG.dossier_code, at=NOW, voids="finished")
    assert standing_void(HISTORY, "finished") is None
    assert standing_void(add(HISTORY, theirs), "finished") == theirs
    assert standing_void(add(HISTORY, theirs), "received") is None


def test_what_changes_is_said_by_cycle_and_field() -> None:
    found = list(changes(HISTORY, void_of(WRONG, reason="a", at=NOW), OFFICE, now=NOW))
    assert Change(1, "status", 9, 2) in found
    assert Change(1, "verdict", "early", "overdue") in found
    assert Change(1, "clock", "stopped", "running") in found
    assert {change.field for change in found}.isdisjoint({"cycle", "dossier_code", "due_current", "received_at"})


def test_a_cycle_that_vanishes_or_comes_back_is_said_too() -> None:
    reopened = add(HISTORY, event(4, "2026-03-04T09:00", event_id="again"))
    again = next(each for each in reopened.events if each.event_id == "again")
    gone = [each for each in changes(reopened, void_of(again, reason="a", at=NOW), OFFICE, now=NOW) if each.cycle == 2]
    assert Change(2, "verdict", "overdue", None) in gone
    whole = changes(history(RECEIVED), void_of(RECEIVED, reason="a", at=NOW), OFFICE, now=NOW)
    assert Change(1, "status", 2, None) in list(whole)


def test_a_void_that_a_full_dossier_would_not_take_is_refused() -> None:
    many = [event(4, "2026-03-02T10:00", event_id=f"n{number}") for number in range(FULL)]
    full = build(many[0].dossier_code, many)
    with pytest.raises(InvalidRecord, match="2000 events"):
        list(changes(full, void_of(many[0], reason="a", at=NOW), OFFICE, now=NOW))


def test_what_supervisors_will_hear_is_said() -> None:
    void = void_of(WRONG, reason="a", at=NOW)
    (raised,) = told(HISTORY, void, OFFICE, (), now=NOW)
    assert (raised.action, raised.level.value) == (Action.RAISE, "seriously_overdue")
    late = History(WRONG.dossier_code, (RECEIVED,))
    sent = decide(assess(late, OFFICE, now=NOW), (), now=NOW)
    (retracted,) = told(late, void_of(RECEIVED, reason="a", at=NOW), OFFICE, sent, now=NOW)
    assert retracted.action is Action.RETRACT


def test_it_is_written_down_before_and_after_it_is_sent() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    event = take(book, outlet)
    assert [record.value for record in outlet.records] == [canonical(event)]
    assert outlet.records[0].key == WRONG.dossier_code.encode()
    (begun, done) = (book.rows[name_of(WRONG), step] for step in ("begun", "done"))
    assert begun == done
    assert (begun.action, begun.record, begun.event_id) == ("void", "finished", event.event_id)
    assert (begun.by, begun.at, begun.reason) == ("hoa", NOW, "wrong-dossier")


def test_nothing_is_sent_that_is_not_written_down() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    book.fail_next(1)
    with pytest.raises(Unavailable):
        take(book, outlet)
    assert (outlet.records, book.rows) == ([], {})


def test_what_broke_off_goes_on_as_the_same_event_with_its_first_reason_and_time() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    outlet.fail_next(1)
    with pytest.raises(Unavailable):
        take(book, outlet)
    later = NOW + timedelta(days=1)
    event = take(book, outlet, reason="another", by="minh", at=later)
    assert (event.reason, event.at) == ("wrong-dossier", NOW)
    assert len({record.value for record in outlet.records}) == 1
    done = book.rows[name_of(WRONG), "done"]
    assert (done.by, done.at, done.reason) == ("minh", later, "wrong-dossier")


def test_where_the_clock_is_not_the_real_one_the_void_has_the_time_of_that_clock() -> None:
    book, outlet = MemoryBook(), MemoryOutlet()
    event = take_back(WRONG, "a", book, outlet, by="hoa", at=WRONG.at, now=lambda: NOW)
    assert event.at == WRONG.at
    assert book.rows[name_of(WRONG), "begun"].at == NOW
