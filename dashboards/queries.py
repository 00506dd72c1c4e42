"""What the boards ask: ClickHouse over the views that people may read, Prometheus over the metric vocabulary.

The SQL names no database (the data source does) and uses no macro of the plugin, so what is tested on a
ClickHouse is, letter by letter, what Grafana sends.
"""

from collections.abc import Mapping

from dashboards import words
from dashboards.words import Standing
from schemas import metrics

#: Where each dossier is counted; the first that holds, so that the columns add up to the whole.
_STANDING: Mapping[Standing, str] = {
    "withdrawn": "verdict IN ('withdrawn', 'refused')",
    "early": "clock = 'stopped' AND verdict = 'early'",
    "on_time": "clock = 'stopped' AND verdict = 'on_time'",
    "finished_overdue": "clock = 'stopped' AND verdict = 'overdue'",
    "paused": "clock = 'paused'",
    "overdue": "clock = 'running' AND verdict = 'overdue'",
    "due_today": "clock = 'running' AND level = 'due_today'",
    "near_due": "clock = 'running' AND level = 'near_due'",
    "in_time": "clock = 'running' AND verdict = 'in_time'",
}
_OTHERWISE: Standing = "without_deadline"
_NEVER = "toDateTime64(0, 6, 'UTC')"


def _standings() -> str:
    cases = ", ".join(f"{condition}, '{standing}'" for standing, condition in _STANDING.items())
    return f"(SELECT unit, multiIf({cases}, '{_OTHERWISE}') AS standing FROM desk_assessments)"  # noqa: S608 - names are ours, values are parameters


def _counts(standings: tuple[Standing, ...], shown: str = "{}") -> str:
    counted = {each: shown.format(f"countIf(standing = '{each}')") for each in standings}
    return ", ".join(f"{count} AS `{words.STANDINGS[each]}`" for each, count in counted.items())


#: One row, nulls when there is no dossier at all: an empty database must not look like a good day.
OPEN_NOW = f"SELECT {_counts(words.OPEN, 'if(count() = 0, NULL, {})')} FROM {_standings()}"  # noqa: S608 - names are ours, values are parameters

#: Seconds since the newest event that has reached ClickHouse happened; null when there is none.
LAST_EVENT = (
    f"SELECT if(newest > {_NEVER}, greatest(0, dateDiff('second', newest, now64(6, 'UTC'))), NULL)"  # noqa: S608 - names are ours, values are parameters
    f" AS `{words.LAST_EVENT}`"
    f" FROM (SELECT greatest(max(arrayMax(`segments.begin`)), max(ifNull(ended_at, {_NEVER}))) AS newest"
    " FROM desk_assessments)"
)

#: Every dossier and cycle by unit and standing; the last column is the sum of those before it.
BY_UNIT = (
    f"SELECT ifNull(unit, '–') AS `{words.UNIT}`, {_counts(tuple(words.STANDINGS))}, count() AS `{words.TOTAL}`"  # noqa: S608 - names are ours, values are parameters
    f" FROM {_standings()} GROUP BY unit"
    f" ORDER BY `{words.STANDINGS['overdue']}` DESC, `{words.UNIT}`"
)

#: The open dossiers that are overdue longest. A code is a citizen's key to the dossier, so a board ends at four of it.
SLOWEST = (
    f"SELECT concat('…', right(dossier_code, 4)) AS `{words.CODE}`, ifNull(unit, '–') AS `{words.UNIT}`,"  # noqa: S608 - names are ours, values are parameters
    f" ifNull(procedure, '–') AS `{words.PROCEDURE}`, ifNull(stage, '–') AS `{words.STAGE}`,"
    f" toDateTime(due_current, 'UTC') AS `{words.DUE}`,"
    f" round(toFloat64(late_working_seconds) / 3600, 1) AS `{words.LATE}`"
    " FROM desk_assessments WHERE clock = 'running' AND verdict = 'overdue'"
    " ORDER BY late_working_seconds DESC, dossier_code LIMIT 20"
)


def _rate(series: str, by: str) -> str:
    return f"sum by ({by}) (rate({series}[$__rate_interval]))"


RECORDS_PER_SECOND = _rate(metrics.RECORDS.name, "fate")
ROWS_PER_SECOND = _rate(metrics.ROWS.name, "table")
HELD = f"sum by (job, reason) ({metrics.HELD.name})"
WORKERS = 'sum by (job) (up{job=~"judge|archive"})'
UNBALANCED = f"max({metrics.UNBALANCED.name})"
_BURIED = f"sum by (reason) ({metrics.BURIED.name}"
#: A reason that was not there an hour ago begins at its first record, and so does not increase by it.
DEAD_LETTERS = f"({_BURIED}) unless {_BURIED} offset 1h)) or sum by (reason) (increase({metrics.BURIED.name}[1h]))"


def look_delay(quantile: float) -> str:
    """The delay below which this share of the looks was judged."""
    return f"histogram_quantile({quantile}, {_rate(f'{metrics.LOOK_DELAY.name}_bucket', 'le')})"
