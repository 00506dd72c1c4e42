"""What the demonstration shows: boards read from ClickHouse, and whether every answer is the one that was generated."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

from agents import messages
from agents.demo_life import Answer
from agents.demo_log import Log
from agents.drivers.desk import Desk
from streams.rules import Rules

_RUNNING = "clock = 'running' AND verdict"
#: The columns of the board of counts: heading, what is counted, colour.
COLUMNS = (
    ("Đã xong\ntrước hạn", "clock = 'stopped' AND verdict = 'early'", ""),
    ("Đã xong\nđúng hạn", "clock = 'stopped' AND verdict = 'on_time'", ""),
    ("Đã xong\nquá hạn", "clock = 'stopped' AND verdict = 'overdue'", "red"),
    ("Đang xử lý\ntrong hạn", f"{_RUNNING} = 'in_time' AND level = 'none'", ""),
    ("Sắp đến\nhạn", "level = 'near_due'", "yellow"),
    ("Đến hạn\nhôm nay", "level = 'due_today'", "yellow"),
    ("Đang xử lý\nquá hạn", f"{_RUNNING} = 'overdue'", "red"),
    ("Tạm\ndừng", "clock = 'paused'", ""),
    ("Rút,\ntừ chối", "verdict IN ('withdrawn', 'refused')", "dim"),
)


def counts(desk: Desk, rules: Rules) -> Table:
    """Dossiers by branch and standing, from the view `desk_assessments`; the columns add up to the last."""
    sums = ", ".join(f"countIf({condition})" for _, condition, _ in COLUMNS)
    found = desk.rows(f"SELECT unit, {sums}, count() FROM {{db}}.desk_assessments GROUP BY unit ORDER BY unit")  # noqa: S608
    table = _table("Hồ sơ theo chi nhánh")
    table.add_column("Đơn vị", no_wrap=True)
    for heading, _, style in COLUMNS:
        table.add_column(heading, justify="right", style=style)
    table.add_column("Cộng", justify="right")
    for unit, *numbers in found:
        table.add_row(_name(unit, rules), *map(_number, numbers))
    table.add_section()
    table.add_row("Cộng", *(_number(sum(column)) for column in zip(*(row[1:] for row in found), strict=True)))
    return table


def slowest(desk: Desk, rules: Rules, *, rows: int = 5) -> Table:
    """The open dossiers that are overdue longest, in working time."""
    found = desk.rows(
        "SELECT dossier_code, unit, procedure, stage, due_current, late_working_seconds"
        " FROM {db}.desk_assessments WHERE clock = 'running' AND verdict = 'overdue'"
        " ORDER BY late_working_seconds DESC, dossier_code LIMIT %(rows)s",
        {"rows": rows},
    )
    table = _table("Hồ sơ đang giải quyết chậm nhất")
    for heading in ("Mã hồ sơ", "Đơn vị", "Thủ tục", "Bước", "Hạn", "Quá hạn"):
        table.add_column(heading, no_wrap=True)
    for code, unit, procedure, stage, due, late in found:
        table.add_row(
            code,
            _name(unit, rules),
            procedure,
            stage or "–",
            messages.instant_text(due, rules.zone_of(unit)),
            messages.working_text(timedelta(seconds=float(late))),
        )
    return table


def alerted(desk: Desk) -> list[str]:
    """The dossier of every open alert, in order."""
    found = desk.rows(
        "SELECT dossier_code FROM"
        " (SELECT dossier_code, argMax(action, sequence) AS last FROM {db}.alerts FINAL"
        " GROUP BY dossier_code, alert_id)"
        " WHERE last IN ('raise', 'retime') ORDER BY dossier_code"
    )
    return [code for (code,) in found]


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _name(unit: str | None, rules: Rules) -> str:
    known = rules.units.get(unit or "")
    return (known.name if known is not None else None) or unit or "–"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".") if count else "–"


class Difference(NamedTuple):
    """One thing that ClickHouse says otherwise than it was generated."""

    code: str
    what: str
    generated: object
    found: object

    def __str__(self) -> str:
        return f"{self.code}: {self.what} is {self.found}, generated {self.generated}"


def differences(desk: Desk, log: Log) -> Iterator[Difference]:
    """Everything in which ClickHouse differs from the generated answers, measured at the end of the log."""
    found = desk.rows(
        "SELECT dossier_code, verdict, level, clock, unit, received_at, due_current, ended_at, working_seconds,"
        " paused_seconds, cycle FROM {db}.desk_assessments_at(now = %(now)s)",
        {"now": f"{log.now:%Y-%m-%d %H:%M:%S}"},
    )
    rows = {code: row for code, *row in found}
    for told in log.dossiers:
        row = rows.pop(told.code, None)
        if row is None:
            yield Difference(told.code, "answer", told.answer.verdict, None)
            continue
        for (what, generated), stands in zip(_named(told.answer), row, strict=True):
            if generated != _plain(stands):
                yield Difference(told.code, what, generated, stands)
    for code in rows:
        yield Difference(code, "dossier", None, "there")


def _named(answer: Answer) -> tuple[tuple[str, object], ...]:
    return (
        ("verdict", answer.verdict),
        ("level", answer.level.value),
        ("clock", answer.clock),
        ("unit", answer.unit),
        ("received_at", answer.received_at),
        ("due_current", answer.due),
        ("ended_at", answer.ended_at),
        ("working_seconds", answer.working.total_seconds()),
        ("paused_seconds", answer.paused.total_seconds()),
        ("cycle", 1),
    )


def _plain(value: Any) -> object:
    return value if value is None or isinstance(value, str | int | datetime) else float(value)
