"""The configuration folder: what an office decides, read once, whole, or not at all.

Every fault is a `ConfigError` with file, line and what to write instead. A folder with a fault is
refused: half a configuration would judge dossiers wrongly without a word.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import orjson

from agents.yamlfile import Document, fit_all, read_file
from schemas.calendar import CalendarYear
from schemas.dossier import digest
from schemas.errors import ConfigError
from schemas.limits import LimitsFile
from schemas.office import Codes, Office, Unit, UnitsFile
from schemas.rulebook import Rulebook
from streams.rules import Rules, compile_rules

T = TypeVar("T")

#: The files of the folder; another YAML file is most likely one of these, misspelt.
_OFFICE, _UNITS, _ALERTS = "office.yaml", "units.yaml", "alerts.yaml"
_PATTERNS = (_OFFICE, _UNITS, _ALERTS, "limits*.yaml")


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder without a fault: its files as written, and the rules they make together.

    ``book`` is the name of these rules; ``places`` says where the version of each file that it names stands.
    """

    path: Path
    office: Office
    units: tuple[Unit, ...]
    calendars: tuple[CalendarYear, ...]
    limits: tuple[LimitsFile, ...]
    rules: Rules
    book: Rulebook
    places: Mapping[str, tuple[str, int]]


def load(path: Path) -> Rules:
    """The rules of the configuration folder; raises `ConfigError` with its first fault, in place."""
    return load_folder(path).rules


def load_folder(path: Path) -> Folder:
    """The configuration folder; raises `ConfigError` with its first fault, in place."""
    folder, faults = check(path)
    if folder is None:
        first, *others = faults
        more = f" (and {len(others)} more: dunghan doctor shows all)" if others else ""
        raise ConfigError(first.reason, first.message + more, path=first.path, line=first.line)
    return folder


def check(path: Path) -> tuple[Folder | None, tuple[ConfigError, ...]]:
    """The configuration folder, or every fault that can be told at once."""
    reading = _Reading()
    if not path.is_dir():
        return None, (ConfigError("config_missing", "there is no such folder", path=str(path)),)
    reading.faults += _strangers(path)
    office = reading.required(path / _OFFICE, Office)
    calendars = reading.every(path / "calendars", "*.yaml", CalendarYear)
    limits = reading.every(path, "limits*.yaml", LimitsFile)
    units = reading.optional(path / _UNITS, UnitsFile)
    reading.syntax(path / _ALERTS, *_visible(path / "sources", "*.yaml"))
    if office is None or reading.faults:
        return None, tuple(reading.faults)
    listed = units.units if units is not None else ()
    try:
        rules = compile_rules(
            office, listed, calendars, limits, units_version=units.version if units is not None else 0
        )
    except ConfigError as fault:
        return None, (reading.placed(fault, path),)
    named = {_name(kind, file): file for kind, files in reading.documents.items() for file in files}
    contents = {name: digest(orjson.dumps(named[name].plain, option=orjson.OPT_SORT_KEYS)) for name in sorted(named)}
    places = {name: (document.path, document.line(("version",))) for name, document in named.items()}
    return Folder(path, office, listed, calendars, limits, rules, Rulebook(rules.version, contents), places), ()


def _name(kind: str, document: Document) -> str:
    """What the file is, and its version: the same name must always say the same."""
    plain = cast("dict[str, object]", document.plain)  # it has fitted its model
    if kind == "calendars":
        return f"calendar {plain['calendar']} {plain['year']} version {plain.get('version', 1)}"
    return f"{kind} version {plain.get('version', 0)}"


