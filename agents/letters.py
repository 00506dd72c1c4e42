"""Letters: what stands on ``dossier.dead-letters.v1``, selected and counted while it is read."""

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from agents.dead_letters import Letter, read_letter
from agents.ports import Record
from schemas.dossier import DeadLetter
from schemas.errors import ConfigError, InvalidRecord


@dataclass(frozen=True, slots=True)
class Selection:
    """Which letters are meant: those that fit all that is given; nothing given means all.

    ``names`` as `DeadLetter.name` has them; ``topic``, ``partition`` and ``dossier`` (its key, whatever its bytes say)
    are those of the refused record, ``source`` is the system that it names, ``since`` (included) and ``until`` (not
    included) bound the instant of its burial.
    """

    names: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    topic: str | None = None
    partition: int | None = None
    dossier: str | None = None
    source: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def takes(self, letter: Letter) -> bool:
        """Whether this one is meant."""
        about = letter.about
        return (
            (not self.names or about.name in self.names)
            and (not self.reasons or about.reason in self.reasons)
            and self.topic in (None, about.topic)
            and self.partition in (None, about.partition)
            and self.source in (None, about.source)
            and (self.dossier is None or letter.key == self.dossier.encode())
            and (self.since is None or about.buried_at >= self.since)
            and (self.until is None or about.buried_at < self.until)
        )

    def partitions(self, count: int) -> tuple[int, ...]:
        """The partitions on which they can stand, of so many: a letter is on that of the refused record.

        Raises `ConfigError` (``letter_unknown``) for a name that no letter can have.
        """
        wanted = {self.partition} if self.partition is not None else set(range(count))
        if self.names:
            wanted &= {_partition(name) for name in self.names}
        return tuple(sorted(wanted & set(range(count))))


def _partition(name: str) -> int:
    topic, _, place = name.partition("/")
    partition, _, offset = place.partition("/")
    if not (topic and partition.isdecimal() and offset.isdecimal()):
        raise ConfigError("letter_unknown", f"{name!r} is no letter's name: dossier.events.v1/3/1234, say")
    return int(partition)


@dataclass(slots=True)
class Sieve:
    """Takes records as they are read and gives the letters that are meant, each once.

    A crash may bury a record twice; the first letter counts. ``strangers`` counts the records that are no
    letters of this program.
    """

    selection: Selection
    strangers: int = 0
    _seen: set[str] = field(default_factory=set)

    def letters(self, records: Iterable[Record]) -> Iterator[Letter]:
        """Those among the next records."""
        for record in records:
            try:
                letter = read_letter(record)
            except InvalidRecord:
                self.strangers += 1
                continue
            name = letter.about.name
            if self.selection.takes(letter) and name not in self._seen:
                self._seen.add(name)
                yield letter

    def check_found(self) -> None:
        """Raise `ConfigError` (``letter_unknown``) when a letter that was named is not there."""
        if missing := self.selection.names - self._seen:
            raise ConfigError("letter_unknown", f"no letter {', '.join(sorted(missing))}; letters are kept for 30 days")


@dataclass(slots=True)
class Overview:
    """How many letters there are, by reason and topic, and the ``most`` that were buried last."""

    most: int
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    _latest: list[tuple[datetime, str, DeadLetter]] = field(default_factory=list)

    def take(self, letter: DeadLetter) -> None:
        """Count one more."""
        self.counts[letter.reason, letter.topic] += 1
        if self.most:
            push = heapq.heappush if len(self._latest) < self.most else heapq.heappushpop
            push(self._latest, (letter.buried_at, letter.name, letter))

    @property
    def latest(self) -> list[DeadLetter]:
        """Those that were buried last, in that order."""
        return [letter for _, _, letter in sorted(self._latest, key=lambda kept: kept[:2])]
