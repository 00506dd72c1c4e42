"""The answer: what holds for a dossier, cycle by cycle, with the evidence for every number.

Nothing in an `Assessment` drifts between events and looks: time that still runs stands as *used
until the current segment began*; `streams.ledger.measure` (and the ClickHouse views) add the rest.
Instants are UTC; durations are seconds, exact to the microsecond.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

Clock = Literal["not_started", "running", "paused", "stopped", "never"]
Verdict = Literal["early", "on_time", "overdue", "in_time", "no_deadline", "withdrawn", "refused", "not_started"]
Verdict766 = Literal["on_time", "overdue", "not_counted"]
Bucket = Literal["in_time", "near_due", "due_today", "overdue", "no_deadline", "paused", "halted"]


class Level(StrEnum):
    """The ladder, lowest first; a higher level replaces a lower one."""

    NONE = "none"
    NEAR_DUE = "near_due"
    DUE_TODAY = "due_today"
    OVERDUE = "overdue"
    SERIOUSLY_OVERDUE = "seriously_overdue"


class Flag(StrEnum):
    """What stands beside verdict and level."""

    INCOMPLETE_HISTORY = "incomplete_history"
    ILLEGAL_TRANSITION = "illegal_transition"
    CONFLICTING_EVENT = "conflicting_event"
    DUE_DISAGREES = "due_disagrees"
    EXTENSION_LIMIT_EXCEEDED = "extension_limit_exceeded"
    LATE_EXTENSION = "late_extension"
    ESTIMATED = "estimated"
    STALLED = "stalled"
    LONG_PAUSE = "long_pause"
    LETTER_DUE = "letter_due"


@dataclass(frozen=True, slots=True, order=True)
class Version:
    """What an answer rests on, in rising order; equal versions are equal answers.

    Events in the history, the version of the rules, the last instant up to now at which the answer changed.
    """

    events: int
    rules: int
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Segment:
    """An interval with one holder and one state of the clock; ``end`` is null while it goes on.

    ``working_seconds`` is the working time inside (by the holder's calendar), null while it goes on;
    of a running segment it is charged, of a paused one it is not; the rest of the wall time is off hours.
    """

    begin: datetime
    end: datetime | None
    paused: bool
    unit: str | None
    stage: str | None
    working_seconds: float | None


@dataclass(frozen=True, slots=True)
class Span:
    """An interval in which the cycle stood in one bucket of the counts; ``end`` is null while it goes on."""

    begin: datetime
    end: datetime | None
    bucket: Bucket
    unit: str | None


@dataclass(frozen=True, slots=True)
class Reached:
    """The cycle stood on a level from ``begin`` until ``end`` (null: it still does), held to ``due``."""

    level: Level
    begin: datetime
    end: datetime | None
    due: datetime


@dataclass(frozen=True, slots=True)
class Used:
    """Time used up to the beginning of the segment that goes on (all of it when none does).

    Working and paused time are open hours; off hours are the rest, running or paused; late time is
    running working time after the due instant, zero unless overdue. Off + working + paused = wall.
    """

    working_seconds: float = 0
    paused_seconds: float = 0
    off_seconds: float = 0
    late_working_seconds: float = 0
    late_unextended_seconds: float = 0


@dataclass(frozen=True, slots=True)
class Cycle:
    """One run of a dossier, from its start (or reopening) to its end. Field names as in ``replay``."""

    cycle: int
    status: int
    clock: Clock
    verdict: Verdict
    verdict_766: Verdict766
    verdict_unextended: Verdict
    level: Level
    procedure: str | None = None
    case: str | None = None
    channel: str | None = None
    receiving_unit: str | None = None
    unit: str | None = None
    stage: str | None = None
    limit: str | None = None
    exact: bool = False
    policy_version: int | None = None
    rules_from: datetime | None = None  # since when the limits and calendars it is judged by are in force together
    received_at: datetime | None = None
    ended_at: datetime | None = None
    due_original: datetime | None = None
    due_current: datetime | None = None
    due_unextended: datetime | None = None
    remaining_seconds: float | None = None  # of a paused cycle; else it drifts, and is null here
    used: Used = Used()
    breached_in: str | None = None
    look_again_at: datetime | None = None
    flags: tuple[Flag, ...] = ()
    segments: tuple[Segment, ...] = ()
    spans: tuple[Span, ...] = ()
    levels: tuple[Reached, ...] = ()


@dataclass(frozen=True, slots=True)
class Assessment:
    """All that holds for one dossier at one instant, and when to look again."""

    dossier_code: str
    version: Version
    cycles: tuple[Cycle, ...] = field(default=())
    look_again_at: datetime | None = None
