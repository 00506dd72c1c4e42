"""Explain for the terminal: the sheets of a dossier as aligned text, nothing cut."""

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from agents import messages
from agents.explain import Explanation
from agents.explain_alerts import alert_sheets
from agents.explain_sheets import Sheet, conclusion, sheets
from agents.explain_words import plain
from agents.messages import instant_text
from agents.recall import Recalled, Said
from streams.rules import Rules

_INDENT = "  "


def text(explanation: Explanation, *, only: frozenset[str] | None = None) -> Iterator[str]:
    """The lines that explain a dossier; of its sheets all, or those named."""
    rules = explanation.rules
    now = instant_text(explanation.now, rules.zone)
    yield f"Hồ sơ {explanation.dossier_code} · xét đến {now} ({rules.zone.key})"
    yield from left_out(explanation)
    if not explanation.cycles:
        yield "Chưa có sự kiện nào về trạng thái."
    for reasons in explanation.cycles:
        cycle = reasons.cycle
        zone = rules.zone_of(cycle.unit)
        yield ""
        yield f"Lần giải quyết {cycle.cycle}: {messages.STATUSES[cycle.status]} · {conclusion(cycle)}"
        for sheet in sheets(reasons, rules):
            if only is None or sheet.name in only:
                yield from _sheet(sheet, zone)
    if explanation.cycles and only is None:
        for sheet in alert_sheets(explanation):
            yield from _sheet(sheet, rules.zone)


def left_out(explanation: Explanation) -> Iterator[str]:
    """Which events do not count, and why; of a look back, what was said then."""
    if explanation.recalled is not None:
        yield from _recalled(explanation.recalled, explanation.rules)
    if explanation.voided:
        ids = ", ".join(event.event_id for event in explanation.voided)
        yield f"Không tính {len(explanation.voided)} sự kiện đã bị huỷ hoặc trùng mã: {ids}"
    if explanation.later:
        yield f"Không tính {explanation.later} sự kiện sau thời điểm xét."


def _recalled(recalled: Recalled, rules: Rules) -> Iterator[str]:
    yield f"Theo những gì đã biết lúc {instant_text(recalled.at, rules.zone)}: {recalled.later} sự kiện đến sau."
    if recalled.undated:
        yield f"{recalled.undated} sự kiện không rõ lúc đến: coi như đã biết từ khi xảy ra."
    for said in recalled.said:
        yield f"Lần giải quyết {said.standing.cycle} đã được kết luận: {_said(said, rules.zone)}"
        if said.rules != rules.version:
            yield f"  Kết luận ấy theo quy định phiên bản {said.rules}, ở đây là phiên bản {rules.version}."


def _said(said: Said, zone: ZoneInfo) -> str:
    standing = said.standing
    if standing.verdict is None or standing.level is None:
        words = "không có"
    else:
        words = f"{messages.VERDICTS[standing.verdict]}, mức {messages.LEVELS[standing.level]}"
        if standing.due is not None:
            words += f", hạn {instant_text(standing.due, zone)}"
    return f"{words} (ghi nhận lúc {instant_text(said.seen_at.replace(microsecond=0), zone)})."


def _sheet(sheet: Sheet, zone: ZoneInfo) -> Iterator[str]:
    if sheet.title:
        yield ""
        yield f"{_INDENT}{sheet.title}"
    rows = [[plain(cell, zone) for cell in row] for row in sheet.rows]
    if rows and sheet.header:
        rows.insert(0, list(sheet.header))
    if sheet.total is not None:
        rows.append([plain(cell, zone) for cell in sheet.total])
    if rows:
        yield from columns(rows, right=sheet.figures)
    for line in sheet.lines:
        yield f"{_INDENT}{plain(line, zone)}"


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
