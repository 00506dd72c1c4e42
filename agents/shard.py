"""What a judge knows of one partition: its dossiers, and when to look at each again.

It is an index over `dossier.state.v1` and holds nothing that could not be read back from there. What is read at the
start stays as it was written until somebody asks for its dossier: most of it nobody does for days.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from agents.review import Review
from schemas.alert import Action, Alert
from schemas.errors import ConfigError, Unavailable
from schemas.outlook import Outlook
from schemas.rulebook import Rulebook
from schemas.standing import Standing
from schemas.state import check_format, read_memories
from streams.history import History, build

#: How the value of an alert ends of which nobody knows whether it was told: keys are sorted.
_INTENDED = b'"intended":true}'
#: What stands in the value of an alert that waits for the feed of its unit.
_HELD = b'"action":"hold"'
_BATCH = 10_000  # outlooks parsed at a time


@dataclass(slots=True)
class Dossier:
    """One dossier in memory: its events, the alerts as last told, the highest cycle ever seen.

    ``unconfirmed`` are those of which nobody knows whether they were told, in order: they are told again.
    """

    history: History
    sent: dict[str, Alert] = field(default_factory=dict)
    unconfirmed: dict[str, Alert] = field(default_factory=dict)
    highest_cycle: int = 1
    said: tuple[Standing, ...] | None = None  # what was said last; None: nobody knows
    outlook: Outlook | None = None

    @property
    def held(self) -> bool:
        """Whether an alert of it waits for the feed of its unit."""
        return any(alert.action is Action.HOLD for alert in self.sent.values())

    def tell(self, alert: Alert, *, confirmed: bool) -> None:
        """Remember an alert as it is told, or about to be."""
        self.sent[alert.alert_id] = alert
        self.unconfirmed.pop(alert.alert_id, None)
        if not confirmed:
            self.unconfirmed[alert.alert_id] = alert


@dataclass(slots=True)
class Unread:
    """A dossier as it stands in the state topic, its records not parsed yet: events, and the rest."""

    events: list[bytes] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    outlook: Outlook | None = None

    @property
    def unconfirmed(self) -> bool:
        """Whether an alert is among them of which nobody knows whether it was told."""
        return any(value.endswith(_INTENDED) for value in self.rest)

    @property
    def held(self) -> bool:
        """Whether an alert among them waits for the feed of its unit."""
        return any(_HELD in value for value in self.rest)

    @property
    def foreseen(self) -> Outlook | None:
        """The outlook, if it rests on all the events that are here; a crash may have left it behind."""
        outlook = self.outlook
        return outlook if outlook is not None and outlook.version.events == len(self.events) else None

    def trusted(self, rules: int) -> Outlook | None:
        """The outlook by which the dossier need not be judged at the start: as these rules say, and nothing untold."""
        outlook = self.foreseen
        if outlook is None or outlook.done_at is not None:
            return outlook  # what is over keeps the rules of its end
        return outlook if outlook.live and outlook.version.rules == rules else None

    def dossier(self, code: str) -> Dossier:
        """The same, parsed; raises `Unavailable` as `read_in` does."""
        memories = read_memories(code, [*self.events, *self.rest])
        known = Dossier(build(code, (memory.event for memory in memories if memory.event is not None)))
        for memory in memories:
            if memory.alert is not None:
                known.tell(memory.alert, confirmed=not memory.intended)
            known.highest_cycle = max(known.highest_cycle, memory.cycle or 1)
            known.said = memory.said or known.said
        known.outlook = self.foreseen
        return known

    def told_under(self, code: str, change: int) -> Iterator[Alert]:
        """The alerts as last told that may have come from this change of rules."""
        marked = [value for value in self.rest if b'"change":%d,' % change in value]
        return (memory.alert for memory in read_memories(code, marked) if memory.alert is not None)


@dataclass(slots=True)
class Shard:
    """The dossiers of one partition, and one heap of the instants at which their answers change."""

    dossiers: dict[str, Dossier] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)
    looks: dict[str, datetime] = field(default_factory=dict)  # when each dossier's answer changes next
    heap: list[tuple[datetime, str]] = field(default_factory=list)
    rerouted: set[int] = field(default_factory=set)  # offsets of the events that were sent on to other partitions
    review: Review = field(default_factory=Review)

    def __len__(self) -> int:
        return len(self.dossiers) + len(self.unread)

    def __contains__(self, code: str) -> bool:
        return code in self.dossiers or code in self.unread

    def dossier(self, code: str) -> Dossier:
        """The dossier of that code, an empty one where it is new.

        Raises `Unavailable` (``state_unreadable``) when one of its records cannot be read.
        """
        known = self.dossiers.get(code)
        if known is None:
            unread = self.unread.get(code)
            known = unread.dossier(code) if unread is not None else Dossier(History(code))
            self.unread.pop(code, None)
            self.dossiers[code] = known
        return known

    def held(self) -> list[str]:
        """The dossiers with an alert that waits for the feed of its unit."""
        known: Mapping[str, Dossier | Unread] = {**self.unread, **self.dossiers}
        return [code for code, dossier in known.items() if dossier.held]

    def still_open(self) -> Iterator[str]:
        """The dossiers in which something is open, as far as anybody knows."""
        for code, unread in self.unread.items():
            if unread.events and (unread.foreseen is None or unread.foreseen.done_at is None):
                yield code
        for code, dossier in self.dossiers.items():
            if dossier.history.events and (dossier.outlook is None or dossier.outlook.done_at is None):
                yield code

    def enforce(self, book: Rulebook) -> ConfigError | None:
        """From now on these are the rules, and what is open waits to be judged by them; or why they cannot be."""
        fault = self.review.clash(book)
        if fault is None and self.review.version != book.version:
            self.review.begin(book, self.still_open())
        return fault

    def told_under(self, change: int) -> Iterator[Alert]:
        """The alerts as last told, all that came from this change of rules among them."""
        for code, unread in self.unread.items():
            yield from unread.told_under(code, change)
        for dossier in self.dossiers.values():
            yield from dossier.sent.values()

    def look(self, code: str, at: datetime | None) -> None:
        """From now on, this is when the dossier's answer changes next; None: never by itself."""
        if at is None:
            self.looks.pop(code, None)
        elif at != self.looks.get(code):
            self.looks[code] = at
            heapq.heappush(self.heap, (at, code))

    def due(self, now: datetime, most: int) -> list[tuple[datetime, str]]:
        """The dossiers whose time has come, earliest first, at most so many; they are not asked for twice."""
        found: list[tuple[datetime, str]] = []
        while self.heap and self.heap[0][0] <= now and len(found) < most:
            at, code = heapq.heappop(self.heap)
            if self.looks.get(code) == at:  # else a later answer has set another time
                del self.looks[code]
                found.append((at, code))
        return found


