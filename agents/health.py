"""What a worker knows about its own state, for ``/healthz``, ``dunghan status`` and the watchdog.

=============  ====  ==========================================================================
status         HTTP  meaning
=============  ====  ==========================================================================
running        200   every partition is ours, read in, and flows
standby        200   in the group, but there are more workers than partitions
held           200   a dependency is down: the worker waits and loses nothing; a restart helps nobody
starting       503   not (or, in a rebalance, not any more) given its partitions
catching_up    503   reading the state of a partition before the first record of it is judged
stalled        503   records wait, nothing moves and nothing says why; the watchdog ends the process
=============  ====  ==========================================================================

So 503 means "do not count on me yet", and a supervisor that restarts on 503 must be more patient
than a rebalance and the reading of the state take. ``held`` comes with reason and since when.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Status = Literal["starting", "catching_up", "running", "standby", "held", "stalled"]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Hold:
    """Why a partition waits, and since when."""

    reason: str
    message: str
    since: datetime


class Health:
    """The state of one worker; written by the boundary and the app, read by everybody.

    ``now`` is given by tests. Partitions are numbers: the topics of a worker
    share them.
    """

    def __init__(
        self,
        worker: str,
        *,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self.worker = worker
        self._now = now
        self._assigned: set[int] | None = None
        self._behind: set[int] = set()
        self._holds: dict[int, Hold] = {}
        self._stalled: frozenset[int] = frozenset()
        self._progress_at: datetime | None = None
        self.notes: Mapping[str, Callable[[], object]] = {}  # what the worker adds to the report, by name

    def assigned(self, partitions: Iterable[int]) -> None:
        """These partitions are ours now; none of them is read in yet."""
        self._assigned = set(partitions)
        self._behind = set(self._assigned)

    def revoked(self) -> None:
        """Nothing is ours any more, until the next assignment."""
        self._assigned = None
        self._behind.clear()
        self._holds.clear()
        self._stalled = frozenset()

    def caught_up(self, partition: int) -> None:
        """What the worker must know before it handles the partition is read."""
        self._behind.discard(partition)

    def stalled(self, partitions: Iterable[int]) -> None:
        """In exactly these partitions nothing moves, though records wait and no hold says why."""
        self._stalled = frozenset(partitions)

    def held(self, partition: int, reason: str, message: str) -> None:
        """The partition waits for a dependency; since when is kept while the reason stays the same."""
        before = self._holds.get(partition)
        since = before.since if before is not None and before.reason == reason else self._now()
        self._holds[partition] = Hold(reason, message, since)

    def resumed(self, partition: int, *, progress: bool = False) -> None:
        """The partition waits for nothing (any more); with progress when a chunk of it was done."""
        self._holds.pop(partition, None)
        if progress:
            self._progress_at = self._now()

    @property
    def holds(self) -> dict[int, Hold]:
        """The partitions that wait, with the reason."""
        return dict(self._holds)

    @property
    def behind(self) -> frozenset[int]:
        """The partitions that are ours but not read in yet."""
        return frozenset(self._behind)

    @property
    def status(self) -> Status:
        """The worst thing that is true, as one word."""
        if self._stalled:
            return "stalled"
        if self._assigned is None:
            return "starting"
        if self._holds:
            return "held"
        if self._behind:
            return "catching_up"
        return "running" if self._assigned else "standby"

    @property
    def healthy(self) -> bool:
        """Whether ``/healthz`` answers 200."""
        return self.status in {"running", "standby", "held"}

    @property
    def assigned_count(self) -> int:
        """How many partitions are ours."""
        return len(self._assigned or ())

    def hold_counts(self) -> dict[str, float]:
        """How many partitions wait, by reason."""
        return dict(Counter(hold.reason for hold in self._holds.values()))

    def report(self) -> dict[str, object]:
        """What ``/healthz`` says, as plain JSON values."""
        return {
            "worker": self.worker,
            "status": self.status,
            "assigned": sorted(self._assigned or ()),
            "catching_up": sorted(self._behind),
            "held": [
                {
                    "partition": partition,
                    "reason": hold.reason,
                    "message": hold.message,
                    "since": hold.since.isoformat(timespec="seconds"),
                }
                for partition, hold in sorted(self._holds.items())
            ],
            "stalled": sorted(self._stalled),
            "progress_at": self._progress_at and self._progress_at.isoformat(timespec="milliseconds"),
            **{name: note() for name, note in self.notes.items()},
        }
