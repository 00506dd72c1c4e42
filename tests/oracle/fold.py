"""What a cycle is held to: appointment, pauses, later dues, extensions (§5.1 to §5.6), step by step."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.oracle import readings
from tests.oracle.rulebook import Due, Promise, Rulebook, facts_of
from tests.oracle.story import Cycle, Step
from tests.oracle.worktime import Hours

ENDS = ("stop", "withdraw", "start and stop")


@dataclass
class Pause:
    """A pause that is open: since when, by whose calendar what remains is counted."""

    begin: datetime
    hours: Hours


@dataclass
class Stretch:
    """An interval with one holder; ``end`` is None while it goes on."""

    begin: datetime
    paused: bool
    unit: str | None
    stage: str | None
    end: datetime | None = None


@dataclass
class Held:
    """A cycle after its last event."""

    promise: Promise
    due: Due | None = None
    twin: Due | None = None  # as if nobody had sent a later due
    original: Due | None = None
    extension: Due | None = None
    appointed: bool = False
    window: bool = True  # a first due is still an appointment
    pause: Pause | None = None
    flags: set[str] = field(default_factory=set)
    stretches: list[Stretch] = field(default_factory=list)

    @property
    def exact(self) -> bool:
        return self.promise.exact

    def stands(self, due: Due | None, at: datetime) -> str:
        """The verdict of an open cycle at an instant, held to this due; in a pause as when it began."""
        if due is None:
            return "no_deadline"
        return "overdue" if due.missed(self.exact, self.pause.begin if self.pause else at) else "in_time"

    def remains(self, due: Due) -> timedelta:
        """What remained when the pause began."""
        assert self.pause is not None
        return self.pause.hours.between(self.pause.begin, due.at)

    def shifted(self, due: Due | None, at: datetime, hours: Hours) -> Due | None:
        """The due date after the pause that ends at this instant."""
        assert self.pause is not None
        if due is None or due.missed(self.exact, self.pause.begin):
            return due
        instant, day = hours.after(at, self.remains(due))
        if instant <= due.at:
            return due
        return Due(instant, day, hours)


class Fold:
    """Takes a cycle's steps one after the other. ``forces`` is what was ever in force in the dossier."""

    def __init__(self, rulebook: Rulebook, promise: Promise, forces: list[Due], last: Held | None) -> None:
        self.rulebook = rulebook
        self.forces = forces
        self.held = Held(promise)
        if last is not None:
            self.held.due, self.held.twin, self.held.original = last.due, last.twin, last.due
            self.held.appointed = last.due is not None

    def take(self, cycle: Cycle) -> Held:
        for step in cycle.steps:
            if step.event.kind == "status" and step.does not in ("evidence", "refuse", "give up"):
                self.station(cycle, step)
            elif step.event.kind == "extension":
                self.extension(step)
        return self.held

    def extension(self, step: Step) -> None:
        """An event of kind extension: nothing before the start, after the end, or without a due date."""
        if step.clock in ("running", "paused", "halted") and self.held.due is not None:
            due = self.source_due(step)
            assert due is not None
            if not self.in_force(due):
                self.extend(due, self.held.pause.begin if self.held.pause else step.event.at)

    def station(self, cycle: Cycle, step: Step) -> None:
        held, at = self.held, step.event.at
        if step.does.startswith("start"):
            self.start(cycle, step)
        elif step.does == "reopen":
            self.reopen(step)
        elif step.was == "running":
            self.offer(step, at)
        elif step.clock in ("paused", "halted"):  # inside a pause: as if sent when it began
            assert held.pause is not None
            self.offer(step, held.pause.begin)
        else:
            self.out_of_pause(step)
        if step.clock in ("paused", "halted") and held.pause is None:
            held.pause = Pause(at, self.rulebook.hours(step.unit))
        if step.clock != "running":
            held.window = False
        self.hand_over(step)

    def start(self, cycle: Cycle, step: Step) -> None:
        held, facts = self.held, facts_of(cycle)
        due = self.rulebook.source_due(facts.due, step.unit) if facts.due is not None else None
        held.due = held.twin = held.original = held.promise.computed
        if due is not None:
            self.appoint(due)
        elif held.due is not None:
            self.forces.append(held.due)

    def reopen(self, step: Step) -> None:
        due = self.source_due(step)
        if due is not None and not self.in_force(due):
            self.appoint(due)

    def out_of_pause(self, step: Step) -> None:
        """A resume, or an end inside a pause: the due date moves, or a new one takes its place."""
        held, due, hours = self.held, self.source_due(step), self.rulebook.hours(step.unit)
        assert held.pause is not None
        if held.due is None:
            held.pause = None
            if due is not None:
                self.appoint(due)
            return
        in_time = held.stands(held.due, step.event.at) == "in_time"
        new = due is not None and not self.in_force(due)
        brought = due if new and in_time and step.does == "resume" else None
        held.due = brought or held.shifted(held.due, step.event.at, hours)
        held.twin = held.shifted(held.twin, step.event.at, hours)
        held.pause = None
        assert held.due is not None
        self.forces.append(held.due)
        if new and not in_time and step.does == "resume":
            assert due is not None
            self.extend(due, step.event.at)

    def offer(self, step: Step, at: datetime) -> None:
        """A due on a status event that neither starts the cycle nor ends a pause, counted as of ``at``."""
        held, due = self.held, self.source_due(step)
        if due is None:
            return
        first = held.window and not held.appointed
        if held.due is None or (first and not held.due.missed(held.exact, at)):
            self.appoint(due)
        elif step.does not in ENDS and not self.in_force(due):
            self.extend(due, at)

    def appoint(self, due: Due) -> None:
        held = self.held
        computed = held.promise.computed
        if computed is not None and computed.day != due.day:
            held.flags.add("due_disagrees")
        held.due = held.twin = held.original = due
        held.appointed = True
        self.forces.append(due)

    def extend(self, due: Due, at: datetime) -> None:
        """A new later due, counted as of ``at``."""
        held = self.held
        assert held.due is not None
        if held.extension is not None:
            held.flags.add("extension_limit_exceeded")
        elif held.due.missed(held.exact, at):
            held.flags.add("late_extension")
        elif due.at > held.due.at or (due.at == held.due.at and readings.AN_EXTENSION_TO_THE_SAME_INSTANT_MOVES):
            held.due = held.extension = due
            held.window = False
            self.forces.append(due)

    def in_force(self, due: Due) -> bool:
        return any(due.same(one, self.held.exact) for one in self.forces)

    def source_due(self, step: Step) -> Due | None:
        return None if step.event.due is None else self.rulebook.source_due(step.event.due, step.unit)

    def hand_over(self, step: Step) -> None:
        """From here on the dossier is with the unit of this event."""
        held, at = self.held, step.event.at
        if held.stretches:
            held.stretches[-1].end = at
        if step.clock in ("running", "paused", "halted"):
            held.stretches.append(Stretch(at, step.clock != "running", step.unit, step.stage))
        elif not held.stretches:
            held.stretches.append(Stretch(at, False, step.unit, step.stage, end=at))
