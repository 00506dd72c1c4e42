"""The live part of the demonstration: one dossier whose time runs out while you watch, and the alert that follows."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.drivers.desk import Desk
from agents.drivers.kafka import connection
from agents.drivers.kafka_outlet import KafkaOutlet
from agents.settings import Settings
from schemas import topics
from schemas.alert import Action, Alert
from schemas.assessment import Level
from schemas.dossier import ALERT
from schemas.errors import DunghanError, Unavailable
from schemas.event import Event
from schemas.limits import Limit

UNIT = "H26.24"  # examples/demo/config: its calendar is open round the clock
LIMIT_SECONDS = 5
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert, and how long after its instant it stood in Kafka and in ClickHouse."""

    alert: Alert
    in_kafka: timedelta
    in_clickhouse: timedelta


def short_dossier(now: datetime) -> Event:
    """The receipt of a dossier that has a few seconds."""
    local = now.astimezone(UTC) + timedelta(hours=7)
    code = f"{UNIT}-{local:%y%m%d}-{local:%H%M%S}"
    return Event(
        event_id=f"{code}/1",
        dossier_code=code,
        at=now,
        status=2,
        procedure_code="1.004441",
        receiving_unit=UNIT,
        processing_unit=UNIT,
        stage="Trực",
        channel="online",
        limit=Limit("hour", LIMIT_SECONDS / 3600),
    )


async def watch(settings: Settings, desk: Desk, waiting: Callable[[Event], None]) -> Seen:
    """Publish the short dossier, then wait for its alert with no further event.

    ``waiting`` is told when the event is there. Raises `DunghanError` when none comes in time.
    """
    consumer = AIOKafkaConsumer(**connection(settings), auto_offset_reset="latest")
    try:
        await consumer.start()
        partitions = [TopicPartition(topics.ALERTS.name, number) for number in range(settings.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_end(*partitions)
        event = short_dossier(datetime.now(UTC).replace(microsecond=0))
        await asyncio.to_thread(_publish, settings, event)
        waiting(event)
        alert, stamped = await asyncio.wait_for(_alert(consumer, event.dossier_code), PATIENCE_SECONDS)
    except TimeoutError:
        raise DunghanError("demo_failed", f"no alert after {PATIENCE_SECONDS:.0f} s; see the log of judge") from None
    except KafkaError as failure:
        raise Unavailable("kafka_unavailable", f"reading {topics.ALERTS.name}: {failure}") from failure
    finally:
        await consumer.stop()
    stored = await asyncio.to_thread(_stored, desk, alert)
    return Seen(alert, stamped - alert.at, stored - alert.at)


def _publish(settings: Settings, event: Event) -> None:
    with KafkaOutlet(settings) as outlet:
        outlet.send(event)
        outlet.finish()


async def _alert(consumer: AIOKafkaConsumer, dossier_code: str) -> tuple[Alert, datetime]:
    """The alert that the dossier is overdue, and when the broker stamped it."""
    async for record in consumer:
        alert = ALERT.validate_json(record.value)
        if alert.dossier_code == dossier_code and (alert.level, alert.action) == (Level.OVERDUE, Action.RAISE):
            return alert, datetime.fromtimestamp(record.timestamp / 1000, UTC)
    raise DunghanError("demo_failed", "the broker ended the reading of alerts")


def _stored(desk: Desk, alert: Alert) -> datetime:
    """When the alert's row was first seen in ClickHouse."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = desk.rows(
            "SELECT count() FROM {db}.alerts WHERE dossier_code = %(code)s AND alert_id = %(id)s AND action = 'raise'",
            {"code": alert.dossier_code, "id": alert.alert_id},
        )
        if found[0][0]:
            return datetime.now(UTC)
        time.sleep(0.05)
    raise DunghanError("demo_failed", "the alert stands in Kafka, but not in ClickHouse; see the log of archive")
