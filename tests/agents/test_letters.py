"""Dead letters as they are selected, counted and named; each once, whatever a crash has repeated."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from agents.dead_letters import RESENT_FROM, dead_letter, read_letter
from agents.drivers.memory import MemoryOutbox, MemoryRecord
from agents.letters import Overview, Selection, Sieve
from schemas import topics
from schemas.errors import ConfigError, InvalidRecord

MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
EVENTS = topics.EVENTS.name


async def buried(
    *refused: tuple[int, int, str], topic: str = EVENTS, headers: tuple[tuple[str, bytes], ...] = ()
) -> list[MemoryRecord]:
    """The letters of these records: partition, offset, reason; buried an hour apart."""
    outbox = MemoryOutbox()
    for hours, (partition, offset, reason) in enumerate(refused):
        record = MemoryRecord(topic, partition, offset, 0, b"key", b"%d-%d" % (partition, offset), headers)
        at = MONDAY + timedelta(hours=hours)
        await outbox.send([dead_letter(record, InvalidRecord(reason, "why"), at=at)])
    return outbox.records(topics.DEAD_LETTERS.name)


def names(records: Iterable[MemoryRecord], selection: Selection) -> list[str]:
    return [letter.about.name for letter in Sieve(selection).letters(records)]


async def test_a_letter_is_read_with_its_bytes_and_called_after_its_place() -> None:
    (record,) = await buried((3, 12, "unreadable"))
    letter = read_letter(record)
    assert letter.about.name == "dossier.events.v1/3/12"
    assert (letter.key, letter.value, letter.whole) == (b"key", b"3-12", True)
    assert letter.about.resent_from is None


async def test_what_is_given_selects_and_nothing_given_takes_all() -> None:
    records = await buried((0, 1, "unreadable"), (1, 1, "invalid_code"), (1, 2, "unreadable"))
    first, second, third = (f"{EVENTS}/{place}" for place in ("0/1", "1/1", "1/2"))
    assert names(records, Selection()) == [first, second, third]
    assert names(records, Selection(reasons=frozenset({"unreadable"}))) == [first, third]
    assert names(records, Selection(reasons=frozenset({"unreadable"}), partition=1)) == [third]
    assert names(records, Selection(names=frozenset({second}))) == [second]
    assert names(records, Selection(dossier="key")) == [first, second, third]
    assert names(records, Selection(dossier="another")) == []
    assert names(records, Selection(topic=topics.LOOKS.name)) == []
    hour = timedelta(hours=1)
    assert names(records, Selection(since=MONDAY + hour)) == [second, third]
    assert names(records, Selection(until=MONDAY + hour)) == [first]


async def test_letters_are_selected_by_the_source_that_they_name() -> None:
    outbox = MemoryOutbox()
    for offset, source in enumerate(("one-stop-12", "")):
        record = MemoryRecord(EVENTS, 0, offset, 0, b"key", b"{}")
        letter = dead_letter(record, InvalidRecord("missing_field", "why"), at=MONDAY, source=source)
        await outbox.send([letter])
    records = outbox.records(topics.DEAD_LETTERS.name)
    assert names(records, Selection(source="one-stop-12")) == [f"{EVENTS}/0/0"]
    assert names(records, Selection(source="another")) == []


async def test_a_record_that_was_buried_twice_is_one_letter_and_the_first_counts() -> None:
    twice = await buried((0, 1, "unreadable"), (0, 1, "invalid_code"))
    (letter,) = Sieve(Selection()).letters(twice)
    assert letter.about.reason == "unreadable"


async def test_a_record_that_is_no_letter_is_counted_and_passed_over() -> None:
    sieve = Sieve(Selection())
    stranger = MemoryRecord(topics.DEAD_LETTERS.name, 0, 0, 0, None, b"?", ())
    assert len(list(sieve.letters([stranger, *await buried((0, 1, "unreadable"))]))) == 1
    assert sieve.strangers == 1


async def test_a_letter_that_was_named_and_is_not_there_is_an_error() -> None:
    sieve = Sieve(Selection(names=frozenset({f"{EVENTS}/0/1", f"{EVENTS}/0/7"})))
    list(sieve.letters(await buried((0, 1, "unreadable"))))
    with pytest.raises(ConfigError, match=r"no letter dossier\.events\.v1/0/7;") as refusal:
        sieve.check_found()
    assert refusal.value.reason == "letter_unknown"


def test_only_the_partitions_of_the_selection_are_read() -> None:
    named = frozenset({f"{EVENTS}/3/1", f"{EVENTS}/1/9"})
    assert Selection().partitions(4) == (0, 1, 2, 3)
    assert Selection(partition=2).partitions(4) == (2,)
    assert Selection(names=named).partitions(4) == (1, 3)
    assert Selection(names=named, partition=2).partitions(4) == ()
    assert Selection(partition=9).partitions(4) == ()


@pytest.mark.parametrize("name", ["", "3", "dossier.events.v1", "/1/2", "t/1", "t/1/", "t/one/2", "t/1/2/3", "t/²/1"])
def test_a_name_that_no_letter_can_have_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match="is no letter's name"):
        Selection(names=frozenset({name})).partitions(4)


async def test_the_overview_counts_all_and_keeps_the_latest() -> None:
    overview = Overview(most=2)
    records = await buried((0, 1, "unreadable"), (3, 5, "invalid_code"), (1, 2, "unreadable"))
    for letter in Sieve(Selection()).letters(reversed(records)):
        overview.take(letter.about)
    assert overview.counts == {("unreadable", EVENTS): 2, ("invalid_code", EVENTS): 1}
    assert [letter.name for letter in overview.latest] == [f"{EVENTS}/3/5", f"{EVENTS}/1/2"]
    none = Overview(most=0)
    none.take(read_letter(records[0]).about)
    assert (none.latest, none.counts.total()) == ([], 1)


async def test_a_record_that_was_resent_says_so_when_it_is_buried_again() -> None:
    (record,) = await buried((0, 9, "invalid_code"), headers=((RESENT_FROM, b"dossier.events.v1/0/1"),))
    assert read_letter(record).about.resent_from == "dossier.events.v1/0/1"


@pytest.mark.parametrize("said", [b"", b"somewhere", b"a/1/2 ", b"a/1/2\n", b"\xff/1/2", None])
async def test_a_header_of_that_name_from_somebody_else_is_no_origin(said: bytes) -> None:
    (record,) = await buried((0, 9, "invalid_code"), headers=((RESENT_FROM, said),))
    assert read_letter(record).about.resent_from is None
