"""No record can stop the rest: what cannot be used is buried with its reason, and nothing of it is guessed.

Stories of SPEC §9 ("Must survive") about unusable records; each name begins with its phrase there.
"""

import hashlib
import io
from dataclasses import replace

import orjson
import pytest

from agents.dead_letters import read_dead_letter
from agents.mapping import mapping_of
from agents.ports import Outgoing
from agents.publish import Accepted, Refused, office_check, read_csv, read_header, read_jsonl
from agents.publish import Row as Published
from agents.yamlfile import read_text
from schemas import topics
from schemas.event import canonical
from tests.faults.bench import MINE, Bench, LiveClock
from tests.hanoi import at, rules
from tests.stories.standing import (
    DUE,
    FIVE,
    HOUR,
    START,
    judged,
    letters,
    standings,
    stands,
)

GOOD = canonical(START)
#: Tuesday 3 March, 9:00, of START: 7 h, 24, and 8 of Monday 9.
GOES_ON = stands("running", "in_time", remaining_seconds=39 * HOUR)


def written(**fields: object) -> bytes:
    """START with other fields; None leaves one out."""
    values = {**orjson.loads(GOOD), **fields}
    return orjson.dumps({name: value for name, value in values.items() if value is not None})


async def _judge(*values: bytes | None) -> Bench:
    """A bench that has judged these records, and then START, on Tuesday 3 March, 9:00."""
    bench = Bench(FIVE, LiveClock(at("2026-03-03T09:00")))
    await bench.broker.send([Outgoing(topics.EVENTS.name, b"?", value, MINE) for value in (*values, GOOD)])
    await bench.play(())
    return bench


@pytest.mark.parametrize("time", ["2026-03-02T09:00:00", "2026-03-02 09:00", "2026-03-02T09:00:00.5"])
@pytest.mark.parametrize("field", ["at", "due"])
async def test_naive_timestamps_are_refused_and_nothing_is_guessed(field: str, time: str) -> None:
    """§3: ISO 8601 with offset; no offset is refused."""
    bench = await _judge(written(**{field: time}))
    assert letters(bench) == [(0, "naive_time")]
    assert judged(bench) == [GOES_ON]


SYNC = """\
delimiter: ";"
times: {format: yyyyMMddHHmmss, zone: Asia/Ho_Chi_Minh}
events:
  - name: change
    fields:
      dossier_code: {column: MaHoSo}
      procedure_code: "1.004441"
      processing_unit: H26.12
      status: {column: TrangThai, values: {"2": 2}}
      at: {column: ThoiDiem}
"""
SYNC_ROW = b"MaHoSo;TrangThai;ThoiDiem\nH26.12-260302-0001;2;20260302170000\n"


def _published(mapping: str) -> list[Published]:
    made = mapping_of(read_text(mapping, "mapping.yaml"))
    stream = io.BytesIO(SYNC_ROW)
    return list(read_csv(stream, read_header(stream, made), made, office_check(FIVE, at("2026-03-03T09:00"))))


def test_naive_timestamps_of_a_mapped_source_are_local_time_never_utc() -> None:
    """§3: times of the national sync messages are naive local time."""
    (found,) = _published(SYNC)
    assert isinstance(found, Accepted)
    # 17:00 in Hanoi is Monday, not after closing time: due on the 9th. 17:00 in UTC would be Tuesday, and the 10th.
    assert standings("2026-03-03T09:00", *found.events) == [GOES_ON]
    (refused,) = _published(SYNC.replace(", zone: Asia/Ho_Chi_Minh", ""))
    assert isinstance(refused, Refused)
    assert refused.reason == "naive_time"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param({"status": 11}, "unknown_status", id="status-11"),
        pytest.param({"status": 0}, "unknown_status", id="status-0"),
        pytest.param({"status": "2"}, "unknown_status", id="status-as-text"),
        pytest.param({"kind": "rename"}, "unknown_kind", id="kind"),
        pytest.param({"dossier_code": "H26.12-2603-0001"}, "invalid_code", id="dossier"),
        pytest.param({"dossier_code": "H26.12-260231-0001"}, "invalid_code", id="31-february"),
        pytest.param({"procedure_code": "1.44"}, "invalid_code", id="procedure"),
        pytest.param({"channel": "fax"}, "invalid_field", id="channel"),
        pytest.param({"limit": {"unit": "week", "value": 1}}, "invalid_field", id="limit"),
    ],
)
async def test_unknown_codes_are_buried_and_the_rest_goes_on(fields: dict[str, object], reason: str) -> None:
    bench = await _judge(written(**fields))
    assert letters(bench) == [(0, reason)]
    assert judged(bench) == [GOES_ON]


