"""Tables for eyes: the rows of a replay in the words of the office."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from agents import messages
from agents.explain_text import columns
from schemas.assessment import Flag, Level

_HEADER = ("Mã hồ sơ", "Lần", "Trạng thái", "Kết luận", "Mức", "Hạn", "Còn lại", "Quá hạn", "QĐ 766", "Lưu ý")


def table_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The rows of a replay as the lines of a table: the same figures as in JSON lines, but not all of them."""
    return columns([_HEADER, *map(_cells, rows)])


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    level = Level(row["level"])
    return (
        row["dossier_code"],
        str(row["cycle"]),
        messages.STATUSES[row["status"]],
        messages.VERDICTS[row["verdict"]],
        "" if level is Level.NONE else messages.LEVELS[level],
        _local(row["due_current"] or row["due_original"]),
        _length(row["remaining_seconds"]),
        _length(row["late_working_seconds"]),
        messages.VERDICTS_766[row["verdict_766"]],
        "; ".join(messages.FLAGS[Flag(flag)] for flag in row["flags"]),
    )


def _local(due: datetime | None) -> str:
    return f"{messages.day_text(due)} {due:%H:%M}" if due is not None else ""


def _length(seconds: float | None) -> str:
    return messages.working_text(timedelta(seconds=seconds)) if seconds else ""
