"""``python -m agents.cli.refill``: a new Kafka, filled with what ClickHouse holds, after the old one was lost.

Run once, between ``dunghan migrate`` and the first worker; ``docs/operator.md`` says when. First comes what judge
remembers of its alerts and of what it said, then every event: a judge that knew the events alone would tell every alert
again.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator

from agents.batches import batches
from agents.cli.screen import progress, say, warn
from agents.drivers.desk import Desk
from agents.drivers.event_log import EventLog
from agents.drivers.kafka import KafkaOutbox, partition_of
from agents.drivers.kafka_groups import is_new
from agents.drivers.kafka_outlet import KafkaOutlet
from agents.drivers.kafka_topics import check_topics
from agents.judged import remembered
from agents.ports import Outgoing
from agents.settings import Settings, read_cli_settings
from schemas import topics
from schemas.dossier import Memory
from schemas.errors import ConfigError, DunghanError

BATCH = 2_000  # memories sent and awaited at a time


def refill(settings: Settings) -> Iterator[str]:
    """Do it, one line a thing that was done; doing it again before a worker has started changes nothing.

    Raises `ConfigError` when judge has worked on this Kafka already (what ClickHouse holds may be older than what
    judge knows), or the topics are not right; `Unavailable` when Kafka or ClickHouse does not answer.
    """
    asyncio.run(check_topics(settings))
    if not asyncio.run(is_new(settings, "judge")):
        raise ConfigError("kafka_in_use", "judge is running or has worked on this Kafka: nothing here was lost")
    with Desk.open(settings) as desk:
        alerts = asyncio.run(_remember((Memory(alert.dossier_code, alert=alert) for alert in desk.told()), settings))
        cycles = asyncio.run(_remember((Memory(code, cycle=cycle) for code, cycle in desk.highest_cycles()), settings))
        said = asyncio.run(_remember((Memory(code, said=said) for code, said in desk.said_last()), settings))
    yield f"{topics.STATE.name}   {alerts:,} actions on alerts, {cycles:,} dossiers with further cycles"
    yield f"{topics.STATE.name}   {said:,} dossiers with what was said of them last"
    yield f"{topics.EVENTS.name}  {_publish(settings):,} events"


async def _remember(memories: Iterable[Memory], settings: Settings) -> int:
    """Write them where the judge of their dossiers reads, and return how many they were."""
    count = 0
    async with KafkaOutbox(settings) as outbox:
        for some in batches(memories, BATCH):
            await outbox.send([_record(memory, settings.partitions) for memory in some])
            count += len(some)
    return count


def _record(memory: Memory, partitions: int) -> Outgoing:
    return remembered(memory, partition_of(memory.dossier_code.encode(), partitions))


def _publish(settings: Settings) -> int:
    """Publish every event, dossier by dossier, and return how many were acknowledged."""
    with (
        EventLog.open(settings) as log,
        KafkaOutlet(settings) as outlet,
        progress() as bar,
    ):
        for history in bar.track(log.histories(), total=log.dossiers(), description="publishing"):
            for event in history.events:
                outlet.send(event)
        outlet.finish()
        return outlet.acknowledged


def main() -> int:
    """Fill it and say what was written; 0 when all of it is acknowledged."""
    try:
        for line in refill(read_cli_settings()):
            say(line)
    except DunghanError as failure:
        warn(f"refill: {failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
