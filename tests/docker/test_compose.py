"""docker-compose.yml is right as far as that can be seen without an engine."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from agents import compose
from agents.drivers.local_kafka import SETTINGS
from agents.settings import PREFIX, Settings
from dashboards import panels
from dashboards.alarms import WORKERS
from schemas import topics
from tests.commands import ROOT, dunghan
from tests.docker.composed import GIVEN, ONE_SHOT, VARIABLE, filled, kafka_settings, mounts, run, services, text

NAMES = sorted(services())
WORKING = [name for name in NAMES if services()[name]["image"].startswith("dunghan:")]
#: Settings of the program that no container of this file needs: Kafka is on a network of its own.
NOT_NEEDED = {"sasl_mechanism", "sasl_username", "sasl_password", "ssl_cafile"}


def test_docker_compose_accepts_the_file(docker_compose: Sequence[str], tmp_path: Path) -> None:
    given = tmp_path / "env"
    given.write_text("".join(f"{name}={value}\n" for name, value in GIVEN.items()))
    profiles = ("--profile", "simulate", "--profile", "two-judges")
    said = run(*docker_compose, "--env-file", given, *profiles, "config")
    assert sorted(yaml.safe_load(said)["services"]) == NAMES


@pytest.mark.parametrize("name", sorted(GIVEN))
def test_nothing_starts_without_its_passwords(name: str) -> None:
    with pytest.raises(KeyError, match=name):
        filled(text(), {**GIVEN, name: ""})


def test_passwords_are_made_once_and_are_enough(docker_compose: Sequence[str], tmp_path: Path) -> None:
    shutil.copytree(ROOT / "bin", tmp_path / "bin")
    (tmp_path / ".env").write_text("CLICKHOUSE_DESK_PASSWORD=\nGRAFANA_ADMIN_PASSWORD=ours\nKAFKA_PORT=19094")
    run(tmp_path / "bin" / "passwords")
    made = (tmp_path / ".env").read_text()
    lines = dict(line.split("=", 1) for line in made.splitlines())
    assert set(lines) == {*GIVEN, "KAFKA_PORT"}
    assert lines["GRAFANA_ADMIN_PASSWORD"] == "ours"
    assert all(re.fullmatch(r"[A-Za-z0-9]{32}", lines[name]) for name in GIVEN if name.startswith("CLICKHOUSE"))
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    run(tmp_path / "bin" / "passwords")
    assert (tmp_path / ".env").read_text() == made
    run(*docker_compose, "--env-file", tmp_path / ".env", "config", "--quiet")


def test_every_variable_is_documented_with_the_default_that_holds() -> None:
    documented = {each.name: each.default for each in compose.VARIABLES}
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = {(name, default if kind == "-" else None) for name, kind, default in VARIABLE.findall(text())}
    assert {name for name, _ in found} == {
        *documented,
        *(f"{PREFIX}{name.upper()}" for name in compose.HANDED_ON),
    }
    for name, default in found:
        assert re.search(rf"^#{name}=", example, flags=re.MULTILINE), name
        if name in documented:
            assert default == documented[name], name
        else:
            own = str(Settings.model_fields[name.removeprefix(PREFIX).lower()].default)
            assert default in ("", own), name


def test_every_setting_is_fixed_handed_on_or_said_not_to_be_needed() -> None:
    given = {name.removeprefix(PREFIX).lower() for name in services()["judge"]["environment"]}
    assert given | NOT_NEEDED == set(Settings.model_fields)
    assert given & NOT_NEEDED == set()


@pytest.mark.parametrize("name", WORKING)
def test_a_container_of_ours_has_settings_that_the_program_accepts(name: str) -> None:
    said = dunghan("doctor", settings=services()[name]["environment"])
    assert said.code == 0, said.out
    assert "DUNGHAN_REPLICATION=1" in said.out
    assert "DUNGHAN_PARTITIONS" not in said.out  # has its default
    assert GIVEN["CLICKHOUSE_WRITER_PASSWORD"] not in said.out


def test_the_version_of_the_image_is_that_of_the_program() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), flags=re.MULTILINE)
    assert version
    assert {each.default for each in compose.VARIABLES if each.name == "DUNGHAN_VERSION"} == {version[1]}


@pytest.mark.parametrize("name", NAMES)
def test_an_image_is_pinned_to_one_version(name: str) -> None:
    image = services()[name]["image"]
    assert re.fullmatch(r"[a-z/-]+:v?[0-9]+\.[0-9]+\.[0-9]+(\.[0-9]+)?", image), image


def test_the_broker_is_the_one_that_the_tests_run() -> None:
    pom = (ROOT / "agents" / "drivers" / "kafka-server" / "pom.xml").read_text(encoding="utf-8")
    assert services()["kafka"]["image"].partition(":")[2] in re.findall(r"<kafka.version>(.+)</kafka.version>", pom)


def test_the_base_image_is_pinned_and_has_the_oldest_python_that_is_supported() -> None:
    bases = re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.11\.[0-9]+-slim-[a-z]+", bases[0])


@pytest.mark.parametrize("name", NAMES)
def test_what_a_container_mounts_is_there_and_what_it_writes_has_a_name(name: str) -> None:
    declared = yaml.safe_load(text())["volumes"]
    for source, target, read_only in mounts(services()[name]):
        if source.startswith("."):
            assert (ROOT / source).exists(), source
            assert read_only, target
        else:
            assert source in declared
            assert not read_only


@pytest.mark.parametrize("name", NAMES)
def test_a_container_is_looked_after_or_ends_by_itself(name: str) -> None:
    service = services()[name]
    if name in ONE_SHOT:
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert service["mem_limit"]
    assert service["logging"]["options"]["max-size"]


@pytest.mark.parametrize("name", NAMES)
def test_a_container_is_not_root_and_can_do_little(name: str) -> None:
    service = services()[name]
    assert str(service["user"]).split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    if name in WORKING:
        assert service["read_only"] is True


@pytest.mark.parametrize("name", NAMES)
def test_a_port_is_published_on_loopback_unless_somebody_says_otherwise(name: str) -> None:
    service = services()[name]
    ports = service.get("ports", [])
    assert all(port.startswith("127.0.0.1:") for port in ports)
    # A network without a way out publishes nothing, and what publishes nothing needs no way out.
    assert ("outside" in service["networks"]) == bool(ports)
    assert "inside" in service["networks"]


def test_the_inner_network_has_no_way_out() -> None:
    assert yaml.safe_load(text())["networks"]["inside"] == {"internal": True}


@pytest.mark.parametrize("name", WORKING)
def test_a_container_of_ours_runs_a_command_that_there_is(name: str) -> None:
    assert dunghan(*services()[name]["command"], "--help").code == 0


def test_workers_wait_for_topics_and_tables_and_are_stopped_patiently() -> None:
    ids = [services()[worker]["environment"]["DUNGHAN_WORKER_ID"] for worker in ("judge", "judge-2")]
    assert len(set(ids)) == len(ids)
    for worker in (*WORKERS, "judge-2"):
        assert services()[worker]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert services()[worker]["environment"]["DUNGHAN_WORKER_ID"]
        assert services()[worker]["stop_grace_period"] == "30s"  # agents/process.py gives itself 20


def test_the_broker_differs_from_that_of_the_tests_in_nothing_that_matters() -> None:
    here = kafka_settings()
    for name in (
        "auto.create.topics.enable",
        "group.initial.rebalance.delay.ms",
        "default.replication.factor",
        "min.insync.replicas",
        "message.max.bytes",
        "inter.broker.listener.name",
        "controller.listener.names",
        *(name for name in SETTINGS if "replication.factor" in name or name.endswith("min.isr")),
    ):
        assert here[name] == SETTINGS[name], name
    assert int(here["message.max.bytes"]) >= max(topic.max_message_bytes for topic in topics.ALL)


def test_prometheus_asks_the_workers_where_they_answer() -> None:
    jobs = yaml.safe_load((ROOT / "docker" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    asked = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}
    (second,) = jobs[0]["dns_sd_configs"]
    assert (second["names"], second["port"]) == (["judge-2"], 9464)
    for worker in WORKERS:
        port = services()[worker]["environment"]["DUNGHAN_WEB_PORT"]
        assert asked[worker] == [f"{worker}:{port}"]
        assert services()[worker]["expose"] == [port]
        assert f"'127.0.0.1', {port}," in services()[worker]["healthcheck"]["test"][-1]


def test_grafana_has_the_data_sources_and_the_plugin_that_the_boards_name() -> None:
    sources = yaml.safe_load((ROOT / "docker" / "grafana" / "datasources.yml").read_text())["datasources"]
    assert {(each["type"], each["uid"]) for each in sources} == {
        (panels.CLICKHOUSE, "dunghan-desk"),
        (panels.PROMETHEUS, "dunghan-prometheus"),
    }
    assert sources[0]["jsonData"]["username"] == "desk"
    environment = services()["grafana"]["environment"]
    assert environment["GF_PLUGINS_PREINSTALL_SYNC"] == f"{panels.CLICKHOUSE}@{panels.PLUGIN_VERSION}"
    assert sources[0]["secureJsonData"] == {"password": "$__env{CLICKHOUSE_DESK_PASSWORD}"}
    home = environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    (boards,) = (source for source, target, _ in mounts(services()["grafana"]) if home.startswith(target))
    assert (ROOT / boards / Path(home).name).is_file()


def test_only_what_the_dockerfile_copies_goes_to_the_engine() -> None:
    copied = {
        name
        for line in re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
        for name in line.split()[:-1]
    }
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert all((ROOT / name).exists() for name in copied)
