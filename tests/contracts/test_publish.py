"""What is published stands on the real broker, acknowledged, on the partition that every client computes."""

import asyncio
import io
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError
from typer import Typer
from typer.testing import CliRunner

from agents.cli.publish import publish as publish_command
from agents.config import load
from agents.drivers.kafka import partition_of
from agents.drivers.kafka_outlet import WINDOW, KafkaOutlet
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.publish import Refused, office_check, publish, read_jsonl
from agents.settings import Settings
from schemas import topics
from schemas.errors import ConfigError, Unavailable
from schemas.event import canonical, read_event
from tests.contracts.brokers import local_settings

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
PARTITIONS = 4
NOWHERE = Settings(brokers=("127.0.0.1:1",))


def settings_of(services: Services) -> Settings:
    return Settings(brokers=(services.brokers,), partitions=PARTITIONS, replication=1, min_insync=1)


def make_topic(services: Services, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=services.brokers)
    try:
        admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    except TopicAlreadyExistsError:
        pass  # another test of this broker needed it, too
    finally:
        admin.close()


@pytest.fixture
def topic(services: Services, request: pytest.FixtureRequest) -> str:
    """A topic of this test's own."""
    name = f"publish.{request.node.name}"[:120].replace("[", ".").replace("]", "")
    make_topic(services, name)
    return name


def lines(count: int) -> bytes:
    event = {
        "status": 2,
        "at": "2026-03-02T09:00:00+07:00",
        "procedure_code": "1.004441",
        "processing_unit": "H26.01",
    }
    dossiers = (f"H26.01-260302-{number:05}" for number in range(count))
    return b"".join(orjson.dumps({**event, "dossier_code": code}) + b"\n" for code in dossiers)


def written(services: Services, topic: str) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of every record of the topic."""
    consumer = KafkaConsumer(bootstrap_servers=services.brokers)
    try:
        places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        ends = consumer.end_offsets(places)
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=500).values():
                yield from ((record.partition, record.key, record.value) for record in records)
    finally:
        consumer.close()


def send(settings: Settings, topic: str, content: bytes) -> int:
    refused: list[Refused] = []
    check = office_check(load(ROOT / "config"), datetime(2026, 3, 10, tzinfo=UTC))
    with KafkaOutlet(settings, topic=topic) as outlet:
        summary = publish(read_jsonl(io.BytesIO(content), check), outlet, refused.append)
        assert outlet.acknowledged == summary.sent
    assert not refused
    return summary.sent


def test_every_event_stands_under_its_dossier_code_on_the_partition_of_murmur2(services: Services, topic: str) -> None:
    count = WINDOW + 500  # more than may wait for their acknowledgement at once
    assert send(settings_of(services), topic, lines(count)) == count
    records = list(written(services, topic))
    assert len(records) == count
    for partition, key, value in records:
        event = read_event(value)
        assert (key, partition) == (event.dossier_code.encode(), partition_of(key, PARTITIONS))
        assert canonical(event) == value
    assert {partition for partition, _, _ in records} == set(range(PARTITIONS))


def test_publishing_again_writes_the_same_records(services: Services, topic: str) -> None:
    for _ in range(2):
        send(settings_of(services), topic, lines(50))
    assert len(list(written(services, topic))) == 100
    assert len(set(written(services, topic))) == 50


def test_a_topic_that_is_not_there_is_said_with_what_to_do(services: Services) -> None:
    outlet = KafkaOutlet(settings_of(services), topic="publish.nowhere", patience=5.0)
    with pytest.raises(ConfigError, match=r"the topic publish\.nowhere is not there; run: dunghan migrate"), outlet:
        pass


def test_no_broker_is_said_at_once() -> None:
    begun = time.monotonic()
    with pytest.raises(Unavailable, match=r"nothing listens at 127\.0\.0\.1:1"), KafkaOutlet(NOWHERE):
        pass
    assert time.monotonic() - begun < 2


def publishing(broker: str, topic: str, patience: float) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.contracts.publishing", broker, topic, str(patience)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)


def feed(publisher: subprocess.Popen[bytes]) -> None:
    """One more event, and wait until the publisher has taken it."""
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    publisher.stdin.write(lines(1).replace(b'{"', b'{"event_id":"e","', 1))
    publisher.stdin.flush()
    assert publisher.stdout.readline() == b"sent\n"


def end(publisher: subprocess.Popen[bytes]) -> tuple[int, str]:
    out, _ = publisher.communicate(timeout=60)
    return publisher.returncode, out.decode()


def test_a_listener_that_is_no_kafka_is_said_within_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        broker = f"127.0.0.1:{listener.getsockname()[1]}"
        begun = time.monotonic()
        code, said = end(publishing(broker, "publish.nowhere", 5.0))
        assert code == 1
        assert f"no Kafka answers at {broker}" in said
        assert time.monotonic() - begun < 40


def test_a_broker_that_comes_back_is_waited_for_and_one_that_does_not_is_told(tmp_path: Path) -> None:
    with Services(tmp_path) as services:
        make_topic(services, "publish.halfway")
        publisher = publishing(services.brokers, "publish.halfway", 60.0)
        feed(publisher)
        services.kafka_server.kill()
        feed(publisher)
        services.kafka_server.restart()
        assert end(publisher) == (0, "acknowledged 2\n")
        publisher = publishing(services.brokers, "publish.halfway", 5.0)
        feed(publisher)
        services.kafka_server.kill()
        feed(publisher)
        code, said = end(publisher)
        assert code == 1
        assert re.match(r"Kafka acknowledged [01] events and then no more", said)


def test_the_command_publishes_to_the_topic_of_events(services: Services, tmp_path: Path) -> None:
    asyncio.run(create_topics(local_settings(services), [topics.EVENTS]))  # as every test of this broker wants it
    file = tmp_path / "events.jsonl"
    file.write_bytes(lines(3) + b"nonsense\n")
    app = Typer()
    app.command()(publish_command)
    result = CliRunner().invoke(app, [str(file), "--config", str(ROOT / "config"), "--brokers", services.brokers])
    assert result.exit_code == 3
    assert "4 rows: 3 events sent and acknowledged, 1 rows refused" in result.stdout
    assert f"{file}:4: " in result.stderr
    assert {key for _, key, _ in written(services, topics.EVENTS.name)} >= {b"H26.01-260302-00000"}
