"""``dunghan migrate``: topics in Kafka, tables and calendars in ClickHouse."""

import asyncio
from collections.abc import Iterator

from agents.cli.options import Config
from agents.cli.screen import say, settings_with
from agents.settings import Settings


def migrate(
    config: Config = None,
) -> None:
    """Create the topics and tables that are not there yet, and hand ClickHouse the calendars; run it as often as you
    like.

    What exists is checked and left as it is. The number of partitions (DUNGHAN_PARTITIONS) is fixed at birth: adding
    some would move dossiers to other partitions, so more of them means new topics and judging all events again.
    """
    for line in bring_up_to_date(settings_with(config)):
        say(line)


def bring_up_to_date(settings: Settings) -> Iterator[str]:
    """Do it, one line a thing that was done. Raises `ConfigError` or `Unavailable`."""
    from agents.config import load
    from agents.drivers.clickhouse import COMMAND_SECONDS, connect
    from agents.drivers.kafka_topics import create_topics
    from agents.drivers.tables import fill_calendars
    from agents.drivers.tables import migrate as create_tables

    rules = load(settings.config)
    created = asyncio.run(create_topics(settings))
    yield f"topics     {', '.join(created)} created" if created else "topics     are right"
    client = connect(settings, answer_seconds=COMMAND_SECONDS)
    try:
        applied = create_tables(client, database=settings.clickhouse_database)
        yield f"tables     {', '.join(applied)} applied" if applied else "tables     are right"
        fill_calendars(client, rules, database=settings.clickhouse_database)
        yield f"calendars  are those of {settings.config}"
    finally:
        client.disconnect()
