"""How a story says what holds and what is told: whole values, Hanoi's times, seconds of working time.

An answer is taken as other programs read it (`streams.replay.rows`); alerts are those that `streams.alerts.decide`
calls for, looked for whenever something arrives and whenever the answer said to look again.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.limits import Limit
from streams.replay import Row
from tests.hanoi import event, rules

HOUR = 3600.0
OFFSET = "+07:00"

#: Five working days from Monday 2 March 2026, 09:00. The first day is not counted (Civil Code 147): Tuesday 3,
#: Wednesday 4, Thursday 5, Friday 6 and Monday 9 March, whose end is 17:00 (§5.2). From the start to there are
#: 7 + 4·8 + 8 = 47 open hours, so it is near due when 47/5 = 9.4 h remain (§7): 8 h of Monday and 1.4 h of Friday,
#: from Friday 15:36 on.
FIVE = rules(limit=Limit("working_day", 5))
START = event(2, "2026-03-02T09:00")
DUE = "2026-03-09T17:00"


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How one cycle stands at one instant, in the words of ``dunghan replay``; durations in seconds."""

    clock: str
    verdict: str
    level: str
    due_original: str | None
    due_current: str | None
    remaining: float | None
    late: float
    verdict_unextended: str
    late_unextended: float
    verdict_766: str
    ended_at: str | None
    breached_in: str | None
    flags: tuple[str, ...]


def stands(
    clock: str,
    verdict: str,
    *,
    due_original: str | None = DUE,
    due_current: str | None = DUE,
    remaining: float | None = None,
    level: str = "none",
    late: float = 0.0,
    verdict_unextended: str | None = None,
    late_unextended: float | None = None,
    verdict_766: str = "on_time",
    ended_at: str | None = None,
    breached_in: str | None = None,
    flags: tuple[str, ...] = (),
) -> Standing:
    """What a story expects: where no extension has a say, the unextended twin says the same."""
    return Standing(
        clock=clock,
        verdict=verdict,
        level=level,
        due_original=due_original,
        due_current=due_current,
        remaining=remaining,
        late=late,
        verdict_unextended=verdict if verdict_unextended is None else verdict_unextended,
        late_unextended=late if late_unextended is None else late_unextended,
        verdict_766=verdict_766,
        ended_at=ended_at,
        breached_in=breached_in,
        flags=flags,
    )


def hanoi(instant: datetime | str | None) -> str | None:
    """The instant as a story writes it; a time of another zone keeps its offset, and so equals nothing written."""
    if instant is None:
        return None
    text = instant if isinstance(instant, str) else instant.astimezone(FIVE.zone).isoformat()
    return text.removesuffix(OFFSET).removesuffix(":00") if text.endswith(OFFSET) else text


def read(row: Row) -> Standing:
    """The standing that a row of ``dunghan replay`` tells."""
    values = {name: row[name] for name in ("clock", "verdict", "level", "verdict_unextended", "verdict_766")}
    times = {name: hanoi(row[name]) for name in ("due_original", "due_current", "ended_at")}  # type: ignore[arg-type]
    return Standing(
        **values,  # type: ignore[arg-type]
        **times,  # type: ignore[arg-type]
        remaining=row["remaining_seconds"],  # type: ignore[arg-type]
        late=row["late_working_seconds"],  # type: ignore[arg-type]
        late_unextended=row["late_unextended_seconds"],  # type: ignore[arg-type]
        breached_in=row["breached_in"],  # type: ignore[arg-type]
        flags=tuple(row["flags"]),  # type: ignore[arg-type]
    )
