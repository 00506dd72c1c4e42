"""Reasons: how each due time of a dossier came about, event by event, and what was left at each hand-over.

Nothing is decided here. Each course is followed once more through `streams.promise`, step by step, and the
reason is read off what the step moved; where it moved nothing, off what forbade it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from schemas.assessment import Flag
from schemas.limits import Match
from streams.calendar import ZERO, working_time
from streams.clock import WAITING, Course, State, Step, walk
from streams.history import History, timeline
from streams.ladder import Rung, rungs
from streams.ledger import ended_at, late, stays
from streams.limits import Due
from streams.promise import Term, begin
from streams.rules import Edition, Rules

_ENDS = frozenset({State.STOPPED, State.WITHDRAWN})
_OPEN = frozenset({State.RUNNING, *WAITING})


class Why(StrEnum):
    """What an event did to the due time, or why the due time that it named did nothing."""

    COMPUTED = "computed"
    APPOINTED = "appointed"
    CARRIED = "carried"
    NO_DUE = "no_due"
    PAUSED = "paused"
    PAUSED_OVERDUE = "paused_overdue"
    RESUMED = "resumed"
    RESUMED_UNMOVED = "resumed_unmoved"
    RESUMED_NAMED = "resumed_named"
    EXTENDED = "extended"
    KNOWN = "known"
    SECOND_EXTENSION = "second_extension"
    LATE_EXTENSION = "late_extension"
    NOT_LATER = "not_later"
    NOTHING_TO_EXTEND = "nothing_to_extend"
    AT_END = "at_end"
    AFTER_END = "after_end"
    BEFORE_START = "before_start"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Move:
    """One reason, and what stood after it: the due instant, or in a pause what remains; and the unextended twin.

    A due time that a resume moved has both: resume + ``remaining`` is the due time.
    ``named`` is the due time that the event named (a date named at 00:00 means the end of that day);
    ``paused_at`` is when the pause began in which the event came, or which it ended.
    """

    why: Why
    due: datetime | None = None
    remaining: timedelta | None = None
    due_unextended: datetime | None = None
    named: datetime | None = None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """One event of a cycle, what it did to the clock, and to the due time."""

    step: Step
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True, slots=True)
class Handover:
    """A running or paused dossier passed to another holder; ``used`` + ``left`` - ``late`` is the whole budget.

    ``left`` is counted by the receiver's calendar (what remains, in a pause); null without a due time.
    """

    at: datetime
    from_unit: str | None
    from_stage: str | None
    to_unit: str | None
    to_stage: str | None
    used: timedelta
    left: timedelta | None
    late: timedelta

    @property
    def budget(self) -> timedelta | None:
        """All the working time that the due time then in force gives; null without one."""
        return None if self.left is None else self.used - self.late + self.left


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the limit of a cycle comes from: a rule (counted from 1) of a version, an event, the cycle before."""

    source: Literal["rule", "event", "carried", "none"]
    version: int | None = None
    in_force_from: datetime | None = None
    rule: int | None = None
    match: Match | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """One cycle with its reasons; ``term`` is null for one that never started."""

    course: Course
    term: Term | None
    origin: Origin
    taken: tuple[Taken, ...]
    handovers: tuple[Handover, ...] = ()
    climbed: tuple[Rung, ...] = ()


def accounts(history: History, rules: Rules, *, now: datetime) -> tuple[Account, ...]:
    """The reasons of every cycle at ``now``, in the order of the cycles of `streams.verdict.assess`."""
    found: list[Account] = []
    previous: Term | None = None
    for course in walk(timeline(history, now=now), rules.clock_runs_on):
        early = tuple(Taken(step, tuple(_too_early(step))) for step in course.registered)
        if not course.started:
            found.append(Account(course, None, Origin("none"), (*early, *map(Taken, course.steps))))
            continue
        closed = ended_at(course) if course.state in _ENDS else None
        account = _followed(course, previous, rules.edition(closed or now), now)
        previous = account.term
        found.append(
            Account(course, previous, account.origin, (*early, *account.taken), account.handovers, account.climbed)
        )
    return tuple(found)


def _too_early(step: Step) -> Iterator[Move]:
    if step.event.due is not None and step.event.status is None:
        yield Move(Why.BEFORE_START, named=step.event.due)
    elif step.event.due is not None and step.event.status != 1:
        yield Move(Why.EVIDENCE, named=step.event.due)


def _followed(course: Course, previous: Term | None, edition: Edition, now: datetime) -> Account:
    first = course.steps[0]
    term = begin(course, previous, edition)
    taken = [Taken(first, tuple(_first_moves(term, first, previous)))]
    handovers: list[Handover] = []
    holder = first
    for step in course.steps[1:]:
        taken.append(Taken(step, tuple(_take(term, step, holder.unit))))
        if step.after in _OPEN and (holder.unit, holder.stage) != (step.unit, step.stage):
            handovers.append(_handover(term, course, holder, step))
        holder = step
    term.finish(now, holder.unit)
    climbed = rungs(term, course)
    return Account(course, term, _origin(course, term, previous), tuple(taken), tuple(handovers), climbed)


