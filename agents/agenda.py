"""An agenda: dossiers and instants, the earliest first, without ever looking through all of them."""

import heapq
from datetime import datetime


class Agenda:
    """At most one instant for each dossier; setting another one takes the place of the first."""

    def __init__(self) -> None:
        self.at: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []  # holds what was replaced, too

    def __contains__(self, code: str) -> bool:
        return code in self.at

    def put(self, code: str, at: datetime | None) -> None:
        """From now on, this is the dossier's instant; None: it has none."""
        if at is None:
            self.at.pop(code, None)
        elif at != self.at.get(code):
            self.at[code] = at
            heapq.heappush(self._heap, (at, code))

    def due(self, now: datetime, most: int) -> list[tuple[datetime, str]]:
        """The dossiers whose instant has come, earliest first, at most so many; they are off the agenda."""
        found: list[tuple[datetime, str]] = []
        while self._heap and self._heap[0][0] <= now and len(found) < most:
            at, code = heapq.heappop(self._heap)
            if self.at.get(code) == at:
                del self.at[code]
                found.append((at, code))
        return found
