"""An alert: what a supervisor is told about one cycle of one dossier, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from schemas.assessment import Level, Version

#: Names of alerts are made in this space; changing it would raise every open alert again.
_SPACE = UUID("6f1d3c52-8a7e-5b52-9f0e-d7f0a3c1b966")


class Action(StrEnum):
    """What is done about an alert."""

    RAISE = "raise"
    REPLACE = "replace"  # by a higher level of the same cycle
    RESOLVE = "resolve"  # it was right, and is over
    RETRACT = "retract"  # it was wrong: a late event changed the answer
    RETIME = "retime"  # it is right, from another instant
    HOLD = "hold"  # nobody can tell while the feed is silent: it is told, or dropped, when the feed returns


OPEN = frozenset({Action.RAISE, Action.RETIME})


def alert_id(dossier_code: str, cycle: int, level: str, due: datetime) -> str:
    """The id of the one alert of a dossier, cycle, level and due time; the same after any replay."""
    return str(uuid5(_SPACE, f"{dossier_code}\x1f{cycle}\x1f{level}\x1f{due.isoformat()}"))


@dataclass(frozen=True, slots=True)
class Alert:
    """One record on ``dossier.alerts.v1``: an action on one alert, with its reason. No citizen data.

    ``at`` is the instant from which the level holds, not the time of processing; ``found_late`` says
    that the two lie apart. ``sequence`` counts the actions on this alert: the last one holds, and
    after a crash it may rest on fewer events (`version`) than one that was told before. Times left or
    late are computed when the text is written, not here. ``change`` is the version of the rules when it was a
    change of rules that led to the action: such alerts may be told together (`schemas.rulebook.Change`).
    """

    alert_id: str
    action: Action
    reason: str
    dossier_code: str
    cycle: int
    level: Level
    at: datetime
    due: datetime
    version: Version
    sequence: int = 1
    found_late: bool = False
    due_original: datetime | None = None
    procedure: str | None = None
    unit: str | None = None
    stage: str | None = None
    policy_version: int | None = None
    rules_from: datetime | None = None
    change: int | None = None

    @property
    def open(self) -> bool:
        """Whether the supervisor still has to act on it."""
        return self.action in OPEN

    @property
    def pending(self) -> bool:
        """Whether it is still to be closed: told and open, or held."""
        return self.open or self.action is Action.HOLD
