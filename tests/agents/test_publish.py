"""Every row is checked before it is sent; a refused one is told, and the rest goes on."""

import io
import random
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer import Typer
from typer.testing import CliRunner

from agents.cli.publish import publish as publish_command
from agents.config import load
from agents.mapping import load_mapping, mapping_of
from agents.publish import (
    Accepted,
    Check,
    Refused,
    Row,
    derive_id,
    office_check,
    publish,
    read_csv,
    read_header,
    read_jsonl,
)
from agents.yamlfile import read_text
from schemas import topics
from schemas.errors import Unavailable
from schemas.event import Event, read_event
from streams.replay import collect, rows

ROOT = Path(__file__).parents[2]
PERMITS = ROOT / "examples" / "permit-receipts"
NOW = datetime(2026, 3, 10, tzinfo=UTC)
EVENT = {
    "event_id": "e1",
    "dossier_code": "H26.01-260302-0001",
    "status": 2,
    "at": "2026-03-02T09:00:00+07:00",
    "procedure_code": "1.004441",
    "processing_unit": "H26.01",
}

MAPPING = """\
events:
  - name: received
    once_per: case
    fields: {dossier_code: {column: case}, status: 2, at: {column: start}, procedure_code: P, processing_unit: U}
  - name: task
    when: {task: present}
    fields:
      event_id: {column: task}
      dossier_code: {column: case}
      status: 4
      at: {column: time}
      procedure_code: P
      processing_unit: U
"""
HEADER = "case,start,task,time\n"
DAY = "2026-03-02T09:00:00+07:00"


class Memory:
    """An outlet that remembers; after ``fail_after`` events its broker is gone."""

    def __init__(self, fail_after: int | None = None) -> None:
        self.events: list[Event] = []
        self.finished = False
        self._fail_after = fail_after

    def send(self, event: Event) -> None:
        if self._fail_after is not None and len(self.events) >= self._fail_after:
            raise Unavailable("kafka_unavailable", "the memory broker is gone")
        self.events.append(event)

    def finish(self) -> None:
        self.finished = True


def line(**fields: object) -> bytes:
    values = {name: value for name, value in {**EVENT, **fields}.items() if value is not None}
    return orjson.dumps(values) + b"\n"


def hanoi() -> Check:
    return office_check(load(ROOT / "config"), NOW)


def jsonl(*lines: bytes) -> list[Row]:
    return list(read_jsonl(io.BytesIO(b"".join(lines)), hanoi()))


def table(text: str | bytes, mapping: str = MAPPING) -> list[Row]:
    stream = io.BytesIO(text.encode() if isinstance(text, str) else text)
    made = mapping_of(read_text(mapping, "mapping.yaml"))
    return list(read_csv(stream, read_header(stream, made), made, lambda event: None))


def said(found: Iterable[Row]) -> list[tuple[int, str]]:
    return [(row.line, row.reason if isinstance(row, Refused) else "accepted") for row in found]


def test_a_line_is_accepted_as_the_worker_will_read_it() -> None:
    assert jsonl(line()) == [Accepted(1, (read_event(line()),))]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"not json\n", "unreadable"),
        (b"[1]\n", "unreadable"),
        (b"\xff\xfe\n", "unreadable"),
        (line(name="Nguyen Van A"), "unknown_field"),
        (line(at="2026-03-02T09:00:00"), "naive_time"),
        (line(at="2026-03-10T07:05:01+07:00"), "future_time"),
        (line(status=11), "unknown_status"),
        (line(procedure_code=None), "missing_field"),
        (line(dossier_code="H26.01-260230-0001"), "invalid_code"),
        (line(dossier_code="case-1", event_id=None), "invalid_code"),
        (line(stage="x" * topics.EVENTS.max_message_bytes), "oversized"),
        (b'{"stage": ' + b"[" * 300 + b"]" * 300 + b"}\n", "invalid_field"),
    ],
)
def test_a_refused_line_has_its_number_and_reason_and_the_rest_goes_on(raw: bytes, reason: str) -> None:
    found = jsonl(line(), b"\n", raw, line(event_id="e2"))
    assert said(found) == [(1, "accepted"), (3, reason), (4, "accepted")]


def test_a_time_within_the_tolerated_skew_is_no_future() -> None:
    assert said(jsonl(line(at="2026-03-10T07:05:00+07:00"))) == [(1, "accepted")]


def test_a_last_line_without_its_end_and_a_byte_order_mark_are_read() -> None:
    assert said(jsonl(b"\xef\xbb\xbf" + line().rstrip())) == [(1, "accepted")]


