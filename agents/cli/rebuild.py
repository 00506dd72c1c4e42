"""``dunghan rebuild``: the facts of ClickHouse written anew from Kafka."""

import asyncio
from collections.abc import Mapping

from agents.cli.screen import progress, say, settings_with
from agents.settings import Settings


def rebuild() -> None:
    """Write the facts of ClickHouse anew from Kafka: right whether the tables are empty, stale or wrong.

    Events and answers are made anew beside the living tables and take their place at once; archive may go on meanwhile.
    Alerts, dead letters, arrivals and changes of verdicts are written again as far as Kafka still has them, and nothing
    is taken away. Broken off, it is run again; until the exchange nothing has changed. Use the configuration that judge
    uses. Exit code 0: all of it is written.
    """
    settings = settings_with()
    for table, rows in sorted(asyncio.run(_run(settings)).items()):
        say(f"{table:<16} {rows:,} rows written")


async def _run(settings: Settings) -> Mapping[str, int]:
    from agents.clock import clock_for
    from agents.config import load
    from agents.drivers.kafka_past import KafkaPast
    from agents.drivers.kafka_state import KafkaStateLog
    from agents.drivers.staging import Staging
    from agents.rebuild import Rebuild
    from schemas import topics

    rules = load(settings.config)
    with Staging.open(settings) as staging, progress() as bar:
        task = bar.add_task("rebuilding", total=2 * settings.partitions)
        async with KafkaPast(settings) as past:
            rebuilding = Rebuild(
                rules,
                clock_for(settings.now),
                past,
                KafkaStateLog(settings, topics.STATE.name),
                staging,
                partitions=settings.partitions,
                advance=lambda: bar.advance(task),
            )
            return await rebuilding.run()
