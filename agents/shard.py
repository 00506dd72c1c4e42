"""What a judge knows of one partition: its dossiers, and when to look at each again.

It is an index over `dossier.state.v1` and holds nothing that could not be read back from there, or from ClickHouse
where a stub says so. What is read at the start stays as it was written until somebody asks for its dossier: most of it
nobody does for days.

A dossier stands in one of three ways: in ``dossiers``, parsed; in ``unread``, as its records were read; or it was
evicted, and ``evicted`` has the stub. A code in both of the last two is a dossier of which the state has a part only.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from agents.agenda import Agenda
from agents.ports import Archived
from agents.review import Review
from schemas.alert import Action, Alert
from schemas.assessment import Version
from schemas.dossier import Memory, alert_key, dump
from schemas.errors import ConfigError, Unavailable
from schemas.outlook import Outlook
from schemas.rulebook import Rulebook
from schemas.standing import Standing
from schemas.state import read_memories
from schemas.stub import Stub, covered, covering, names
from streams.history import History, build

#: How the value of an alert ends of which nobody knows whether it was told: keys are sorted.
_INTENDED = b'"intended":true}'
#: What stands in the value of an alert that waits for the feed of its unit.
_HELD = b'"action":"hold"'
_NOTHING = Outlook(Version(0, 0, datetime.min.replace(tzinfo=UTC)))


@dataclass(slots=True)
class Dossier:
    """One dossier in memory: its events, the alerts as last told, the highest cycle ever seen.

    ``unconfirmed`` are those of which nobody knows whether they were told, in order: they are told again.
    ``recalled`` are the records of an evicted dossier that was read back; they are still to be written to the state.
    """

    history: History
    sent: dict[str, Alert] = field(default_factory=dict)
    unconfirmed: dict[str, Alert] = field(default_factory=dict)
    highest_cycle: int = 1
    said: tuple[Standing, ...] | None = None  # what was said last; None: nobody knows
    outlook: Outlook | None = None
    recalled: tuple[Memory, ...] = ()

    @property
    def held(self) -> bool:
        """Whether an alert of it waits for the feed of its unit."""
        return any(alert.action is Action.HOLD for alert in self.sent.values())

    def tell(self, alert: Alert, *, confirmed: bool) -> None:
        """Remember an alert as it is told, or about to be; an earlier action on it that comes later changes nothing."""
        known = self.sent.get(alert.alert_id)
        if known is not None and known.sequence > alert.sequence:
            return
        self.sent[alert.alert_id] = alert
        self.unconfirmed.pop(alert.alert_id, None)
        if not confirmed:
            self.unconfirmed[alert.alert_id] = alert

    def keys(self) -> Iterator[bytes]:
        """The keys under which its events and alerts stand in the state."""
        code = self.history.dossier_code
        for event in self.history.events:
            yield Memory(code, event=event).key()
        for alert in self.sent.values():
            yield from (alert_key(code, alert.alert_id, sequence) for sequence in range(1, alert.sequence + 1))


@dataclass(slots=True)
class Unread:
    """A dossier as it stands in the state topic, its records not parsed yet: events, and the rest."""

    events: list[bytes] = field(default_factory=list)
    rest: list[bytes] = field(default_factory=list)
    outlook: Outlook | None = None

    @property
    def unconfirmed(self) -> bool:
        """Whether an alert is among them of which nobody knows whether it was told."""
        return any(value.endswith(_INTENDED) for value in self.rest) and bool(self._alerts.unconfirmed)

    @property
    def held(self) -> bool:
        """Whether an alert among them waits for the feed of its unit."""
        return any(_HELD in value for value in self.rest) and self._alerts.held

    @property
    def _alerts(self) -> Dossier:
        return assemble("", read_memories("an alert", self.rest))

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
        known = assemble(code, read_memories(_masked(code), [*self.events, *self.rest]))
        known.outlook = self.foreseen
        return known

    def told_under(self, code: str, change: int) -> Iterator[Alert]:
        """The alerts as last told, when one of them may have come from this change of rules."""
        if any(b'"change":%d,' % change in value for value in self.rest):
            yield from assemble(code, read_memories(_masked(code), self.rest)).sent.values()


@dataclass(slots=True)
class Shard:
    """The dossiers of one partition, and when their answers change."""

    dossiers: dict[str, Dossier] = field(default_factory=dict)
    unread: dict[str, Unread] = field(default_factory=dict)
    evicted: dict[str, bytes] = field(default_factory=dict)  # the stub as it was written
    stubs: dict[str, bytes] = field(default_factory=dict)  # of those that were evicted once, and are all here again
    covered: dict[str, list[bytes]] = field(default_factory=dict)  # keys in the state that a stub makes superfluous
    looks: Agenda = field(default_factory=Agenda)  # when each answer changes next by itself
    over: Agenda = field(default_factory=Agenda)  # since when a dossier has been over
    rerouted: set[int] = field(default_factory=set)  # offsets of the events that were sent on to other partitions
    review: Review = field(default_factory=Review)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)  # held by whoever changes it and writes, across awaits

    def __len__(self) -> int:
        return len(self.dossiers) + len(self.unread)

    def __contains__(self, code: str) -> bool:
        return code in self.dossiers or code in self.unread

    def dossier(self, code: str) -> Dossier:
        """The dossier of that code, an empty one where it is new; not for one that is ``evicted``.

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
        return [code for known in (self.unread, self.dossiers) for code, dossier in known.items() if dossier.held]

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

    def stub(self, code: str) -> Memory:
        """What would stay of a dossier; it covers what an earlier stub covers, and more."""
        dossier, earlier = self.dossier(code), self.stubs.get(code)
        before = covered(read_stub(code, earlier)) if earlier is not None else frozenset[str]()
        return Memory(code, stub=covering(dossier.highest_cycle, names(dossier.keys()) | before))

    def evict(self, stub: Memory) -> None:
        """Only this stub stays, which is acknowledged; what it covers in the state is to be deleted."""
        code = stub.dossier_code
        dossier, earlier = self.dossiers.pop(code), self.stubs.pop(code, None)
        keys = [*dossier.keys(), Memory(code, outlook=_NOTHING).key(), Memory(code, said=()).key()]
        keys += (Memory(code, cycle=cycle).key() for cycle in range(2, dossier.highest_cycle + 1))
        if earlier is not None and (key := Memory(code, stub=read_stub(code, earlier)).key()) != stub.key():
            keys.append(key)
        self.covered[code] = keys
        self.evicted[code] = dump(stub)
        self.looks.put(code, None)

    def recall(self, code: str, archived: Archived) -> None:
        """The evicted dossier is here again: what ClickHouse holds of it, and what the state has besides.

        Raises `Unavailable`: ``history_missing`` when that is not all that the stub covers, ``state_unreadable``.
        """
        stub, unread = read_stub(code, self.evicted[code]), self.unread.get(code)
        more = read_memories(_masked(code), [*unread.events, *unread.rest]) if unread is not None else []
        cycles = (Memory(code, cycle=stub.cycle),) if stub.cycle > 1 else ()
        back = (*archived.memories(code), *cycles)
        if not covered(stub) <= names(memory.key() for memory in (*back, *more)):
            raise Unavailable("history_missing", f"ClickHouse does not hold all of {_masked(code)}, which was evicted")
        dossier = assemble(code, [*back, *more])
        dossier.recalled = back
        self.dossiers[code] = dossier
        self.stubs[code] = self.evicted.pop(code)
        self.unread.pop(code, None)
        self.covered.pop(code, None)


def assemble(code: str, memories: Sequence[Memory]) -> Dossier:
    """The dossier of these records, in any order."""
    known = Dossier(build(code, (memory.event for memory in memories if memory.event is not None)))
    for memory in memories:
        if memory.alert is not None:
            known.tell(memory.alert, confirmed=not memory.intended)
        known.highest_cycle = max(known.highest_cycle, memory.cycle or 1)
        known.said = memory.said or known.said
    return known


def read_stub(code: str, value: bytes) -> Stub:
    """The stub as it was written; raises `Unavailable` (``state_unreadable``) when it is none."""
    (memory,) = read_memories(_masked(code), [value])
    if memory.stub is None:
        raise Unavailable("state_unreadable", f"a state record cannot be read: {_masked(code)}")
    return memory.stub


def _masked(code: str) -> str:
    return f"…{code[-4:]}"
