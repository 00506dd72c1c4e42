"""The workers, each put together from its ports: what `dunghan worker NAME` runs.

`real_ports` opens nothing; what must be opened and closed around a worker's life are its resources.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from agents.app import Timer, Worker
from agents.archive import TOPICS, Archive
from agents.clock import clock_for
from agents.config import load
from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.kafka import KafkaOutbox
from agents.drivers.kafka_feeds import KafkaFeedLog
from agents.drivers.kafka_state import KafkaStateLog
from agents.feeds import Feeds
from agents.judge import Judge
from agents.listen import EVERY as LISTEN_EVERY
from agents.listen import Listen
from agents.ports import Clock, Facts, FeedLog, Outbox, StateLog
from agents.settings import Settings
from agents.telemetry import Meters
from agents.tick import EVERY, Tick
from schemas import topics


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that a worker touches; resources are opened before its first chunk, closed after its last."""

    clock: Clock
    outbox: Outbox
    state: StateLog
    feeds: FeedLog
    facts: Facts
    resources: Mapping[str, tuple[AbstractAsyncContextManager[object], ...]]


def real_ports(settings: Settings) -> Ports:
    """The clock, Kafka and ClickHouse of these settings."""
    outbox, feeds, facts = KafkaOutbox(settings), KafkaFeedLog(settings), ClickHouseFacts(settings)
    return Ports(
        clock_for(settings.now),
        outbox,
        KafkaStateLog(settings, topics.STATE.name),
        feeds,
        facts,
        {"judge": (outbox, feeds), "archive": (outbox, facts)},
    )


def build(name: str, settings: Settings, ports: Ports, meters: Meters) -> Worker:
    """The worker of that name (one of `WORKERS`), wired to these ports.

    Raises `ConfigError` when the office's files are wrong.
    """
    return WORKERS[name](settings, ports, meters)


def _judge(settings: Settings, ports: Ports, meters: Meters) -> Worker:
    rules = load(settings.config)
    feeds = Feeds(rules, ports.feeds)
    judging = Judge(rules, ports.clock, ports.outbox, ports.state, meters, partitions=settings.partitions, feeds=feeds)
    return Worker(
        "judge",
        {
            topics.EVENTS.name: judging.events,
            topics.REROUTED.name: judging.events,
            topics.LOOKS.name: judging.looks,
        },
        assigned=judging.assigned,
        revoked=judging.revoked,
        timers=(Timer(EVERY, Tick(judging).run), Timer(LISTEN_EVERY, Listen(judging).run)),
        resources=ports.resources["judge"],
    )


def _archive(_: Settings, ports: Ports, meters: Meters) -> Worker:
    archiving = Archive(ports.facts, ports.outbox, meters)
    handles = {topic.name: archiving.handle for topic in TOPICS}
    return Worker("archive", handles, resources=ports.resources["archive"])


WORKERS: Mapping[str, Callable[[Settings, Ports, Meters], Worker]] = {"judge": _judge, "archive": _archive}
