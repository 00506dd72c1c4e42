"""The records of feeds: who overwrites whom in the compacted topic, and what is no record."""

from dataclasses import replace

import pytest
from pydantic import ValidationError

from schemas.feed import FEED, FeedRecord, Heard, Release, Silence, dump_feed
from tests.hanoi import at

CAME = at("2026-03-02T09:00")
HEARD = Heard("H26.12", "portal", 3, CAME, CAME)
SILENCE = Silence("H26.12", CAME, at("2026-03-02T11:00:01"))
RELEASE = Release(CAME, CAME, "Lan")


def test_a_later_record_of_the_same_thing_has_the_same_key_and_of_another_one_another() -> None:
    later = at("2026-03-02T10:00")
    assert replace(HEARD, heard_at=later, at=later).key() == HEARD.key()
    assert replace(SILENCE, heard_at=later).key() == SILENCE.key()
    assert Release(later, later, "Minh").key() == RELEASE.key()
    others: list[FeedRecord] = [
        HEARD,
        replace(HEARD, partition=2),
        replace(HEARD, source=""),
        replace(HEARD, unit="H26.13"),
        SILENCE,
        replace(SILENCE, unit="H26.13"),
        RELEASE,
    ]
    assert len({record.key() for record in others}) == len(others)


@pytest.mark.parametrize("record", [HEARD, SILENCE, RELEASE], ids=lambda record: record.kind)
def test_a_record_is_read_as_it_was_written(record: FeedRecord) -> None:
    assert FEED.validate_json(dump_feed(record)) == record


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValidationError):
        FEED.validate_json(dump_feed(RELEASE).replace(b'"release"', b'"rumour"'))
