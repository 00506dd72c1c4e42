"""The sheets about alerts: which were due to be told, which really were, and why one that is due is not there."""

from collections.abc import Iterator
from datetime import datetime

from agents import messages
from agents.explain import Explanation
from agents.explain_sheets import Row, Sheet
from agents.explain_words import Figure, Phrase, phrase
from schemas.alert import Alert

_HEADER = ("Lúc", "Lần", "Việc", "Mức", "Lý do", "Theo hạn")


def alert_sheets(explanation: Explanation) -> Iterator[Sheet]:
    """What should have been told over the dossier's life; and what was, where that is known."""
    yield _due_to_be_told(explanation)
    if explanation.sent is not None:
        yield _really_told(explanation, explanation.sent)


def _due_to_be_told(explanation: Explanation) -> Sheet:
    rows = tuple(_row(told.at, told.alert) for told in explanation.told)
    note = (
        "Tính như mọi sự kiện đến ngay lúc xảy ra; sự kiện đến muộn làm cảnh báo được gửi muộn hoặc rút lại."
        if rows
        else "Không có cảnh báo nào: chưa lần giải quyết nào đến mức cảnh báo."
    )
    return Sheet("alerts", "Cảnh báo", _HEADER, rows, lines=((note,),))


def _really_told(explanation: Explanation, sent: tuple[Alert, ...]) -> Sheet:
    header = ("Từ lúc", *_HEADER[1:], "Phát hiện")
    rows = tuple((*_row(alert.at, alert), ("muộn" if alert.found_late else "đúng lúc",)) for alert in sent)
    lines = [*_missing(explanation, sent)]
    if not rows:
        lines.insert(0, ("Chưa có cảnh báo nào được ghi cho hồ sơ này.",))
    return Sheet("sent", "Cảnh báo đã ghi", header, rows, lines=tuple(lines))


def _missing(explanation: Explanation, sent: tuple[Alert, ...]) -> Iterator[Phrase]:
    """Why an alert that stands by now's answer was not told, or does not stand open."""
    latest = {alert.alert_id: alert for alert in sent}
    due = {told.alert.alert_id: told.alert for told in explanation.told}
    for alert in due.values():
        if not alert.open:
            continue
        known = latest.get(alert.alert_id)
        if known is None:
            template = (
                "Mức {level} từ {at}: chưa được ghi. Hồ sơ được nạp lại từ quá khứ, hoặc kết quả chưa về đến đây."
            )
        elif not known.open:
            template = "Mức {level} từ {at}: đã ghi và đã {action} ({reason}); mỗi mức của một hạn chỉ báo một lần."
        else:
            continue
        yield phrase(
            template,
            level=messages.LEVELS[alert.level],
            at=alert.at,
            action=messages.ACTIONS[known.action] if known is not None else "",
            reason=_reason(known.reason) if known is not None else "",
        )


def _row(at: datetime, alert: Alert) -> Row:
    return (
        (Figure(at),),
        (str(alert.cycle),),
        (messages.ACTIONS[alert.action],),
        (messages.LEVELS[alert.level],),
        (_reason(alert.reason),),
        (Figure(alert.due),),
    )


def _reason(code: str) -> str:
    levels = {level.value: f"đến mức {words}" for level, words in messages.LEVELS.items()}
    return {**levels, **messages.ALERT_REASONS}.get(code, code)  # a record may come from another version
