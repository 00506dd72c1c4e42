"""What-if as an officer reads it: boards of what a draft configuration changes, for whom, and into what."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich import box
from rich.table import Table

from agents.messages import ACTIONS, ASPECTS, LEVELS, VERDICTS, VERDICTS_766, instant_text, working_text
from agents.what_if import Report, notices
from schemas.alert import Action
from streams.rules import Rules
from streams.what_if import Aspect, Count, Pair, Tally, WhatIf

#: What the codes of an aspect are called; those of a due date are instants.
_WORDS: Mapping[Aspect, Mapping[str, str]] = {
    Aspect.VERDICT: {str(code): words for code, words in VERDICTS.items()},
    Aspect.VERDICT_766: {str(code): words for code, words in VERDICTS_766.items()},
    Aspect.LEVEL: {level.value: words for level, words in LEVELS.items()},
}
_OPEN, _CLOSED = "đang giải quyết", "đã kết thúc"
_ARROW = " → "


def boards(report: Report) -> Iterator[Table | str]:
    """Everything for eyes, in order; only the totals when nothing changes."""
    outcome = report.outcome
    yield from notices(report)
    yield ""
    yield _totals(outcome)
    if not outcome.changed:
        yield "Không có hồ sơ nào thay đổi."
    else:
        yield _turns(outcome)
        yield from _cut(_places(report), sum(1 for _ in _changed(outcome)), report.limit, "đơn vị và thủ tục")
        yield from _cut(_listed(report), outcome.changed, report.limit, "lần giải quyết")
    yield _alerts(outcome)


def _cut(table: Table, whole: int, limit: int, what: str) -> Iterator[Table | str]:
    if limit:
        yield table
        if whole > limit:
            yield f"… và {_number(whole - limit)} {what} nữa (xem thêm: --limit N)\n"


def _totals(outcome: WhatIf) -> Table:
    table = _table(f"Số lần giải quyết thay đổi, trong {_number(outcome.dossiers)} hồ sơ")
    table.add_column("Hồ sơ", no_wrap=True)
    for heading in ("Tất cả", "Thay đổi", *(_heading(aspect) for aspect in Aspect), "Quá hạn"):
        table.add_column(heading, justify="right", no_wrap=True)
    for words, count in ((_OPEN, outcome.open), (_CLOSED, outcome.closed)):
        numbers = (count.cycles, count.changed, *(getattr(count, aspect.value) for aspect in Aspect))
        table.add_row(words, *map(_number, numbers), _overdue(count))
    return table


def _heading(aspect: Aspect) -> str:
    words = ASPECTS[aspect]
    return words[0].upper() + words[1:]


def _turns(outcome: WhatIf) -> Table:
    table = _table("Thay đổi thành gì")
    for heading in ("Hồ sơ", "Về", "Từ", "Thành"):
        table.add_column(heading, no_wrap=True)
    table.add_column("Số lần", justify="right")
    for turn in outcome.turns:
        words = _WORDS[turn.aspect]
        cells = (ASPECTS[turn.aspect], words[turn.before], words[turn.after])
        table.add_row(_CLOSED if turn.closed else _OPEN, *cells, _number(turn.cycles))
    return table


def _changed(outcome: WhatIf) -> Iterator[Tally]:
    return (tally for tally in outcome.tallies if tally.open.changed or tally.closed.changed)


def _places(report: Report) -> Table:
    table = _table("Theo đơn vị và thủ tục, thay đổi nhiều nhất trước")
    table.add_column("Đơn vị")
    table.add_column("Thủ tục", no_wrap=True)
    for words in (_OPEN, _CLOSED):
        for heading in (words.capitalize(), "Thay đổi", "Quá hạn"):
            table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("Cảnh báo mới", justify="right")
    for _, tally in zip(range(report.limit), _changed(report.outcome), strict=False):
        figures = (
            cell
            for count in (tally.open, tally.closed)
            for cell in (_number(count.cycles), _number(count.changed), _overdue(count))
        )
        table.add_row(
            _unit(tally.unit, report.rules), tally.procedure or "–", *figures, _number(tally.alerts[Action.RAISE])
        )
    return table


def _listed(report: Report) -> Table:
    table = _table("Từng lần giải quyết, nặng nhất trước")
    for heading in ("Mã hồ sơ", "Lần", "Đơn vị", "Thủ tục", "Hồ sơ", *map(_heading, Aspect)):
        table.add_column(heading, no_wrap=heading == "Mã hồ sơ")
    for pair in report.outcome.worst:
        after = pair.after
        table.add_row(
            pair.dossier_code,
            str(after.cycle),
            after.unit or "–",
            after.procedure or "–",
            _CLOSED if pair.closed else _OPEN,
            *(_turn(pair, aspect) for aspect in _WORDS),
            _due_turn(pair, report.rules.zone_of(after.unit)),
        )
    return table


def _turn(pair: Pair, aspect: Aspect) -> str:
    words = (_WORDS[aspect][str(getattr(cycle, aspect.value))] for cycle in (pair.before, pair.after))
    return _ARROW.join(dict.fromkeys(words))


def _due_turn(pair: Pair, zone: ZoneInfo) -> str:
    """The due instants, and where they stay the same the original ones, or what remains in a pause."""

    def shown(due: datetime | None) -> str:
        return "–" if due is None else instant_text(due, zone)

    before, after = pair.before, pair.after
    if Aspect.DUE not in pair.aspects:
        return ""
    if before.due_current != after.due_current:
        return f"{shown(before.due_current)}{_ARROW}{shown(after.due_current)}"
    if before.due_original != after.due_original:
        return f"ban đầu {shown(before.due_original)}{_ARROW}{shown(after.due_original)}"
    left = (timedelta(seconds=cycle.remaining_seconds or 0) for cycle in (before, after))
    return f"còn lại {_ARROW.join(map(working_text, left))}"


def _alerts(outcome: WhatIf) -> str:
    told = [f"{_number(number)} {ACTIONS[action]}" for action, number in outcome.alerts.items() if number]
    return f"Cảnh báo nếu áp dụng vào lúc xét: {', '.join(told) or 'không có gì để báo'}."


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _unit(code: str | None, rules: Rules) -> str:
    known = rules.units.get(code or "")
    return f"{known.name} ({code})" if known is not None and known.name else code or "–"


def _overdue(count: Count) -> str:
    return _ARROW.join(dict.fromkeys((_number(count.overdue_before), _number(count.overdue_after))))


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".")
