"""What was said of a dossier, and when: the record of what was known, beside the answer that is known now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from schemas.assessment import Level, Verdict

Cause = Literal["events", "look", "rules"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one cycle stands. ``verdict`` and ``level`` are null when the dossier has no such cycle (any more)."""

    cycle: int
    verdict: Verdict | None
    level: Level | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class News:
    """What judge says that it did not say before, as far as its state tells.

    ``cause`` is what made it look: events that arrived, an instant that came (``look``), or rules that came into
    force. ``seen_at`` is the present of that judge; whoever says the same again, later, adds nothing.
    """

    seen_at: datetime
    cause: Cause
    standings: tuple[Standing, ...]
