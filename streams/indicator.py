"""The official indicator 2.1 of QĐ 766/QĐ-TTg: elapsed time less the citizen's supplements, by date."""

from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.assessment import Verdict766
from streams.calendar import ZERO
from streams.clock import SUPPLEMENT, Course, State
from streams.promise import Term


class Score(NamedTuple):
    """The verdict, and the instant at which it turns overdue by itself (None: never)."""

    verdict: Verdict766
    flips_at: datetime | None = None


class Supplements(NamedTuple):
    """The requests for supplements of a cycle: how many, how long they took, and since when one is open."""

    requests: int
    elapsed: timedelta
    asked_at: datetime | None  # of the request that is open


def supplements(course: Course) -> Supplements:
    """A run of requests is one; each lasts to the next event that counts and is no request."""
    requests, elapsed, asked_at = 0, ZERO, None
    for step in course.steps:
        if not step.counts:
            continue
        if step.event.status == SUPPLEMENT:
            if asked_at is None:
                requests, asked_at = requests + 1, step.event.at
        elif asked_at is not None:
            elapsed, asked_at = elapsed + (step.event.at - asked_at), None
    return Supplements(requests, elapsed, asked_at)


def score(course: Course, term: Term, ended_at: datetime | None, *, now: datetime) -> Score:
    """How the indicator counts this cycle, against the original due date or the accepted extension's."""
    asked = supplements(course)
    if asked.requests > 1 and course.state is not State.STOPPED:
        return Score("overdue")
    due = term.extension or term.original
    if due is None:
        return Score("not_counted")
    end = ended_at or asked.asked_at
    late = (end or now) - asked.elapsed >= due.missed_from
    return Score("overdue" if late else "on_time", None if end else due.missed_from + asked.elapsed)
