"""One cycle of a dossier as a clerk keeps it on paper: what ran, what paused, and what was promised until when."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from agents.city.office import SECOND, CityOffice, Due
from streams.calendar import ZERO, working_time


class Hand(Enum):
    """What the hand of a dossier's clock does."""

    NONE = auto()
    RUN = auto()
    WAIT = auto()
    HALT = auto()
    STOP = auto()
    GONE = auto()  # withdrawn
    REFUSED = auto()


STANDING_STILL = (Hand.WAIT, Hand.HALT)


class Span(NamedTuple):
    """Some time of a cycle with one holder; ``waiting``: the clock stood."""

    begin: datetime
    end: datetime
    waiting: bool
    unit: str | None


@dataclass(slots=True)
class Promise:
    """A due time that pauses move; ``left`` is what remains of it in a pause that began in time."""

    due: Due | None = None
    left: timedelta | None = None


@dataclass(slots=True)
class Account:
    """One started cycle, entry by entry."""

    office: CityOffice
    number: int
    exact: bool
    begin: datetime
    unit: str | None
    known: set[datetime | date]  # due times that were in force in this dossier
    current: Promise = field(default_factory=Promise)
    plain: Promise = field(default_factory=Promise)  # what holds when every later due is left out
    original: Due | None = None
    appointed: bool = False
    settled: bool = False
    extended: bool = False
    hand: Hand = Hand.RUN
    mark: datetime | None = None  # since when the hand stands as it does
    paused_at: datetime | None = None
    ended: datetime | None = None
    spans: list[Span] = field(default_factory=list)

    def name(self, due: Due) -> datetime | date:
        """What makes two due times the same: the instant of an exact one, the date of any other."""
        return due.at if self.exact else due.day

    def missed(self, promise: Promise, at: datetime) -> bool:
        """Whether the promise is broken at that instant, if the cycle is open."""
        if promise.due is None:
            return False
        return at >= promise.due.at + SECOND if self.exact else self.office.calendar.day(at) > promise.due.day

    def appoint(self, due: Due) -> None:
        """Take a due time for both promises."""
        self.current.due = self.plain.due = self.original = due
        self.appointed = True
        self.known.add(self.name(due))

    def extend(self, due: Due, at: datetime) -> None:
        """A later due: one extension a cycle, in time, to a later instant."""
        at = self.paused_at or at
        if self.extended or self.current.due is None or self.missed(self.current, at) or due.at <= self.current.due.at:
            return
        self.current.due, self.extended, self.settled = due, True, True
        self.known.add(self.name(due))
        if self.paused_at is not None:
            self._stand(self.current, self.paused_at)

    def turn(self, hand: Hand, at: datetime, unit: str | None, due: Due | None) -> None:
        """What a status does to a started cycle: the hand after it, who holds the dossier then, a due it brings."""
        self._book(at)
        stood = self.hand in STANDING_STILL
        resumes = stood and hand not in STANDING_STILL
        if due is not None and not resumes:
            self._offer(due, at, ends=hand in (Hand.STOP, Hand.GONE))
        if hand in STANDING_STILL and not stood:
            self._pause(at)
        elif resumes:
            self._resume(at, due, ends=hand is not Hand.RUN)
        if hand is not Hand.RUN:
            self.settled = True
        self.ended = None if hand in (Hand.RUN, Hand.WAIT) else self.ended if hand is self.hand else at
        self.hand, self.unit = hand, unit

    def _book(self, at: datetime) -> None:
        if self.mark is not None and at > self.mark:
            self.spans.append(Span(self.mark, at, self.hand in STANDING_STILL, self.unit))
        self.mark = at

    def _offer(self, due: Due, at: datetime, *, ends: bool) -> None:
        if self.current.due is None or not (self.appointed or self.settled or self.missed(self.current, at)):
            self.appoint(due)
            if self.paused_at is not None:
                self._pause(self.paused_at)
        elif self.name(due) not in self.known and not ends:
            self.extend(due, at)

    def _pause(self, at: datetime) -> None:
        self.paused_at = at
        self._stand(self.current, at)
        self._stand(self.plain, at)

    def _stand(self, promise: Promise, at: datetime) -> None:
        in_time = promise.due is not None and not self.missed(promise, at)
        promise.left = working_time(self.office.calendar, at, promise.due.at) if in_time and promise.due else None

    def _resume(self, at: datetime, due: Due | None, *, ends: bool) -> None:
        fresh = due is not None and self.name(due) not in self.known
        in_time = self.current.left is not None
        for promise in (self.current, self.plain):
            if promise.due is not None and promise.left is not None:
                moved = self.office.after(at, promise.left)
                promise.due = moved if moved.at > promise.due.at else promise.due
            promise.left = None
        if due is not None and self.current.due is None:
            self.appoint(due)
        elif due is not None and fresh and not ends:
            if in_time:
                self.current.due = due
            else:
                self.paused_at = None
                self.extend(due, at)
        self.paused_at = None
        if self.current.due is not None:
            self.known.add(self.name(self.current.due))

    def lived(self, now: datetime) -> list[Span]:
        """The time of the cycle, up to ``now`` while it is open; after a halt nothing counts until it is over."""
        if self.mark is None or self.hand not in (Hand.RUN, Hand.WAIT) or now <= self.mark:
            return self.spans
        return [*self.spans, Span(self.mark, now, self.hand is Hand.WAIT, self.unit)]

    def verdict(self, promise: Promise, now: datetime) -> str:
        """How the cycle stands against a promise."""
        if self.hand is Hand.GONE:
            return "withdrawn"
        if promise.due is None:
            return "no_deadline"
        if self.hand in STANDING_STILL:
            return "overdue" if promise.left is None else "in_time"
        if self.missed(promise, self.ended or now):
            return "overdue"
        if self.ended is None:
            return "in_time"
        return "early" if self.office.calendar.day(self.ended) < promise.due.day else "on_time"

    def late(self, promise: Promise, now: datetime) -> timedelta | None:
        """Running working time after the due instant; None when it is not overdue."""
        if promise.due is None:
            return None
        gone_late = self.hand is Hand.GONE and self.ended is not None and self.missed(promise, self.ended)
        if self.verdict(promise, now) != "overdue" and not gone_late:
            return None
        calendar, due = self.office.calendar, promise.due.at
        late = (working_time(calendar, max(due, s.begin), s.end) for s in self.lived(now) if not s.waiting)
        return sum(late, ZERO)

    def holder(self, instant: datetime, first: str | None, now: datetime) -> str | None:
        """Who held the dossier then; at a hand-over the one that hands over."""
        holders = [span.unit for span in self.lived(now) if span.begin < instant]
        return holders[-1] if holders else first
