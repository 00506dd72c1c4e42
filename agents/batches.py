"""Batches: so many at a time, of whatever there is."""

from collections.abc import Iterable, Iterator
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