def read_in(records: Mapping[bytes, bytes]) -> Shard:
    """The shard of what the state topic holds, key by key: sorted by dossier, and parsed only where it must be.

    Raises `Unavailable` (``state_unreadable``): judging without a part of what is known would be wrong in silence.
    """
    unread: defaultdict[bytes, Unread] = defaultdict(Unread)
    outlooks: dict[bytes, bytes] = {}
    shard = Shard()
    for key, value in records.items():
        check_format(key, value)
        code, _, name = key.partition(b"\x1f")
        kind = name.partition(b"\x1f")[0]
        if kind == b"event":
            unread[code].events.append(value)
        elif kind in (b"alert", b"cycle", b"said"):
            unread[code].rest.append(value)
        elif kind == b"outlook":
            outlooks[code] = value
        elif kind == b"rerouted":
            shard.rerouted.update(memory.rerouted or 0 for memory in read_memories(repr(key), [value]))
        elif kind == b"rules":
            for memory in read_memories(repr(key), [value]):
                shard.review.remember(memory)
        else:
            raise Unavailable("state_unreadable", f"a state record cannot be read: {key!r}")
    for code, outlook in _outlooks(outlooks):
        unread[code].outlook = outlook
    shard.unread = {code.decode(): found for code, found in unread.items()}
    return shard


def _outlooks(values: Mapping[bytes, bytes]) -> Sequence[tuple[bytes, Outlook | None]]:
    found: list[tuple[bytes, Outlook | None]] = []
    remaining = iter(values.items())
    while some := list(islice(remaining, _BATCH)):
        memories = read_memories("an outlook", [value for _, value in some])
        found += ((code, memory.outlook) for (code, _), memory in zip(some, memories, strict=True))
    return found