def _origin(course: Course, term: Term, previous: Term | None) -> Origin:
    if previous is not None:
        return Origin("carried")
    policy = term.edition.policy
    for number, rule in enumerate(policy.rules if policy is not None else (), start=1):
        if policy is not None and rule is policy.rule(course.subject) and rule.limit is term.limit:
            return Origin("rule", policy.version, policy.begins, number, rule.match)
    return Origin("none" if term.limit is None else "event")


def _stand(term: Term, why: Why, named: datetime | None = None, paused_at: datetime | None = None) -> Move:
    """What stands now; a due time that comes with the event which opens a pause stands before that pause."""
    current, unextended = term.current, term.unextended
    paused = paused_at is not None or named is None
    return Move(
        why,
        due=_shown(current.due, current.left if paused else None),
        remaining=current.left if paused else None,
        due_unextended=_shown(unextended.due, unextended.left if paused else None),
        named=named,
        paused_at=paused_at,
    )


def _shown(due: Due | None, left: timedelta | None) -> datetime | None:
    return None if due is None or left is not None else due.at


def _first_moves(term: Term, first: Step, previous: Term | None) -> Iterator[Move]:
    """How the due time came about at the start, an imputed start, or a reopening."""
    named = first.event.due
    if term.current.due is None:
        yield Move(Why.NO_DUE)
    elif previous is not None and term.original is previous.current.due:
        yield _at_start(term, Why.CARRIED, term.current.due)
        if named is not None:
            yield Move(Why.KNOWN, named=named)
    else:
        if term.computed is not None:
            yield _at_start(term, Why.COMPUTED, term.computed)
        if term.appointed:
            yield _at_start(term, Why.APPOINTED, term.current.due, named)
    if first.after in WAITING and term.current.due is not None:
        yield _stand(term, Why.PAUSED_OVERDUE if term.current.left is None else Why.PAUSED)


def _at_start(term: Term, why: Why, due: Due, named: datetime | None = None) -> Move:
    """What stood at the start, before a pause that may begin at once."""
    twin = term.unextended.due if why is Why.CARRIED else due
    return Move(why, due=due.at, due_unextended=twin.at if twin is not None else None, named=named)


def _take(term: Term, step: Step, holder: str | None) -> Iterator[Move]:
    """Take one step, and say what it moved."""
    event, waiting = step.event, step.before in WAITING
    named = term.due(event, term.edition.calendar(step.unit))
    known = named is not None and term.name(named) in term.in_force
    pause = term.paused[0] if term.paused is not None else None
    due, left = term.current.due, term.current.left
    original, extension, flags = term.original, term.extension, term.flags
    term.flags = set()
    term.take(step, holder)
    fresh, term.flags = term.flags, flags | term.flags
    resumed = step.counts and waiting and step.after not in WAITING
    replaced = resumed and left is not None and named is not None and not known and step.after not in _ENDS
    if resumed and left is not None and not replaced:
        why = Why.RESUMED_UNMOVED if term.current.due == due else Why.RESUMED
        yield replace(_stand(term, why, paused_at=pause), remaining=left)
    if event.due is not None:
        if term.original is not original:
            why = Why.APPOINTED
        elif replaced:
            why = Why.RESUMED_NAMED
        elif term.extension is not extension:
            why = Why.EXTENDED
        else:
            why = _refusal(step, fresh, known=known, due=due)
        yield _stand(term, why, event.due, pause)
    if step.counts and step.before is State.RUNNING and step.after in WAITING and term.current.due is not None:
        yield _stand(term, Why.PAUSED_OVERDUE if term.current.left is None else Why.PAUSED)


def _refusal(step: Step, fresh: set[Flag], *, known: bool, due: Due | None) -> Why:
    """Why a due time that was named moved nothing."""
    if Flag.EXTENSION_LIMIT_EXCEEDED in fresh:
        return Why.SECOND_EXTENSION
    if Flag.LATE_EXTENSION in fresh:
        return Why.LATE_EXTENSION
    if step.before not in _OPEN:
        return Why.AFTER_END
    if step.event.status is not None and not step.counts:
        return Why.EVIDENCE
    if due is None:
        return Why.NOTHING_TO_EXTEND
    if known:
        return Why.KNOWN
    return Why.AT_END if step.after in _ENDS else Why.NOT_LATER


def _handover(term: Term, course: Course, giver: Step, taker: Step) -> Handover:
    at, due, edition = taker.event.at, term.current.due, term.edition
    lived = stays(course, at, edition)
    charged = (stay.worked for stay in lived if not stay.paused and stay.worked is not None)
    left = term.current.left
    if left is None and due is not None:
        left = working_time(edition.calendar(taker.unit), at, due.at)
    behind = late(lived, due.at, edition) if due is not None else ZERO
    return Handover(at, giver.unit, giver.stage, taker.unit, taker.stage, sum(charged, ZERO), left, behind)
