"""What ``dunghan status`` says of feeds: units of which nobody can tell, sources that send what cannot be used."""

from collections.abc import Iterator
from datetime import datetime

from agents.drivers.desk import Desk

#: Twenty are named: a broken line between the sites can silence all of them.
SILENT = (
    "SELECT unit, max(heard_at), any(silent_since) FROM {db}.desk_feeds WHERE silent GROUP BY unit"
    " ORDER BY unit LIMIT 20"
)
REFUSED = (
    "SELECT source, refused_in_a_day, last_refused_at, arrayStringConcat(reasons_in_a_day, ', ') FROM {db}.desk_sources"
    " WHERE refused_in_a_day > 0 ORDER BY refused_in_a_day DESC, source LIMIT 20"
)


def feed_lines(desk: Desk) -> Iterator[tuple[bool | None, str, str]]:
    """Lines of ``dunghan status``; a silent unit is no fault of ours, so none of them is marked as one."""
    ((units, silent),) = desk.rows("SELECT uniqExact(unit), uniqExactIf(unit, silent) FROM {db}.desk_feeds")
    yield not silent or None, "feeds", f"{units} units heard of, {silent} silent"
    for unit, heard_at, since in desk.rows(SILENT):
        yield None, unit, f"last heard {_time(heard_at)}, silent since {_time(since)}: không rõ, nobody can tell"
    for source, count, last, reasons in desk.rows(REFUSED):
        yield None, source or "no source", f"{count:,} records refused in a day, last {_time(last)}: {reasons}"


def _time(instant: datetime) -> str:
    """By this machine's zone, which is named."""
    return instant.astimezone().isoformat(sep=" ", timespec="minutes")
