"""A small Hanoi for tests: its calendars, an office, and events written briefly."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import count

from schemas.calendar import CalendarDay, CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Codes, Office, Unit
from streams.history import History, add
from streams.rules import Rules, compile_rules

WEEK: dict[str, tuple[str, ...]] = {"mon-fri": ("08:00-12:00", "13:00-17:00")}
ZONE = "Asia/Ho_Chi_Minh"

OFF = {
    2025: ("1-1", "1-27", "1-28", "1-29", "1-30", "1-31", "4-7", "4-30", "5-1", "5-2", "9-1", "9-2"),
    2026: (
        *("1-1", "1-2", "2-16", "2-17", "2-18", "2-19", "2-20", "4-27", "4-30", "5-1"),
        *("8-31", "9-1", "9-2", "11-24"),
    ),
    2027: ("1-1", "2-4", "2-5", "2-8", "2-9", "2-10", "4-16", "4-30", "5-3", "9-2", "9-3", "11-24"),
}
WORKED = {2025: ("4-26",), 2026: ("1-10", "8-22"), 2027: ()}


def _day(year: int, month_day: str) -> date:
    month, day = month_day.split("-")
    return date(year, int(month), int(day))


def calendar_year(year: int, name: str = "vn", shifts: dict[str, tuple[str, ...]] | None = None) -> CalendarYear:
    """One year of the calendar of Hanoi."""
    return CalendarYear(
        calendar=name,
        year=year,
        zone=ZONE,
        shifts=shifts or WEEK,
        state="estimated" if year == 2027 else "confirmed",
        days=(
            *(CalendarDay(date=_day(year, day), off=True) for day in OFF[year]),
            *(CalendarDay(date=_day(year, day), work=True) for day in WORKED[year]),
        ),
    )


def rules(
    *limit_rules: LimitRule,
    limit: Limit | None = None,
    units: Sequence[Unit] = (),
    calendars: Sequence[CalendarYear] = (),
    office: Office | None = None,
) -> Rules:
    """Rules of Hanoi with these limits (one ``limit`` for all, or rules of their own)."""
    written = limit_rules or ((LimitRule(Match(), limit),) if limit is not None else ())
    return compile_rules(
        office or Office(calendar="vn", reception="vn", codes=Codes()),
        units,
        [*(calendar_year(year) for year in (2025, 2026, 2027)), *calendars],
        [LimitsFile(version=1, in_force_from=date(2020, 1, 1), rules=tuple(written))],
    )


def at(text: str) -> datetime:
    """An instant; without an offset it is Hanoi time.

    >>> at("2026-03-02T09:00")
    datetime.datetime(2026, 3, 2, 2, 0, tzinfo=datetime.timezone.utc)
    """
    instant = datetime.fromisoformat(text)
    return (instant if instant.tzinfo else datetime.fromisoformat(f"{text}+07:00")).astimezone(UTC)


_numbers = count(1)


def event(status: int | None, when: str, **fields: object) -> Event:
    """An event of one dossier; absent codes are filled in."""
    values: dict[str, object] = {
        "event_id": f"e{next(_numbers)}",
        "dossier_code": "H26.12-260302-0001",
        "at": at(when),
        "status": status,
    }
    if status is not None:
        values |= {"procedure_code": "1.004441", "processing_unit": "H26.12"}
    if isinstance(fields.get("due"), str):
        fields["due"] = at(str(fields["due"]))
    return Event(**(values | fields))  # type: ignore[arg-type]


def history(*events: Event) -> History:
    """The history that these events make."""
    known = History(events[0].dossier_code)
    for one in events:
        known = add(known, one)
    return known
