"""What a judge knows of one partition: its dossiers, and when to look at each again.

It is an index over `dossier.state.v1` and holds nothing that could not be read back from there.
"""

import heapq
from dataclasses import dataclass, field
from datetime import datetime

from schemas.alert import Alert
from schemas.dossier import Memory
from streams.history import History, add


@dataclass(slots=True)
class Dossier:
    """One dossier in memory: its events, the alerts as last told, the highest cycle ever seen.

    ``unconfirmed`` are those of which nobody knows whether they were told, in order: they are told again.
    """

    history: History
    sent: dict[str, Alert] = field(default_factory=dict)
    unconfirmed: dict[str, Alert] = field(default_factory=dict)
    highest_cycle: int = 1
    look_at: datetime | None = None

    def tell(self, alert: Alert, *, confirmed: bool) -> None:
        """Remember an alert as it is told, or about to be."""
        self.sent[alert.alert_id] = alert
        self.unconfirmed.pop(alert.alert_id, None)
        if not confirmed:
            self.unconfirmed[alert.alert_id] = alert


@dataclass(slots=True)
class Shard:
    """The dossiers of one partition, and one heap of the instants at which their answers change."""

    dossiers: dict[str, Dossier] = field(default_factory=dict)
    heap: list[tuple[datetime, str]] = field(default_factory=list)
    rerouted: set[int] = field(default_factory=set)  # offsets of the events that were sent on to other partitions

    def dossier(self, code: str) -> Dossier:
        """The dossier of that code, an empty one where it is new."""
        known = self.dossiers.get(code)
        if known is None:
            known = self.dossiers[code] = Dossier(History(code))
        return known

    def remember(self, memory: Memory) -> None:
        """Take one record of the state topic; taking it again changes nothing."""
        if memory.rerouted is not None:
            self.rerouted.add(memory.rerouted)
            return
        dossier = self.dossier(memory.dossier_code)
        if memory.event is not None:
            dossier.history = add(dossier.history, memory.event)
        elif memory.alert is not None:
            dossier.tell(memory.alert, confirmed=not memory.intended)
        elif memory.cycle is not None:
            dossier.highest_cycle = max(dossier.highest_cycle, memory.cycle)

    def look(self, code: str, at: datetime | None) -> None:
        """From now on, this is when the dossier's answer changes next; None: never by itself."""
        dossier = self.dossier(code)
        if at is not None and at != dossier.look_at:
            heapq.heappush(self.heap, (at, code))
        dossier.look_at = at

    def due(self, now: datetime, most: int) -> list[tuple[datetime, str]]:
        """The dossiers whose time has come, earliest first, at most so many; they are not asked for twice."""
        found: list[tuple[datetime, str]] = []
        while self.heap and self.heap[0][0] <= now and len(found) < most:
            at, code = heapq.heappop(self.heap)
            dossier = self.dossiers[code]
            if dossier.look_at == at:  # else a later answer has set another time
                dossier.look_at = None
                found.append((at, code))
        return found
