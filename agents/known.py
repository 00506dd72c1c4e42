"""What the live judge knows, as its state says it to others: for whoever judges the same events again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agents.batches import in_turns
from schemas import topics
from schemas.alert import Action, Alert
from schemas.dossier import Memory, alert_key
from schemas.event import Event
from schemas.state import check_format, read_memories
from schemas.stub import covered, names
from streams.history import History

BATCH = 1_000  # records parsed at a time


@dataclass(slots=True)
class Known:
    """What the live judge remembers of one dossier: its events (by hash), its alerts as last told, its highest cycle.

    ``evicted`` are the names of what it has left to ClickHouse (`schemas.stub`).
    """

    events: set[int] = field(default_factory=set)
    sent: dict[str, Alert] = field(default_factory=dict)
    evicted: set[str] = field(default_factory=set)
    highest_cycle: int = 1

    def remember(self, memory: Memory) -> None:
        """Take one record of the state; taking it again changes nothing."""
        if memory.event is not None:
            self.events.add(hash(memory.event))
        elif memory.alert is not None:
            last = self.sent.get(memory.alert.alert_id, memory.alert)
            self.sent[memory.alert.alert_id] = max(last, memory.alert, key=lambda alert: alert.sequence)
        elif memory.stub is not None:
            self.evicted |= covered(memory.stub)
            self.highest_cycle = max(self.highest_cycle, memory.stub.cycle)
        elif memory.cycle is not None:
            self.highest_cycle = max(self.highest_cycle, memory.cycle)

    def took(self, event: Event) -> bool:
        """Whether live has this event, or had it before the dossier was evicted."""
        return hash(event) in self.events or self._left(Memory(event.dossier_code, event=event).key())

    def recall(self, history: History, told: Mapping[str, tuple[int, Action]]) -> dict[str, tuple[int, Action]]:
        """The events that were evicted count as known; the last actions on its alerts, those evicted among them."""
        if not self.evicted:
            return {}
        code = history.dossier_code
        self.events |= {hash(one) for one in history.events if self.took(one)}
        return {name: last for name, last in told.items() if self._left(alert_key(code, name, last[0]))}

    def _left(self, key: bytes) -> bool:
        return not self.evicted.isdisjoint(names([key]))


async def know(partition: int, state: Mapping[bytes, bytes]) -> dict[str, Known]:
    """The dossiers of a partition out of the records of its state. Raises `Unavailable` (``state_unreadable``)."""
    for key, value in state.items():
        check_format(key, value)
    known: dict[str, Known] = {}
    async for some in in_turns(state.values(), BATCH):
        for memory in read_memories(f"{topics.STATE.name} [{partition}]", some):
            if any(each is not None for each in (memory.event, memory.alert, memory.cycle, memory.stub)):
                known.setdefault(memory.dossier_code, Known()).remember(memory)
    return known


def took(known: Mapping[str, Known], event: Event) -> bool:
    """Whether live has this event of these dossiers, or had it."""
    found = known.get(event.dossier_code)
    return found is not None and found.took(event)
