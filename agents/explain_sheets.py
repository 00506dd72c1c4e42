"""Explain, laid out: the sheets of one dossier, in Vietnamese, the same for the terminal and for the page."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby

from agents import messages
from agents.explain import Reasons
from agents.explain_limit import limit_lines, special_days
from agents.explain_verdicts import verdict_lines
from agents.explain_words import Figure, Phrase, joined, phrase
from agents.messages import limit_text
from schemas.assessment import Cycle, Level
from schemas.calendar import Shifts
from streams.calendar import ZERO, Calendar
from streams.reasons import Handover, Taken
from streams.rules import Rules

Row = tuple[Phrase, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table or list: ``name`` is its anchor; the last ``figures`` columns are figures; lines stand below."""

    name: str
    title: str
    header: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    total: Row | None = None
    lines: tuple[Phrase, ...] = ()
    figures: int = 0


def conclusion(cycle: Cycle) -> str:
    """The verdict of a cycle in a few words."""
    clock, verdict = messages.CLOCKS[cycle.clock], messages.VERDICTS[cycle.verdict]
    return verdict if cycle.clock in ("stopped", "never") else f"{verdict}, đồng hồ {clock}"


def unit_text(code: str | None, rules: Rules) -> str:
    """A unit with its name, where it has one."""
    known = rules.units.get(code) if code is not None else None
    return f"{known.name} ({code})" if known is not None and known.name else code or "không rõ"


def sheets(reasons: Reasons, rules: Rules) -> Iterator[Sheet]:
    """The sheets of one cycle, in the order in which a clerk would check them."""
    yield Sheet("facts", "", rows=tuple(_facts(reasons, rules)))
    yield Sheet("limit", "Thời hạn", lines=tuple(limit_lines(reasons)))
    yield _events(reasons)
    if reasons.parts:
        yield _ledger(reasons, rules)
    if reasons.account.handovers:
        yield _handovers(reasons.account.handovers)
    yield Sheet("verdicts", "Kết luận", lines=tuple(verdict_lines(reasons)))
    if reasons.parts:
        yield _levels(reasons)


def _facts(reasons: Reasons, rules: Rules) -> Iterator[Row]:
    """What is known of the cycle, each with its name; what is absent is left out."""
    cycle, spent = reasons.cycle, reasons.spent
    yield _fact("Thủ tục", ", ".join(_subject(cycle)))
    yield _fact("Đơn vị", unit_text(cycle.unit, rules))
    if cycle.limit is not None:
        yield _fact("Thời hạn", limit_text(cycle.limit))
    dues = (
        ("Hạn ban đầu", cycle.due_original),
        ("Hạn hiện tại", cycle.due_current),
        ("Hạn không kể gia hạn", cycle.due_unextended),
    )
    for name, due in dues:
        if due is not None:
            yield _fact(name, "{due}", due=due)
    if spent.remaining is not None and cycle.verdict == "in_time":
        yield _fact("Còn lại", "{left:words} ({left})", left=spent.remaining)
    if spent.late:
        unit = unit_text(cycle.breached_in, rules)
        yield _fact("Quá hạn", "{late:words} ({late}), tại {unit}", late=spent.late, unit=unit)
    if cycle.level is not Level.NONE:
        yield _fact("Mức cảnh báo", messages.LEVELS[cycle.level])
    yield _fact("Theo QĐ 766", messages.VERDICTS_766[cycle.verdict_766])
    if cycle.verdict_unextended != cycle.verdict:
        yield _fact("Nếu không gia hạn", messages.VERDICTS[cycle.verdict_unextended])
    if cycle.flags:
        yield _fact("Lưu ý", "; ".join(messages.FLAGS[flag] for flag in cycle.flags))
    if cycle.look_again_at is not None:
        yield _fact("Xét lại lúc", "{at}", at=cycle.look_again_at)


def _fact(name: str, template: str, **values: object) -> Row:
    return (name,), phrase(template, **values) if values else (template,)


def _subject(cycle: Cycle) -> Iterator[str]:
    yield cycle.procedure or "không rõ"
    if cycle.case is not None:
        yield f"trường hợp {cycle.case}"
    yield from (f"nộp {words}" for name, words in messages.CHANNELS.items() if name == cycle.channel)


def _events(reasons: Reasons) -> Sheet:
    header = ("#", "Lúc", "Sự kiện", "Đơn vị", "Bước", "Đồng hồ", "Hạn và lý do")
    rows = tuple(_event(number, taken) for number, taken in reasons.numbered)
    return Sheet("events", "Diễn biến và hạn", header, rows)


def _event(number: int, taken: Taken) -> Row:
    step = taken.step
    event = step.event
    name = messages.STATUSES[event.status] if event.status is not None else messages.KINDS[event.kind]
    reasons = (
        phrase(
            messages.MOVES[move.why],
            due=move.due,
            remaining=move.remaining,
            named=move.named,
            paused_at=move.paused_at,
        )
        for move in taken.moves
    )
    return (
        (str(number),),
        (Figure(event.at),),
        (f"{event.status} {name}" if event.status is not None else name,),
        (step.unit or "–",),
        (step.stage or "–",),
        (messages.STATES[step.after],),
        joined(reasons, " ") or ("–",),
    )


