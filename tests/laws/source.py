"""Worlds and events as Python source: paste it, and they are there again."""

from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta

from schemas.calendar import CalendarYear
from tests.laws.worlds import CALENDARS

#: What the source needs.
IMPORTS = """\
from datetime import date
from schemas.calendar import CalendarDay, CalendarYear
from schemas.event import Event
from schemas.limits import Limit, LimitRule, LimitsFile, Match, NearDue
from schemas.office import Levels, Office, Unit
from tests.hanoi import at
from tests.laws.comparison import Difference
from tests.laws.worlds import World, known"""


def source(value: object) -> str:
    """An expression that makes this value.

    >>> source((1, date(2026, 3, 2)))
    '(1, date(2026, 3, 2),)'
    """
    match value:
        case CalendarYear() if value in CALENDARS:
            return f"known({value.calendar!r}, {value.year})"
        case datetime():
            return f'at("{value.isoformat()}")'
        case date():
            return f"date({value.year}, {value.month}, {value.day})"
        case timedelta():  # as the office writes it
            return f'"{value.total_seconds()}s"'
        case tuple():
            return "(" + "".join(f"{source(part)}, " for part in value).removesuffix(" ") + ")"
        case dict():
            return "{" + ", ".join(f"{source(key)}: {source(part)}" for key, part in value.items()) + "}"
        case _ if is_dataclass(value):
            return f"{type(value).__name__}({', '.join(_arguments(value))})"
        case _:
            return repr(value)


def _arguments(value: object) -> list[str]:
    """What is not as by default."""
    written = []
    for field in fields(value):  # type: ignore[arg-type]
        part = getattr(value, field.name)
        default = field.default if field.default_factory is MISSING else field.default_factory()
        if default is MISSING or part != default:
            written.append(f"{field.name}={source(part)}")
    return written
