"""The workers, each put together from its ports: what `dunghan worker NAME` runs."""

from contextlib import AbstractAsyncContextManager

from agents.app import Timer, Worker
from agents.archive import Archive
from agents.clock import clock_for
from agents.config import load
from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.kafka import KafkaOutbox, KafkaStateLog
from agents.judge import Judge
from agents.settings import Settings
from agents.telemetry import Meters
from agents.tick import EVERY, Tick
from schemas import topics


def judge(settings: Settings, meters: Meters) -> Worker:
    """The worker that judges. Raises `ConfigError` when the office's files are wrong."""
    outbox = KafkaOutbox(settings)
    judging = Judge(
        load(settings.config),
        clock_for(settings.now),
        outbox,
        KafkaStateLog(settings, topics.STATE.name),
        meters,
        partitions=settings.partitions,
    )
    return Worker(
        "judge",
        {topics.EVENTS.name: judging.events, topics.LOOKS.name: judging.looks},
        assigned=judging.assigned,
        revoked=judging.revoked,
        timers=(Timer(EVERY, Tick(judging).run),),
        resources=(outbox,),
    )


def archive(settings: Settings, meters: Meters) -> Worker:
    """The worker that writes facts to ClickHouse."""
    outbox, facts = KafkaOutbox(settings), ClickHouseFacts(settings)
    archiving = Archive(facts, outbox, meters)
    resources: tuple[AbstractAsyncContextManager[object], ...] = (outbox, facts)
    handled = (topics.ASSESSMENTS, topics.ALERTS, topics.DEAD_LETTERS)
    return Worker("archive", {topic.name: archiving.handle for topic in handled}, resources=resources)


WORKERS = {"judge": judge, "archive": archive}
