"""What must stand after a storm, worked out by the pure core from what the events topic holds, and what does stand.

The rows of a calm day are written by the archive's own driver into a second database of the same ClickHouse and read
back from there, so that both sides went through the same types and are compared as they stand, column by column.

Alerts need a word. Which of them are told on the way depends on what a chunk happens to bring, so a dossier is
*steady* when every order of chunks tells the same: there the rows must be equal. For the others, all that is called for
in the end was told, and nothing stands open that is not called for.
"""

import asyncio
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import ConsumerRecord

from agents.dead_letters import dead_letter, read_dead_letter, source_of
from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from agents.drivers.memory import MemoryRecord
from agents.drivers.tables import fill_calendars, migrate
from agents.rows import (
    ALERTS,
    ASSESSMENTS,
    COLUMNS,
    DEAD_LETTERS,
    EVENTS,
    alert_row,
    assessment_rows,
    dead_letter_row,
    event_row,
)
from agents.rows import Row as Values
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import Judgement, Memory
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.alerts import decide
from streams.history import History, add
from streams.rules import Rules
from streams.verdict import assess
from tests.contracts.brokers import read_partition
from tests.system.office import Office, Row
from tests.tables import asking

#: What is compared of each table. When a record was buried no two runs share; the rest is all there is.
COMPARED = {EVENTS: "*", ASSESSMENTS: "*", ALERTS: "*", DEAD_LETTERS: "* EXCEPT buried_at"}

Position = tuple[int, int]  #: partition and offset on the topic of events


@dataclass(frozen=True)
class Published:
    """What the events topic holds, as the pure core understands it: every record has one of three fates."""

    accepted: Mapping[Position, Event]
    misplaced: frozenset[Position]
    refused: Mapping[Position, Values]

    @classmethod
    def read(cls, records: Iterable[ConsumerRecord], rules: Rules, now: datetime) -> "Published":
        accepted: dict[Position, Event] = {}
        misplaced: set[Position] = set()
        refused: dict[Position, Values] = {}
        for record in records:
            where = (record.partition, record.offset)
            try:
                event = read_event(record.value)
                rules.check_codes(event)
                if event.at > now + rules.office.skew:
                    raise InvalidRecord("future_time", "the time lies further in the future than the tolerated skew")
            except InvalidRecord as error:
                refused[where] = _letter_row(record, error)
                continue
            accepted[where] = event
            if partition_of(event.dossier_code.encode(), PARTITIONS) != record.partition:
                misplaced.add(where)
        return cls(accepted, frozenset(misplaced), refused)

    def arrivals(self) -> dict[str, list[Event]]:
        """The events of each dossier in the order of its partition; those that took the long way come anywhere."""
        found: dict[str, list[Event]] = {}
        for where in sorted(self.accepted):
            found.setdefault(self.accepted[where].dossier_code, []).append(self.accepted[where])
        return found

    def detoured(self) -> frozenset[str]:
        """The dossiers of which some event took the long way."""
        return frozenset(self.accepted[where].dossier_code for where in self.misplaced)


def _letter_row(record: ConsumerRecord, error: InvalidRecord) -> Values:
    refused = MemoryRecord(record.topic, record.partition, record.offset, 0, record.key, record.value)
    source = source_of(record.value)
    letter = dead_letter(refused, error, at=datetime.fromtimestamp(0, UTC), source=source)
    headers = MemoryRecord(letter.topic, 0, 0, 0, letter.key, letter.value, letter.headers)
    return dead_letter_row(read_dead_letter(headers))


@dataclass(frozen=True)
class Calm:
    """The rows of a calm day, and the alerts of those dossiers that tell the same in any order of chunks."""

    rows: Mapping[str, Sequence[Values]]
    steady: frozenset[str]
    called_for: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, published: Published, rules: Rules, now: datetime) -> "Calm":
        rows: dict[str, list[Values]] = {table: [] for table in COLUMNS}
        steady: set[str] = set()
        called_for: set[tuple[str, str]] = set()
        detoured = published.detoured()
        for code, events in published.arrivals().items():
            rows[EVENTS] += {row[:3]: row for row in map(event_row, events)}.values()
            history = History(code)
            told: list[tuple[Alert, ...]] = []
            answer = None
            for event in events:
                known, history = history, add(history, event)
                if history is known:
                    continue
                answer = assess(history, rules, now=now)
                told.append(decide(answer, (), now=now))
            assert answer is not None
            rows[ASSESSMENTS] += assessment_rows(Judgement(answer, len(answer.cycles)))
            called_for |= {(code, alert.alert_id) for alert in told[-1]}
            if code not in detoured and all(set(alerts) <= set(told[-1]) for alerts in told):
                steady.add(code)
                rows[ALERTS] += map(alert_row, told[-1])
        rows[DEAD_LETTERS] += published.refused.values()
        return cls(rows, frozenset(steady), frozenset(called_for))


