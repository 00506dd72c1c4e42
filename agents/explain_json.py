"""Explain for programs: one JSON object with every figure; durations in seconds, times with offset."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, get_args, get_type_hints
from zoneinfo import ZoneInfo

from agents.explain import Explanation, Part, Reasons
from agents.recall import Recalled
from schemas.alert import Alert
from schemas.event import Event
from streams.calendar import ZERO, Calendar
from streams.ledger import seconds
from streams.promise import Promise
from streams.reasons import Handover, Taken
from streams.replay import row


def as_json(explanation: Explanation) -> dict[str, object]:
    """The explanation as plain values; each cycle's ``answer`` is its row of `dunghan replay`."""
    rules = explanation.rules
    codes = {part.unit for reasons in explanation.cycles for part in reasons.parts}
    codes |= {reasons.cycle.unit for reasons in explanation.cycles}
    return {
        "dossier_code": explanation.dossier_code,
        "now": plain(explanation.now, rules.zone),
        "zone": rules.zone.key,
        "rules_version": rules.version,
        "units": {code: unit.name for code, unit in sorted(rules.units.items()) if code in codes},
        "voided": [_event(event, rules.zone) for event in explanation.voided],
        "later_events": explanation.later,
        "cycles": [_cycle(reasons, explanation) for reasons in explanation.cycles],
        "alerts": [_told(told.at, told.alert, rules.zone) for told in explanation.told],
        "sent": _sent(explanation),
        "as_known_at": _recalled(explanation.recalled, rules.zone),
    }


def _recalled(recalled: Recalled | None, zone: ZoneInfo) -> dict[str, object] | None:
    if recalled is None:
        return None
    return {
        "at": plain(recalled.at, zone),
        "later_arrivals": recalled.later,
        "undated_arrivals": recalled.undated,
        "said": [
            {
                "cycle": said.standing.cycle,
                "verdict": said.standing.verdict,
                "level": said.standing.level,
                "due": plain(said.standing.due, zone),
                "seen_at": plain(said.seen_at, zone),
                "rules_version": said.rules,
            }
            for said in recalled.said
        ],
    }


def _cycle(reasons: Reasons, explanation: Explanation) -> dict[str, object]:
    cycle, rules = reasons.cycle, explanation.rules
    zone, term = rules.zone_of(cycle.unit), reasons.account.term
    counting = plain(reasons.counting, zone)
    if isinstance(counting, dict):
        counting["days"] = plain(reasons.counting_days, zone)
    return {
        "answer": row(explanation.dossier_code, cycle, rules, now=explanation.now),
        "procedure": cycle.procedure,
        "case": cycle.case,
        "channel": cycle.channel,
        "receiving_unit": cycle.receiving_unit,
        "unit": cycle.unit,
        "stage": cycle.stage,
        "limit": cycle.limit,
        "exact": cycle.exact,
        "policy_version": cycle.policy_version,
        "limit_from": plain(reasons.account.origin, zone),
        "counting": counting,
        "due_unextended": plain(cycle.due_unextended, zone),
        "overdue_from": _overdue_from(None if term is None else term.current, zone),
        "overdue_from_unextended": _overdue_from(None if term is None else term.unextended, zone),
        "events": [_taken(number, taken, zone) for number, taken in reasons.numbered],
        "segments": plain(reasons.parts, zone),
        "total": _total(reasons.parts),
        "handovers": [_handover(each, zone) for each in reasons.account.handovers],
        "indicator_766": plain(reasons.official, zone),
        "spans": plain(cycle.spans, zone),
        "levels": plain(cycle.levels, zone),
        "upcoming_levels": plain(reasons.upcoming, zone),
    }


def _overdue_from(promise: Promise | None, zone: ZoneInfo) -> object:
    """The first instant at which the due time is missed; in a pause, that of the due time as it stood."""
    return None if promise is None or promise.due is None else plain(promise.due.missed_from, zone)


def _taken(number: int, taken: Taken, zone: ZoneInfo) -> dict[str, object]:
    step = taken.step
    return {
        "number": number,
        **_event(step.event, zone),
        "counts": step.counts,
        "clock": step.after.value,
        "unit": step.unit,
        "stage": step.stage,
        "moves": plain(taken.moves, zone),
    }


def _event(event: Event, zone: ZoneInfo) -> dict[str, object]:
    return {
        "event_id": event.event_id,
        "at": plain(event.at, zone),
        "kind": event.kind,
        "status": event.status,
        "due": plain(event.due, zone),
    }


def _total(parts: tuple[Part, ...]) -> dict[str, object]:
    return {
        f"{name}_seconds": seconds(sum((getattr(part, name) for part in parts), ZERO))
        for name in ("running", "paused", "off", "wall")
    }


def _handover(each: Handover, zone: ZoneInfo) -> object:
    budget = None if each.budget is None else seconds(each.budget)
    return {**_fields(each, zone), "budget_seconds": budget}


def _sent(explanation: Explanation) -> list[dict[str, object]] | None:
    if explanation.sent is None:
        return None
    zone = explanation.rules.zone
    return [_told(alert.at, alert, zone) | {"found_late": alert.found_late} for alert in explanation.sent]


def _told(at: datetime, alert: Alert, zone: ZoneInfo) -> dict[str, object]:
    return {
        "at": plain(at, zone),
        "cycle": alert.cycle,
        "action": alert.action.value,
        "level": alert.level.value,
        "reason": alert.reason,
        "since": plain(alert.at, zone),
        "due": plain(alert.due, zone),
    }


def plain(value: object, zone: ZoneInfo) -> object:
    """A value of ours as JSON has it."""
    match value:
        case datetime():
            return value.astimezone(zone).isoformat()
        case date():
            return value.isoformat()
        case timedelta():
            return seconds(value)
        case Enum():
            return value.value
        case Calendar():
            return value.name
        case tuple():
            return [plain(each, zone) for each in value]
        case _ if is_dataclass(value):
            return _fields(value, zone)
        case _:
            return value


def _fields(value: Any, zone: ZoneInfo) -> dict[str, object]:
    return {key: plain(getattr(value, name), zone) for name, key in _keys(type(value)).items()}


def _keys(model: type) -> Mapping[str, str]:
    """The key of each field: one that holds a length of time says that it is in seconds, also when it is null."""
    hints = get_type_hints(model)
    lengths = {name for name, hint in hints.items() if hint is timedelta or timedelta in get_args(hint)}
    return {field.name: f"{field.name}_seconds" if field.name in lengths else field.name for field in fields(model)}
