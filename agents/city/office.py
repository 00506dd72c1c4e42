"""The office of the city, as a clerk knows it: its calendar, its receptions, its limits, and how a term ends.

Nothing here asks the program that is to be checked: of `streams` only the calendar's own questions are used,
and the rules of a term (R1 to R10) are worked out once more.
"""

from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from schemas.errors import ConfigError
from schemas.limits import Limit
from streams.calendar import Calendar, add_working_time
from streams.rules import Rules

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
LAST_HOUR_OF_TODAY = time(15, 0)  # received later, a same-day dossier is for the next working day
HOURS_A_DAY = 8


class Due(NamedTuple):
    """A due time: its instant, and its date in the city."""

    at: datetime
    day: date


class CityOffice:
    """Calendars and limits of a folder. Raises `ConfigError` (``city_unknown``) for one that cannot be played."""

    def __init__(self, rules: Rules) -> None:
        edition = rules.newest
        self.calendar = edition.home
        self.zone = self.calendar.zone
        self.units = rules.units
        self.civil = rules.office.receipt == "civil"
        self.clock_runs_on = rules.clock_runs_on
        self._reception = {code: edition.reception(code) for code in rules.units}
        self._home = edition.reception(None)
        self._limits: dict[tuple[str | None, ...], Limit | None] = {}
        foreign = [code for code in rules.units if edition.calendar(code) is not self.calendar]
        changed = any(each.calendars != edition.calendars for each in rules.editions)
        if foreign or changed or len(rules.policies) != 1:
            why = f"{foreign[0]} has a processing calendar of its own" if foreign else "a file has several versions"
            raise ConfigError("city_unknown", f"only a city of one calendar and one limits.yaml is simulated: {why}")
        self._rules = rules.policies[0].rules

    def reception(self, unit: str | None) -> Calendar:
        """The calendar that decides the receipt date at this unit."""
        return self._reception.get(unit, self._home) if unit is not None else self._home

    def limit(self, procedure: str | None, case: str | None, channel: str | None, unit: str | None) -> Limit | None:
        """The limit of the first line of limits.yaml that fits."""
        asked = (procedure, case, channel, unit)
        if asked not in self._limits:
            lines = (
                (line.match.procedure, line.match.case, line.match.channel, line.match.unit) for line in self._rules
            )
            fits = (all(want in (None, have) for want, have in zip(line, asked, strict=True)) for line in lines)
            self._limits[asked] = next((line.limit for line, fit in zip(self._rules, fits, strict=True) if fit), None)
        return self._limits[asked]

    def closing(self, day: date) -> Due:
        """The end of that day: closing time, or 23:59:59 when the office is closed all day."""
        return Due(self.calendar.closing(day) or self.calendar.at(day + DAY) - SECOND, day)

    def named(self, due: datetime) -> Due:
        """A due time as a source names it; midnight names a date and means its end."""
        local = due.astimezone(self.zone)
        return self.closing(local.date()) if local.time() == time(0) else Due(due, local.date())

    def after(self, start: datetime, length: timedelta) -> Due:
        """The due time so much working time later."""
        at = add_working_time(self.calendar, start, length)
        return Due(at, self.calendar.day(at))

    def term(self, limit: Limit, received: datetime, unit: str | None) -> Due | None:
        """When a term ends that begins with a receipt at ``unit`` (R1 to R10); None without a limit."""
        calendar, value = self.calendar, limit.value or 0
        if limit.exact:
            return self.after(received, timedelta(hours=value * (HOURS_A_DAY if limit.unit == "working_day" else 1)))
        if limit.unit == "none":
            return None
        if limit.unit == "same_day":
            local = received.astimezone(self.zone)
            today = calendar.is_open(local.date()) and local.time() <= LAST_HOUR_OF_TODAY
            return self.closing(local.date() if today else calendar.next_open_day(local.date()))
        first = self._receipt_day(received, unit)
        if limit.unit == "working_day":
            return self.closing(calendar.nth_open_day(first, int(value)))
        last = first + DAY * int(value) if limit.unit == "day" else _months_later(first, int(value))
        return self.closing(last if calendar.is_open(last) else calendar.next_open_day(last))

    def _receipt_day(self, received: datetime, unit: str | None) -> date:
        reception = self.reception(unit)
        day = reception.day(received)
        closing = reception.closing(day)
        return day if self.civil or (closing is not None and received <= closing) else reception.next_open_day(day)


def _months_later(day: date, count: int) -> date:
    """The corresponding date, else the last day of that month."""
    years, month = divmod(day.month - 1 + count, 12)
    for last in (day.day, 30, 29, 28):
        try:
            return date(day.year + years, month + 1, last)
        except ValueError:
            continue
    raise AssertionError("every month has 28 days")