def _ledger(reasons: Reasons, rules: Rules) -> Sheet:
    """Where the time went: a line a segment, the sum below, and the calendar to check them by."""
    parts = reasons.parts
    header = ("Từ", "Đến", "Đơn vị", "Bước", "Đồng hồ", "Giải quyết", "Tạm dừng", "Ngoài giờ", "Cộng")
    rows: tuple[Row, ...] = tuple(
        (
            (Figure(part.begin),),
            (Figure(part.end),),
            (part.unit or "–",),
            (part.stage or "–",),
            ("tạm dừng" if part.stands else "chạy",),
            *((Figure(length),) for length in (part.running, part.paused, part.off, part.wall)),
        )
        for part in parts
    )
    running = sum((part.running for part in parts), ZERO)
    paused = sum((part.paused for part in parts), ZERO)
    off = sum((part.off for part in parts), ZERO)
    wall = parts[-1].end - parts[0].begin
    sums = tuple((Figure(length),) for length in (running, paused, off, wall))
    total: Row = ((), (), (), (), ("Cộng",), *sums)
    check = _check(running, paused, off, wall)
    lines = (check, *_calendars(reasons, rules), *special_days(reasons.days))
    return Sheet("segments", "Sổ thời gian", header, rows, total, lines, figures=4)


def _check(running: timedelta, paused: timedelta, off: timedelta, wall: timedelta) -> Phrase:
    sign = "=" if running + paused + off == wall else "≠"
    template = "{running} + {paused} + {off} {sign} {wall}: mỗi giây đều được tính, đúng một lần."
    return phrase(template, running=running, paused=paused, off=off, sign=sign, wall=wall)


def _calendars(reasons: Reasons, rules: Rules) -> Iterator[Phrase]:
    """The hours of each calendar that counted, and of the one that decided the day of receipt."""
    counted = {part.calendar: part.begin.year for part in reversed(reasons.parts)}
    for calendar, year in counted.items():
        yield (f"Lịch {calendar.name}: {'; '.join(_hours(calendar, year))}",)
    counting, term = reasons.counting, reasons.account.term
    if term is not None and counting is not None and counting.reception is not None:
        reception = term.edition.calendars[counting.reception]
        if reception not in counted:
            hours = "; ".join(_hours(reception, counting.received.year))
            yield (f"Lịch tiếp nhận {reception.name}: {hours}",)


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


def _handovers(handovers: tuple[Handover, ...]) -> Sheet:
    header = ("Lúc", "Từ", "Sang", "Nhận khi")
    rows = tuple(
        (
            (Figure(each.at),),
            (_holder(each.from_unit, each.from_stage),),
            (_holder(each.to_unit, each.to_stage),),
            _budget(each),
        )
        for each in handovers
    )
    note = "Giờ làm việc, theo lịch của bên nhận; tổng là giờ đã dùng cộng giờ còn lại đến hạn của lúc bàn giao."
    return Sheet("handovers", "Bàn giao", header, rows, lines=((note,),))


def _holder(unit: str | None, stage: str | None) -> str:
    return " · ".join(part for part in (unit, stage) if part) or "–"


def _budget(each: Handover) -> Phrase:
    if each.left is None:
        return phrase("đã dùng {used}, không có hạn", used=each.used)
    if each.late:
        return phrase("đã quá hạn {late}", late=each.late)
    return phrase("còn {left} trong {budget} (đã dùng {used})", left=each.left, budget=each.budget, used=each.used)


def _levels(reasons: Reasons) -> Sheet:
    header = ("Mức", "Từ", "Đến", "Theo hạn")
    reached: list[Row] = [
        (
            (messages.LEVELS[stay.level],),
            (Figure(stay.begin),),
            (Figure(stay.end),) if stay.end is not None else ("đang ở mức này",),
            (Figure(stay.due),),
        )
        for stay in reasons.cycle.levels
    ]
    coming: list[Row] = [
        ((messages.LEVELS[stay.level],), (Figure(stay.begin),), ("sắp tới",), (Figure(stay.due),))
        for stay in reasons.upcoming
    ]
    lines = () if reached else ((_unreached(reasons),),)
    return Sheet("levels", "Mức cảnh báo đã đến", header, tuple(reached + coming), lines=lines)


def _unreached(reasons: Reasons) -> str:
    """Why no level was ever reached, so that nothing was sent."""
    cycle = reasons.cycle
    if reasons.account.term is None or reasons.account.term.current.due is None:
        return "Không có hạn, nên không có mức cảnh báo nào."
    if cycle.clock == "paused":
        return "Tạm dừng trước khi đến mức cảnh báo nào; khi tạm dừng không cảnh báo về hạn."
    return "Dừng trước khi đến mức cảnh báo nào." if cycle.clock == "stopped" else "Chưa đến mức cảnh báo nào."
