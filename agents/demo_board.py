"""What the demonstration shows: boards read from ClickHouse."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from rich import box
from rich.table import Table

from agents import messages
from agents.drivers.desk import Desk
from streams.feed import Feed, is_stale
from streams.rules import Rules

_RUNNING = "clock = 'running' AND verdict"
#: The columns of the board of counts: heading, what is counted, colour, and whether silence makes it unknown.
COLUMNS = (
    ("Đã xong\ntrước hạn", "clock = 'stopped' AND verdict = 'early'", "", False),
    ("Đã xong\nđúng hạn", "clock = 'stopped' AND verdict = 'on_time'", "", False),
    ("Đã xong\nquá hạn", "clock = 'stopped' AND verdict = 'overdue'", "red", False),
    ("Đang xử lý\ntrong hạn", f"{_RUNNING} IN ('in_time', 'no_deadline') AND level = 'none'", "", True),
    ("Sắp đến\nhạn", "level = 'near_due'", "yellow", True),
    ("Đến hạn\nhôm nay", "level = 'due_today'", "yellow", True),
    ("Đang xử lý\nquá hạn", f"{_RUNNING} = 'overdue'", "red", True),
    ("Tạm\ndừng", "clock = 'paused'", "", True),
    ("Khác", "", "dim", False),
)
UNKNOWN = "·"
WARDS = "126 phường, xã"


def counts(desk: Desk, rules: Rules, silent: frozenset[str] = frozenset()) -> Table:
    """Cycles by branch and standing; the columns add up to the last. A silent branch's open ones are not known, and
    stand in a column of their own, in the sums too.
    """
    sums = ", ".join(f"countIf({condition})" for _, condition, _, _ in COLUMNS[:-1])
    query = f"SELECT unit, {sums}, count() FROM {{db}}.desk_assessments GROUP BY unit"  # noqa: S608 - names are ours, values are parameters
    totals: dict[str, Counter[int]] = {}
    for unit, *numbers in desk.rows(query):
        *known, whole = map(int, numbers)
        counted = totals.setdefault(_branch(unit, rules), Counter())
        counted.update(dict(enumerate([*known, whole - sum(known)])))
    table = _table("Hồ sơ theo chi nhánh")
    table.add_column("Đơn vị", no_wrap=True)
    for heading, _, style, _ in COLUMNS:
        table.add_column(heading, justify="right", style=style)
    table.add_column("Không\nrõ", justify="right", style="yellow")
    table.add_column("Cộng", justify="right")
    hidden = [index for index, (_, _, _, unknown) in enumerate(COLUMNS) if unknown]
    all_of_them: Counter[int] = Counter()
    for branch in sorted(totals):
        counted = totals[branch]
        dark = branch in silent
        if dark:
            counted[len(COLUMNS)] = sum(counted.pop(index) for index in hidden)
        cells = [UNKNOWN if dark and index in hidden else _number(counted[index]) for index in range(len(COLUMNS) + 1)]
        table.add_row(_name(branch, rules), *cells, _number(counted.total()))
        all_of_them.update(counted)
    table.add_section()
    sums_of_all = [all_of_them[index] for index in range(len(COLUMNS) + 1)]
    table.add_row("Cộng", *map(_number, sums_of_all), _number(all_of_them.total()))
    return table


def _branch(unit: str | None, rules: Rules) -> str:
    """The branch that a unit belongs to; the wards and communes stand together."""
    known = rules.units.get(unit or "")
    if known is None or unit is None:
        return "–"
    if known.parent is not None and known.parent.count("."):
        return known.parent
    return unit if len(unit) == len("H26.01") else WARDS


def silent(desk: Desk, rules: Rules, sources: Mapping[str, str], *, read_until: datetime) -> dict[str, datetime]:
    """The branches whose feed is silent, and since when; ``sources`` are the publishing systems by branch."""
    found = desk.rows(
        "SELECT source, max(at) FROM {db}.events FINAL WHERE at <= %(until)s GROUP BY source",
        {"until": f"{read_until:%Y-%m-%d %H:%M:%S}"},
    )
    heard = dict(found)
    edition = rules.edition(read_until)
    feeds = [Feed(branch, heard.get(source)) for branch, source in sources.items()]
    return {
        feed.unit: feed.heard_at
        for feed in feeds
        if feed.heard_at is not None and is_stale(feed, edition, read_until=read_until)
    }


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
        whole = heading in ("Mã hồ sơ", "Thủ tục", "Hạn")  # a code or a time in two lines is no code or time
        table.add_column(heading, min_width=22 if whole and heading != "Thủ tục" else 8, no_wrap=whole)
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


def telling(desk: Desk, *, of: int = 5) -> str:
    """Of the slowest open dossiers that many, the one with most to explain: a pause, and several holders."""
    ((code,),) = desk.rows(
        "SELECT dossier_code FROM (SELECT * FROM {db}.desk_assessments WHERE clock = 'running' AND verdict = 'overdue'"
        " ORDER BY late_working_seconds DESC, dossier_code LIMIT %(of)s)"
        " ORDER BY has(`segments.paused`, true) DESC, length(`segments.begin`) DESC, dossier_code LIMIT 1",
        {"of": of},
    )
    return str(code)


def slow(desk: Desk) -> set[str]:
    """The dossiers that stand on a level now."""
    return {code for (code,) in desk.rows("SELECT dossier_code FROM {db}.desk_assessments WHERE level != 'none'")}


def alerted(desk: Desk, *, still: bool) -> set[str]:
    """The dossiers that were ever alerted; with ``still`` those with an open alert."""
    having = "last IN ('raise', 'retime')" if still else "1"
    found = desk.rows(
        "SELECT DISTINCT dossier_code FROM"  # noqa: S608 - names are ours, values are parameters
        " (SELECT dossier_code, argMax(action, sequence) AS last FROM {db}.alerts FINAL"
        f" GROUP BY dossier_code, alert_id) WHERE {having}"
    )
    return {code for (code,) in found}


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)


def _name(unit: str | None, rules: Rules) -> str:
    known = rules.units.get(unit or "")
    return (known.name if known is not None else None) or unit or "–"


def _number(count: int) -> str:
    return f"{count:,}".replace(",", ".") if count else "–"
