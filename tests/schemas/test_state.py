"""The records of the state: of every format that ever was, and of none that is newer than this program."""

from pathlib import Path

import orjson
import pytest

from schemas.dossier import FORMAT, Memory, dump
from schemas.errors import Unavailable
from schemas.state import Fields, check_format, read_memories
from tests.hanoi import event

MEMORY = Memory("H26.12-260302-0001", event=event(2, "2026-03-02T09:00"))
#: Written before records said their format.
RECORDED = (Path(__file__).parents[1] / "golden" / "memory-event.v1.json").read_bytes()


def read(value: bytes) -> Memory:
    check_format(b"x\x1fevent", value)
    return read_memories("x", [value])[0]


def test_every_record_says_its_format() -> None:
    assert orjson.loads(dump(MEMORY))["format"] == FORMAT
    assert read(dump(MEMORY)) == MEMORY


def test_a_record_without_a_format_is_of_the_first() -> None:
    assert "format" not in orjson.loads(RECORDED)
    assert read(RECORDED) == read(orjson.dumps(orjson.loads(RECORDED) | {"format": 1}))


def test_a_text_that_looks_like_a_format_is_none() -> None:
    told = Memory("H26.12-260302-0001", event=event(2, "2026-03-02T09:00", stage='"format":99'))
    assert read(dump(told)) == told


def test_older_records_are_brought_up_step_by_step() -> None:
    def named(fields: Fields) -> Fields:
        return {**fields, "dossier": fields["dossier_code"]}

    def renamed(fields: Fields) -> Fields:
        return {**fields, "dossier_code": f"{fields['dossier']}-now"}

    newest = orjson.dumps(orjson.loads(RECORDED) | {"format": 3})
    old, new = read_memories("x", [RECORDED, newest], upgrades={1: named, 2: renamed}, known=3)
    assert (old.dossier_code, new.dossier_code) == (f"{read(RECORDED).dossier_code}-now", read(RECORDED).dossier_code)
    assert old.event == new.event == read(RECORDED).event


@pytest.mark.parametrize(
    ("value", "said"),
    [
        pytest.param(b'{"dossier_code": "x", "format":99, "stub": {}}', "format 99, written by a newer", id="newer"),
        pytest.param(b"\xff", "cannot be read", id="bytes"),
        pytest.param(b'{"format":1}', "cannot be read", id="empty"),
        pytest.param(b'{"dossier_code":"x","format":0}', "cannot be read", id="before-the-first"),
        pytest.param(b'{"format":0', "cannot be read", id="half"),
    ],
)
def test_what_cannot_be_read_is_held_with_a_reason(value: bytes, said: str) -> None:
    with pytest.raises(Unavailable, match=said) as refused:
        read(value)
    assert refused.value.reason == "state_unreadable"
