"""The answer for one dossier: a pure function of its history, the rules, and the instant of judging."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.assessment import Assessment, Clock, Cycle, Flag, Level, Verdict, Version
from streams.calendar import ZERO, add_working_time
from streams.clock import WAITING, Course, State, walk
from streams.history import History, timeline
from streams.indicator import score
from streams.ladder import reached, rungs, spans
from streams.ledger import breached_in, ended_at, late, seconds, segments, used
from streams.limits import AN_INSTANT, Rules
from streams.promise import Promise, Term, follow

_CLOCKS: dict[State, Clock] = {
    State.NOT_STARTED: "not_started",
    State.RUNNING: "running",
    State.PAUSED: "paused",
    State.HALTED: "stopped",
    State.STOPPED: "stopped",
    State.WITHDRAWN: "stopped",
    State.REFUSED: "never",
}


def assess(history: History, rules: Rules, *, now: datetime) -> Assessment:
    """All that holds for a dossier at ``now`` (aware), and the next instant at which that can change.

    Events dated after ``now`` are left out. Any order of arrival and any repeats give the same answer,
    and so does any ``now`` between two changes: such answers have the same version.
    """
    line = timeline(history, now=now)
    cycles: list[Cycle] = []
    changes: list[datetime] = []
    conflict = (Flag.CONFLICTING_EVENT,) if line.conflicting else ()
    previous: Term | None = None
    for course in walk(line, rules.clock_runs_on):
        if not course.started:
            cycles.append(_never_started(course, conflict))
            continue
        decided_at = ended_at(course) if course.state in (State.STOPPED, State.WITHDRAWN) else None
        previous = follow(course, previous, rules, rules.policy(decided_at or now), now=now)
        case = _Case(course, previous, rules, now, conflict)
        cycles.append(case.cycle())
        changes += case.changes()
        if decided_at is None and any(policy.begins > now for policy in rules.policies):
            cycles[-1] = replace(cycles[-1], look_again_at=_look_ahead(history, cycles[-1], rules, now))
    if line.upcoming is not None:
        changes.append(line.upcoming)
    passed = [at for at in (*changes, line.latest or now) if at <= now]
    return Assessment(
        history.dossier_code,
        Version(len(history.events), rules.version, max(passed)),
        tuple(cycles),
        min((at for at in changes if at > now), default=None),
    )


def _look_ahead(history: History, cycle: Cycle, rules: Rules, now: datetime) -> datetime | None:
    """When an open cycle changes next, if limits that are not in force yet come before its own next change."""
    begins = min(policy.begins for policy in rules.policies if policy.begins > now)
    if cycle.look_again_at is not None and cycle.look_again_at < begins:
        return cycle.look_again_at
    known = History(history.dossier_code, tuple(event for event in history.events if event.at <= now))
    later = assess(known, rules, now=begins).cycles[-1]
    return later.look_again_at if _visible(later) == _visible(cycle) else begins


def _visible(cycle: Cycle) -> tuple[object, ...]:
    return cycle.level, cycle.verdict, cycle.verdict_766, cycle.flags


def _never_started(course: Course, conflict: tuple[Flag, ...]) -> Cycle:
    verdicts: dict[State, Verdict] = {State.REFUSED: "refused", State.WITHDRAWN: "withdrawn"}
    verdict = verdicts.get(course.state, "not_started")
    event = next(step.event for step in reversed((*course.registered, *course.steps)) if step.event.status is not None)
    return Cycle(
        cycle=course.number,
        status=course.status,
        clock="not_started" if verdict == "not_started" else "never",
        verdict=verdict,
        verdict_766="not_counted",
        verdict_unextended=verdict,
        level=Level.NONE,
        procedure=course.subject.procedure or event.procedure_code,
        unit=course.subject.unit or event.processing_unit,
        flags=tuple(sorted({*_evidence(course), *conflict})),
    )


def _evidence(course: Course) -> Iterator[Flag]:
    """What the events themselves show."""
    if course.imputed:
        yield Flag.INCOMPLETE_HISTORY
    if course.illegal:
        yield Flag.ILLEGAL_TRANSITION


class _Case:
    """One started cycle under judgement."""

    def __init__(self, course: Course, term: Term, rules: Rules, now: datetime, conflict: tuple[Flag, ...]) -> None:
        self.conflict = conflict
        self.course = course
        self.term = term
        self.rules = rules
        self.now = now
        self.calendar = rules.calendar(course.steps[-1].unit)
        self.end = ended_at(course)
        self.lived = segments(course, rules)
        self.climbed = rungs(term, course, rules)
        self.official = score(course, term, self.end, now=now)
        self.neglected = tuple(self.neglect())

    def verdict(self, promise: Promise) -> Verdict:
        """How the cycle stands against a promise."""
        state = self.course.state
        if state is State.WITHDRAWN:
            return "withdrawn"
        if promise.due is None:
            return "no_deadline"
        if state in WAITING:  # as it stood when the pause began
            return "overdue" if promise.left is None else "in_time"
        if promise.missed(self.end or self.now):
            return "overdue"
        if self.end is None:
            return "in_time"
        return "early" if self.end < promise.due.day_begins else "on_time"

    def lateness(self, promise: Promise) -> timedelta | None:
        """Working time after the due instant up to the current segment; None when not overdue."""
        verdict = self.verdict(promise)
        withdrawn_late = verdict == "withdrawn" and self.end is not None and promise.missed(self.end)
        if promise.due is None or not (verdict == "overdue" or withdrawn_late):
            return None
        return late(self.lived, promise.due.at, self.rules)

    def neglect(self) -> Iterator[tuple[datetime, Flag]]:
        """From when on the dossier counts as neglected, if nothing more arrives."""
        levels, last = self.rules.office.levels, self.course.steps[-1]
        if self.course.state is State.RUNNING:
            yield add_working_time(self.calendar, last.event.at, levels.stalled), Flag.STALLED
        elif self.course.state in WAITING and self.term.paused is not None:
            yield self.term.paused[0] + levels.long_pause + AN_INSTANT, Flag.LONG_PAUSE

    def flags(self, verdict: Verdict) -> tuple[Flag, ...]:
        flags = {*_evidence(self.course), *self.conflict, *self.term.flags}
        flags.update(flag for at, flag in self.neglected if at <= self.now)
        dues = (self.term.original, self.term.current.due)
        if any(due is not None and due.estimated for due in dues):
            flags.add(Flag.ESTIMATED)
        if verdict == "overdue" and not self.course.lettered:
            flags.add(Flag.LETTER_DUE)
        return tuple(sorted(flags))

    def visible_changes(self) -> Iterator[datetime]:
        """When level, verdict, indicator or a flag change by themselves; past ones of this state, too."""
        if self.course.state is State.RUNNING:
            yield from (rung.begin for rung in self.climbed)
        if self.official.flips_at is not None:
            yield self.official.flips_at
        yield from (at for at, _ in self.neglected)

    def changes(self) -> Iterator[datetime]:
        """When anything in the answer changes by itself."""
        yield from self.visible_changes()
        if self.course.state in (State.STOPPED, State.WITHDRAWN):
            return
        yield from (policy.begins for policy in self.rules.policies)
        if self.course.state is State.RUNNING and self.term.unextended.due is not None:
            yield self.term.unextended.due.missed_from

    def cycle(self) -> Cycle:
        course, term, last = self.course, self.term, self.course.steps[-1]
        verdict = self.verdict(term.current)
        late_by, late_unextended = self.lateness(term.current), self.lateness(term.unextended)
        running = course.state is State.RUNNING
        return Cycle(
            cycle=course.number,
            status=course.status,
            clock=_CLOCKS[course.state],
            verdict=verdict,
            verdict_766=self.official.verdict,
            verdict_unextended=self.verdict(term.unextended),
            level=[rung.level for rung in self.climbed if rung.begin <= self.now][-1] if running else Level.NONE,
            procedure=course.subject.procedure,
            case=course.subject.case,
            channel=course.subject.channel,
            receiving_unit=course.subject.receiving_unit,
            unit=last.unit,
            stage=last.stage,
            limit=_written(term),
            exact=term.current.exact,
            policy_version=term.policy.version if term.policy is not None else None,
            received_at=course.steps[0].event.at,
            ended_at=self.end,
            due_original=term.original.at if term.original is not None else None,
            due_current=_shown(term.current),
            due_unextended=_shown(term.unextended),
            remaining_seconds=_left(term.current) if course.state in WAITING else None,
            used=used(self.lived, late_by or ZERO, late_unextended or ZERO),
            breached_in=(
                breached_in(course, self.lived, term.current.due.at)
                if late_by is not None and term.current.due is not None
                else None
            ),
            look_again_at=min((at for at in self.visible_changes() if at > self.now), default=None),
            flags=self.flags(verdict),
            segments=self.lived,
            spans=spans(self.climbed, course, self.now),
            levels=reached(self.climbed, self.now),
        )


def _shown(promise: Promise) -> datetime | None:
    """While paused in time there is no due instant, only what remains."""
    return None if promise.due is None or promise.left is not None else promise.due.at


def _left(promise: Promise) -> float | None:
    """What remains in a pause; nothing when it began overdue."""
    return None if promise.due is None else seconds(promise.left or ZERO)


def _written(term: Term) -> str | None:
    if term.limit is None:
        return None
    return term.limit.unit if term.limit.value is None else f"{term.limit.value:g} {term.limit.unit}"
