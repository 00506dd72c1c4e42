"""Rehearsal: the alerts of one dossier over its life, had every event arrived when it happened.

What was really sent can differ: an event that came late was judged late, a silent feed holds its alerts.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.alert import Alert
from streams.alerts import decide
from streams.history import History
from streams.rules import Rules
from streams.verdict import assess


@dataclass(frozen=True, slots=True)
class Told:
    """An alert as it was decided at ``at``."""

    at: datetime
    alert: Alert


def rehearse(history: History, rules: Rules, *, now: datetime) -> tuple[Told, ...]:
    """Every alert that would have been told up to ``now``, in order: judged at each event and each look."""
    told: list[Told] = []
    sent: dict[str, Alert] = {}
    at = history.events[0].at if history.events else None
    while at is not None and at <= now:
        answer = assess(history, rules, now=at)
        for alert in decide(answer, tuple(sent.values()), now=at):
            sent[alert.alert_id] = alert
            told.append(Told(at, alert))
        at = answer.look_again_at
    return tuple(told)
