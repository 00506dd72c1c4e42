"""What the picture of a dossier shows: its segments, its late spans, and the instants worth a mark."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from agents.explain import Explanation, Part, Reasons
from schemas.assessment import Span
from streams.calendar import Calendar


class Mark(NamedTuple):
    """An instant worth a tick or a line; ``kind`` is the class it is drawn as."""

    at: datetime
    kind: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Scene:
    """What there is to draw: the segments and late spans of all cycles, and the marks."""

    home: Calendar
    parts: tuple[Part, ...]
    late: tuple[Span, ...]
    marks: tuple[Mark, ...]
    now: datetime


def scene_of(explanation: Explanation) -> Scene:
    """The scene of a whole dossier; it has no segments when no clock ever ran."""
    rules, cycles = explanation.rules, explanation.cycles
    marks = [mark for reasons in cycles for mark in _marks(reasons)]
    if cycles and cycles[-1].cycle.clock in ("running", "paused"):
        marks.append(Mark(explanation.now, "now", "", "lúc xét"))
    return Scene(
        rules.edition(explanation.now).home,
        tuple(part for reasons in cycles for part in reasons.parts),
        tuple(span for reasons in cycles for span in reasons.cycle.spans if span.bucket == "overdue"),
        tuple(sorted(marks, key=lambda mark: mark.at)),
        explanation.now,
    )


def _marks(reasons: Reasons) -> Iterator[Mark]:
    """The events, the due times as they moved, and where each stay beyond them begins."""
    for number, taken in reasons.numbered:
        yield Mark(taken.step.event.at, "event", str(number), f"sự kiện {number}")
    moved = (move.due for taken in reasons.account.taken for move in taken.moves)
    dues = dict.fromkeys(due for due in (*moved, reasons.cycle.due_current) if due is not None)
    last = reasons.cycle.due_current
    for due in dues:
        yield Mark(due, "due" if due == last else "past-due", "HẠN" if due == last else "hạn trước", "hạn")
    term = reasons.account.term
    missed = term.current.due.missed_from if term is not None and term.current.due is not None else None
    for span in reasons.cycle.spans:
        if span.bucket == "overdue" and span.begin == missed:
            yield Mark(span.begin, "breach", "quá hạn", "từ đây là quá hạn")
