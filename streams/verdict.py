"""The answer for one dossier: a pure function of its history, the rules, and the instant of judging."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from schemas.assessment import Assessment, Clock, Cycle, Flag, Level, Verdict, Version
from schemas.office import Levels, Office
from streams.calendar import ZERO, add_working_time
from streams.clock import WAITING, Course, State, walk
from streams.history import History, timeline, until
from streams.indicator import score
from streams.ladder import reached, rungs, spans
from streams.ledger import breached_in, ended_at, late, seconds, stays, used
from streams.limits import AN_INSTANT
from streams.promise import Promise, Term, follow
from streams.rules import Rules

_DECIDED = frozenset({State.STOPPED, State.WITHDRAWN})
_CLOCKS: dict[State, Clock] = {
    State.RUNNING: "running",
    State.PAUSED: "paused",
    State.HALTED: "stopped",
    State.STOPPED: "stopped",
    State.WITHDRAWN: "stopped",
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
        end = ended_at(course)
        decided_at = end if course.state in _DECIDED else None
        previous = follow(course, previous, rules.edition(decided_at or now), now=now)
        case = _Case(course, previous, end, rules.office, now, conflict)
        cycles.append(case.cycle())
        changes += case.changes()
        if decided_at is None:
            changes += (edition.begins for edition in rules.editions)
            if rules.after(now):
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
    """When an open cycle changes next, if rules that are not in force yet come before its own next change."""
    begins = rules.after(now)[0].begins
    if cycle.look_again_at is not None and cycle.look_again_at < begins:
        return cycle.look_again_at
    later = assess(until(history, now), rules, now=begins).cycles[-1]
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
    """One started cycle under judgement, by the edition that its term was worked out by."""

    def __init__(
        self,
        course: Course,
        term: Term,
        end: datetime | None,
        office: Office,
        now: datetime,
        conflict: tuple[Flag, ...],
    ) -> None:
        self.conflict = conflict
        self.course = course
        self.term = term
        self.end = end
        self.now = now
        self.running = course.state is State.RUNNING
        self.lived = stays(course, end, term.edition)
        self.climbed = rungs(term, course)
        self.official = score(course, term, end, now=now)
        self.neglected = tuple(self._neglect(office.levels))
        self.visible = tuple(self._visible_changes())

    def _neglect(self, levels: Levels) -> Iterator[tuple[datetime, Flag]]:
        """From when on the dossier counts as neglected, if nothing more arrives."""
        last = self.course.steps[-1]
        if self.running:
            calendar = self.term.edition.calendar(last.unit)
            yield add_working_time(calendar, last.event.at, levels.stalled), Flag.STALLED
        elif self.term.paused is not None:
            yield self.term.paused[0] + levels.long_pause + AN_INSTANT, Flag.LONG_PAUSE

    def _visible_changes(self) -> Iterator[datetime]:
        """When level, verdict, indicator or a flag change by themselves; past ones of this state, too."""
        if self.running:
            yield from (rung.begin for rung in self.climbed)
        if self.official.flips_at is not None:
            yield self.official.flips_at
        yield from (at for at, _ in self.neglected)

    def changes(self) -> Iterator[datetime]:
        """When anything in the answer changes by itself."""
        yield from self.visible
        if self.running and self.term.unextended.due is not None:
            yield self.term.unextended.due.missed_from

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

    def lateness(self, promise: Promise, verdict: Verdict) -> timedelta | None:
        """Working time after the due instant up to the current segment; None when not overdue."""
        withdrawn_late = verdict == "withdrawn" and self.end is not None and promise.missed(self.end)
        if promise.due is None or not (verdict == "overdue" or withdrawn_late):
            return None
        return late(self.lived, promise.due.at, self.term.edition)

    def flags(self, verdict: Verdict) -> tuple[Flag, ...]:
        flags = {*_evidence(self.course), *self.conflict, *self.term.flags}
        flags.update(flag for at, flag in self.neglected if at <= self.now)
        original, current = self.term.original, self.term.current.due
        if (original is not None and original.estimated) or (current is not None and current.estimated):
            flags.add(Flag.ESTIMATED)
        if verdict == "overdue" and not self.course.lettered:
            flags.add(Flag.LETTER_DUE)
        return tuple(sorted(flags))

    def cycle(self) -> Cycle:
        course, term, subject, last = self.course, self.term, self.course.subject, self.course.steps[-1]
        current, unextended = term.current, term.unextended
        verdict = self.verdict(current)
        late_by = self.lateness(current, verdict)
        verdict_unextended, late_unextended = verdict, late_by
        if (unextended.due, unextended.left) != (current.due, current.left):
            verdict_unextended = self.verdict(unextended)
            late_unextended = self.lateness(unextended, verdict_unextended)
        waiting, edition = course.state in WAITING, term.edition
        return Cycle(
            cycle=course.number,
            status=course.status,
            clock=_CLOCKS[course.state],
            verdict=verdict,
            verdict_766=self.official.verdict,
            verdict_unextended=verdict_unextended,
            level=[rung.level for rung in self.climbed if rung.begin <= self.now][-1] if self.running else Level.NONE,
            procedure=subject.procedure,
            case=subject.case,
            channel=subject.channel,
            receiving_unit=subject.receiving_unit,
            unit=last.unit,
            stage=last.stage,
            limit=_written(term),
            exact=current.exact,
            policy_version=edition.policy.version if edition.policy is not None else None,
            rules_from=edition.in_force_from,
            received_at=course.steps[0].event.at,
            ended_at=self.end,
            due_original=term.original.at if term.original is not None else None,
            due_current=_shown(current),
            due_unextended=_shown(unextended),
            remaining_seconds=_left(current) if waiting else None,
            used=used(self.lived, late_by or ZERO, late_unextended or ZERO),
            breached_in=(
                breached_in(course, self.lived, current.due.at)
                if late_by is not None and current.due is not None
                else None
            ),
            look_again_at=min((at for at in self.visible if at > self.now), default=None),
            flags=self.flags(verdict),
            segments=tuple([stay.segment() for stay in self.lived]),
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
