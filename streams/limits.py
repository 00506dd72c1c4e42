"""Rules: which limit applies to a dossier, on which calendars, and when its term ends."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple, assert_never

from schemas.calendar import CalendarYear
from schemas.errors import ConfigError, InvalidRecord
from schemas.event import Event, first_two_groups
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import WORKING_DAY, Office, Unit
from streams.calendar import DAY, ZERO, Calendar, add_working_time, compile_calendars

SAME_DAY_UNTIL = time(15, 0)  # R7: received later, a same-day procedure is for the next working day
AN_INSTANT = timedelta(seconds=1)  # an exact limit is missed from one second after its due instant


class Due(NamedTuple):
    """A due time: its instant, its date in the zone of the calendar it was set by, and when that day begins.

    It is missed from ``missed_from`` on: a dated one from midnight after its date, an exact one from
    one second after its instant. ``estimated``: the days off of its year are not decreed yet. Made by `due_at`.
    """

    at: datetime
    day: date
    day_begins: datetime
    missed_from: datetime
    estimated: bool


@dataclass(frozen=True, slots=True)
class Subject:
    """A dossier as it was at its start: what rules match on."""

    procedure: str | None
    case: str | None
    channel: str | None
    unit: str | None
    receiving_unit: str | None


@dataclass(frozen=True, slots=True)
class Policy:
    """The limits in force from an instant on."""

    version: int
    begins: datetime
    rules: tuple[LimitRule, ...]

    def rule(self, subject: Subject) -> LimitRule | None:
        """The first rule that matches, or None."""
        return next((rule for rule in self.rules if _matches(rule.match, subject)), None)


def _matches(match: Match, subject: Subject) -> bool:
    return (
        (match.procedure is None or match.procedure == subject.procedure)
        and (match.case is None or match.case == subject.case)
        and (match.channel is None or match.channel == subject.channel)
        and (match.unit is None or match.unit == subject.unit)
    )


class Rules:
    """All that the office has decided, compiled: calendars, units and the timeline of limits.

    Built by `compile_rules`. ``version`` rises whenever a file of limits is added or its version raised.
    """

    def __init__(
        self,
        office: Office,
        units: dict[str, Unit],
        calendars: dict[str, Calendar],
        policies: tuple[Policy, ...],
    ) -> None:
        self.office = office
        self.units = units
        self.calendars = calendars
        self.policies = policies
        self.version = sum(policy.version for policy in policies)
        self.zone = calendars[office.calendar].zone
        self.clock_runs_on = frozenset(office.clock_runs_on)
        self._home = calendars[office.calendar]
        self._processing: dict[str | None, Calendar] = {
            unit.code: calendars[unit.calendar] for unit in units.values() if unit.calendar is not None
        }
        self._dossier = re.compile(office.codes.dossier)
        self._procedure = re.compile(office.codes.procedure)
        self._dated = "yymmdd" in self._dossier.groupindex

    def calendar(self, unit: str | None) -> Calendar:
        """The calendar by which this unit's time is counted."""
        return self._processing.get(unit, self._home)

    def reception(self, unit: str | None) -> Calendar:
        """The calendar that decides the receipt date at this unit."""
        known = self.units.get(unit) if unit is not None else None
        return self.calendars[(known and known.reception) or self.office.reception]

    def policy(self, instant: datetime) -> Policy | None:
        """The newest limits in force then; None before the first."""
        newest = None
        for policy in self.policies:
            if policy.begins <= instant:
                newest = policy
        return newest

    def check_codes(self, event: Event) -> None:
        """Raise `InvalidRecord` unless dossier and procedure code follow the office's patterns."""
        dossier = self._dossier.fullmatch(event.dossier_code)
        if dossier is None:
            raise InvalidRecord("invalid_code", "the dossier code does not follow the office's pattern")
        if self._dated and not _real_date(dossier["yymmdd"]):
            raise InvalidRecord("invalid_code", "the date in the dossier code does not exist")
        if event.procedure_code is not None and self._procedure.fullmatch(event.procedure_code) is None:
            raise InvalidRecord("invalid_code", "the procedure code does not follow the office's pattern")


def _real_date(yymmdd: str | None) -> bool:
    if yymmdd is None:
        return True
    try:
        date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return False
    return True


def compile_rules(
    office: Office, units: Sequence[Unit], calendars: Sequence[CalendarYear], limits: Sequence[LimitsFile]
) -> Rules:
    """The rules of these files together.

    Raises `ConfigError` for what only shows when they are read together: a calendar that is named
    but missing, two rules for the same dossiers, versions that do not rise with their dates.
    """
    compiled = compile_calendars(calendars)
    for where, name in _named_calendars(office, units):
        if name not in compiled:
            raise ConfigError("calendar_missing", f'the calendar "{name}" has no file in calendars/', where=where)
    if not limits:
        raise ConfigError(
            "limits_missing", "there is no limits.yaml; write at least one rule: {match: {}, limit: {unit: none}}"
        )
    zone = compiled[office.calendar]
    policies: list[Policy] = []
    for index, file in sorted(enumerate(limits), key=lambda numbered: (numbered[1].in_force_from, numbered[1].version)):
        if policies and file.version <= policies[-1].version:
            message = f"version {file.version} comes into force after version {policies[-1].version}; raise it"
            raise ConfigError("version_order", message, where=("limits", index, "version"))
        policies.append(Policy(file.version, zone.at(file.in_force_from), _unambiguous(file, index, office)))
    return Rules(office, _newest(units), compiled, tuple(policies))