class _Reading:
    """What has been read so far, with its faults and the documents to find lines in."""

    def __init__(self) -> None:
        self.faults: list[ConfigError] = []
        self.documents: dict[str, list[Document]] = {"office": [], "calendars": [], "limits": [], "units": []}

    def _fit(self, path: Path, model: type[T], kind: str) -> T | None:
        try:
            document = read_file(path)
        except ConfigError as fault:
            self.faults.append(fault)
            return None
        value, faults = fit_all(document, model)
        self.faults += faults
        self.documents[kind].append(document)
        return value

    def required(self, path: Path, model: type[T]) -> T | None:
        """The file, which must be there."""
        return self._fit(path, model, path.stem)

    def optional(self, path: Path, model: type[T]) -> T | None:
        """The file, or None when there is none."""
        return self._fit(path, model, path.stem) if path.exists() else None

    def every(self, folder: Path, pattern: str, model: type[T]) -> tuple[T, ...]:
        """All files of one kind, in the order of their names; there must be one."""
        kind = "limits" if pattern.startswith("limits") else folder.name
        paths = _visible(folder, pattern)
        if not paths:
            self.faults.append(ConfigError("config_missing", f"there is no {pattern}", path=str(folder)))
        values = [self._fit(path, model, kind) for path in paths]
        return tuple(value for value in values if value is not None)

    def syntax(self, *paths: Path) -> None:
        """Check that the files, where they are there, are YAML."""
        for path in paths:
            try:
                if path.exists():
                    read_file(path)
            except ConfigError as fault:
                self.faults.append(fault)

    def placed(self, fault: ConfigError, folder: Path) -> ConfigError:
        """The fault of several files together, with file and line of the thing that it names."""
        kind, *inside = fault.where or ("",)
        documents = self.documents.get(str(kind), [])
        if kind in ("calendars", "limits") and inside:
            documents, inside = documents[int(inside[0]) :], inside[1:]
        if not documents:
            return ConfigError(fault.reason, fault.message, path=fault.path or str(folder), line=fault.line)
        line = documents[0].line(["units", *inside] if kind == "units" else inside)
        return ConfigError(fault.reason, fault.message, path=documents[0].path, line=line)


def _visible(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))


def _strangers(folder: Path) -> Iterator[ConfigError]:
    """A fault for every YAML file that would be passed over without a word."""
    inner = [path for name in ("calendars", "sources") for path in _visible(folder / name, "*.yml")]
    for path in sorted([*_visible(folder, "*.y*ml"), *inner]):
        if path.suffix == ".yml":
            yield ConfigError("config_stranger", "rename it to .yaml", path=str(path))
        elif not any(path.match(pattern) for pattern in _PATTERNS):
            names = ", ".join(_PATTERNS)
            yield ConfigError("config_stranger", f"no such file is known; it is one of: {names}", path=str(path))


def describe(folder: Folder) -> tuple[str, ...]:
    """What holds in this folder, line by line, for a person to compare with the decrees."""
    office, codes = folder.office, Codes()
    own = [name for name in ("dossier", "procedure") if getattr(office.codes, name) != getattr(codes, name)]
    return (
        f"calendar {office.calendar}, reception {office.reception}, receipt {office.receipt}",
        *(f"{name} codes: {getattr(office.codes, name)}" for name in own),
        *_calendar_lines(folder),
        *_limits_lines(folder.limits),
        f"rules version {folder.rules.version}: the versions of all files together",
        f"units: {_units_line(folder.units)}",
    )


def _calendar_lines(folder: Folder) -> Iterator[str]:
    for year in sorted(folder.calendars, key=lambda year: (year.calendar, year.year, year.version)):
        since = year.in_force_from
        edition = (
            folder.rules.editions[0] if since is None else folder.rules.edition(folder.rules.newest.home.at(since))
        )
        proposed = [day.date.strftime("%d/%m") for day in year.days if day.state == "proposed"]
        ignored = f", proposed and not counted: {', '.join(proposed)}" if proposed else ""
        version = f", version {year.version}, in force from {since:%d/%m/%Y}" if since is not None else ""
        open_days = len(edition.calendars[year.calendar].open_days(year.year))
        said = f"{year.state}, {open_days} open days, {year.zone}{version}{ignored}"
        yield f"calendar {year.calendar} {year.year}: {said}"


def _limits_lines(limits: Sequence[LimitsFile]) -> Iterator[str]:
    for file in sorted(limits, key=lambda file: file.version):
        yield f"limits version {file.version}: {len(file.rules)} rules, in force from {file.in_force_from:%d/%m/%Y}"


def _units_line(units: Sequence[Unit]) -> str:
    own = [unit.code for unit in units if unit.calendar is not None or unit.reception is not None]
    return f"{len(units)}" + (f", with a calendar of their own: {', '.join(own)}" if own else "")