def test_unknown_codes_of_a_procedure_or_a_unit_are_judged_and_never_silently_green() -> None:
    """§5.12: no limit and no source due is no_deadline, its own bucket. An unlisted unit has the office's hours."""
    start = replace(START, procedure_code="9.999999", processing_unit="H99.99")
    assert standings("2026-03-03T09:00", start, known=rules()) == [
        stands("running", "no_deadline", due_original=None, due_current=None, verdict_766="not_counted")
    ]
    assert standings("2026-03-03T09:00", replace(start, due=at(DUE)), known=rules()) == [GOES_ON]


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="a-tombstone"),
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\xfe\x00", id="no-text"),
        pytest.param(GOOD[:-1], id="cut-off"),
        pytest.param(GOOD + GOOD, id="two-in-one"),
        pytest.param(b"[" + GOOD + b"]", id="a-list"),
        pytest.param(b"null", id="null"),
        pytest.param(GOOD.decode().encode("utf-16"), id="utf-16"),
        pytest.param(GOOD.replace(b"H26.12", b"H26.\xe0", 1), id="latin-1"),
        pytest.param(GOOD.replace(b'"H26.12"', b'"\\ud800"'), id="half-a-character"),
        pytest.param(b'{"stage":' * 100_000, id="deep"),
    ],
)
async def test_malformed_bytes_are_buried_as_they_came_and_the_rest_goes_on(value: bytes | None) -> None:
    """§3: a record that cannot be read: dead letter with a reason, and the rest goes on."""
    bench = await _judge(value)
    assert letters(bench) == [(0, "unreadable")]
    (record,) = bench.broker.records(topics.DEAD_LETTERS.name)
    assert record.value == value
    assert judged(bench) == [GOES_ON]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        pytest.param(written(stage="x" * 1_000_000), "invalid_field", id="a-field-of-a-megabyte"),
        pytest.param(b"x" * topics.EVENTS.max_message_bytes, "unreadable", id="as-long-as-the-topic-takes"),
    ],
)
async def test_oversized_records_that_the_topic_takes_are_buried_whole(value: bytes, reason: str) -> None:
    bench = await _judge(value)
    assert letters(bench) == [(0, reason)]
    (record,) = bench.broker.records(topics.DEAD_LETTERS.name)
    assert record.value == value
    assert judged(bench) == [GOES_ON]


async def test_oversized_records_beyond_the_dead_letter_topic_are_buried_by_size_and_hash() -> None:
    value = b"x" * (topics.DEAD_LETTERS.max_message_bytes + 1)
    bench = await _judge(value)
    (record,) = bench.broker.records(topics.DEAD_LETTERS.name)
    letter = read_dead_letter(record)
    assert record.value is None, "or the broker would refuse the dead letter, and the partition would wait for ever"
    assert (letter.topic, letter.partition, letter.offset, letter.reason, letter.size, letter.sha256) == (
        *(topics.EVENTS.name, MINE, 0, "unreadable"),
        *(len(value), hashlib.sha256(value).hexdigest()),
    )
    assert judged(bench) == [GOES_ON]


def test_oversized_records_are_refused_before_they_are_sent() -> None:
    long = written(stage="x" * topics.EVENTS.max_message_bytes)
    stream = io.BytesIO(b"\n".join([long, GOOD, b""]))
    refused, accepted = read_jsonl(stream, office_check(FIVE, at("2026-03-03T09:00")))
    assert isinstance(refused, Refused)
    assert (refused.line, refused.reason) == (1, "oversized")
    assert accepted == Accepted(2, (START,))
