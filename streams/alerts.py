"""What to tell supervisors: the answer compared with the alerts already sent, never with the answer before."""

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.alert import Action, Alert, alert_id
from schemas.assessment import Assessment, Cycle, Level, Reached

_UNTOLD = (Action.HOLD, Action.RETRACT)

#: An alert raised this long after its instant says that it was found late.
FOUND_LATE = timedelta(minutes=5)


def decide(
    after: Assessment, sent: Iterable[Alert], *, silent: Container[str | None] = (), now: datetime
) -> tuple[Alert, ...]:
    """The actions that make the supervisors' picture equal to the answer, in order; none when it is.

    ``sent`` are the alerts of this dossier as last sent, one an id. Deciding again after these
    actions were sent gives nothing. An alert that was right and is over is *resolved*; one that never
    should have been is *retracted*; each is sent once a dossier, cycle, level and due time.

    ``silent`` are the units whose feeds are silent (`streams.feed`): from silence nobody can tell that a dossier
    there is late, so its alert is *held*, and the lower one that was told stands; when the feed is back, deciding
    again tells it, or not.
    """
    known = {alert.alert_id: alert for alert in sent}
    actions: list[Alert] = []
    standing: set[str] = set()
    held: set[int] = set()
    for cycle in after.cycles:
        current = cycle.levels[-1] if cycle.levels and cycle.levels[-1].end is None else None
        if current is not None:
            name = alert_id(after.dossier_code, cycle.cycle, current.level, current.due)
            standing.add(name)
            before = known.get(name)
            if cycle.unit in silent and (before is None or before.action in _UNTOLD):
                held.add(cycle.cycle)
            actions += _stand(name, before, after, cycle, current, now, hold=cycle.cycle in held)
    closing = [_close(alert, after) for alert in known.values() if alert.pending and alert.alert_id not in standing]
    return (*(alert for alert in closing if not _stays(alert, known, held)), *actions)


def _stays(closed: Alert, known: Mapping[str, Alert], held: Container[int]) -> bool:
    """Whether an alert that was told stands a while longer, because the higher one is held."""
    return closed.action is Action.REPLACE and closed.cycle in held and known[closed.alert_id].open


def _stand(
    name: str,
    before: Alert | None,
    after: Assessment,
    cycle: Cycle,
    current: Reached,
    now: datetime,
    *,
    hold: bool,
) -> Iterator[Alert]:
    """The alert that should be open: raise or hold it, or correct its instant."""
    first = next(stay for stay in cycle.levels if (stay.level, stay.due) == (current.level, current.due))
    if hold:
        if before is None or before.action is Action.RETRACT:
            yield _alert(name, Action.HOLD, "feed_silent", after, cycle, first, found_late=False, before=before)
    elif before is None:
        late = now - first.begin > FOUND_LATE
        yield _alert(name, Action.RAISE, current.level.value, after, cycle, first, found_late=late)
    elif before.action is Action.HOLD:
        yield _alert(name, Action.RAISE, "feed_returned", after, cycle, first, found_late=True, before=before)
    elif before.action is Action.RETRACT:
        yield _alert(name, Action.RAISE, "true_again", after, cycle, first, found_late=True, before=before)
    elif before.open and before.at != first.begin:
        yield _alert(
            name, Action.RETIME, "late_event", after, cycle, first, found_late=before.found_late, before=before
        )


def _alert(
    name: str,
    action: Action,
    reason: str,
    after: Assessment,
    cycle: Cycle,
    stay: Reached,
    *,
    found_late: bool,
    before: Alert | None = None,
) -> Alert:
    return Alert(
        alert_id=name,
        action=action,
        reason=reason,
        dossier_code=after.dossier_code,
        cycle=cycle.cycle,
        level=stay.level,
        at=stay.begin,
        due=stay.due,
        version=after.version,
        sequence=before.sequence + 1 if before is not None else 1,
        found_late=found_late,
        due_original=cycle.due_original,
        procedure=cycle.procedure,
        unit=cycle.unit,
        stage=cycle.stage,
        policy_version=cycle.policy_version,
        rules_from=cycle.rules_from,
    )


def _close(alert: Alert, after: Assessment) -> Alert:
    """An open alert that no longer stands: over, replaced by a higher level, or wrong from the start."""
    cycle = next((cycle for cycle in after.cycles if cycle.cycle == alert.cycle), None)
    action, reason = _ending(alert, cycle)
    return replace(
        alert,
        action=action,
        reason=reason,
        version=after.version,
        sequence=alert.sequence + 1,
        unit=cycle.unit if cycle is not None else alert.unit,
        stage=cycle.stage if cycle is not None else alert.stage,
    )


def _ending(alert: Alert, cycle: Cycle | None) -> tuple[Action, str]:
    if cycle is None:
        return Action.RETRACT, "cycle_gone"
    stood = any((stay.level, stay.due) == (alert.level, alert.due) for stay in cycle.levels)
    # What ended at the very instant of the level reached it, though it stood on it for no time.
    stood |= (alert.at, alert.due) == (cycle.ended_at, cycle.due_current)
    if not stood:
        changed = alert.rules_from != cycle.rules_from  # it was right by the limits and calendars of its time
        return (Action.RESOLVE, "policy") if changed else (Action.RETRACT, "late_event")
    current = cycle.levels[-1] if cycle.levels and cycle.levels[-1].end is None else None
    if current is not None and _rank(current.level) > _rank(alert.level):
        return Action.REPLACE, current.level.value
    if cycle.clock == "paused":
        return Action.RESOLVE, "paused"
    if cycle.clock == "stopped":
        halted = bool(cycle.spans) and cycle.spans[-1].bucket == "halted" and cycle.spans[-1].end is None
        return Action.RESOLVE, "halted" if halted else "withdrawn" if cycle.verdict == "withdrawn" else "completed"
    return Action.RESOLVE, "due_moved"


def _rank(level: Level) -> int:
    return list(Level).index(level)
