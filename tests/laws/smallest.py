"""The smallest example of a difference: nothing in it could be left out."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TypeVar

from schemas.errors import ConfigError
from schemas.event import Event
from tests.laws.comparison import Difference
from tests.laws.worlds import World

T = TypeVar("T")
_OPTIONAL = ("due", "limit", "stage", "case", "channel", "receiving_unit", "reason", "sequence", "source")


def report(seed: int, found: Difference) -> str:
    """All that is needed to see a difference again."""
    again = f"seed {seed} (again: python -m tests.laws --first {seed} --dossiers 1)"
    return f"{again}\n{found}\n\nas small as it can be:\n{smallest(found)}"


def smallest(found: Difference) -> Difference:
    """The same dossier with fewer events, files and fields, as long as the two still differ in a field of before."""
    wanted = _fields(found)
    while (smaller := next((one for one in _smaller(found) if wanted & _fields(one)), None)) is not None:
        found = smaller
    return found


def _fields(found: Difference) -> set[str]:
    """The names of the fields that differ."""
    try:
        return {line.split()[0] for line in found.fields()} if found.events else set()
    except ConfigError:  # without this there is no such office
        return set()


def _smaller(found: Difference) -> Iterator[Difference]:
    """One thing less, in every way there is; the largest things first."""
    for events in _one_less(found.events):
        yield replace(found, events=events)
    for world in _smaller_worlds(found.world):
        yield replace(found, world=world)
    for index, event in enumerate(found.events):
        for plainer in _plainer(event):
            yield replace(found, events=(*found.events[:index], plainer, *found.events[index + 1 :]))


def _plainer(event: Event) -> Iterator[Event]:
    for name in _OPTIONAL:
        if getattr(event, name) is not None and not (name == "due" and event.kind == "extension"):
            yield replace(event, **{name: None})  # type: ignore[arg-type]


def _smaller_worlds(world: World) -> Iterator[World]:
    for calendars in _one_less(world.calendars):
        yield replace(world, calendars=calendars)
    for limits in _one_less(world.limits):
        yield replace(world, limits=limits)
    for units in _one_less(world.units):
        yield replace(world, units=units)
    for index, file in enumerate(world.limits):
        for rules in _one_less(file.rules):
            plainer = replace(file, rules=rules)
            yield replace(world, limits=(*world.limits[:index], plainer, *world.limits[index + 1 :]))
    for index, year in enumerate(world.calendars):
        for days in _one_less(year.days):
            shorter = replace(year, days=days)
            yield replace(world, calendars=(*world.calendars[:index], shorter, *world.calendars[index + 1 :]))


def _one_less(parts: tuple[T, ...]) -> Iterator[tuple[T, ...]]:
    """Without one of them, for each of them."""
    for index in range(len(parts)):
        yield (*parts[:index], *parts[index + 1 :])
