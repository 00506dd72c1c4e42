"""Explain: one dossier laid out so that a clerk with a calendar can check every figure.

Every segment of every cycle has its line: from, to, who held it, whether the clock ran, and how its
time divides into running, paused and off hours. The totals are added up from these lines.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from agents import messages
from agents.messages import clock_text, day_text, instant_text, limit_text, working_text
from schemas.assessment import Cycle, Level, Segment
from schemas.calendar import Shifts
from streams.calendar import DAY, ZERO, Calendar, working_time
from streams.history import History
from streams.ledger import Measures, measure
from streams.limits import Rules
from streams.verdict import assess

_INDENT = "  "
_HEADER = ("Từ", "Đến", "Đơn vị", "Bước", "Đồng hồ", "Giải quyết", "Tạm dừng", "Ngoài giờ", "Cộng")
_FIGURES = 4  # the last columns of it


def explain(history: History, rules: Rules, *, now: datetime) -> Iterator[str]:
    """The lines that explain a dossier at ``now``; events dated after it are left out."""
    known = History(history.dossier_code, tuple(event for event in history.events if event.at <= now))
    answer = assess(known, rules, now=now)
    yield f"Hồ sơ {history.dossier_code} · xét đến {instant_text(now, rules.zone)} ({rules.zone.key})"
    if not answer.cycles:
        yield "Chưa có sự kiện nào về trạng thái."
    for cycle in answer.cycles:
        yield ""
        yield from _cycle(cycle, rules, now)


def _cycle(cycle: Cycle, rules: Rules, now: datetime) -> Iterator[str]:
    zone = rules.calendar(cycle.unit).zone
    yield f"Lần giải quyết {cycle.cycle}: {messages.STATUSES[cycle.status]} · {_conclusion(cycle)}"
    yield from _aligned(_facts(cycle, rules, zone, measure(cycle, rules, now=now)))
    if cycle.segments:
        yield ""
        yield from _ledger(cycle, rules, zone, now)


def _conclusion(cycle: Cycle) -> str:
    clock, verdict = messages.CLOCKS[cycle.clock], messages.VERDICTS[cycle.verdict]
    return verdict if cycle.clock in ("stopped", "never") else f"{verdict}, đồng hồ {clock}"


def _facts(cycle: Cycle, rules: Rules, zone: ZoneInfo, spent: Measures) -> Iterator[tuple[str, str]]:
    """What is known of the cycle, each with its name; what is absent is left out."""
    yield "Thủ tục", ", ".join(_subject(cycle))
    yield "Đơn vị", _unit(cycle.unit, rules)
    if cycle.limit is not None:
        yield "Thời hạn", limit_text(cycle.limit)
    dues = (
        ("Hạn ban đầu", cycle.due_original),
        ("Hạn hiện tại", cycle.due_current),
        ("Hạn không kể gia hạn", cycle.due_unextended),
    )
    for name, due in dues:
        if due is not None:
            yield name, instant_text(due, zone)
    if spent.remaining is not None and cycle.verdict == "in_time":
        yield "Còn lại", working_text(spent.remaining)
    if spent.late:
        yield "Quá hạn", f"{working_text(spent.late)}, tại {_unit(cycle.breached_in, rules)}"
    if cycle.level is not Level.NONE:
        yield "Mức cảnh báo", messages.LEVELS[cycle.level]
    yield "Theo QĐ 766", messages.VERDICTS_766[cycle.verdict_766]
    if cycle.verdict_unextended != cycle.verdict:
        yield "Nếu không gia hạn", messages.VERDICTS[cycle.verdict_unextended]
    if cycle.flags:
        yield "Lưu ý", "; ".join(messages.FLAGS[flag] for flag in cycle.flags)
    if cycle.look_again_at is not None:
        yield "Xét lại lúc", instant_text(cycle.look_again_at, zone)


def _subject(cycle: Cycle) -> Iterator[str]:
    yield cycle.procedure or "không rõ"
    if cycle.case is not None:
        yield f"trường hợp {cycle.case}"
    yield from (f"nộp {words}" for name, words in messages.CHANNELS.items() if name == cycle.channel)


def _unit(code: str | None, rules: Rules) -> str:
    known = rules.units.get(code) if code is not None else None
    return f"{known.name} ({code})" if known is not None and known.name else code or "không rõ"


def _ledger(cycle: Cycle, rules: Rules, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    """Where the time went: a line a segment, the sum below, and the calendar to check them by."""
    figures = [_figures(segment, rules, now) for segment in cycle.segments]
    begin, end = cycle.segments[0].begin, cycle.segments[-1].end or now
    dated = begin.astimezone(zone).year != end.astimezone(zone).year
    lines = [_words(segment, zone, now, year=dated) for segment in cycle.segments]
    sums = tuple(sum(column, ZERO) for column in zip(*figures, strict=True))
    written = [(*words, *map(clock_text, parts)) for words, parts in zip(lines, figures, strict=True)]
    total = ("", "", "", "", "Cộng", *map(clock_text, sums))
    yield from columns([_HEADER, *written, total], right=_FIGURES)
    running, paused, off, _ = sums
    sign = "=" if running + paused + off == end - begin else "≠"
    yield (
        f"{_INDENT}{clock_text(running)} + {clock_text(paused)} + {clock_text(off)} {sign} {clock_text(end - begin)}, "
        f"từ {instant_text(begin, zone)} đến {instant_text(end, zone)}"
    )
    yield from _calendars(cycle, rules, begin, end)


def _figures(segment: Segment, rules: Rules, now: datetime) -> tuple[timedelta, timedelta, timedelta, timedelta]:
    """Running, paused and off hours of a segment, and its wall time."""
    end = segment.end or now
    wall = end - segment.begin
    open_hours = (
        timedelta(seconds=segment.working_seconds)
        if segment.working_seconds is not None
        else working_time(rules.calendar(segment.unit), segment.begin, end)
    )
    running, paused = (ZERO, open_hours) if segment.paused else (open_hours, ZERO)
    return running, paused, wall - open_hours, wall


def _words(segment: Segment, zone: ZoneInfo, now: datetime, *, year: bool) -> tuple[str, ...]:
    return (
        instant_text(segment.begin, zone, year=year),
        instant_text(segment.end or now, zone, year=year),
        segment.unit or "–",
        segment.stage or "–",
        "tạm dừng" if segment.paused else "chạy",
    )


def _calendars(cycle: Cycle, rules: Rules, begin: datetime, end: datetime) -> Iterator[str]:
    """The hours of each calendar that counted, and the days in this time that differ from their weekday."""
    for name, calendar in {
        rules.calendar(each.unit).name: rules.calendar(each.unit) for each in cycle.segments
    }.items():
        first, last = calendar.day(begin), calendar.day(end)
        yield f"{_INDENT}Lịch {name}: {'; '.join(_hours(calendar, first.year))}"
        for words, days in (
            ("Ngày nghỉ", _days_off(calendar, first, last)),
            ("Làm bù", _made_up(calendar, first, last)),
        ):
            if days:
                yield f"{_INDENT}{words}: {', '.join(day_text(day) for day in days)}"


def _hours(calendar: Calendar, year: int) -> Iterator[str]:
    for shifts, days in groupby(enumerate(calendar.week(year)), key=lambda numbered: numbered[1]):
        numbers = [number for number, _ in days]
        if shifts:
            names = messages.WEEKDAYS[numbers[0]]
            if len(numbers) > 1:
                names += f"–{messages.WEEKDAYS[numbers[-1]]}"
            yield f"{names} {_shifts(shifts)}"


def _shifts(shifts: Shifts) -> str:
    return ", ".join(f"{begin // 60:02}:{begin % 60:02}–{end // 60:02}:{end % 60:02}" for begin, end in shifts)


def _days(first: date, last: date) -> Iterator[date]:
    yield from (first + DAY * count for count in range((last - first).days + 1))


def _days_off(calendar: Calendar, first: date, last: date) -> list[date]:
    """Days on which the office is closed though it opens on such a weekday."""
    return [day for day in _days(first, last) if calendar.week(day.year)[day.weekday()] and not calendar.is_open(day)]


def _made_up(calendar: Calendar, first: date, last: date) -> list[date]:
    """Days on which the office is open though it does not open on such a weekday."""
    return [day for day in _days(first, last) if not calendar.week(day.year)[day.weekday()] and calendar.is_open(day)]


def _aligned(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    pairs = list(facts)
    width = max(len(name) for name, _ in pairs)
    return (f"{_INDENT}{name:<{width}}  {text}" for name, text in pairs)


def columns(lines: Sequence[Sequence[str]], *, right: int = 0) -> Iterator[str]:
    """Lines in columns as wide as their longest cell, the last ``right`` of them to the right; nothing is cut."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    edge = len(widths) - right
    for line in lines:
        cells = (
            f"{cell:<{width}}" if index < edge else f"{cell:>{width}}"
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        yield f"{_INDENT}{'  '.join(cells)}".rstrip()
