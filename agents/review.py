"""review: the open dossiers of a partition, judged once more because the rules have changed.

A review begins when the judge takes other rules up, or reads a partition back whose last review was not told of. It
goes on in portions, through looks and whatever events bring, and ends with one `Change` record (`agents.sum_up`).
By which rules a dossier was judged last, its outlook says; judging it again gives the same row and tells nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from schemas.alert import Alert
from schemas.dossier import Memory
from schemas.errors import ConfigError
from schemas.rulebook import Change, Rulebook
from streams import rulebook


@dataclass(slots=True)
class Review:
    """Where one partition stands with the rules.

    ``book`` is the newest that anything was judged by, as the state says; ``owed`` are the reviews that nobody was
    told of yet, by version, with their `Change` once it is counted. ``waiting`` are the open dossiers that were not
    judged by the newest rules yet, in order, and ``asked`` those of them whose look is under way.
    """

    book: Rulebook | None = None
    owed: dict[int, tuple[Rulebook, Change | None]] = field(default_factory=dict)
    waiting: dict[str, None] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    version: int = 0

    def remember(self, memory: Memory) -> None:
        """Take what the state says of some rules; taking it again changes nothing."""
        book = memory.rules
        if book is None:
            return
        if self.book is None or book.version >= self.book.version:
            self.book = book
        if memory.change is None or memory.intended:
            self.owed[book.version] = book, memory.change
        else:
            self.owed.pop(book.version, None)

    def clash(self, book: Rulebook) -> ConfigError | None:
        """Why this partition cannot be judged by these rules, after those that it was judged by."""
        return rulebook.clash(self.book, book)

    def begin(self, book: Rulebook, still_open: Iterable[str]) -> None:
        """These are the rules now; the open dossiers wait, unless that review is over."""
        over = self.book is not None and self.book.version == book.version
        if over and book.version in self.owed:
            over = self.owed[book.version][1] is not None
        self.version = book.version
        self.waiting = {} if over else dict.fromkeys(still_open)
        self.asked.clear()

    def portion(self, most: int) -> tuple[str, ...]:
        """The next dossiers to ask for; none while those before are not answered."""
        if self.asked:
            return ()
        portion = tuple(islice(self.waiting, most))
        self.asked.update(portion)
        return portion

    def unasked(self) -> None:
        """The looks may not be on their way: they are asked for again."""
        self.asked.clear()

    def awaits(self, code: str, book: Rulebook) -> bool:
        """Whether an answer by these rules is the first one by changed rules."""
        return book.version == self.version and code in self.waiting

    def mark(self, alerts: tuple[Alert, ...], book: Rulebook) -> tuple[Alert, ...]:
        """The alerts of one dossier: where this is its first judgement by new rules, they belong to the change."""
        if not alerts or not self.awaits(alerts[0].dossier_code, book):
            return alerts
        return tuple(rulebook.of_change(alert, book.version) for alert in alerts)

    def unrecorded(self, book: Rulebook, partition: int) -> tuple[Memory, ...]:
        """What the state must say before anything judged by these rules is out; nothing where it does."""
        if self.book is not None and self.book.version >= book.version:
            return ()
        return (Memory("", rules=book, change=None if self.waiting else Change(book.version, partition)),)

    def judged(self, code: str, book: Rulebook, *, still_open: bool) -> None:
        """The dossier was judged by these rules, which may have been changed meanwhile."""
        if book.version == self.version:
            self.waiting.pop(code, None)
            self.asked.discard(code)
        elif still_open:
            self.waiting[code] = None

    def settled(self) -> tuple[tuple[Rulebook, Change | None], ...]:
        """The reviews that are over and still to be told of; one that newer rules broke off is over, too."""
        return tuple(owed for version, owed in sorted(self.owed.items()) if version < self.version or not self.waiting)
