"""Open hours, by walking them: one day after the other, one shift after the other."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.calendar import CalendarYear
from tests.oracle import readings

ZERO = timedelta(0)
DAY = timedelta(days=1)
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

Open = tuple[datetime, datetime]  #: from (inclusive), to (exclusive), in UTC


def minutes(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


def read(shifts: Sequence[str]) -> list[tuple[int, int]]:
    """Shifts in minutes after midnight."""
    return sorted((minutes(text.split("-")[0]), minutes(text.split("-")[1])) for text in shifts)


def week_of(year: CalendarYear) -> list[list[tuple[int, int]]]:
    """The shifts of Monday to Sunday."""
    week: list[list[tuple[int, int]]] = [[] for _ in WEEKDAYS]
    for key, shifts in year.shifts.items():
        first, last = (key.split("-") * 2)[:2]
        for weekday in range(WEEKDAYS.index(first), WEEKDAYS.index(last) + 1):
            week[weekday] = read(shifts)
    return week


class Hours:
    """One calendar: its open hours on any day."""

    def __init__(self, years: Sequence[CalendarYear]) -> None:
        self.name = years[0].calendar
        self.years = {year.year: year for year in years}
        self.weeks = {year.year: week_of(year) for year in years}
        self.zone = ZoneInfo(years[0].zone)
        self.known: dict[date, list[Open]] = {}  # a day that was walked once need not be worked out again
        self.sums: dict[date, timedelta] = {}
        confirmed = [year.year for year in years if year.state == "confirmed"]
        first = 0 if readings.WITHOUT_A_CONFIRMED_YEAR_EVERY_DATE_IS_ESTIMATED else min(self.years) - 1
        self.last_confirmed = max(confirmed, default=first)

    def shifts(self, day: date) -> list[tuple[int, int]]:
        """The shifts of a day in minutes after local midnight."""
        year = self.years.get(day.year)
        if year is None:  # nobody wrote that year: the week of the nearest one, without special days
            earlier = [number for number in self.years if number < day.year]
            return self.weeks[max(earlier) if earlier else min(self.years)][day.weekday()]
        week = self.weeks[day.year]
        for special in year.days:
            if special.date == day and special.state == "confirmed":
                if special.off:
                    return []
                return read(special.work) if isinstance(special.work, tuple) else week[0]
        return week[day.weekday()]

    def local(self, day: date, minute: int = 0) -> datetime:
        """The instant of a wall clock time (24:00 is the next midnight)."""
        if minute == 24 * 60:
            day, minute = day + DAY, 0
        return datetime.combine(day, time(minute // 60, minute % 60), self.zone).astimezone(UTC)

    def open_on(self, day: date) -> list[Open]:
        """The open hours of a day, as instants."""
        if day not in self.known:
            self.known[day] = [(self.local(day, begin), self.local(day, end)) for begin, end in self.shifts(day)]
        return self.known[day]

    def open_time(self, day: date) -> timedelta:
        """How long it is open on a day."""
        if day not in self.sums:
            self.sums[day] = sum((max(closes - opens, ZERO) for opens, closes in self.open_on(day)), ZERO)
        return self.sums[day]

    def works(self, day: date) -> bool:
        return bool(self.open_on(day))

    def next_working_day(self, day: date) -> date:
        """The first working day after this one."""
        day += DAY
        while not self.works(day):
            day += DAY
        return day

    def closing(self, day: date) -> datetime:
        """The end of the last shift of a working day."""
        return self.open_on(day)[-1][1]

    def day_of(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two instants: the sum over days and shifts of what overlaps."""
        total = ZERO
        if end <= start:
            return total
        first, last = self.day_of(start), self.day_of(end)
        day = first
        while day <= last:
            if first < day < last:
                total += self.open_time(day)
            else:
                for opens, closes in self.open_on(day):
                    total += max(min(closes, end) - max(opens, start), ZERO)
            day += DAY
        return total

    def after(self, start: datetime, amount: timedelta) -> tuple[datetime, date]:
        """The earliest instant with this much working time since ``start``, and the day whose shift it ends in.

        Nothing to add: ``start`` itself, or the next opening when it is closed then.
        """
        day = first = self.day_of(start)
        while True:
            if day > first and amount > self.open_time(day):
                amount -= self.open_time(day)
            else:
                for opens, closes in self.open_on(day):
                    begin = max(opens, start)
                    if begin >= closes:
                        continue
                    if begin + amount <= closes:
                        return begin + amount, day
                    amount -= closes - begin
            day += DAY

    def before(self, end: datetime, amount: timedelta) -> datetime:
        """The earliest instant from which no more than this much working time is left until ``end``."""
        day = last = self.day_of(end)
        while True:
            if day < last and amount >= self.open_time(day):
                amount -= self.open_time(day)
                day -= DAY
                continue
            for begin, closes in reversed(self.open_on(day)):
                stretch_end = min(closes, end)
                if begin < stretch_end:
                    if stretch_end - begin > amount:
                        return stretch_end - amount
                    amount -= stretch_end - begin
            day -= DAY

    def midnight_after(self, day: date) -> datetime:
        """The first instant of the day after."""
        return self.local(day + DAY)

    def is_estimate(self, day: date) -> bool:
        return day.year > self.last_confirmed


class Files(tuple[CalendarYear, ...]):
    """The files of one calendar, one a year, by which its hours can be found again."""

    def __hash__(self) -> int:
        return hash(tuple((file.calendar, file.year, file.version) for file in self))


@lru_cache(64)
def hours_of(files: Files) -> Hours:
    """The open hours of these files; asked again for the same files, the same object, with the days it walked."""
    return Hours(files)
