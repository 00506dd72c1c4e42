"""Explain, in words: phrases in which every figure is still a figure, so that each layout can show and mark it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from string import Formatter
from zoneinfo import ZoneInfo

from agents.messages import clock_text, day_text, instant_text, working_text

Value = datetime | date | timedelta


@dataclass(frozen=True, slots=True)
class Figure:
    """An instant, a day or a length of time, and how it reads.

    ``words`` is a length in words, ``short`` a time without its year, ``date`` a midnight that names a day.
    """

    value: Value
    style: str = ""

    def text(self, zone: ZoneInfo) -> str:
        """As an officer reads it."""
        match self.value:
            case timedelta():
                return working_text(self.value) if self.style == "words" else clock_text(self.value)
            case datetime() if self.style == "date" and not any(self.value.astimezone(zone).timetuple()[3:6]):
                return day_text(self.value.astimezone(zone))
            case datetime():
                return instant_text(self.value, zone, year=self.style != "short")
            case _:
                return day_text(self.value, year=self.style != "short")


Phrase = tuple[str | Figure, ...]


def phrase(template: str, **values: object) -> Phrase:
    """A template with its braces filled: figures stay figures, the rest is text.

    >>> phrase("Hạn {day}, {unit}", day=date(2026, 3, 2), unit="H26")
    ('Hạn ', Figure(value=datetime.date(2026, 3, 2), style=''), ', ', 'H26')
    """
    parts: list[str | Figure] = []
    for text, name, style, _ in Formatter().parse(template):
        if text:
            parts.append(text)
        if name is not None:
            value = values[name]
            parts.append(Figure(value, style or "") if isinstance(value, Value) else str(value))
    return tuple(parts)


def joined(phrases: Iterable[Phrase], between: str) -> Phrase:
    """Phrases one after the other.

    >>> joined([("a",), ("b",)], "; ")
    ('a', '; ', 'b')
    """
    parts: list[str | Figure] = []
    for number, each in enumerate(phrases):
        parts += [between, *each] if number else each
    return tuple(parts)


def plain(words: Phrase, zone: ZoneInfo) -> str:
    """The phrase as text."""
    return "".join(part if isinstance(part, str) else part.text(zone) for part in words)
