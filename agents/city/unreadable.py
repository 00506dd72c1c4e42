"""Records that nobody can use: what goes wrong on the way, each with the reason for which it is refused."""

from collections.abc import Callable
from random import Random

from agents.city.clerk import Event
from schemas import topics

#: How often each kind is drawn, assumed; an oversized record is rare, it weighs as much as 3,000 others.
KINDS = {
    "unreadable": 30,
    "naive_time": 25,
    "unknown_field": 20,
    "unknown_status": 15,
    "invalid_code": 9.5,
    "oversized": 0.05,
}
FOREIGN_FIELD = "TrichYeuHoSo"  # free text, where personal data would come in


def broken(event: Event, write: Callable[[Event], bytes], draw: Random) -> tuple[str, bytes]:
    """A copy of the event that cannot be used: the reason, and its bytes."""
    reason = draw.choices(list(KINDS), list(KINDS.values()))[0]
    value = write(event)
    match reason:
        case "unreadable":
            value = value[: draw.randint(1, len(value) - 1)]
        case "naive_time":
            value = value.replace(b"+07:00", b"", 1)
        case "unknown_field":
            value = write({**event, FOREIGN_FIELD: "..."})
        case "unknown_status":
            extra = {"kind": "status", "status": 11, "procedure_code": "1.001193", "processing_unit": "H26"}
            value = write({**{name: event[name] for name in ("event_id", "dossier_code", "at")}, **extra})
        case "invalid_code":
            unit = str(event["dossier_code"]).partition("-")[0]
            value = write({**event, "dossier_code": f"{unit}-261331-00001"})
        case _:
            value = write({**event, FOREIGN_FIELD: "." * topics.EVENTS.max_message_bytes})
    return reason, value
