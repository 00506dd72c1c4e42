"""A stub: what the state keeps of a dossier that was evicted."""

from collections.abc import Iterable
from dataclasses import dataclass
from zlib import crc32

WIDTH = 8  # hex digits of a name


@dataclass(frozen=True, slots=True)
class Stub:
    """ClickHouse holds every record of the dossier that ``covers`` names, and all its rows; it had so many cycles.

    ``covers`` are the names of the records (events, and actions on alerts), sorted, one after the other. A stub stays
    true for ever, because ClickHouse forgets nothing.
    """

    cycle: int
    covers: str


def names(keys: Iterable[bytes]) -> frozenset[str]:
    """The names of the records with these keys, four bytes each: enough to see that one of a dossier's is missing."""
    return frozenset(f"{crc32(key):08x}" for key in keys)


def covering(cycle: int, covered: Iterable[str]) -> Stub:
    """The stub that covers these names."""
    return Stub(cycle, "".join(sorted(covered)))


def covered(stub: Stub) -> frozenset[str]:
    """The names that the stub covers."""
    return frozenset(stub.covers[begin : begin + WIDTH] for begin in range(0, len(stub.covers), WIDTH))
