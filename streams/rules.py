"""Rules: all that an office has decided, as a timeline of editions; every cycle is judged by one of them.

An edition is what is in force together from an instant on: the limits, and every calendar. An open cycle is judged
by the newest edition in force, a closed one by that of its end, for ever.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from operator import attrgetter
from zoneinfo import ZoneInfo

from schemas.calendar import CalendarYear
from schemas.errors import ConfigError, InvalidRecord
from schemas.event import Event
from schemas.limits import LimitsFile
from schemas.office import Office, Unit
from streams.calendar import Calendar, compile_calendar
from streams.policy import Policy, compile_policies

_EVER = datetime.min.replace(tzinfo=UTC)  # the first edition holds from the beginning
KNOWN_CODES = 65_536  # codes that need not be matched again: those in work at one time in a city


class Edition:
    """What is in force together from ``begins`` on: calendars, and limits (None before the first of them)."""

    def __init__(
        self,
        begins: datetime,
        office: Office,
        units: Mapping[str, Unit],
        calendars: Mapping[str, Calendar],
        policy: Policy | None,
    ) -> None:
        self.begins = begins
        self.office = office
        self.calendars = calendars
        self.policy = policy
        self.home = calendars[office.calendar]
        self._reception = calendars[office.reception]
        self._processings = {unit.code: calendars[unit.calendar] for unit in units.values() if unit.calendar}
        self._receptions = {unit.code: calendars[unit.reception] for unit in units.values() if unit.reception}

    @property
    def in_force_from(self) -> datetime | None:
        """When it came into force; None for the first, which always was."""
        return self.begins if self.begins > _EVER else None

    def calendar(self, unit: str | None) -> Calendar:
        """The calendar by which this unit's time is counted."""
        return self.home if unit is None else self._processings.get(unit, self.home)

    def reception(self, unit: str | None) -> Calendar:
        """The calendar that decides the receipt date at this unit."""
        return self._reception if unit is None else self._receptions.get(unit, self._reception)


class Rules:
    """All that the office has decided, compiled: the editions, in the order in which they come into force.

    Built by `compile_rules`. The first edition holds from the beginning of time; ``policies`` are all limits.
    ``version`` rises whenever a file of limits or of a calendar is added or the version of any file raised.
    """

    def __init__(
        self,
        office: Office,
        units: Mapping[str, Unit],
        editions: Sequence[Edition],
        version: int,
    ) -> None:
        self.office = office
        self.units = units
        self.editions = tuple(editions)
        self.version = version
        self.policies = tuple(dict.fromkeys(edition.policy for edition in editions if edition.policy is not None))
        self.zone = self.newest.home.zone
        self.clock_runs_on = frozenset(office.clock_runs_on)
        self._begins = [edition.begins for edition in editions]
        self._dossier = re.compile(office.codes.dossier)
        self._procedure = re.compile(office.codes.procedure)
        self._dated = "yymmdd" in self._dossier.groupindex
        self._fault_of_dossier = lru_cache(KNOWN_CODES)(self._read_dossier)
        self._fault_of_procedure = lru_cache(KNOWN_CODES)(self._read_procedure)

    @property
    def newest(self) -> Edition:
        """The last edition, which may not be in force yet."""
        return self.editions[-1]

    def edition(self, instant: datetime) -> Edition:
        """The newest edition in force then."""
        return self.editions[bisect_right(self._begins, instant) - 1]

    def zone_of(self, unit: str | None) -> ZoneInfo:
        """The zone in which this unit's times are told; it is the same in every edition."""
        return self.newest.calendar(unit).zone

    def after(self, instant: datetime) -> tuple[Edition, ...]:
        """The editions that come into force later than that, in order."""
        return self.editions[bisect_right(self._begins, instant) :]

    def always(self) -> "Rules":
        """The same rules as if their newest edition had been in force from the beginning.

        With these themselves a cycle that ended before an edition is in force keeps the rules of its own time: a
        draft for next month changes nothing that is over.
        """
        newest = self.newest
        edition = Edition(_EVER, self.office, self.units, newest.calendars, newest.policy)
        return Rules(self.office, self.units, (edition,), self.version)

    def check_codes(self, event: Event) -> None:
        """Raise `InvalidRecord` unless dossier and procedure code follow the office's patterns."""
        fault = self._fault_of_dossier(event.dossier_code) or self._fault_of_procedure(event.procedure_code)
        if fault is not None:
            raise InvalidRecord("invalid_code", fault)

    def _read_dossier(self, code: str) -> str | None:
        found = self._dossier.fullmatch(code)
        if found is None:
            return "the dossier code does not follow the office's pattern"
        if self._dated and not _real_date(found["yymmdd"]):
            return "the date in the dossier code does not exist"
        return None

    def _read_procedure(self, code: str | None) -> str | None:
        if code is None or self._procedure.fullmatch(code) is not None:
            return None
        return "the procedure code does not follow the office's pattern"


def _real_date(yymmdd: str | None) -> bool:
    if yymmdd is None:
        return True
    try:
        date(2000 + int(yymmdd[:2]), int(yymmdd[2:4]), int(yymmdd[4:]))
    except ValueError:
        return False
    return True


