"""What one judge refused lately, and from whom: it is buried, unless most sources fail at once. Then judge holds.

A held chunk is weighed again at each try, so the hold ends by itself when others' records are good again, when the
judge is started with what was put right, or when an operator says so (``dunghan release``). What was weighed before
does not grow old meanwhile, or the next try would bury what this one holds.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from agents.dead_letters import source_of
from agents.ports import Record
from schemas.errors import InvalidRecord, Unavailable
from schemas.event import Event
from streams.refusals import Outcome, fault_is_ours, tally

#: The window: so many records, whatever the chunks are, and nothing older than this.
RECENT = 200
SECONDS = 600.0
#: Sources that have a label of their own in metrics; a sender that makes up names must not fill Prometheus.
LABELS = 200
UNNAMED, OTHERS = "unnamed", "others"

Refused = tuple[Record, InvalidRecord]


class Refusals:
    """The outcomes of a judge's last records, over all its partitions; ``monotonic`` is given by tests."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._recent: deque[tuple[float, Outcome]] = deque(maxlen=RECENT)
        self._holding = False
        self._labels: set[str] = set()

    def weigh(self, outcomes: Sequence[Outcome], *, released: bool) -> None:
        """Return when what is refused may be buried; raise `Unavailable` (``sources_refused``) when it must wait.

        The chunk counts together with what came before; `count` it when it is done. A chunk of which nothing is
        refused never waits.
        """
        if not self._holding:
            while self._recent and self._recent[0][0] < self._monotonic() - SECONDS:
                self._recent.popleft()
        counted = tally([*(outcome for _, outcome in self._recent), *outcomes])
        self._holding = fault_is_ours(counted) and not released
        if self._holding and any(outcome.refused for outcome in outcomes):
            raise Unavailable(
                "sources_refused",
                f"{counted.failing} of {counted.sources} sources send what cannot be used, {counted.refused} records: "
                "look at our configuration and version; `dunghan release` has them buried",
            )

    def count(self, outcomes: Iterable[Outcome]) -> None:
        """These records are done or buried."""
        now = self._monotonic()
        self._recent.extend((now, outcome) for outcome in outcomes)

    def label(self, source: str) -> str:
        """The source as a label of metrics."""
        if not source:
            return UNNAMED
        if source not in self._labels and len(self._labels) < LABELS:
            self._labels.add(source)
        return source if source in self._labels else OTHERS


def outcomes_of(accepted: Iterable[tuple[Record, Event]], refused: Iterable[Refused]) -> tuple[Outcome, ...]:
    """What became of the records of a chunk."""
    good = (Outcome(event.source or "", refused=False) for _, event in accepted)
    bad = (Outcome(source_of(record.value), refused=True) for record, _ in refused)
    return (*good, *bad)
