"""The quick judgement and the slow oracle, which share no code, give the same rows to the last field.

These are always the same thousand dossiers; ``make laws`` compares twenty thousand new ones each time.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest

from schemas.event import Event
from tests.hanoi import at
from tests.laws.comparison import Difference, chance, first_difference, made
from tests.laws.smallest import report, smallest
from tests.laws.source import IMPORTS
from tests.laws.stories import story
from tests.laws.worlds import World, world

pytestmark = pytest.mark.laws

DOSSIERS = 1_000
START = at("2026-03-02T09:00")


def test_the_oracle_agrees_on_every_field_at_five_instants() -> None:
    found = first_difference(range(DOSSIERS))
    assert found is None, report(*found)


def case(seed: int) -> tuple[World, tuple[Event, ...]]:
    pick = chance(f"any {seed}")
    place = world(pick)
    return place, tuple(sorted(story(pick, place, lambda *_: []), key=lambda event: event.at))


@pytest.mark.parametrize("seed", range(40))
def test_a_difference_is_printed_as_python_that_makes_it_again(seed: int) -> None:
    place, events = case(seed)
    names: dict[str, object] = {}
    exec("\n".join([IMPORTS, *made(place, events)]), names)
    assert (names["world"], names["events"]) == (place, events)


class Blame(Difference):
    """A difference that one event and a second limits file bring about."""

    def fields(self) -> Iterator[str]:
        if len(self.world.limits) > 1 and any(event.event_id == "e3" for event in self.events):
            yield "status of cycle 1"


def test_the_smallest_example_keeps_what_makes_the_difference_and_nothing_else() -> None:
    found = next(blame for place, events in map(case, count()) if any((blame := Blame(place, events, START)).fields()))
    small = smallest(found)
    (event,) = small.events
    assert event == replace(event, event_id="e3", limit=None, stage=None, case=None, source=None, sequence=None)
    assert (len(small.world.limits), small.world.calendars, small.world.units) == (2, (), ())
