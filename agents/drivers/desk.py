"""What the command line reads from ClickHouse: one dossier's events, and the answers as they stand there."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Self

from clickhouse_driver import Client

from agents.batches import batches
from agents.drivers.clickhouse import named_failures
from agents.drivers.event_log import EVENT_COLUMNS, READING, event_of, plain
from agents.drivers.tables import opened
from agents.recall import Arrivals, Said
from agents.rows import ALERTS, COLUMNS
from agents.settings import Settings
from schemas.alert import Action, Alert
from schemas.assessment import Level, Version
from schemas.event import Event
from schemas.standing import Standing
from streams.history import FULL

#: Dossiers named in one query: ClickHouse takes queries of up to 256 KiB.
NAMED = 2_000
#: What `alert_of` reads, in its order.
ALERT_COLUMNS = tuple(name for name in COLUMNS[ALERTS] if name not in ("digest", "version"))


class Desk:
    """Reads from one database of ClickHouse; every method raises `Unavailable` when it does not answer."""

    def __init__(self, client: Client, database: str) -> None:
        self._client = client
        self._database = database

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """A desk for as long as the context is open; raises `ConfigError` when the tables are not there."""
        with opened(settings) as client:
            yield cls(client, settings.clickhouse_database)

    def rows(self, query: str, parameters: Mapping[str, object] | None = None) -> list[tuple[Any, ...]]:
        """The answer to a query, in which ``{db}`` stands for the database."""
        with named_failures():
            return list(self._client.execute(query.replace("{db}", self._database), parameters))

    def events(self, dossier_code: str) -> tuple[Event, ...]:
        """Every event of a dossier; none when it is not known."""
        found = self.rows(
            f"SELECT {', '.join(EVENT_COLUMNS)} FROM {{db}}.events FINAL WHERE dossier_code = %(code)s",  # noqa: S608 - names are ours, values are parameters
            {"code": dossier_code},
        )
        return tuple(map(event_of, found))

    def dossiers(self, event_id: str) -> tuple[str, ...]:
        """The dossiers that have an event of this id: one, unless a sender uses an id twice."""
        query = "SELECT DISTINCT dossier_code FROM {db}.events WHERE event_id = %(id)s ORDER BY dossier_code"
        return tuple(code for (code,) in self.rows(query, {"id": event_id}))

    def full(self, dossier_codes: Collection[str]) -> frozenset[str]:
        """Those among these dossiers that have no room for one more event."""
        query = (
            "SELECT dossier_code FROM {db}.events FINAL WHERE dossier_code IN %(codes)s"
            " GROUP BY dossier_code HAVING count() >= %(full)s"
        )
        parts = batches(sorted(dossier_codes), NAMED)
        return frozenset(code for part in parts for (code,) in self.rows(query, {"codes": part, "full": FULL}))

    def alerts(self, dossier_code: str) -> tuple[Alert, ...]:
        """Every action on the alerts of a dossier, in the order in which they were written; none when there is none."""
        found = self.rows(
            f"SELECT {', '.join(ALERT_COLUMNS)} FROM {{db}}.alerts FINAL WHERE dossier_code = %(code)s"  # noqa: S608 - names are ours, values are parameters
            " ORDER BY cycle, version, alert_id, sequence",
            {"code": dossier_code},
        )
        return tuple(map(alert_of, found))

    def arrivals(self, dossier_code: str) -> Arrivals:
        """When the events of a dossier arrived first, as far as anybody kept it."""
        query = "SELECT event_id, digest, seen_at FROM {db}.arrivals FINAL WHERE dossier_code = %(code)s"
        found = self.rows(query, {"code": dossier_code})
        return {(event_id, digest): plain(seen_at) for event_id, digest, seen_at in found}

    def said(self, dossier_code: str) -> tuple[Said, ...]:
        """What judge has said of every cycle of a dossier that was a change, in order."""
        found = self.rows(
            "SELECT cycle, verdict_after, level_after, due_after, seen_at, version_rules FROM {db}.desk_verdict_changes"
            " WHERE dossier_code = %(code)s ORDER BY cycle, version_events, version_rules, version_as_of",
            {"code": dossier_code},
        )
        return tuple(Said(standing_of(*row), plain(seen_at), version) for *row, seen_at, version in found)

    def said_last(self) -> Iterator[tuple[str, tuple[Standing, ...]]]:
        """Every dossier of which judge ever said anything, and what it said last of each cycle."""
        query = (
            f"SELECT dossier_code, cycle, verdict, level, due FROM {self._database}.verdict_changes FINAL"  # noqa: S608 - names are ours, values are parameters
            " ORDER BY dossier_code, cycle, version DESC LIMIT 1 BY dossier_code, cycle"
        )
        with named_failures():
            found = self._client.execute_iter(query, settings=READING)
            for code, rows in groupby(found, key=itemgetter(0)):
                yield code, tuple(standing_of(*row) for _, *row in rows)

    def told(self) -> Iterator[Alert]:
        """Every action on every alert, by dossier; one at a time, so that memory does not grow with them."""
        query = (
            f"SELECT {', '.join(ALERT_COLUMNS)} FROM {self._database}.alerts FINAL"  # noqa: S608 - names are ours, values are parameters
            " ORDER BY dossier_code, alert_id, sequence, version"
        )
        with named_failures():
            yield from map(alert_of, self._client.execute_iter(query, settings=READING))

    def highest_cycles(self) -> Iterator[tuple[str, int]]:
        """Every dossier that ever had more than one cycle, and how many it had at most."""
        query = (
            f"SELECT dossier_code, max(cycle) FROM {self._database}.assessments"  # noqa: S608 - names are ours, values are parameters
            " GROUP BY dossier_code HAVING max(cycle) > 1 ORDER BY dossier_code"
        )
        with named_failures():
            yield from self._client.execute_iter(query, settings=READING)

    def known(self) -> tuple[int, int]:
        """How many dossiers have been judged, and on how many events altogether."""
        query = "SELECT count(), sum(version_events) FROM {db}.assessments FINAL WHERE cycle = 1"
        ((dossiers, events),) = self.rows(query)
        return int(dossiers), int(events)


def standing_of(cycle: int, verdict: Any, level: str | None, due: datetime | None) -> Standing:
    """The standing of some columns of ``verdict_changes``."""
    return Standing(cycle, verdict, None if level is None else Level(level), plain(due))


def alert_of(row: Sequence[Any]) -> Alert:
    """The alert of a row of `agents.rows.alert_row` (without digest and version number)."""
    values = {name: plain(value) for name, value in zip(ALERT_COLUMNS, row, strict=True)}
    version = Version(*(values.pop(f"version_{part}") for part in ("events", "rules", "as_of")))
    named = {"alert_id": str, "action": Action, "level": Level}
    return Alert(**(values | {name: kind(values[name]) for name, kind in named.items()}), version=version)
