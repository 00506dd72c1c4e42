"""Batches: so many at a time, of whatever there is."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """The things in their order, ``size`` at a time; the last batch may be shorter, and none is empty.

    >>> list(batches(range(5), 2))
    [[0, 1], [2, 3], [4]]
    """
    remaining = iter(things)
    while batch := list(islice(remaining, size)):
        yield batch


async def in_turns(things: Iterable[T], size: int) -> AsyncIterator[list[T]]:
    """The same for work that takes long: before each batch the event loop has a turn.

    Kafka's client needs it, or what it waits for times out.
    """
    for batch in batches(things, size):
        await asyncio.sleep(0)
        yield batch
