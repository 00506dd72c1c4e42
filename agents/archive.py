"""archive: stores what was judged, told and refused as rows in ClickHouse.

A chunk is done when ClickHouse has acknowledged all its rows. A crash repeats the chunk, and equal
rows under equal keys change nothing. While ClickHouse is down the chunks wait and nothing else does:
judging and alerts go on.

A record of our own that cannot be read is a bug of ours or older than this program, and is never
lost in silence: it is buried with its bytes like any other (an unreadable dead letter, whose bytes
are where they belong already, gets a row alone), counted, and logged as an error.
"""

import asyncio
import hashlib
from datetime import UTC, datetime

import structlog
from pydantic import ValidationError

from agents.dead_letters import dead_letter, read_dead_letter
from agents.gatherer import Gatherer
from agents.ports import Chunk, Facts, Lease, Outbox, Outgoing, Record
from agents.room import Room
from agents.rows import (
    ALERTS,
    ARRIVALS,
    ASSESSMENTS,
    CHANGES,
    DEAD_LETTERS,
    EVENTS,
    FEEDS,
    RELEASES,
    SILENCES,
    VERDICT_CHANGES,
    Row,
    alert_row,
    arrival_rows,
    assessment_rows,
    change_rows,
    dead_letter_row,
    event_row,
    heard_row,
    release_row,
    silence_row,
    turned_rows,
)
from agents.telemetry import Meters
from schemas import metrics, topics
from schemas.dossier import JUDGEMENT, TOLD, DeadLetter
from schemas.errors import InvalidRecord, Unavailable
from schemas.feed import FEED, FeedRecord, Heard, Release, Silence
from schemas.rulebook import Change

#: Between two inserts of a table, in seconds. ClickHouse merges parts at leisure at this rate, and an alert's
#: row is there well within the five seconds that are promised.
PACE = 0.5
#: Bytes of records that may be rows at the same time. As rows they take some eight times as much, and after an outage
#: every partition of every topic brings its largest chunk at once.
ROOM = 16 * 2**20
#: Who waits so many seconds for room says that it is held, or would count as stalled.
PATIENCE = 10.0
BREATH = 100  # records read between two turns of the event loop, or heartbeats would be late
#: The topics whose chunks `Archive.handle` takes.
TOPICS = (topics.ASSESSMENTS, topics.ALERTS, topics.DEAD_LETTERS, topics.FEEDS)

log = structlog.stdlib.get_logger(__name__)


class Archive:
    """The archive worker; ``handle`` is its `agents.boundary.Handle` for each of `TOPICS`."""

    def __init__(self, facts: Facts, outbox: Outbox, meters: Meters, *, pace: float = PACE, room: int = ROOM) -> None:
        self._outbox = outbox
        self._meters = meters
        self._gatherer = Gatherer(facts, meters, pace=pace)
        self._room = Room(room)

    async def handle(self, chunk: Chunk, lease: Lease) -> None:
        """Return when every record of the chunk stands in ClickHouse, or is buried.

        Raises `Unavailable` to be called again with the same chunk, `LeaseLost` to have it dropped.
        """
        size = sum(len(record.value or b"") for record in chunk.records)
        try:
            async with self._room.take(size, patience=PATIENCE):
                await self._store(chunk, lease)
        except TimeoutError as crowded:
            raise Unavailable("clickhouse_busy", "rows of other partitions are written first") from crowded

    async def _store(self, chunk: Chunk, lease: Lease) -> None:
        rows: dict[str, list[Row]] = {}
        refused: list[tuple[Record, InvalidRecord]] = []
        for number, record in enumerate(chunk.records, 1):
            try:
                read_into(rows, record)
            except InvalidRecord as error:
                refused.append((record, error))
            if number % BREATH == 0:
                await asyncio.sleep(0)
        await self._gatherer.write(rows, lease)
        await self._bury(refused, lease)  # last, because each try would bury them once more
        self._meters.count(metrics.RECORDS, len(chunk.records) - len(refused), topic=chunk.topic, fate="done")

    async def _bury(self, refused: list[tuple[Record, InvalidRecord]], lease: Lease) -> None:
        if not refused:
            return
        now = datetime.now(UTC)
        letters: list[Outgoing] = [dead_letter(record, error, at=now) for record, error in refused]
        lease.check()
        await self._outbox.send(letters)
        for record, error in refused:
            self._meters.count(metrics.RECORDS, topic=record.topic, fate="buried")
            self._meters.count(metrics.BURIED, reason=error.reason)
            log.error(
                "record_buried",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=error.reason,
            )


def read_into(rows: dict[str, list[Row]], record: Record) -> None:
    """Add the rows of one record; raises `InvalidRecord` when it cannot be read."""
    try:
        match record.topic:
            case topics.ASSESSMENTS.name:
                judgement = JUDGEMENT.validate_json(record.value or b"")
                rows.setdefault(EVENTS, []).extend(map(event_row, judgement.events))
                rows.setdefault(ARRIVALS, []).extend(arrival_rows(judgement))
                rows.setdefault(ASSESSMENTS, []).extend(assessment_rows(judgement))
                rows.setdefault(VERDICT_CHANGES, []).extend(change_rows(judgement))
            case topics.ALERTS.name:
                told = TOLD.validate_json(record.value or b"")
                if isinstance(told, Change):
                    rows.setdefault(CHANGES, []).extend(turned_rows(told))
                else:
                    rows.setdefault(ALERTS, []).append(alert_row(told))
            case topics.DEAD_LETTERS.name:
                rows.setdefault(DEAD_LETTERS, []).append(dead_letter_row(_letter(record)))
            case topics.FEEDS.name:
                _read_feed_into(rows, FEED.validate_json(record.value or b""))
            case _:
                raise AssertionError(f"archive does not read {record.topic}")
    except ValidationError:
        raise InvalidRecord("unreadable", "the record is not one that this program writes") from None


def _read_feed_into(rows: dict[str, list[Row]], record: FeedRecord) -> None:
    match record:
        case Heard():
            rows.setdefault(FEEDS, []).append(heard_row(record))
        case Silence():
            rows.setdefault(SILENCES, []).append(silence_row(record))
        case Release():
            rows.setdefault(RELEASES, []).append(release_row(record))


def _letter(record: Record) -> DeadLetter:
    try:
        return read_dead_letter(record)
    except InvalidRecord as error:
        value = record.value or b""
        log.error("dead_letter_unread", partition=record.partition, offset=record.offset)
        return DeadLetter(
            record.topic,
            record.partition,
            record.offset,
            error.reason,
            error.message,
            len(value),
            hashlib.sha256(value).hexdigest(),
            datetime.fromtimestamp(record.timestamp / 1000, UTC),
        )
