"""What the citizen was promised: the due dates of one cycle, through pauses, appointments and extensions.

Each cycle has two promises side by side: the current one, and the *unextended* one, which pauses
alone move, so that no later date can hide lateness.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.assessment import Flag
from schemas.event import Event
from schemas.limits import Limit, LimitRule, Match, NearDue
from streams.calendar import Calendar, working_time
from streams.clock import REGISTERED, WAITING, Course, State, Step
from streams.limits import Due, due_after, due_of, source_due
from streams.rules import Edition

_ENDS = frozenset({State.STOPPED, State.WITHDRAWN})


@dataclass(slots=True)
class Promise:
    """A due time as pauses move it; ``left`` is what remains, in a pause that began in time."""

    exact: bool
    due: Due | None = None
    left: timedelta | None = None

    def missed(self, at: datetime) -> bool:
        """Whether the cycle, open at that instant, is overdue."""
        return self.due is not None and at >= self.due.missed_from

    def pause(self, at: datetime, calendar: Calendar) -> None:
        """Stop the clock. A pause that begins overdue moves nothing: it never heals a breach."""
        self.left = None
        if self.due is not None and not self.missed(at):
            self.left = working_time(calendar, at, self.due.at)

    def resume(self, at: datetime, calendar: Calendar) -> None:
        """Go on with what remained; the due time never becomes earlier than it was."""
        if self.due is not None and self.left is not None:
            moved = due_after(calendar, at, self.left, exact=self.exact)
            if moved.at > self.due.at:
                self.due = moved
        self.left = None


class Piece(NamedTuple):
    """An interval in which the clock ran for one unit towards one due time; ``end`` null while it does."""

    begin: datetime
    end: datetime | None
    unit: str | None
    due: Due | None


@dataclass(slots=True)
class Term:
    """The due dates of one cycle as its steps are taken, one after the other."""

    edition: Edition
    limit: Limit | None
    near_due: NearDue | None
    current: Promise
    unextended: Promise
    in_force: set[datetime | date]
    original: Due | None = None
    computed: Due | None = None
    appointed: bool = False  # a source has named the due time, or it was carried over
    settled: bool = False  # too late for an appointment: a pause, halt, stop or extension was there
    extension: Due | None = None
    paused: tuple[datetime, Calendar] | None = None  # since when, and the calendar of who held it then
    began_in_time: bool = False
    flags: set[Flag] = field(default_factory=set)
    pieces: list[Piece] = field(default_factory=list)
    mark: datetime | None = None  # since when the clock runs for this unit, towards this due time

    def due(self, event: Event, calendar: Calendar) -> Due | None:
        """The due time that the event names, if it names one."""
        return None if event.due is None else source_due(calendar, event.due, exact=self.current.exact)

    def take(self, step: Step, holder: str | None) -> None:
        """Take one step that comes after the start; ``holder`` had the dossier before it."""
        event, at = step.event, step.event.at
        calendar = self.edition.calendar(step.unit)
        named = self.due(event, calendar)
        if step.counts and step.before is State.RUNNING:
            self._cut(at, holder)
        if event.kind == "extension" and named is not None and step.before in {State.RUNNING, *WAITING}:
            if step.before is State.RUNNING:
                self._cut(at, holder)
            if self.current.due is not None and self.name(named) not in self.in_force:
                self._extend(named, at)
        if not step.counts:
            return
        waiting = step.before in WAITING
        resumes = waiting and step.after not in WAITING
        if named is not None and not resumes:
            self._offer(named, step)
        if step.before is State.RUNNING and step.after in WAITING:
            self.wait(at, calendar)
        elif resumes:
            self._resume(step, named, calendar)
        if step.after in WAITING or step.after in _ENDS:
            self.settled = True
        self.mark = at if step.after is State.RUNNING else None

    def finish(self, now: datetime, holder: str | None) -> None:
        """Close the account: what runs still, runs on."""
        if self.mark is not None and self.mark <= now:
            self.pieces.append(Piece(self.mark, None, holder, self.current.due))

    def _cut(self, at: datetime, holder: str | None) -> None:
        if self.mark is not None and at > self.mark:
            self.pieces.append(Piece(self.mark, at, holder, self.current.due))
        self.mark = at

    def name(self, due: Due) -> datetime | date:
        """What makes a due time the same as another: its instant, or its date."""
        return due.at if self.current.exact else due.day

    def wait(self, at: datetime, calendar: Calendar) -> None:
        """Begin a pause or halt."""
        self.paused = (at, calendar)
        shared = self.unextended.due is self.current.due
        self.current.pause(at, calendar)
        if shared:
            self.unextended.left = self.current.left
        else:
            self.unextended.pause(at, calendar)
        self.began_in_time = self.current.left is not None

    def _resume(self, step: Step, named: Due | None, calendar: Calendar) -> None:
        at, began_in_time = step.event.at, self.began_in_time
        fresh = named is not None and self.name(named) not in self.in_force
        shared = self.unextended.due is self.current.due and self.unextended.left == self.current.left
        self.current.resume(at, calendar)
        if shared:
            self.unextended.due, self.unextended.left = self.current.due, None
        else:
            self.unextended.resume(at, calendar)
        if named is not None and self.current.due is None:
            self.appoint(named)
        elif named is not None and fresh and step.after not in _ENDS:
            if began_in_time:
                self.current.due = named
            else:
                self._extend(named, at)
        self.paused = None
        self.remember(self.current.due)

    def _offer(self, named: Due, step: Step) -> None:
        """A due time on an event that ends no pause; during a pause it counts as sent before it."""
        at = self.paused[0] if self.paused is not None else step.event.at
        if self.current.due is None or not (self.appointed or self.settled or self.current.missed(at)):
            self.appoint(named)
            if self.paused is not None:
                self.wait(*self.paused)
        elif self.name(named) not in self.in_force and step.after not in _ENDS:
            self._extend(named, at)

    def appoint(self, named: Due) -> None:
        """Take a due time that the source named as the appointment, for both promises."""
        if self.computed is not None and self.computed.day != named.day:
            self.flags.add(Flag.DUE_DISAGREES)
        self.current.due = self.unextended.due = self.original = named
        self.appointed = True
        self.remember(named)

    def _extend(self, named: Due, sent_at: datetime) -> None:
        """At most one extension a cycle, sent in time, to a later instant."""
        at = self.paused[0] if self.paused is not None else sent_at
        if self.extension is not None:
            self.flags.add(Flag.EXTENSION_LIMIT_EXCEEDED)
        elif self.current.missed(at):
            self.flags.add(Flag.LATE_EXTENSION)
        elif self.current.due is not None and named.at > self.current.due.at:
            self.current.due = self.extension = named
            self.settled = True
            self.remember(named)
            if self.paused is not None:
                self.current.pause(*self.paused)

    def remember(self, due: Due | None) -> None:
        """Note a due time that is in force: named again, it says nothing new."""
        if due is not None:
            self.in_force.add(self.name(due))


def begin(course: Course, previous: Term | None, edition: Edition) -> Term:
    """The term of a cycle at its first step: a start, an imputed start, or a reopening."""
    first, subject = course.steps[0], course.subject
    calendar = edition.calendar(subject.unit)
    if previous is not None:
        return _carried(first, previous, edition, calendar)
    rule = edition.policy.rule(subject) if edition.policy is not None else None
    own = _last(course, "limit")
    if isinstance(own, Limit):
        rule = LimitRule(Match(), own)  # no rule of the office gave it, so no rule says when it is near
    limit = rule.limit if rule is not None else None
    exact = limit is not None and limit.exact
    term = Term(edition, limit, rule.near_due if rule is not None else None, Promise(exact), Promise(exact), set())
    if limit is not None and not course.imputed:
        term.computed = due_of(limit, subject, first.event.at, edition)
    due = _last(course, "due")
    if isinstance(due, datetime):
        term.appoint(source_due(calendar, due, exact=exact))
    elif term.computed is not None:
        term.current.due = term.unextended.due = term.original = term.computed
    term.remember(term.computed if term.original is term.computed else None)
    _settle_first(term, first, calendar)
    return term


def _last(course: Course, name: str) -> Limit | datetime | None:
    """The start's own value, else the latest that a registration (1) brought."""
    own: Limit | datetime | None = getattr(course.steps[0].event, name)
    if own is not None:
        return own
    registered = [getattr(step.event, name) for step in course.registered if step.event.status == REGISTERED]
    return next((value for value in reversed(registered) if value is not None), None)


