"""Which calendar, which policy, which limit, and the due date that follows from them (R1 to R10)."""

import calendar as months
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schemas.event import Event, first_two_groups
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Office, Unit
from tests.oracle import readings
from tests.oracle.story import Cycle
from tests.oracle.worktime import DAY, Hours

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
WORKING_DAY = 8 * HOUR


@dataclass
class Due:
    """A due instant, the date it stands for, and the calendar of the unit it was set for."""

    at: datetime
    day: date
    hours: Hours

    def overdue_from(self, exact: bool) -> datetime:
        """Dated: the first instant of the day after. Exact: one second after."""
        return self.at + SECOND if exact else self.hours.midnight_after(self.day)

    def missed(self, exact: bool, at: datetime) -> bool:
        return at >= self.overdue_from(exact)

    def same(self, other: "Due", exact: bool) -> bool:
        return self.at == other.at if exact else self.day == other.day


@dataclass
class Promise:
    """The limit of a cycle, and how near is near."""

    exact: bool = False
    same_day: bool = False
    near: timedelta | None = None  # of the rule that gave the limit
    computed: Due | None = None


@dataclass
class Facts:
    """What is known at the start of a dossier."""

    event: Event
    procedure: str | None
    unit: str | None
    case: str | None
    channel: str | None
    receiving: str | None
    limit: Limit | None
    due: datetime | None


def latest(values: Sequence[object]) -> object:
    """The last that is there."""
    return next((value for value in reversed(values) if value is not None), None)


def facts_of(cycle: Cycle) -> Facts:
    """The start's own, else the latest that a 1 before it said."""
    start = cycle.start
    assert start is not None
    told = [step.event for step in cycle.steps if step.event.status == 1 and step.was == "not started"]
    told.append(start.event)

    def known(name: str) -> object:
        return latest([getattr(event, name) for event in told])

    return Facts(
        event=start.event,
        procedure=start.event.procedure_code,
        unit=start.event.processing_unit,
        **{name: known(name) for name in ("case", "channel", "limit", "due")},  # type: ignore[arg-type]
        receiving=known("receiving_unit"),  # type: ignore[arg-type]
    )


def matches(match: Match, facts: Facts) -> bool:
    return (
        (match.procedure is None or first_two_groups(match.procedure) == facts.procedure)
        and (match.case is None or match.case == facts.case)
        and (match.channel is None or match.channel == facts.channel)
        and (match.unit is None or match.unit == facts.unit)
    )


class Rulebook:
    """The configuration of an office that is in force together at an instant, to be asked."""

    def __init__(
        self, office: Office, units: Mapping[str, Unit], calendars: Mapping[str, Hours], policy: LimitsFile | None
    ) -> None:
        self.office = office
        self.units = units
        self.calendars = calendars
        self.policy = policy

    def hours(self, code: str | None) -> Hours:
        """The processing calendar of a unit."""
        unit = self.units.get(code) if code is not None else None
        return self.calendars[(unit.calendar if unit else None) or self.office.calendar]

    def reception(self, code: str | None) -> Hours:
        unit = self.units.get(code) if code is not None else None
        return self.calendars[(unit.reception if unit else None) or self.office.reception]

    def promise(self, cycle: Cycle) -> Promise:
        """What a first cycle is held to."""
        facts = facts_of(cycle)
        rule: LimitRule | None = None
        if self.policy is not None and (facts.limit is None or readings.AN_EVENT_LIMIT_LEAVES_THE_RULE_ITS_NEAR_DUE):
            rule = next((rule for rule in self.policy.rules if matches(rule.match, facts)), None)
        limit = facts.limit or (rule.limit if rule else None)
        promise = Promise()
        if rule is not None and rule.near_due is not None:
            days, hours = rule.near_due.working_days, rule.near_due.working_hours
            promise.near = days * WORKING_DAY if days is not None else (hours or 0) * HOUR
        if limit is None or limit.unit == "none":
            return promise
        promise.exact = limit.unit == "hour" or (limit.unit == "working_day" and limit.value != int(limit.value or 0))
        promise.same_day = limit.unit == "same_day"
        if "incomplete_history" not in cycle.flags:
            promise.computed = self.compute(limit, facts, promise.exact)
        return promise

    def compute(self, limit: Limit, facts: Facts, exact: bool) -> Due:
        """The due date that a limit gives to a start."""
        received = facts.event.at
        hours = self.hours(facts.unit)
        value = limit.value or 0
        if exact:
            amount = value * (HOUR if limit.unit == "hour" else WORKING_DAY)
            return Due(*hours.after(received, amount), hours)
        if limit.unit == "same_day":
            day = hours.day_of(received)
            if not hours.works(day) or received.astimezone(hours.zone).time() > time(15):
                day = hours.next_working_day(day)
            return Due(hours.closing(day), day, hours)
        day = self.receipt_date(received, facts.receiving or facts.unit)
        if limit.unit == "working_day":
            for _ in range(int(value)):
                day = hours.next_working_day(day)
        else:
            day = day + int(value) * DAY if limit.unit == "day" else month_later(day, int(value))
            if not hours.works(day):
                day = hours.next_working_day(day)
        return Due(hours.closing(day), day, hours)

    def receipt_date(self, received: datetime, unit: str | None) -> date:
        """R9."""
        reception = self.reception(unit)
        day = reception.day_of(received)
        if self.office.receipt == "civil" or (reception.works(day) and received <= reception.closing(day)):
            return day
        return reception.next_working_day(day)

    def source_due(self, at: datetime, unit: str | None) -> Due:
        """A due instant as the source sent it; at 00:00:00 it names a date."""
        hours = self.hours(unit)
        day = hours.day_of(at)
        if at.astimezone(hours.zone).time() != time(0):
            return Due(at, day, hours)
        if hours.works(day):
            return Due(hours.closing(day), day, hours)
        return Due(hours.local(day, 23 * 60 + 59) + 59 * SECOND, day, hours)


def month_later(day: date, count: int) -> date:
    """R5: the corresponding date, else the month's last day."""
    year, month = day.year, day.month
    for _ in range(count):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))