def compile_rules(
    office: Office,
    units: Sequence[Unit],
    calendars: Sequence[CalendarYear],
    limits: Sequence[LimitsFile],
    *,
    units_version: int = 0,
) -> Rules:
    """The rules of these files together; ``units_version`` is that of the file of the units.

    Raises `ConfigError` for what only shows when they are read together: a calendar that is named
    but missing, two rules for the same dossiers, versions that do not rise with their dates.
    """
    for where, name in _named_calendars(office, units):
        if all(year.calendar != name for year in calendars):
            raise ConfigError("calendar_missing", f'the calendar "{name}" has no file in calendars/', where=where)
    if not limits:
        raise ConfigError(
            "limits_missing", "there is no limits.yaml; write at least one rule: {match: {}, limit: {unit: none}}"
        )
    files = _Files(calendars)
    midnight = files.on(date.max)[office.calendar].at
    policies = [(file.in_force_from, policy) for file, policy in compile_policies(limits, office, midnight)]
    days = {day for day, _ in policies} | {year.in_force_from for year in calendars if year.in_force_from is not None}
    entries = _Entries(units)
    editions = [Edition(_EVER, office, entries.on(date.min), files.on(date.min), None)]
    for day in sorted(days | entries.days):
        policy = max((policy for begins, policy in policies if begins <= day), key=attrgetter("version"), default=None)
        editions.append(Edition(midnight(day), office, entries.on(day), files.on(day), policy))
    dated = sum(file.version for file in limits) + sum(year.version for year in calendars)
    return Rules(office, entries.on(date.max), editions, dated + office.version + units_version)


class _Files:
    """The files of all calendars, and what is compiled of those that are in force on a day."""

    def __init__(self, years: Sequence[CalendarYear]) -> None:
        self._compiled: dict[tuple[int, ...], Calendar] = {}
        self._by_name: dict[str, list[tuple[int, CalendarYear]]] = {}
        for index, year in sorted(enumerate(years), key=lambda file: _since(file[1])):
            before = [
                earlier for _, earlier in self._by_name.setdefault(year.calendar, []) if earlier.year == year.year
            ]
            if before and before[-1].version == year.version:
                message = f"calendar {year.calendar} has two files for {year.year} with version {year.version}"
                raise ConfigError("calendar_twice", message, where=("calendars", index, "year"))
            if before and before[-1].zone != year.zone:
                message = f"calendar {year.calendar} changes its zone; give it another name"
                raise ConfigError("calendar_zone", message, where=("calendars", index, "zone"))
            if before and before[-1].version > year.version:
                message = f"version {year.version} comes into force after version {before[-1].version}; raise it"
                raise ConfigError("version_order", message, where=("calendars", index, "version"))
            self._by_name[year.calendar].append((index, year))

    def on(self, day: date) -> dict[str, Calendar]:
        """The calendars by name, each of the files in force that day; of a calendar that has none yet, the first."""
        return {name: self._calendar(_in_force(files, day)) for name, files in self._by_name.items()}

    def _calendar(self, files: list[tuple[int, CalendarYear]]) -> Calendar:
        key = tuple(index for index, _ in files)
        if key not in self._compiled:
            self._compiled[key] = compile_calendar(files)
        return self._compiled[key]


def _since(year: CalendarYear) -> tuple[date, int]:
    return year.in_force_from or date.min, year.version


def _in_force(files: list[tuple[int, CalendarYear]], day: date) -> list[tuple[int, CalendarYear]]:
    """Of each year the newest file in force that day, by year."""
    first = _since(files[0][1])[0]
    newest = {year.year: (index, year) for index, year in files if _since(year)[0] <= max(day, first)}
    return [newest[number] for number in sorted(newest)]


def _named_calendars(office: Office, units: Sequence[Unit]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    yield ("office", "calendar"), office.calendar
    yield ("office", "reception"), office.reception
    for index, unit in enumerate(units):
        if unit.calendar is not None:
            yield ("units", index, "calendar"), unit.calendar
        if unit.reception is not None:
            yield ("units", index, "reception"), unit.reception


class _Entries:
    """The entries of ``units.yaml``, and which of them is in force on a day; of a unit that has none yet, its first."""

    def __init__(self, units: Sequence[Unit]) -> None:
        self._by_code: dict[str, list[Unit]] = {}
        for index, unit in sorted(enumerate(units), key=lambda numbered: numbered[1].begins or date.min):
            entries = self._by_code.setdefault(unit.code, [])
            if entries and entries[-1].begins == unit.begins:
                raise ConfigError("unit_twice", f"unit {unit.code} stands twice", where=("units", index, "code"))
            entries.append(unit)
        #: The days from which another entry holds than before.
        self.days = {
            each.begins for entries in self._by_code.values() for each in entries[1:] if each.begins is not None
        }

    def on(self, day: date) -> dict[str, Unit]:
        """The units by code, each with its entry of that day."""
        return {code: _last(entries, day) for code, entries in self._by_code.items()}


def _last(entries: Sequence[Unit], day: date) -> Unit:
    return [entries[0], *(each for each in entries[1:] if each.begins is not None and each.begins <= day)][-1]
