"""Working time: when an office is open, how long, and when a length of open time is over.

A calendar is compiled into prefix sums, so that a question costs two binary searches however long the span is.
All instants are aware and in UTC; shifts are local, so daylight saving is the zone's business. Open hours are half
open: an office that closes at 17:00 is closed at 17:00:00.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate, pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.calendar import CalendarDay, CalendarYear, Shifts, read_shifts
from schemas.errors import ConfigError

DAY = timedelta(days=1)
ZERO = timedelta(0)


class _Compiled(NamedTuple):
    """One compiled year: the open days with their closing times; the open intervals."""

    days: list[date]
    closings: list[datetime]
    opens: list[datetime]
    closes: list[datetime]


class Calendar:
    """The open hours of one place, for ever: years without a file follow the nearest year's week.

    Built by `compile_calendars`. Years are compiled when first asked for; what is compiled is one row of years.
    """

    def __init__(self, name: str, years: Sequence[CalendarYear]) -> None:
        self.name = name
        self.zone = ZoneInfo(years[0].zone)
        self._files = {year.year: year for year in years}
        self._special = {day.date: day for year in years for day in year.days if day.state == "confirmed"}
        confirmed = [year.year for year in years if year.state == "confirmed"]
        self._confirmed_until = max(confirmed, default=min(self._files) - 1)
        self._edges: dict[date, tuple[datetime, datetime]] = {}
        self._first = min(self._files)  # the first year that is compiled, and the first that is not any more
        self._end = self._first + 1
        self._from, self._until = self.at(date(self._first, 1, 1)), self.at(date(self._end, 1, 1))
        compiled = self._compile(self._first)
        self._days, self._closings, self._opens, self._closes = compiled
        # Working time since the first year with a file, before each open interval, and after the last.
        self._sums = list(accumulate(_lengths(compiled), initial=ZERO))

    def at(self, day: date, minutes: int = 0) -> datetime:
        """The instant so many minutes after local midnight, by the clock on the wall."""
        local = datetime.combine(day + DAY * (minutes // 1440), time(minutes % 1440 // 60, minutes % 60), self.zone)
        return local.astimezone(UTC)

    def day(self, instant: datetime) -> date:
        """The local date of an instant."""
        return instant.astimezone(self.zone).date()

    def edges(self, day: date) -> tuple[datetime, datetime]:
        """When that day begins, and when the day after it does."""
        edges = self._edges.get(day)
        if edges is None:
            edges = self._edges[day] = self.at(day), self.at(day + DAY)
        return edges

    def week(self, year: int) -> tuple[Shifts, ...]:
        """The shifts of each weekday in that year, Monday first."""
        nearest = min(self._files, key=lambda known: (abs(known - year), known))
        return self._files[nearest].week()

    def closing(self, day: date) -> datetime | None:
        """When the office closes for the day; None when it is closed all day."""
        self._reach_year(day.year)
        index = bisect_left(self._days, day)
        return self._closings[index] if index < len(self._days) and self._days[index] == day else None

    def is_open(self, day: date) -> bool:
        """Whether the office opens at all that day."""
        return self.closing(day) is not None

    def nth_open_day(self, day: date, count: int) -> date:
        """The ``count``-th day after ``day`` on which the office opens; ``day`` itself is not counted."""
        self._reach_year(day.year)
        index = bisect_right(self._days, day) + count - 1
        while index >= len(self._days):
            self._append()
        return self._days[index]

    def next_open_day(self, day: date) -> date:
        """The first day after ``day`` on which the office opens."""
        return self.nth_open_day(day, 1)

    def estimated(self, day: date) -> bool:
        """Whether the day lies beyond the last confirmed year, so that its days off are not yet decreed."""
        return day.year > self._confirmed_until

    def hours(self, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """The open intervals (opening, closing) that have some time between two instants, in order and whole."""
        self._reach_year(self.day(begin).year)
        self._reach_year(self.day(end).year)
        chosen = slice(bisect_right(self._closes, begin), bisect_left(self._opens, end))
        return list(zip(self._opens[chosen], self._closes[chosen], strict=True))

    def open_days(self, year: int) -> list[date]:
        """The days of that year on which the office opens, in order."""
        self._reach_year(year)
        return self._days[bisect_left(self._days, date(year, 1, 1)) : bisect_left(self._days, date(year + 1, 1, 1))]

    def worked(self, instant: datetime) -> timedelta:
        """Working time from the first known year to this instant; only differences mean something."""
        if not self._from <= instant < self._until:
            self._reach_year(self.day(instant).year)
        index = bisect_right(self._opens, instant) - 1
        if index < 0:
            return self._sums[0]
        if instant >= self._closes[index]:
            return self._sums[index + 1]
        return self._sums[index] + (instant - self._opens[index])

    def reach(self, worked: timedelta) -> datetime:
        """The earliest instant at which `worked` comes to that much."""
        while worked > self._sums[-1]:
            self._append()
        while worked <= self._sums[0]:
            self._prepend()
        index = bisect_left(self._sums, worked) - 1
        return self._opens[index] + (worked - self._sums[index])

    def opening(self, instant: datetime) -> datetime:
        """The instant itself when the office is open then, else the next opening."""
        self._reach_year(self.day(instant).year)
        index = bisect_right(self._opens, instant) - 1
        if index >= 0 and instant < self._closes[index]:
            return instant
        while index + 1 == len(self._opens):
            self._append()
        return self._opens[index + 1]

    def _reach_year(self, year: int) -> None:
        while year < self._first:
            self._prepend()
        while year >= self._end:
            self._append()

    def _append(self) -> None:
        """Compile the year after the last that is."""
        days, closings, opens, closes = compiled = self._compile(self._end)
        self._days += days
        self._closings += closings
        self._opens += opens
        self._closes += closes
        self._sums += list(accumulate(_lengths(compiled), initial=self._sums.pop()))
        self._end += 1
        self._until = self.at(date(self._end, 1, 1))

    def _prepend(self) -> None:
        """Compile the year before the first that is."""
        self._first -= 1
        days, closings, opens, closes = compiled = self._compile(self._first)
        lengths = _lengths(compiled)
        sums = list(accumulate(lengths, initial=self._sums[0] - sum(lengths, ZERO)))
        self._days = days + self._days
        self._closings = closings + self._closings
        self._opens = opens + self._opens
        self._closes = closes + self._closes
        self._sums = sums[:-1] + self._sums
        self._from = self.at(date(self._first, 1, 1))

    def _compile(self, year: int) -> _Compiled:
        days: list[date] = []
        closings: list[datetime] = []
        opens: list[datetime] = []
        closes: list[datetime] = []
        day, week = date(year, 1, 1), self.week(year)
        while day.year == year:
            special = self._special.get(day)
            shifts = week[day.weekday()] if special is None else _shifts_of(special, week)
            for begin, end in shifts:
                opening, closing = self.at(day, begin), self.at(day, end)
                if opening < closing:  # a shift inside the hour that daylight saving skips does not exist
                    opens.append(opening)
                    closes.append(closing)
            if shifts:
                days.append(day)
                closings.append(self.at(day, shifts[-1][1]))
            day += DAY
        return _Compiled(days, closings, opens, closes)


def _lengths(compiled: _Compiled) -> list[timedelta]:
    return [closing - opening for opening, closing in zip(compiled.opens, compiled.closes, strict=True)]


def _shifts_of(day: CalendarDay, week: tuple[Shifts, ...]) -> Shifts:
    if day.off:
        return ()
    return read_shifts(day.work) if isinstance(day.work, tuple) else week[0]


def compile_calendars(years: Sequence[CalendarYear]) -> dict[str, Calendar]:
    """The calendars that these files describe, by name. Raises as `compile_calendar` does."""
    by_name: dict[str, list[tuple[int, CalendarYear]]] = {}
    for index, year in enumerate(years):
        by_name.setdefault(year.calendar, []).append((index, year))
    return {name: compile_calendar(files) for name, files in by_name.items()}


def compile_calendar(files: Sequence[tuple[int, CalendarYear]]) -> Calendar:
    """The one calendar that these files describe; a fault names its file by the number that comes with it.

    Raises `ConfigError` for two files of one year, a year left out between two, and a zone that is
    unknown or changes.
    """
    files = sorted(files, key=lambda file: file[1].year)
    name = files[0][1].calendar
    for (_, earlier), (index, later) in pairwise(files):
        where: tuple[str | int, ...] = ("calendars", index, "year")
        if earlier.year == later.year:
            raise ConfigError("calendar_twice", f"calendar {name} has two files for {later.year}", where=where)
        if earlier.year + 1 < later.year:
            raise ConfigError("calendar_gap", f"calendar {name} has no file for {earlier.year + 1}", where=where)
        if earlier.zone != later.zone:
            message = f"calendar {name} changes its zone in {later.year}; give it another name"
            raise ConfigError("calendar_zone", message, where=("calendars", index, "zone"))
    first, year = files[0]
    try:
        return Calendar(name, [year for _, year in files])
    except (ZoneInfoNotFoundError, ValueError):
        message = f'"{year.zone}" is no zone (write a name such as Asia/Ho_Chi_Minh)'
        raise ConfigError("calendar_zone", message, where=("calendars", first, "zone")) from None


def working_time(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """How long the office was open between two instants; zero when end is not after start.

    >>> week = {"mon-fri": ("08:00-12:00", "13:00-17:00")}
    >>> office = compile_calendars([CalendarYear("vn", 2026, "Asia/Ho_Chi_Minh", week)])["vn"]
    >>> friday, monday = datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 9, 2, 30, tzinfo=UTC)
    >>> working_time(office, friday, monday)  # 16:00 to 09:30 in Hanoi, over a weekend
    datetime.timedelta(seconds=9000)
    """
    return calendar.worked(end) - calendar.worked(start) if end > start else ZERO


def add_working_time(calendar: Calendar, start: datetime, length: timedelta) -> datetime:
    """The earliest instant by which the office was open that long since ``start``.

    At the end of a shift it is the closing time, not the next opening. With nothing to add it is
    ``start`` itself, or the next opening when the office is closed then. Length is not negative.
    """
    if length <= ZERO:
        return calendar.opening(start)
    return calendar.reach(calendar.worked(start) + length)