def test_an_event_without_id_gets_the_same_one_from_the_same_content() -> None:
    here, there = line(event_id=None), line(event_id=None, at="2026-03-02T02:00:00Z")
    (first, again, other) = jsonl(here, there, line(event_id=None, status=4))
    assert isinstance(first, Accepted)
    assert isinstance(other, Accepted)
    assert first.events[0].event_id == "1e66184d-200c-5497-8783-d168575fe0f0"
    assert first == Accepted(1, again.events if isinstance(again, Accepted) else ())
    assert derive_id(first.events[0]) == first.events[0].event_id != other.events[0].event_id


def test_a_row_makes_its_events_and_a_once_event_only_the_first_time() -> None:
    found = table(HEADER + f"c-1,{DAY},t1,{DAY}\nc-1,{DAY},t2,{DAY}\nc-2,{DAY},,\n")
    assert [[event.status for event in row.events] for row in found if isinstance(row, Accepted)] == [[2, 4], [4], [2]]


def test_a_once_event_of_a_refused_row_is_made_by_the_next() -> None:
    found = table(HEADER + f"c-1,{DAY},t1,yesterday\nc-1,{DAY},t2,{DAY}\n")
    assert said(found) == [(2, "invalid_field"), (3, "accepted")]
    assert isinstance(found[0], Refused)
    assert found[0].message.startswith("task: at: ")
    assert isinstance(found[1], Accepted)
    assert [event.status for event in found[1].events] == [2, 4]


