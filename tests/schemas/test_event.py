"""The event at the border: what gets in, and the one reason why something does not."""

import json

import pytest

from schemas.errors import InvalidRecord
from schemas.event import Event, canonical, read_event, read_events
from schemas.limits import Limit
from tests.hanoi import at

STATUS = {
    "event_id": "e1",
    "dossier_code": "H26.12-260302-0001",
    "at": "2026-03-02T09:00:00+07:00",
    "status": 4,
    "procedure_code": "1.004441.000.00.00.H26",
    "processing_unit": "H26.12",
}
EXTENSION = {k: STATUS[k] for k in ("event_id", "dossier_code", "at")} | {
    "kind": "extension",
    "due": "2026-03-23T00:00:00+07:00",
}


def _read(values: dict[str, object]) -> Event:
    return read_event(json.dumps(values).encode())


def _reason(values: dict[str, object]) -> str:
    with pytest.raises(InvalidRecord) as refused:
        _read(values)
    return refused.value.reason


def test_times_are_instants_and_the_procedure_is_its_first_two_groups() -> None:
    event = _read(STATUS)
    assert (event.at, event.procedure_code, event.kind) == (at("2026-03-02T09:00"), "1.004441", "status")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param({"citizen_name": "x"}, "unknown_field", id="personal-data"),
        pytest.param({"at": "2026-03-02T09:00:00"}, "naive_time", id="no-offset"),
        pytest.param({"due": "2026-03-02T09:00"}, "naive_time", id="no-offset-in-due"),
        pytest.param({"at": 1772416800}, "invalid_field", id="a-number-is-no-time"),
        pytest.param({"at": "1772416800"}, "invalid_field", id="nor-is-one-in-quotes"),
        pytest.param({"at": "2026-02-30T09:00+07:00"}, "invalid_field", id="30-february"),
        pytest.param({"due": "9999-12-31T00:00:00+07:00"}, "invalid_field", id="the-year-9999"),
        pytest.param({"due": "9999-12-31T23:59:59-05:00"}, "invalid_field", id="a-year-10000-in-utc"),
        pytest.param({"at": "0001-01-01T00:00:00+07:00"}, "invalid_field", id="before-the-first-year-in-utc"),
        pytest.param({"status": 11}, "unknown_status", id="status-11"),
        pytest.param({"status": 0}, "unknown_status", id="status-0"),
        pytest.param({"status": "4"}, "unknown_status", id="a-status-in-quotes"),
        pytest.param({"status": True}, "unknown_status", id="true-is-no-status"),
        pytest.param({"kind": "comment"}, "unknown_kind", id="another-kind"),
        pytest.param({"status": None}, "missing_field", id="no-status"),
        pytest.param({"processing_unit": None}, "missing_field", id="no-unit"),
        pytest.param({"voids": "e0"}, "misplaced_field", id="voids-on-a-status"),
        pytest.param({"limit": {"value": 1.5, "unit": "day"}}, "invalid_field", id="half-a-day"),
        pytest.param({"limit": {"value": 0, "unit": "hour"}}, "invalid_field", id="nothing"),
        pytest.param({"limit": {"value": 2, "unit": "same_day"}}, "invalid_field", id="two-same-days"),
        pytest.param({"limit": {"unit": "hour"}}, "invalid_field", id="hours-without-number"),
        pytest.param({"limit": {"unit": "week", "value": 1}}, "invalid_field", id="weeks"),
        pytest.param({"limit": {"unit": "hour", "value": 1, "x": 1}}, "unknown_field", id="a-limit-with-more"),
        pytest.param({"reason": "ông A chưa nộp"}, "invalid_field", id="free-text"),
        pytest.param({"event_id": "x" * 65}, "invalid_field", id="a-long-id"),
        pytest.param({"stage": ""}, "invalid_field", id="an-empty-stage"),
    ],
)
def test_a_status_event_is_refused_for(change: dict[str, object], reason: str) -> None:
    assert _reason(STATUS | change) == reason


@pytest.mark.parametrize("field", ["status", "stage", "limit", "case"])
def test_what_belongs_to_a_status_is_refused_elsewhere(field: str) -> None:
    value = {"status": 4, "limit": {"unit": "none"}}.get(field, "x")
    assert _reason(EXTENSION | {field: value}) == "misplaced_field"


@pytest.mark.parametrize(("kind", "field"), [("extension", "due"), ("letter", "letter"), ("void", "voids")])
def test_each_kind_needs_its_field(kind: str, field: str) -> None:
    bare = {name: value for name, value in EXTENSION.items() if name != "due"}
    assert _reason(bare | {"kind": kind}) == "missing_field"


@pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b"null", b"1", b'{"a":', None])
def test_bytes_that_are_no_object_are_unreadable(value: bytes | None) -> None:
    with pytest.raises(InvalidRecord) as refused:
        read_event(value)
    assert refused.value.reason == "unreadable"


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidRecord) as refused:
        _read(STATUS | {"Nguyễn Văn A": "0912345678"})
    assert "Nguyễn" not in str(refused.value)
    with pytest.raises(InvalidRecord) as refused:
        _read(STATUS | {"reason": "0912345678 gọi lại"})
    assert "0912345678" not in str(refused.value)


def test_the_same_content_is_the_same_bytes_however_it_was_written() -> None:
    shuffled = dict(reversed(STATUS.items())) | {"at": "2026-03-02T02:00:00Z", "kind": "status", "due": None}
    assert canonical(_read(shuffled)) == canonical(_read(STATUS))
    event = _read(STATUS | {"limit": {"value": 5, "unit": "working_day"}})
    assert event.limit == Limit("working_day", 5)
    assert read_event(canonical(event)) == event
    assert read_event(canonical(_read(STATUS | {"limit": {"unit": "none"}}))).limit == Limit("none")


def test_events_read_in_one_go_are_those_read_one_by_one_or_none_at_all() -> None:
    values = [json.dumps(STATUS | {"event_id": f"e{number}"}).encode() + b"\n" for number in range(3)]
    assert read_events(values) == [read_event(value) for value in values]
    with pytest.raises(InvalidRecord):
        read_events([*values, json.dumps(STATUS | {"status": 11}).encode()])
