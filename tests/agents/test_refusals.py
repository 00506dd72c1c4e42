"""A source's rubbish is buried and counted; when most fail at once judge holds until that is over or released."""

from datetime import UTC, datetime, timedelta

import pytest

from agents.refusals import LABELS, OTHERS, RECENT, SECONDS, UNNAMED, Refusals
from schemas import topics
from schemas.errors import Unavailable
from schemas.event import Event, canonical
from schemas.feed import Release
from streams.refusals import Outcome
from tests.agents.test_judge import Desk, desk
from tests.hanoi import event


class Watch:
    """A monotonic clock that stands until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def bad(*sources: str) -> list[Outcome]:
    return [Outcome(source, refused=True) for source in sources]


def good(*sources: str) -> list[Outcome]:
    return [Outcome(source, refused=False) for source in sources]


def test_refusals_of_many_small_chunks_add_up_and_then_wait() -> None:
    refusals = Refusals(Watch())
    for number in range(9):
        one = bad("ab"[number % 2])
        refusals.weigh(one, released=False)
        refusals.count(one)
    for _ in range(3):
        with pytest.raises(Unavailable) as held:
            refusals.weigh(bad("b"), released=False)
        assert held.value.reason == "sources_refused"
        assert "2 of 2 sources send what cannot be used, 10 records" in held.value.message


def test_a_chunk_of_which_nothing_is_refused_never_waits_and_ends_the_hold_when_most_are_good() -> None:
    refusals = Refusals(Watch())
    with pytest.raises(Unavailable):
        refusals.weigh(bad(*"ababababab"), released=False)
    fine = good(*"ccdd")
    refusals.weigh(fine, released=False)
    refusals.count(fine)
    refusals.weigh(bad(*"ababababab"), released=False)  # two of four sources are not most


def test_what_was_weighed_grows_old_but_not_while_it_is_held() -> None:
    watch = Watch()
    refusals = Refusals(watch)
    refusals.count(bad(*"ababababa"))
    watch.seconds += SECONDS + 1
    refusals.weigh(bad("b"), released=False)
    refusals.count(bad(*"ababababa"))
    for _ in range(2):
        with pytest.raises(Unavailable):
            refusals.weigh(bad("b"), released=False)
        watch.seconds += SECONDS + 1


def test_only_the_last_records_count() -> None:
    refusals = Refusals(Watch())
    refusals.count(bad(*"ab" * 50))
    refusals.count(good(*"abcd" * (RECENT // 4)))
    refusals.weigh(bad("a"), released=False)


def test_a_release_buries_and_when_it_is_over_the_hold_is_back() -> None:
    refusals = Refusals(Watch())
    chunk = bad(*"ababababab")
    refusals.weigh(chunk, released=True)
    refusals.count(chunk)
    with pytest.raises(Unavailable):
        refusals.weigh(bad("a"), released=False)


def test_labels_are_bounded() -> None:
    refusals = Refusals()
    names = [f"source-{number}" for number in range(LABELS + 5)]
    assert [refusals.label(name) for name in names] == [*names[:LABELS], *[OTHERS] * 5]
    assert (refusals.label(""), refusals.label("source-7")) == (UNNAMED, "source-7")


def naive(source: str, number: int) -> bytes:
    """An event without an offset in its time."""
    written = canonical(event(2, "2026-03-02T09:00", event_id=f"{source}-{number}", source=source))
    return written.replace(b'+00:00"', b'"')


def fine(source: str, number: int) -> Event:
    return event(4, "2026-03-02T09:00", event_id=f"{source}-{number}", source=source)


def counted(office: Desk, source: str) -> bool:
    return f'dunghan_refused_total{{source="{source}"}}'.encode() in office.judge.meters.exposition()


async def test_the_one_bad_record_of_the_one_source_is_buried_counted_and_named() -> None:
    office = await desk("2026-03-02T10:00")
    await office.take_bytes(naive("portal", 1))
    assert office.reasons() == ["naive_time"]
    (letter,) = office.outbox.records(topics.DEAD_LETTERS.name)
    assert dict(letter.headers)["source"] == b"portal"
    assert counted(office, "portal")


async def test_one_source_s_rubbish_is_buried_and_the_others_go_on() -> None:
    office = await desk("2026-03-02T10:00")
    rubbish = [naive("portal", number) for number in range(500)]
    await office.take_bytes(*rubbish, canonical(fine("post", 1)), canonical(fine("ward", 1)))
    assert len(office.reasons()) == 500
    assert len(office.judgements()[0].events) == 2


async def test_when_most_sources_fail_at_once_nothing_is_buried_until_an_operator_says_so() -> None:
    office = await desk("2026-03-02T10:00")
    rubbish = [naive(source, number) for number in range(10) for source in ("portal", "post")]
    chunk = office.chunk(topics.EVENTS, [*rubbish, canonical(fine("ward", 1))])
    for _ in range(3):
        with pytest.raises(Unavailable):
            await office.judge.events(chunk, office.lease)
    assert office.outbox.topics == {}, "nothing is written, nothing skipped"
    now = datetime.now(UTC)
    office.judge.feeds.tell([Release(now + timedelta(hours=1), now, "Lan")])
    await office.judge.events(chunk, office.lease)
    assert len(office.reasons()) == 20
    assert len(office.judgements()) == 1
