"""The city of the demonstration: ten days of Hanoi, one branch of which falls silent, and what is true of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from agents.city.chronicle import Chronicle, Plan, last_office_instant, working_days_back
from agents.city.dirt import Record
from agents.drivers.desk import Desk
from streams.rules import Rules

DAYS, SCALE, SEED, DIRT = 10, 0.05, 766, 1.0
LATE = 2.0  # percent: as many as the worst offices have, so that a small city has something to show
SILENT_BRANCH = "H26.07"
SILENT_FOR = timedelta(hours=3, minutes=30)  # office hours before the end: longer than a feed may be silent

#: What is compared, of what the city knows of each cycle; the causes are its own.
_COMPARED = (
    *("status", "clock", "received_at", "due_original", "due_current", "remaining_seconds", "ended_at", "verdict"),
    *("verdict_unextended", "working_seconds", "paused_seconds", "off_seconds", "wall_seconds"),
    *("late_working_seconds", "late_unextended_seconds", "breached_in"),
)

_INSTANTS = frozenset({"received_at", "due_original", "due_current", "ended_at"})


@dataclass(slots=True)
class DemoCity:
    """The log in two parts, what arrives and what the silent branch holds back; its truth is as of ``now``.

    It ends at the last office instant before ``now``, whatever day and hour that is.
    """

    rules: Rules
    now: datetime
    records: list[Record] = field(default_factory=list)
    held_back: list[Record] = field(default_factory=list)
    truth: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    refused: int = 0

    @property
    def until(self) -> datetime:
        """The end of the log."""
        return last_office_instant(self.rules, self.now)

    @property
    def silent_since(self) -> datetime:
        """From when on nothing comes from the silent branch."""
        calendar = self.rules.newest.home
        return calendar.reach(calendar.worked(self.until) - SILENT_FOR)

    def make(self) -> None:
        """Tell the city's story; the records stand in the order of their arrival."""
        begin = working_days_back(self.rules, self.until, DAYS)
        chronicle = Chronicle(self.rules, Plan(begin, self.until, SEED, SCALE, LATE, DIRT, self.now))
        source = chronicle.city.places.source(SILENT_BRANCH).encode()
        cut = int(self.silent_since.timestamp())
        for record in chronicle.records(self._hear):
            silent = record.arrives >= cut and b'"source":"%s"' % source in record.value
            (self.held_back if silent else self.records).append(record)

    def _hear(self, told: dict[str, Any]) -> None:
        if told["kind"] == "cycle":
            self.truth[told["dossier_code"], told["cycle"]] = told
        elif told["kind"] == "refused":
            self.refused += told["records"]

    def differences(self, desk: Desk) -> tuple[int, list[str]]:
        """How many cycles ClickHouse answers as the city knows them, and each difference in words.

        Measured at ``now``; a cycle whose answer has changed by itself since then is left out.
        """
        columns = ", ".join(_COMPARED)
        found = desk.rows(
            f"SELECT dossier_code, cycle, version_as_of, {columns} FROM {{db}}.desk_assessments_at(now = %(now)s)"  # noqa: S608 - names are ours, values are parameters
            " WHERE startsWith(dossier_code, 'H26.') AND NOT startsWith(dossier_code, 'H26.24-')",
            {"now": f"{self.now:%Y-%m-%d %H:%M:%S}"},
        )
        rows = {(code, cycle): (as_of, values) for code, cycle, as_of, *values in found}
        same, differing = 0, [f"{code} {cycle}: only in ClickHouse" for code, cycle in rows.keys() - self.truth.keys()]
        for key, known in self.truth.items():
            if key not in rows:
                differing.append(f"{key[0]} {key[1]}: not in ClickHouse")
                continue
            as_of, values = rows[key]
            if as_of > self.now:
                continue
            wrong = list(_wrong(key, known, values))
            same += not wrong
            differing += wrong
        return same, differing


def _wrong(key: tuple[str, int], known: dict[str, Any], values: list[Any]) -> Iterator[str]:
    for name, value in zip(_COMPARED, values, strict=True):
        if _plain(known[name], name in _INSTANTS) != _plain(value, name in _INSTANTS):
            yield f"{key[0]} {key[1]}: {name} is {value}, the city knows {known[name]}"


def _plain(value: Any, is_instant: bool) -> Any:
    """A value without the way it is written: an instant, a number, a word."""
    if isinstance(value, str) and is_instant:
        return datetime.fromisoformat(value)
    return value if value is None or isinstance(value, str | datetime) else float(value)


def as_lines(records: list[Record]) -> bytes:
    """The records as a file of JSON lines."""
    return b"".join(record.value.replace(b"\n", b" ") + b"\n" for record in records)