def _carried(first: Step, previous: Term, edition: Edition, calendar: Calendar) -> Term:
    """A reopened cycle is held to the due time that the last one ended with, unless it brings a new one."""
    term = Term(
        edition,
        previous.limit,
        previous.near_due,
        Promise(previous.current.exact, previous.current.due),
        Promise(previous.current.exact, previous.unextended.due),
        previous.in_force,
        original=previous.current.due,
        appointed=previous.current.due is not None,
    )
    named = term.due(first.event, calendar)
    if named is not None and term.name(named) not in term.in_force:
        term.appoint(named)
    for due in (term.current.due, term.original):
        term.remember(due)
    _settle_first(term, first, calendar)
    return term


def _settle_first(term: Term, first: Step, calendar: Calendar) -> None:
    """A start may pause or stop at once (an imputed start at an 8, 9 or 10)."""
    if first.after in WAITING:
        term.wait(first.event.at, calendar)
    term.settled = first.after is not State.RUNNING
    term.mark = first.event.at if first.after is State.RUNNING else None


def _goes_on(step: Step, holder: str | None) -> bool:
    """Whether it is another stage at most: the clock runs on, for the same unit, towards the same due time."""
    return step.before is step.after is State.RUNNING and step.unit == holder and step.event.due is None


def follow(course: Course, previous: Term | None, edition: Edition, *, now: datetime) -> Term:
    """The due dates of a whole cycle, as of ``now``."""
    term = begin(course, previous, edition)
    holder = course.steps[0].unit
    for step in course.steps[1:]:
        if not _goes_on(step, holder):
            term.take(step, holder)
        holder = step.unit
    term.finish(now, holder)
    return term
