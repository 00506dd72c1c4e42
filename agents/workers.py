"""The workers, each put together from its ports: what `dunghan worker NAME` runs.

`real_ports` opens nothing; what must be opened and closed around a worker's life are its resources.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta

from agents import evict, listen, sum_up, tick
from agents import reload as reloads
from agents.app import Timer, Worker
from agents.archive import TOPICS, Archive
from agents.clock import clock_for
from agents.config import Folder, load_folder
from agents.drivers.calendars import ClickHouseCalendars
from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.kafka import KafkaOutbox
from agents.drivers.kafka_feeds import KafkaFeedLog
from agents.drivers.kafka_state import KafkaStateLog
from agents.drivers.past import ClickHousePast
from agents.feeds import Feeds
from agents.judge import Judge
from agents.ports import Calendars, Clock, Facts, FeedLog, Outbox, Past, StateLog
from agents.reload import Reload
from agents.settings import Settings
from agents.telemetry import Meters
from schemas import topics


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that a worker touches; resources are opened before its first chunk, closed after its last."""

    clock: Clock
    outbox: Outbox
    state: StateLog
    feeds: FeedLog
    facts: Facts
    past: Past
    calendars: Calendars
    resources: Mapping[str, tuple[AbstractAsyncContextManager[object], ...]]


def real_ports(settings: Settings) -> Ports:
    """The clock, Kafka and ClickHouse of these settings."""
    outbox, feeds, facts = KafkaOutbox(settings), KafkaFeedLog(settings), ClickHouseFacts(settings)
    past = ClickHousePast(settings)
    return Ports(
        clock_for(settings.now),
        outbox,
        KafkaStateLog(settings, topics.STATE.name),
        feeds,
        facts,
        past,
        ClickHouseCalendars(settings),
        {"judge": (outbox, feeds, past), "archive": (outbox, facts)},
    )


def build(name: str, settings: Settings, ports: Ports, meters: Meters) -> Worker:
    """The worker of that name (one of `WORKERS`), wired to these ports.

    Raises `ConfigError` when the office's files are wrong.
    """
    return WORKERS[name](settings, ports, meters)


def _judge(settings: Settings, ports: Ports, meters: Meters) -> Worker:
    folder = load_folder(settings.config)
    judging = Judge(
        folder.rules,
        ports.clock,
        ports.outbox,
        ports.state,
        ports.past,
        meters,
        partitions=settings.partitions,
        feeds=Feeds(folder.rules, ports.feeds),
        book=folder.book,
    )

    async def take_up(folder: Folder) -> None:
        judging.take_up(folder.rules, folder.book)

    reload = Reload(settings.config, folder, take_up, meters)
    return Worker(
        "judge",
        {
            topics.EVENTS.name: judging.events,
            topics.REROUTED.name: judging.events,
            topics.LOOKS.name: judging.looks,
        },
        assigned=judging.assigned,
        revoked=judging.revoked,
        timers=(
            Timer(tick.EVERY, tick.Tick(judging).run),
            Timer(listen.EVERY, listen.Listen(judging).run),
            Timer(reloads.EVERY, reload.run),
            Timer(sum_up.EVERY, sum_up.SumUp(judging).run),
            Timer(evict.EVERY, evict.Evict(judging, ports.past, keep=timedelta(days=settings.evict_days)).run),
        ),
        resources=ports.resources["judge"],
        notes={"rules": reload.note},
    )


def _archive(settings: Settings, ports: Ports, meters: Meters) -> Worker:
    archiving = Archive(ports.facts, ports.outbox, meters)
    handles = {topic.name: archiving.handle for topic in TOPICS}

    async def take_up(folder: Folder) -> None:
        await ports.calendars.take_up(folder.rules)

    reload = Reload(settings.config, None, take_up, meters)
    return Worker(
        "archive",
        handles,
        timers=(Timer(reloads.EVERY, reload.run),),
        resources=ports.resources["archive"],
        notes={"rules": reload.note},
    )


WORKERS: Mapping[str, Callable[[Settings, Ports, Meters], Worker]] = {"judge": _judge, "archive": _archive}
