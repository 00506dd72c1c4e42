"""What stands in ClickHouse of some dossiers, to be compared with an answer that was worked out anew."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

from clickhouse_driver import Client

from agents.drivers.clickhouse import COMMAND_SECONDS, named_failures
from agents.drivers.event_log import READING, EventLog
from agents.drivers.tables import opened
from agents.rows import ASSESSMENTS, COLUMNS, Row
from agents.settings import Settings
from schemas.alert import Action

Rows = Mapping[str, Mapping[int, Row]]  #: by dossier and cycle
Told = Mapping[str, Mapping[str, tuple[int, Action]]]  #: by dossier and alert: the last sequence, and its action


class LiveFacts:
    """Reads one database; every method raises `Unavailable` when ClickHouse does not answer."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """The facts for as long as the context is open; raises `ConfigError` when the tables are not there."""
        with opened(settings, answer_seconds=COMMAND_SECONDS) as client:
            yield cls(client, settings.clickhouse_database)

    def last(self) -> datetime:
        """The time of the last event, in UTC; the epoch when there is none."""
        return EventLog(self._client, self._database).last()

    def assessments(self, codes: Sequence[str]) -> Rows:
        """The rows of these dossiers, each as `agents.rows.assessment_rows` makes it; deleted ones are left out."""
        names = ", ".join(COLUMNS[ASSESSMENTS])
        found: dict[str, dict[int, Row]] = {}
        for row in self._of(codes, f"SELECT {names} FROM {self._database}.assessments FINAL"):  # noqa: S608 - names are ours, values are parameters
            found.setdefault(row[0], {})[row[1]] = tuple(map(plain_value, row))
        return found

    def told(self, codes: Sequence[str]) -> Told:
        """The last action on every alert of these dossiers."""
        last = "max(sequence), argMax(action, (sequence, version))"
        query = f"SELECT dossier_code, toString(alert_id), {last} FROM {self._database}.alerts FINAL"  # noqa: S608 - names are ours, values are parameters
        found: dict[str, dict[str, tuple[int, Action]]] = {}
        for code, name, sequence, action in self._of(codes, query, "GROUP BY dossier_code, alert_id"):
            found.setdefault(code, {})[name] = sequence, Action(action)
        return found

    def dossiers(self) -> Iterator[str]:
        """Every dossier that has a row, once."""
        query = f"SELECT dossier_code FROM {self._database}.assessments FINAL GROUP BY dossier_code"  # noqa: S608 - names are ours, values are parameters
        with named_failures():
            for (code,) in self._client.execute_iter(query, settings=READING):
                yield code

    def _of(self, codes: Sequence[str], query: str, grouping: str = "") -> list[tuple[Any, ...]]:
        with named_failures():
            answer: list[tuple[Any, ...]] = self._client.execute(
                f"{query} WHERE dossier_code IN %(codes)s {grouping}", {"codes": tuple(codes)}, settings=READING
            )
            return answer


def plain_value(value: Any) -> Any:
    """A value as ours are: numbers as floats, lists element by element; instants compare as they are."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [plain_value(part) for part in value]
    return value
