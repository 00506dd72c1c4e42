"""The configuration that goes into containers, read by the engines themselves."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from pydantic import SecretStr

from agents.config import load
from agents.drivers.clickhouse import connect
from agents.drivers.local_clickhouse import USERS, LocalClickHouse
from agents.drivers.local_kafka import LocalKafka
from agents.drivers.service import Roster, Service
from agents.drivers.tables import fill_calendars, migrate
from agents.settings import Settings
from tests.commands import ROOT
from tests.docker.composed import GIVEN, kafka_settings

CLICKHOUSE = ROOT / "docker" / "clickhouse"
PASSWORDS = {name: value for name, value in GIVEN.items() if name.startswith("CLICKHOUSE_")}
#: What ClickHouse's own files have, of which ours are a change.
STOCK_CONFIG = """<clickhouse>
  <listen_host>127.0.0.1</listen_host><tcp_port>{native}</tcp_port>
  <users_config>users.xml</users_config>
  <trace_log><database>system</database><table>trace_log</table></trace_log>
  <query_log><database>system</database><table>query_log</table></query_log>
</clickhouse>"""
STOCK_USERS = """<clickhouse>
  <profiles><default/><readonly><readonly>1</readonly></readonly></profiles>
  <users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile>
    <quota>default</quota><access_management>1</access_management></default></users>
  <quotas><default><interval><duration>3600</duration><queries>0</queries></interval></default></quotas>
</clickhouse>"""


class ShippedClickHouse(LocalClickHouse):
    """ClickHouse with the files that docker-compose.yml mounts, where it mounts them."""

    def prepare(self, ports: Mapping[str, int]) -> None:
        for name in ("config", "users"):
            (self.folder / f"{name}.d").mkdir(exist_ok=True)
            (self.folder / f"{name}.d" / "dunghan.xml").write_bytes((CLICKHOUSE / f"{name}.xml").read_bytes())
        (self.folder / "config.xml").write_text(STOCK_CONFIG.format_map(dict(ports)))
        (self.folder / "users.xml").write_text(STOCK_USERS)

    def command(self) -> Sequence[str]:
        return ["env", *(f"{name}={value}" for name, value in PASSWORDS.items()), *super().command()]

    def probe(self, ports: Mapping[str, int]) -> None:
        ask(ports["native"], "desk", "SELECT 1")


def ask(port: int, user: str, query: str, password: str | None = None, **settings: object) -> list[tuple[Any, ...]]:
    """What ClickHouse answers a user with the password of the installation, or with another."""
    known = PASSWORDS.get(f"CLICKHOUSE_{user.upper()}_PASSWORD", "")
    with Client("127.0.0.1", port, user=user, password=known if password is None else password) as client:
        answer: list[tuple[Any, ...]] = client.execute(query, settings=settings)
        return answer


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The native port of a ClickHouse that is configured as in its container."""
    folder = tmp_path_factory.mktemp("clickhouse")
    server = Service(ShippedClickHouse(folder), Roster(folder))
    try:
        server.start()
        server.wait_ready()
        yield server.ports["native"]
    finally:
        server.stop()


def plain(users: ET.Element, kind: str) -> dict[str, object]:
    """The profiles, or what each user may do and under which profile: what must be equal everywhere.

    Except that the writer of a test may have several databases, each with a name of its own behind the first.
    """
    if kind == "profiles":
        return {
            profile.tag: {part.tag: part.text for part in profile if part.tag != "constraints"}
            for profile in users.iterfind("profiles/*")
        }
    return {
        user.tag: (
            user.findtext("profile"),
            [" ".join((query.text or "").split()).replace("dunghan*.*", "dunghan.*") for query in user.iter("query")],
        )
        for user in users.iterfind("users/*")
    }


@pytest.mark.parametrize("kind", ["profiles", "users"])
def test_users_may_do_in_containers_what_they_may_do_in_tests(kind: str) -> None:
    shipped = ET.parse(CLICKHOUSE / "users.xml").getroot()
    local = ET.fromstring(USERS.substitute(database="dunghan"))
    assert plain(shipped, kind) == plain(local, kind)


@pytest.mark.system
def test_the_writer_makes_the_tables_and_the_desk_reads_its_view(clickhouse: int) -> None:
    settings = Settings(
        clickhouse_port=clickhouse,
        clickhouse_user="writer",
        clickhouse_password=SecretStr(PASSWORDS["CLICKHOUSE_WRITER_PASSWORD"]),
    )
    client = connect(settings)
    try:
        migrate(client, database="dunghan")
        fill_calendars(client, load(ROOT / "config"), database="dunghan")
    finally:
        client.disconnect()
    assert ask(clickhouse, "desk", "SELECT count() FROM dunghan.desk_assessments") == [(0,)]
    with pytest.raises(ServerException, match="Not enough privileges"):
        ask(clickhouse, "desk", "SELECT count() FROM dunghan.assessments")
    with pytest.raises(ServerException, match="Not enough privileges"):
        ask(clickhouse, "wall", "SELECT count() FROM dunghan.desk_assessments")


@pytest.mark.system
@pytest.mark.parametrize("user", ["writer", "desk", "wall"])
def test_nobody_comes_in_without_the_password(clickhouse: int, user: str) -> None:
    assert ask(clickhouse, user, "SELECT currentUser()") == [(user,)]
    for wrong in ("", "guess"):
        with pytest.raises(ServerException, match="password is incorrect"):
            ask(clickhouse, user, "SELECT 1", password=wrong)


@pytest.mark.system
def test_grafana_may_say_how_long_it_waits_and_no_more(clickhouse: int) -> None:
    setting = "SELECT getSetting('max_execution_time')"
    assert ask(clickhouse, "desk", setting, max_execution_time=30)[0][0] == 30
    with pytest.raises(ServerException, match="shouldn't be greater than"):
        ask(clickhouse, "desk", setting, max_execution_time=3_600)
    with pytest.raises(ServerException, match="readonly"):
        ask(clickhouse, "desk", "SELECT 1", max_memory_usage=10**12)


@pytest.mark.system
def test_it_keeps_few_logs_of_itself_and_not_for_ever(clickhouse: int) -> None:
    ask(clickhouse, "writer", "SELECT 1")
    ask(clickhouse, "default", "SYSTEM FLUSH LOGS")
    logs = dict(ask(clickhouse, "writer", "SELECT name, engine_full FROM system.tables WHERE name LIKE '%\\_log'"))
    assert "trace_log" not in logs
    assert "toIntervalDay(14)" in str(logs["query_log"])


@pytest.mark.system
def test_the_broker_starts_with_the_settings_of_its_container(tmp_path: Path) -> None:
    """Those that name addresses and folders excepted, which are this machine's."""
    elsewhere = {"listeners", "advertised.listeners", "controller.quorum.voters", "log.dirs"}
    settings = {name: value for name, value in kafka_settings().items() if name not in elsewhere}
    server = Service(LocalKafka(tmp_path, settings=settings), Roster(tmp_path))
    try:
        server.start()
        server.wait_ready()
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{server.ports['broker']}")
        try:
            broker = ConfigResource(ConfigResourceType.BROKER, "1", configs=dict.fromkeys(settings))
            found = admin.describe_configs([broker], config_filter="all")["broker"]["1"]
        finally:
            admin.close()
        assert {name: found[name]["value"] for name in settings} == settings
    finally:
        server.stop()
