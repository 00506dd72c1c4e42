"""How a dossier stands live, and how it would if all were judged again: the difference, column by column. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents.known import Known
from agents.rows import ASSESSMENTS, COLUMNS, Row, assessment_rows
from schemas.alert import Action, Alert
from schemas.assessment import Assessment
from schemas.dossier import Judgement
from streams.alerts import decide
from streams.history import History

#: Which rules, and since when: a draft that changes no answer is no difference.
_INCIDENTAL = frozenset({"version", "version_rules", "version_as_of"})
_COMPARED = tuple((i, name) for i, name in enumerate(COLUMNS[ASSESSMENTS]) if name not in _INCIDENTAL)


@dataclass(frozen=True, slots=True)
class Stored:
    """What stands in ClickHouse of one dossier: its rows by cycle, the last action on each alert."""

    rows: Mapping[int, Row] = field(default_factory=dict)
    told: Mapping[str, tuple[int, Action]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of one cycle that differs; None on one side with name ``cycle``: there is no such row."""

    cycle: int
    name: str
    live: Any
    shadow: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """One dossier that differs. ``events`` counts those known live and to the shadow, null when they are the same.

    ``alerts`` are the actions that the live judge would still have to take; ``untold`` the ids of those that it
    remembers otherwise than ClickHouse.
    """

    dossier_code: str
    events: tuple[int, int] | None = None
    columns: tuple[Column, ...] = ()
    alerts: tuple[Alert, ...] = ()
    untold: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.columns or self.alerts or self.untold)


def difference(
    answer: Assessment, history: History, known: Known, stored: Stored, *, alerts: bool, now: datetime
) -> Difference:
    """The difference of one dossier at ``now``, false when there is none; ``alerts`` says that people are told of it.

    From silence nobody can tell that a dossier is late: where the live judge holds an alert, it is held here, too.
    """
    left = known.recall(history, stored.told)
    events = {hash(one) for one in history.events}
    counts = None if events == known.events else (len(known.events), len(events))
    rows = {row[1]: row for row in assessment_rows(Judgement(answer, len(answer.cycles)))}
    silent = {alert.unit for alert in known.sent.values() if alert.action is Action.HOLD}
    told = left | {name: (alert.sequence, alert.action) for name, alert in known.sent.items()}
    untold = {name for name in told.keys() | stored.told.keys() if told.get(name) != stored.told.get(name)}
    return Difference(
        answer.dossier_code,
        counts,
        tuple(_columns(stored.rows, rows)),
        decide(answer, known.sent.values(), silent=silent, now=now) if alerts else (),
        tuple(sorted(untold)),
    )


def missing(dossier_code: str, known: Known, stored: Stored) -> Difference:
    """The difference of a dossier that live alone knows."""
    counts = (len(known.events), 0) if known.events else None
    return Difference(dossier_code, counts, tuple(_columns(stored.rows, {})))


def _columns(live: Mapping[int, Row], shadow: Mapping[Any, Row]) -> Iterator[Column]:
    for cycle in sorted(live.keys() | shadow.keys()):
        theirs, ours = live.get(cycle), shadow.get(cycle)
        if theirs is None or ours is None:
            yield Column(cycle, "cycle", None if theirs is None else cycle, None if ours is None else cycle)
            continue
        for index, name in _COMPARED:
            if theirs[index] != ours[index]:
                yield Column(cycle, name, theirs[index], ours[index])
