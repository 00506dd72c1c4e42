"""The simulated feed on a real Kafka: every record as it is, unreadable ones and misplaced keys included."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import read_event
from tests.commands import ROOT, dunghan
from tests.contracts.brokers import PARTITIONS, local_settings, read_partition

pytestmark = pytest.mark.system

CITY = ("--scale", "0.02", "--days", "5", "--until", "2026-03-13T15:37:12+07:00", "--config", ROOT / "config")


def test_what_a_file_has_stands_on_kafka_record_by_record(services: Services, tmp_path: Path) -> None:
    asyncio.run(create_topics(local_settings(services), [topics.EVENTS]))  # as every test of this broker wants it
    before = stored(services)
    answered = dunghan("simulate", "--to", "kafka", *CITY, settings={"DUNGHAN_BROKERS": services.brokers})
    assert answered.code == 0, answered.err
    file = tmp_path / "events.jsonl"
    dunghan("simulate", "--to", file, *CITY)
    added = stored(services) - before
    assert Counter(value for _, value in added.elements()) == Counter(file.read_bytes().splitlines())
    assert any(is_misplaced(key, value) for key, value in added)


def is_misplaced(key: bytes, value: bytes) -> bool:
    """Whether a readable record has the key of another dossier."""
    try:
        return read_event(value).dossier_code.encode() != key
    except InvalidRecord:
        return False


def stored(services: Services) -> Counter[tuple[bytes, bytes]]:
    """What stands on the topic of events, in all its partitions."""
    settings = local_settings(services)
    return Counter(
        (record.key, record.value)
        for partition in range(PARTITIONS)
        for record in asyncio.run(read_partition(settings, topics.EVENTS.name, partition))
    )