def _named_calendars(office: Office, units: Sequence[Unit]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield ("office", "calendar"), office.calendar
    yield ("office", "reception"), office.reception
    for index, unit in enumerate(units):
        if unit.calendar is not None:
            yield ("units", index, "calendar"), unit.calendar
        if unit.reception is not None:
            yield ("units", index, "reception"), unit.reception


def _newest(units: Sequence[Unit]) -> dict[str, Unit]:
    newest: dict[str, Unit] = {}
    seen: set[tuple[str, date | None]] = set()
    for index, unit in sorted(enumerate(units), key=lambda numbered: numbered[1].begins or date.min):
        if (unit.code, unit.begins) in seen:
            raise ConfigError("unit_twice", f"unit {unit.code} stands twice", where=("units", index, "code"))
        seen.add((unit.code, unit.begins))
        newest[unit.code] = unit
    return newest


def _unambiguous(file: LimitsFile, index: int, office: Office) -> tuple[LimitRule, ...]:
    seen: dict[Match, int] = {}
    rules = []
    for number, rule in enumerate(file.rules):
        match, where = rule.match, ("limits", index, "rules", number)
        if match.procedure is not None:
            match = Match(first_two_groups(match.procedure), match.case, match.channel, match.unit)
            if re.fullmatch(office.codes.procedure, rule.match.procedure or "") is None:
                message = f'"{rule.match.procedure}" does not follow codes.procedure, so it would never match'
                raise ConfigError("procedure_pattern", message, where=(*where, "match", "procedure"))
        if match in seen:
            message = f"rules {seen[match] + 1} and {number + 1} of version {file.version} match the same dossiers"
            raise ConfigError("limits_ambiguous", message, where=where)
        seen[match] = number
        rules.append(LimitRule(match, rule.limit, rule.near_due))
    return tuple(rules)


def due_at(calendar: Calendar, at: datetime, day: date, *, exact: bool) -> Due:
    """The due time at that instant of that day."""
    missed_from = at + AN_INSTANT if exact else calendar.at(day + DAY)
    return Due(at, day, calendar.at(day), missed_from, calendar.estimated(day))


def due_after(calendar: Calendar, start: datetime, length: timedelta, *, exact: bool) -> Due:
    """The due time so much working time after ``start``; one at 24:00 belongs to the day that ends then."""
    at = add_working_time(calendar, start, length)
    return due_at(calendar, at, calendar.day(at - (timedelta.resolution if length else ZERO)), exact=exact)


def closing_due(calendar: Calendar, day: date, *, exact: bool = False) -> Due:
    """The end of that day: closing time, or 23:59:59 when the office is closed all day."""
    return due_at(calendar, calendar.closing(day) or calendar.at(day + DAY) - AN_INSTANT, day, exact=exact)


def source_due(calendar: Calendar, due: datetime, *, exact: bool) -> Due:
    """A due time as a source names it: 00:00:00 local names a date, and means its end."""
    local = due.astimezone(calendar.zone)
    if local.timetz().replace(tzinfo=None) == time(0):
        return closing_due(calendar, local.date(), exact=exact)
    return due_at(calendar, due, local.date(), exact=exact)


def receipt_day(rules: Rules, subject: Subject, received: datetime) -> date:
    """R9: the day that counts as the day of receipt."""
    reception = rules.reception(subject.receiving_unit or subject.unit)
    day = reception.day(received)
    closing = reception.closing(day)
    if rules.office.receipt == "civil" or (closing is not None and received <= closing):
        return day
    return reception.next_open_day(day)


def due_of(limit: Limit, subject: Subject, received: datetime, rules: Rules) -> Due | None:
    """When the term that begins at ``received`` ends (R1 to R10); None without a limit.

    The calendar is that of the unit which holds the dossier at its start.
    """
    calendar = rules.calendar(subject.unit)
    value = limit.value or 0
    match limit.unit:
        case "hour":
            return due_after(calendar, received, timedelta(hours=value), exact=True)
        case "working_day" if limit.exact:
            return due_after(calendar, received, value * WORKING_DAY, exact=True)
        case "none":
            return None
        case "same_day":
            local = received.astimezone(calendar.zone)
            today = local.date()
            in_time = calendar.is_open(today) and local.time() <= SAME_DAY_UNTIL
            return closing_due(calendar, today if in_time else calendar.next_open_day(today))
        case "working_day":
            return closing_due(calendar, calendar.nth_open_day(receipt_day(rules, subject, received), int(value)))
        case "day":
            return _rolled(calendar, receipt_day(rules, subject, received) + DAY * int(value))
        case "month":
            return _rolled(calendar, add_months(receipt_day(rules, subject, received), int(value)))
        case _:
            assert_never(limit.unit)


def _rolled(calendar: Calendar, day: date) -> Due:
    """R4: a last day on which the office is closed rolls to the next on which it is open."""
    return closing_due(calendar, day if calendar.is_open(day) else calendar.next_open_day(day))


def add_months(day: date, count: int) -> date:
    """R5: the corresponding date so many months later, else that month's last day.

    >>> add_months(date(2026, 1, 30), 1)
    datetime.date(2026, 2, 28)
    """
    years, month = divmod(day.month - 1 + count, 12)
    first = date(day.year + years, month + 1, 1)
    return min(first + DAY * (day.day - 1), (first + DAY * 31).replace(day=1) - DAY)
