"""ClickHouse in memory: what unit tests, fault scripts and stories use instead of the tables.

As in `agents.drivers.memory` it keeps the contracts of the real drivers, and can be told to fail.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from agents.drivers.memory import MemoryOutbox
from agents.ports import Archived
from schemas.alert import Alert
from schemas.audit import Action, Entry, Step
from schemas.dossier import JUDGEMENT, TOLD
from schemas.errors import Unavailable
from schemas.topics import ALERTS, ASSESSMENTS
from streams.rules import Rules


@dataclass(slots=True)
class MemoryPast:
    """A `Past` over the topics of a `MemoryOutbox`, as if archive had stored every record the moment it was sent.

    ``fail_next(n)`` makes the next n readings raise `Unavailable`; ``lose(code)`` forgets one until ``find(code)``.
    """

    outbox: MemoryOutbox
    _failures: int = 0
    _lost: set[str] = field(default_factory=set)

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` readings fail."""
        self._failures = times

    def lose(self, code: str) -> None:
        """Hold nothing of this dossier any more."""
        self._lost.add(code)

    def find(self, code: str) -> None:
        """Hold it again."""
        self._lost.remove(code)

    async def read(self, codes: Sequence[str]) -> Mapping[str, Archived]:
        """What the topics hold of these dossiers."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory tables were told to fail")
        found = {code: Archived() for code in codes}
        wanted = found.keys() - self._lost
        judgements = [JUDGEMENT.validate_json(one.value or b"") for one in self.outbox.records(ASSESSMENTS.name)]
        for judgement in sorted(judgements, key=lambda one: one.assessment.version):
            version = judgement.assessment.version
            code = judgement.assessment.dossier_code
            if code in wanted:
                found[code].events.extend(judgement.events)
                for cycle in range(1, judgement.highest_cycle + 1):
                    found[code].rows[cycle] = version.events, version.as_of
                for standing in judgement.news.standings if judgement.news is not None else ():
                    found[code].said[standing.cycle] = standing
        for record in self.outbox.records(ALERTS.name):
            told = TOLD.validate_json(record.value or b"")
            if isinstance(told, Alert) and told.dossier_code in wanted:
                found[told.dossier_code].alerts.append(told)
        return found


@dataclass(slots=True)
class MemoryFacts:
    """ClickHouse in memory: ``tables`` maps a table to its rows, each a dict, as often as inserted.

    Unlike the real one it never replaces rows by version: a test sees every insert.
    """

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` inserts raise `Unavailable`, without a row."""
        self._failures = times

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Keep the rows by column name."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory tables were told to fail")
        named = [dict(zip(columns, row, strict=True)) for row in rows]
        self.tables.setdefault(table, []).extend(named)


@dataclass(slots=True)
class MemoryCalendars:
    """Calendars in memory: ``versions`` are those of the rules that were taken up, oldest first.

    ``fail_next(n)`` makes the next n calls raise `Unavailable`, with nothing taken up.
    """

    versions: list[int] = field(default_factory=list)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` calls fail."""
        self._failures = times

    async def take_up(self, rules: Rules) -> None:
        """Remember the version, unless it or a newer one is there."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory calendars were told to fail")
        if rules.version > max(self.versions, default=0):
            self.versions.append(rules.version)


@dataclass(slots=True)
class MemoryBook:
    """An `agents.audit.Book` in memory: ``rows`` has the earliest of each step of each action, by both.

    ``fail_next(n)`` makes the next n writings raise `Unavailable`, without a row.
    """

    rows: dict[tuple[UUID, Step], Entry] = field(default_factory=dict)
    _failures: int = 0

    def fail_next(self, times: int) -> None:
        """Make the next ``times`` writings fail."""
        self._failures = times

    def write(self, step: Step, entries: Sequence[Entry]) -> None:
        """Keep the rows, the earliest of each key."""
        if self._failures:
            self._failures -= 1
            raise Unavailable("clickhouse_unavailable", "the memory book was told to fail")
        for entry in entries:
            known = self.rows.setdefault((entry.audit_id, step), entry)
            if entry.at < known.at:
                self.rows[entry.audit_id, step] = entry

    def begun(self, audit_id: UUID) -> Entry | None:
        """The action as it was begun."""
        return self.rows.get((audit_id, "begun"))

    def done(self, action: Action) -> Mapping[tuple[str, str], datetime]:
        """The records with which this was done."""
        found: dict[tuple[str, str], datetime] = {}
        for (_, step), entry in self.rows.items():
            if step == "done" and entry.action == action:
                key = (entry.record, entry.record_sha256)
                found[key] = min(entry.at, found.get(key, entry.at))
        return found
