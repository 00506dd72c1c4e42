"""The live part of the demonstration: two dossiers whose time runs out while you watch, and what their alerts become.

One is finished too late, and its alert is over. The other was finished in time, but the event comes late: the alert
should never have been, and is taken back.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.demo import NIGHT_DESK
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

LIMIT_SECONDS = 5
PATIENCE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """An alert, and how long after its instant (or the event that ended it) it stood in Kafka and in ClickHouse."""

    alert: Alert
    in_kafka: timedelta
    in_clickhouse: timedelta


def short_dossier(now: datetime, number: int) -> Event:
    """The receipt of a dossier that has a few seconds."""
    local = now.astimezone(UTC) + timedelta(hours=7)
    code = f"{NIGHT_DESK}-{local:%y%m%d}-{local:%H%M%S}{number}"
    return Event(
        event_id=f"{code}/1",
        dossier_code=code,
        at=now,
        status=2,
        procedure_code="1.004441",
        receiving_unit=NIGHT_DESK,
        processing_unit=NIGHT_DESK,
        stage="Trực",
        channel="online",
        limit=Limit("hour", LIMIT_SECONDS / 3600),
    )


class Watch:
    """What happens on the topic of alerts from now on. Made in the event loop that plays it."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings = settings
        self._desk = desk
        self._consumer = AIOKafkaConsumer(**connection(settings), auto_offset_reset="latest")
        self._seen: list[tuple[Alert, datetime]] = []

    async def play(self, tell: Callable[[Event], None], show: Callable[[Seen], None]) -> None:
        """Publish both dossiers, wait for their alerts, end them, and wait for what becomes of the alerts.

        ``tell`` is told of every event that is sent, ``show`` of every alert. Raises `DunghanError` when one does
        not come in time.
        """
        try:
            await self._begin()
            begun = datetime.now(UTC).replace(microsecond=0)
            slow, hasty = short_dossier(begun, 1), short_dossier(begun, 2)
            for event in (slow, hasty):
                await self._send(event, tell)
            raised = [await self._wait(event, Action.RAISE, begun) for event in (slow, hasty)]
            for seen in raised:
                show(seen)
            late = max(raised[0].alert.at, datetime.now(UTC).replace(microsecond=0))
            await self._finish(slow, late, Action.RESOLVE, tell, show)
            await self._finish(hasty, hasty.at + timedelta(seconds=LIMIT_SECONDS - 2), Action.RETRACT, tell, show)
        except TimeoutError:
            raise DunghanError("demo_failed", f"no alert after {PATIENCE_SECONDS:.0f} s; see judge's log") from None
        except KafkaError as failure:
            raise Unavailable("kafka_unavailable", f"reading {topics.ALERTS.name}: {failure}") from failure
        finally:
            await self._consumer.stop()

    async def _finish(
        self, dossier: Event, at: datetime, action: Action, tell: Callable[[Event], None], show: Callable[[Seen], None]
    ) -> None:
        sent = datetime.now(UTC)
        end = replace(dossier, event_id=f"{dossier.dossier_code}/2", status=9, limit=None, at=at)
        await self._send(end, tell)
        show(await self._wait(end, action, max(sent, at)))

    async def _begin(self) -> None:
        await self._consumer.start()
        partitions = [TopicPartition(topics.ALERTS.name, number) for number in range(self._settings.partitions)]
        self._consumer.assign(partitions)
        await self._consumer.seek_to_end(*partitions)
        for partition in partitions:  # seeking is lazy: what is sent before the place is known would be passed over
            await self._consumer.position(partition)

    async def _send(self, event: Event, tell: Callable[[Event], None]) -> None:
        await asyncio.to_thread(_publish, self._settings, event)
        tell(event)

    async def _wait(self, event: Event, action: Action, since: datetime) -> Seen:
        """The action on the dossier's alert; an alert is raised by its own time, an event ends it from ``since`` on."""
        alert, stamped = await asyncio.wait_for(self._next(event.dossier_code, action), PATIENCE_SECONDS)
        stored = await asyncio.to_thread(_stored, self._desk, alert)
        since = alert.at if action is Action.RAISE else since
        return Seen(alert, stamped - since, stored - since)

    async def _next(self, dossier_code: str, action: Action) -> tuple[Alert, datetime]:
        """That action on the alert that the dossier is overdue, and when the broker stamped it."""
        wanted = (dossier_code, Level.OVERDUE, action)
        while True:
            for alert, stamped in self._seen:
                if (alert.dossier_code, alert.level, alert.action) == wanted:
                    return alert, stamped
            record = await self._consumer.getone()
            self._seen.append((ALERT.validate_json(record.value), datetime.fromtimestamp(record.timestamp / 1000, UTC)))


def _publish(settings: Settings, event: Event) -> None:
    with KafkaOutlet(settings) as outlet:
        outlet.send(event)
        outlet.finish()


def _stored(desk: Desk, alert: Alert) -> datetime:
    """When the action's row was first seen in ClickHouse."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        found = desk.rows(
            "SELECT count() FROM {db}.alerts WHERE dossier_code = %(code)s AND alert_id = %(id)s"
            " AND action = %(action)s",
            {"code": alert.dossier_code, "id": alert.alert_id, "action": alert.action.value},
        )
        if found[0][0]:
            return datetime.now(UTC)
        time.sleep(0.05)
    raise DunghanError("demo_failed", "the alert stands in Kafka, but not in ClickHouse; see the log of archive")