def test_a_once_event_with_another_content_refuses_the_row() -> None:
    found = table(HEADER + f"c-1,{DAY},t1,{DAY}\nc-1,2026-03-03T09:00:00+07:00,t2,{DAY}\n")
    assert said(found) == [(2, "accepted"), (3, "conflicting_row")]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"c-1,{DAY},t1\n", "ragged_row"),
        (f"c-1,{DAY},t1,{DAY},\n", "ragged_row"),
        (f'c-1,{DAY},"t"1,{DAY}\n', "ragged_row"),
        (b"c-\xe0," + DAY.encode() + b",,\n", "unreadable"),
        (f"c-1,,t1,{DAY}\n", "missing_field"),
        (f"c-1,2026-03-02T09:00:00,t1,{DAY}\n", "naive_time"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_whole_and_kept_as_it_stood(row: str | bytes, reason: str) -> None:
    raw = row.encode() if isinstance(row, str) else row
    good = f"c-9,{DAY},,\n".encode()
    found = table(HEADER.encode() + good + raw + good)
    assert said(found) == [(2, "accepted"), (3, reason), (4, "accepted")]
    assert isinstance(found[1], Refused)
    assert found[1].raw == raw


def test_a_row_of_several_lines_is_told_by_its_first() -> None:
    found = table(HEADER + f'c-1,{DAY},"t\n1",{DAY}\n\nc-2,{DAY},,,\n')
    assert said(found) == [(2, "invalid_field"), (5, "ragged_row")]


def test_a_row_without_an_event_is_refused_unless_the_mapping_ignores_it() -> None:
    mapping = MAPPING.replace("    once_per: case\n", "    when: {start: present}\n")
    rows = HEADER + f"c-1,,,\nc-2,{DAY},,\n"
    assert said(table(rows, mapping)) == [(2, "no_event"), (3, "accepted")]
    found = table(rows, "ignore: {case: [c-1]}\n" + mapping)
    assert found[0] == Accepted(2, ())


def test_publish_sends_what_is_accepted_and_counts_what_is_not() -> None:
    told: list[Refused] = []
    outlet = Memory()
    summary = publish(jsonl(line(), b"x\n", b"y\n", line(status=0), line(event_id="e2")), outlet, told.append)
    assert [event.event_id for event in outlet.events] == ["e1", "e2"]
    assert outlet.finished
    assert (summary.sent, summary.accepted, summary.refused) == (2, 2, {"unreadable": 2, "unknown_status": 1})
    assert [row.line for row in told] == [2, 3, 4]


def test_rows_are_read_no_further_than_the_broker_takes_them() -> None:
    taken = []

    def endless() -> Iterable[Row]:
        for number in range(10_000):
            taken.append(number)
            yield from jsonl(line())

    with pytest.raises(Unavailable):
        publish(endless(), Memory(fail_after=3), lambda row: None)
    assert len(taken) == 4


def permit_events(log: Path, order: random.Random | None = None) -> list[Event]:
    mapping = load_mapping(PERMITS / "mapping.yaml")
    header, *body = log.read_bytes().splitlines(keepends=True)
    if order is not None:
        order.shuffle(body)
    stream = io.BytesIO(header + b"".join(body))
    check = office_check(load(PERMITS / "config"), NOW)
    found = list(read_csv(stream, read_header(stream, mapping), mapping, check))
    assert not [row for row in found if isinstance(row, Refused)]
    return [event for row in found if isinstance(row, Accepted) for event in row.events]


def test_the_permit_log_becomes_11340_events_the_same_in_any_order_of_rows(permit_log: Path) -> None:
    events = permit_events(permit_log)
    assert len(events) == len({event.event_id for event in events}) == 11_340
    assert Counter(event.status for event in events) == {2: 1_434, 4: 8_577, 9: 1_329}
    assert set(permit_events(permit_log, random.Random(7))) == set(events)


def test_the_permit_log_gives_its_known_answers(permit_log: Path) -> None:
    events = permit_events(permit_log)
    now = max(event.at for event in events)
    assert now == datetime.fromisoformat("2012-01-23T15:42:54.644+01:00")
    histories, _ = collect(events)
    rules = load(PERMITS / "config")
    answers = [row for history in histories.values() for row in rows(history, rules, now=now)]
    assert Counter((row["cycle"], row["verdict"]) for row in answers) == {
        (1, "early"): 951,
        (1, "on_time"): 69,
        (1, "overdue"): 309 + 37,
        (1, "in_time"): 68,
        (2, "in_time"): 4,
        (2, "overdue"): 141,
    }
    assert sum("incomplete_history" in str(row["flags"]) and row["cycle"] == 1 for row in answers) == 4


app = Typer()
app.command()(publish_command)


def run(*arguments: str, input: bytes | None = None) -> tuple[int, str, str]:  # noqa: A002 (as CliRunner has it)
    result = CliRunner().invoke(app, [*arguments, "--config", str(ROOT / "config")], input=input)
    return result.exit_code, result.stdout, result.stderr


def test_a_dry_run_prints_the_events_and_tells_the_refusals(tmp_path: Path) -> None:
    file, kept = tmp_path / "events.jsonl", tmp_path / "refused.jsonl"
    file.write_bytes(line() + b"nonsense\n" + line(event_id=None, status=9))
    code, out, err = run(str(file), "--dry-run", "--refused", str(kept))
    assert code == 3
    assert [read_event(raw.encode()).status for raw in out.splitlines()] == [2, 9]
    assert f"{file}:2: the bytes are not a JSON object in UTF-8 [unreadable]" in err
    assert "3 rows: 2 events accepted, nothing sent (dry run), 1 rows refused\n  1 refused: unreadable" in err
    assert kept.read_bytes() == b"nonsense\n"


def test_refused_rows_of_a_table_are_kept_under_its_header(tmp_path: Path) -> None:
    file, kept, mapping = tmp_path / "log.csv", tmp_path / "refused.csv", tmp_path / "mapping.yaml"
    file.write_text(HEADER + "H26-260302-0001,x,,\n")
    mapping.write_text(MAPPING.replace("procedure_code: P", 'procedure_code: "1.004441"'))
    code, _, err = run(str(file), "--mapping", str(mapping), "--dry-run", "--refused", str(kept))
    assert code == 3
    assert f"{file}:2: received: at: " in err
    assert kept.read_text() == file.read_text()


def test_standard_input_is_read_and_all_accepted_is_exit_code_0() -> None:
    code, out, err = run("-", "--dry-run", input=line())
    assert code == 0
    assert len(out.splitlines()) == 1
    assert "1 rows: 1 events accepted" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.jsonl", "--dry-run"), "nowhere.jsonl: No such file or directory"),
        (("-", "--dry-run", "--mapping", "nowhere.yaml"), "nowhere.yaml: cannot be read"),
        (("log.csv", "--dry-run"), "log.csv: a table needs --mapping"),
        (("-", "--brokers", "nonsense"), "--brokers: must be host:port"),
        (("-", "--brokers", "127.0.0.1:1"), "nothing listens at 127.0.0.1:1"),
    ],
)
def test_what_is_wrong_before_the_first_row_is_one_line_and_exit_code_1(
    arguments: tuple[str, ...], message: str
) -> None:
    code, _, err = run(*arguments, input=line())
    assert code == 1
    assert f"dunghan publish: {message}" in err
    assert len(err.strip().splitlines()) == 1


def test_a_clock_set_ahead_lets_events_of_its_day_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    ahead = datetime.now(UTC) + timedelta(days=30)
    code, _, err = run("-", "--dry-run", input=line(at=ahead.isoformat()))
    assert (code, "[future_time]" in err) == (3, True)
    monkeypatch.setenv("DUNGHAN_NOW", ahead.isoformat())
    assert run("-", "--dry-run", input=line(at=ahead.isoformat()))[0] == 0
