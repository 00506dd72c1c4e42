"""The dirt of the feed: every kind is there, each refused for its reason, and the same city lies under it."""

from collections import Counter
from datetime import datetime

from agents.city.dirt import Record
from schemas.event import Event
from tests.agents.city.towns import read, town


def names(records: tuple[Record, ...]) -> Counter[str]:
    return Counter(event.event_id for event in read(records)[0])


def test_the_same_seed_gives_the_same_bytes_and_another_another_city() -> None:
    first, again = town(seed=4), town.__wrapped__(seed=4)
    assert first.records == again.records
    assert first.truth == again.truth
    assert first.records != town(seed=5).records


def test_records_come_in_the_order_of_arrival_and_none_after_the_end() -> None:
    told = town()
    arrivals = [record.arrives for record in told.records]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] <= told.chronicle.plan.until.timestamp()


def test_another_scale_length_or_dirt_moves_no_dossier() -> None:
    small, large, dirty = town(dirt=0, late=0), town(dirt=0, late=0, scale=0.01), town(dirt=1, late=0)
    shorter = town(dirt=0, late=0, days=5)
    lines = {record.value for record in small.records}
    assert lines < {record.value for record in large.records}
    assert {record.value for record in shorter.records} < lines
    assert len(names(small.records).keys() - names(dirty.records).keys()) < 0.02 * len(small.records)  # late at the end


def test_a_clean_feed_has_every_event_once_and_as_it_happens() -> None:
    told = town(dirt=0)
    events, refused = read(told.records)
    assert not refused
    assert [event.at.timestamp() for event in events] == [record.arrives for record in told.records]
    assert set(names(told.records).values()) == {1}


def test_a_dirty_feed_has_every_kind_of_dirt() -> None:
    told = town(dirt=10, scale=0.015)
    events, refused = read(told.records)
    delays = [record.arrives - event.at.timestamp() for record, event in _pairs(told.records)]
    assert sum(delay > 3600 for delay in delays) > 100  # late, or skewed
    assert sum(0 < delay < 600 for delay in delays) > 100
    assert max(Counter(event.event_id for event in events).values()) > 1
    assert any(event.event_id.endswith("r") for event in events)
    assert any(record.key.decode() != event.dossier_code for record, event in _pairs(told.records))
    assert {"unreadable", "naive_time", "unknown_field", "unknown_status", "invalid_code"} <= set(refused)
    assert told.of_kind("silence")
    assert told.of_kind("skew")


def test_the_truth_counts_what_was_refused_by_reason() -> None:
    told = town(dirt=10, scale=0.015)
    counted = {line["reason"]: line["records"] for line in told.of_kind("refused")}
    ahead = sum(event.at > told.chronicle.plan.until for event in read(told.records)[0] if event.event_id[-1] == "f")
    assert counted.pop("future_time") == ahead
    assert Counter(read(told.records)[1]) == counted


def test_a_silent_branch_comes_back_with_a_burst() -> None:
    told = town(dirt=10, scale=0.04)
    pairs = _pairs(told.records)
    during = after = 0
    for silence in told.of_kind("silence"):
        begin, end = (datetime.fromisoformat(silence[name]).timestamp() for name in ("begin", "end"))
        own = [record.arrives for record, event in pairs if event.source == silence["source"]]
        during += sum(begin <= arrives < end for arrives in own)
        after += sum(end <= arrives < end + 60 for arrives in own)
    assert after > 20
    assert during < after / 3  # what was late already, or came twice


def _pairs(records: tuple[Record, ...]) -> list[tuple[Record, Event]]:
    pairs = []
    for record in records:
        events, _ = read([record])
        pairs += [(record, event) for event in events]
    return pairs
