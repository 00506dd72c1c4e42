"""The services of this machine do what a test, a demo and `dunghan up` rely on."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic

from agents.drivers import processes
from agents.drivers.local import Services, down, up
from agents.drivers.processes import Running
from agents.drivers.service import Roster

pytestmark = pytest.mark.system

SOON = timedelta(seconds=30)


@contextmanager
def administering(services: Services) -> Iterator[Any]:
    admin = KafkaAdminClient(bootstrap_servers=services.brokers)
    try:
        yield admin
    finally:
        admin.close()


@contextmanager
def asking(services: Services, user: str = "writer") -> Iterator[Any]:
    host, port = services.clickhouse
    client = Client(host, port, user=user)
    try:
        yield client
    finally:
        client.disconnect()


def processes_of(services: Services) -> list[Running]:
    roster = Roster(services.folder)
    return [running for name in roster.names() if (running := roster.running(name))]


def values_of(services: Services, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(
        topic, bootstrap_servers=services.brokers, auto_offset_reset="earliest", consumer_timeout_ms=5_000
    )
    try:
        return [next(consumer).value for _ in range(3)]
    finally:
        consumer.close()


def test_acknowledged_records_survive_a_killed_broker(tmp_path: Path) -> None:
    with Services(tmp_path) as services:
        address = services.brokers
        with administering(services) as admin:
            admin.create_topics([NewTopic("survivors", 1, 1)])
        producer = KafkaProducer(bootstrap_servers=services.brokers, acks="all")
        sent = [b"one", b"two", b"three"]
        for value in sent:
            producer.send("survivors", value).get(timeout=30)
        producer.close()

        services.kafka_server.kill()
        assert not services.kafka_server.is_running
        services.kafka_server.restart()

        assert services.brokers == address
        assert values_of(services, "survivors") == sent


def test_acknowledged_rows_survive_a_killed_clickhouse(tmp_path: Path) -> None:
    with Services(tmp_path) as services:
        address = services.clickhouse
        with asking(services) as client:
            client.execute("CREATE DATABASE dunghan")
            client.execute("CREATE TABLE dunghan.rows (n UInt32) ENGINE = MergeTree ORDER BY n")
            client.execute("INSERT INTO dunghan.rows VALUES", [(n,) for n in range(1_000)])

        services.clickhouse_server.kill()
        services.clickhouse_server.restart()

        assert services.clickhouse == address
        with asking(services) as client:
            assert client.execute("SELECT count(), sum(n) FROM dunghan.rows") == [(1_000, 499_500)]


def test_a_wall_reads_masked_views_only_and_a_desk_its_own_too(services: Services) -> None:
    with asking(services) as client:
        client.execute("CREATE DATABASE IF NOT EXISTS dunghan")
        client.execute("CREATE TABLE dunghan.contract_facts (n UInt32) ENGINE = MergeTree ORDER BY n")
        for view in ("wall_contract", "desk_contract"):
            definer = "DEFINER = default SQL SECURITY DEFINER"
            client.execute(f"CREATE VIEW dunghan.{view} {definer} AS SELECT n FROM dunghan.contract_facts")
    try:
        readable = {
            (user, table)
            for user in ("wall", "desk")
            for table in ("contract_facts", "wall_contract", "desk_contract")
            if may_read(services, user, f"dunghan.{table}")
        }
    finally:
        with asking(services) as client:
            for name in ("wall_contract", "desk_contract", "contract_facts"):
                client.execute(f"DROP TABLE dunghan.{name} SYNC")
    assert readable == {("wall", "wall_contract"), ("desk", "wall_contract"), ("desk", "desk_contract")}


def may_read(services: Services, user: str, table: str) -> bool:
    with asking(services, user) as client:
        try:
            client.execute(f"SELECT count() FROM {table}")
        except ServerException as refusal:
            if "Not enough privileges" not in refusal.message:
                raise
            return False
        return True


def test_a_reader_cannot_lift_its_own_limits(services: Services) -> None:
    with asking(services, "wall") as client, pytest.raises(ServerException, match="readonly"):
        client.execute("SET max_execution_time = 3600")


def test_a_topic_that_nobody_declared_does_not_appear(services: Services) -> None:
    producer = KafkaProducer(bootstrap_servers=services.brokers, max_block_ms=2_000)
    try:
        with pytest.raises(Exception, match=r"(?i)misspelt|metadata|unknown"):
            producer.send("misspelt", b"lost").get(timeout=10)
    finally:
        producer.close()
    with administering(services) as admin:
        assert "misspelt" not in admin.list_topics()


def test_what_is_up_stays_up_and_a_second_up_starts_nothing(tmp_path: Path) -> None:
    try:
        services, first = up(tmp_path)
        running = processes_of(services)
        again, second = up(tmp_path)
        with Services(tmp_path) as guest:  # a demo beside it neither starts nor stops anything
            assert guest.brokers == services.brokers
        assert (first, second) == (("kafka", "clickhouse"), ())
        assert processes_of(again) == running
        assert f"DUNGHAN_BROKERS={services.brokers}\n" in (tmp_path / "env").read_text()
    finally:
        stopped = down(tmp_path)
    assert sorted(stopped) == ["clickhouse", "kafka"]
    assert not any(processes.is_alive(one) for one in running)
    assert not (tmp_path / "env").exists()
    assert not (tmp_path / "services.json").exists()
    assert down(tmp_path) == ()


HOLDER = """
import sys, time
from pathlib import Path
from agents.drivers.local import Services
with Services(Path(sys.argv[1])):
    print("up", flush=True)
    if sys.argv[2:] == ["raise"]:
        raise LookupError("as if a test had failed")
    time.sleep(600)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT, None])
def test_no_service_outlives_the_program_that_held_it(tmp_path: Path, ending: signal.Signals | None) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path), *([] if ending else ["raise"])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        roster = Roster(tmp_path)
        running = [one for name in ("kafka", "clickhouse") if (one := roster.running(name))]
        if ending:
            os.kill(holder.pid, ending)
    assert holder.returncode != 0
    assert ending is None or len(running) == 2
    assert all(processes.wait_gone(one, SOON) for one in running)