def differences(office: Office) -> list[str]:
    """Everything in which the office does not stand as on a calm day; empty when a storm left no trace."""
    now = datetime.now(UTC)
    published = Published.read(office.records(topics.EVENTS), office.rules, now)
    calm = Calm.of(published, office.rules, now)
    found: list[str] = []
    theirs = _calm_tables(office, calm)
    for table, ours in _tables(office, "dunghan").items():
        mine = [row for row in ours if table != ALERTS or row["dossier_code"] in calm.steady]
        found += _compared(table, mine, theirs[table])
    alerts = office.alerts()
    found += [f"alerts: never told: {alert}" for alert in calm.called_for - alerts.keys()]
    found += [f"alerts: open: {alert}" for alert, is_open in alerts.items() if is_open and alert not in calm.called_for]
    found += [f"alerts: two contents of one action: {row}" for row in office.ask(TWICE)]
    found += _fates(office, published)
    found += _state(office, published)
    assert len(calm.steady) > len(published.arrivals()) // 20, "too few dossiers to compare every alert of"
    return found


TWICE = """SELECT alert_id, sequence, count() AS rows FROM dunghan.alerts FINAL
GROUP BY alert_id, sequence HAVING rows > 1 ORDER BY ALL"""


def _tables(office: Office, database: str) -> dict[str, list[Row]]:
    return {
        table: office.ask(f"SELECT {columns} FROM {database}.{table} FINAL ORDER BY ALL")
        for table, columns in COMPARED.items()
    }


def _calm_tables(office: Office, calm: Calm) -> dict[str, list[Row]]:
    database = f"dunghan_{uuid.uuid4().hex[:8]}"
    with asking(office.settings) as client:
        migrate(client, database=database)
        fill_calendars(client, office.rules, database=database)

    async def fill() -> None:
        async with ClickHouseFacts(office.settings.model_copy(update={"clickhouse_database": database})) as facts:
            for table, rows in calm.rows.items():
                if rows:
                    await facts.insert(table, COLUMNS[table], rows)

    asyncio.run(fill())
    try:
        return _tables(office, database)
    finally:
        with asking(office.settings) as client:
            client.execute(f"DROP DATABASE {database} SYNC")


def _compared(table: str, ours: Sequence[Row], theirs: Sequence[Row]) -> list[str]:
    mine, wanted = Counter(map(repr, ours)), Counter(map(repr, theirs))
    found = [f"{table}: too much: {row}" for row in (mine - wanted).elements()]
    return found + [f"{table}: missing: {row}" for row in (wanted - mine).elements()]


def _fates(office: Office, published: Published) -> list[str]:
    """In = done + buried + rerouted, record by record: nothing has two fates, and nothing that was not sent has one."""
    rerouted = _origins(office.records(topics.REROUTED))
    buried = _origins(office.records(topics.DEAD_LETTERS))
    done = {(row["dossier_code"], row["event_id"]) for row in office.ask("SELECT * FROM dunghan.events FINAL")}
    found = [f"fates: rerouted or not: {where}" for where in rerouted ^ published.misplaced]
    found += [f"fates: buried or not: {where}" for where in buried ^ published.refused.keys()]
    found += [
        f"fates: accepted and not done: {where}"
        for where, event in published.accepted.items()
        if (event.dossier_code, event.event_id) not in done
    ]
    return found


def _origins(records: Iterable[ConsumerRecord]) -> set[Position]:
    said = [{name: value.decode() for name, value in record.headers} for record in records]
    assert all(each["topic"] == topics.EVENTS.name for each in said), "something else than an event was refused"
    return {(int(each["partition"]), int(each["offset"])) for each in said}


def _state(office: Office, published: Published) -> list[str]:
    """The judge's own memory holds every accepted event, each once, where its dossier is."""
    found: list[str] = []
    for partition in range(PARTITIONS):
        records = asyncio.run(read_partition(office.settings, topics.STATE.name, partition))
        kept = {record.key for record in records if b"\x1fevent\x1f" in record.key and record.value is not None}
        wanted = {
            Memory(event.dossier_code, event=event).key()
            for event in published.accepted.values()
            if partition_of(event.dossier_code.encode(), PARTITIONS) == partition
        }
        found += [f"state: partition {partition}: {key!r}" for key in kept ^ wanted]
    return found
