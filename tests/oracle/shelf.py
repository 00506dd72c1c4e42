"""All that an office ever decided: which rulebook is in force at an instant (§5.11)."""

from collections.abc import Sequence
from datetime import datetime

from schemas.calendar import CalendarYear
from schemas.limits import LimitsFile
from schemas.office import Office, Unit
from tests.oracle.rulebook import Rulebook
from tests.oracle.worktime import Files, Hours, hours_of


class Shelf:
    """The files of an office. A new rulebook begins wherever any file comes into force."""

    def __init__(
        self, office: Office, units: Sequence[Unit], calendars: Sequence[CalendarYear], limits: Sequence[LimitsFile]
    ) -> None:
        self.office = office
        self.units = {unit.code: unit for unit in units}
        self.calendars = calendars
        self.limits = limits
        home = next(file for file in calendars if file.calendar == office.calendar)
        self.wall = hours_of(Files([home]))  # dates begin at midnight in the zone of the office's calendar
        dates = {file.in_force_from for file in limits} | {file.in_force_from for file in calendars}
        self.begins = sorted(self.wall.local(day) for day in dates if day is not None)
        self.books: dict[int, Rulebook] = {}

    def at(self, instant: datetime) -> Rulebook:
        """What is in force together at an instant."""
        chapter = sum(begin <= instant for begin in self.begins)
        if chapter not in self.books:
            names = {file.calendar for file in self.calendars}
            hours = {name: self.hours(name, instant) for name in names}
            self.books[chapter] = Rulebook(self.office, self.units, hours, self.policy(instant))
        return self.books[chapter]

    def in_force(self, file: CalendarYear | LimitsFile, instant: datetime) -> bool:
        """Whether it is in force by then; without a date it is from the beginning."""
        return file.in_force_from is None or self.wall.local(file.in_force_from) <= instant

    def hours(self, name: str, instant: datetime) -> Hours:
        """A calendar by its newest files in force; while none is, by those that will be the first."""
        files = [file for file in self.calendars if file.calendar == name]
        held = [file for file in files if self.in_force(file, instant)]
        if not held:
            first = min(file.in_force_from for file in files if file.in_force_from is not None)
            held = [file for file in files if file.in_force_from == first]
        newest = {file.year: file for file in sorted(held, key=lambda file: file.version)}
        return hours_of(Files(newest[year] for year in sorted(newest)))

    def policy(self, instant: datetime) -> LimitsFile | None:
        """The newest limits file in force."""
        held = [file for file in self.limits if self.in_force(file, instant)]
        return max(held, key=lambda file: file.version, default=None)
