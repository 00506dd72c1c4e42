"""One frozen record of each kind and version of schema, readable for ever: topics are kept longer than programs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.dossier import ALERT, FORMAT, JUDGEMENT, LOOK, MEMORY, Crossing, dump
from schemas.event import read_event
from schemas.feed import FEED, FeedRecord, dump_feed

READERS: dict[str, Callable[[bytes], Crossing | FeedRecord]] = {
    "event": read_event,
    "judgement": JUDGEMENT.validate_json,
    "alert": ALERT.validate_json,
    "look": LOOK.validate_json,
    "memory-event": MEMORY.validate_json,
    "memory-alert": MEMORY.validate_json,
    "memory-cycle": MEMORY.validate_json,
    "memory-rerouted": MEMORY.validate_json,
    "memory-said": MEMORY.validate_json,
    "memory-outlook": MEMORY.validate_json,
    "memory-stub": MEMORY.validate_json,
    "feed-heard": FEED.validate_json,
    "feed-silence": FEED.validate_json,
    "feed-release": FEED.validate_json,
}
FROZEN = sorted(Path(__file__).parent.glob("*.json"))


@pytest.mark.parametrize("file", FROZEN, ids=lambda file: file.stem)
def test_a_record_written_long_ago_is_read_and_written_again_as_it_was(file: Path) -> None:
    kind, _ = file.stem.split(".")
    record = READERS[kind](file.read_bytes())
    written = dump_feed(record) if isinstance(record, FeedRecord) else dump(record)
    said = {"format": FORMAT} if kind.startswith("memory") else {}  # state records say theirs, and did not always
    assert json.loads(written) == json.loads(file.read_bytes()) | said


def test_every_kind_of_record_has_one() -> None:
    assert {file.stem.split(".")[0] for file in FROZEN} == READERS.keys()
