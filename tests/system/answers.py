"""Two tellings of the same answers, compared: the rows of ``replay`` and those of ``desk_assessments_at``."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from streams.alerts import decide
from streams.replay import collect
from streams.rules import Rules
from streams.verdict import assess
from tests.system.generated import Log
from tests.system.office import Row

_INSTANTS = ("received_at", "due_original", "due_current", "ended_at", "look_again_at")
_MICROSECOND = Decimal("0.000001")


def differences(replayed: Sequence[Row], stored: Sequence[Row]) -> list[str]:
    """Every field of every dossier and cycle in which the two differ; every field that ``replay`` promises counts."""
    theirs = {(row["dossier_code"], row["cycle"]): row for row in stored}
    found = [f"{key} is stored alone" for key in theirs.keys() - {(r["dossier_code"], r["cycle"]) for r in replayed}]
    for row in replayed:
        key = (row["dossier_code"], row["cycle"])
        if key not in theirs:
            found.append(f"{key} is replayed alone")
            continue
        for name, value in row.items():
            mine, other = _plain(name, value), _plain(name, theirs[key][name])
            if mine != other:
                found.append(f"{key} {name}: replay says {mine}, ClickHouse {other}")
    return found


def _plain(name: str, value: Any) -> Any:
    """The value without what is only a way of writing it: zones, number types, tuples."""
    if value is None:
        return None
    if name in _INSTANTS:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    if name.endswith("_seconds"):
        return Decimal(str(value)).quantize(_MICROSECOND)
    if name == "flags":
        return list(value)
    if name == "units":
        return [_unit(part) for part in value]
    return value


def _unit(part: Any) -> tuple[Any, ...]:
    unit, stage, seconds = part.values() if isinstance(part, dict) else part
    return unit, stage, Decimal(str(seconds)).quantize(_MICROSECOND)


def alerts_called_for(log: Log, rules: Rules, *, now: datetime) -> set[tuple[str, str]]:
    """Dossier and id of the alerts that somebody who knew everything would open now.

    One that was told and resolved before is not told again, so a run may have fewer open, but has told them all.
    """
    histories, _ = collect(log.events)
    return {
        (code, alert.alert_id)
        for code, history in histories.items()
        for alert in decide(assess(history, rules, now=now), (), now=now)
    }
