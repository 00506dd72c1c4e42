"""Refusals: whose fault it is that records cannot be used, the sender's or ours.

One source that sends rubbish is buried. When most sources fail at once they did not all break in the same minutes: a
deployment of ours is bad, or our configuration is, and burying all of it would only make work.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

#: Fewer refusals than these are nobody's fault but the sender's: two sources may each send one bad record.
LEAST = 10
#: From one source alone nobody can tell whose fault it is, and it may be the only one there is.
SOURCES = 2


class Outcome(NamedTuple):
    """What became of one record: from whom (empty where the record does not say), and whether it was refused."""

    source: str
    refused: bool


class Tally(NamedTuple):
    """Sources heard, those of which more than half of the records were refused, and all refusals."""

    sources: int
    failing: int
    refused: int


def tally(outcomes: Iterable[Outcome]) -> Tally:
    """Count the outcomes of some minutes by source.

    >>> tally([Outcome("portal", True), Outcome("portal", True), Outcome("portal", False), Outcome("post", False)])
    Tally(sources=2, failing=1, refused=2)
    """
    taken: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for outcome in outcomes:
        taken[outcome.source] += 1
        refused[outcome.source] += outcome.refused
    failing = sum(2 * refused[source] > count for source, count in taken.items())
    return Tally(len(taken), failing, refused.total())


def fault_is_ours(counted: Tally) -> bool:
    """Whether most sources fail at once: more than half of them, at least two, by ten records or more.

    >>> fault_is_ours(Tally(sources=3, failing=2, refused=10)), fault_is_ours(Tally(sources=1, failing=1, refused=99))
    (True, False)
    """
    most = 2 * counted.failing > counted.sources
    return most and counted.failing >= SOURCES and counted.refused >= LEAST
