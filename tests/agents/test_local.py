"""What the services of this machine do when something is wrong, seen on small programs instead of servers."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from agents.drivers import processes
from agents.drivers.local_kafka import LocalKafka
from agents.drivers.processes import Running
from agents.drivers.service import PORTS, Roster, Service, free_ports, is_free
from schemas.errors import ConfigError, Unavailable

SLEEP = ("sleep", "600")
STUBBORN = (sys.executable, "-c", "import signal, time; signal.signal(15, lambda *_: None); time.sleep(600)")
MOMENT = timedelta(seconds=10)


class Program:
    """An engine around any command; it counts as ready at once, its port is never looked at."""

    name = "program"
    port_names: tuple[str, ...] = ()

    def __init__(self, folder: Path, command: Sequence[str] = SLEEP, ports: tuple[str, ...] = ()) -> None:
        self.folder = folder / "program"
        self.port_names = ports
        self._command = command

    def prepare(self, ports: Mapping[str, int]) -> None:
        pass

    def command(self) -> Sequence[str]:
        return self._command

    def probe(self, ports: Mapping[str, int]) -> None:
        pass


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Running]]:
    """Processes that are ended when the test is over."""
    running: list[Running] = []
    yield running
    for one in running:
        processes.kill(one)


def start(tmp_path: Path, command: Sequence[str] = SLEEP) -> Running:
    return processes.start(command, folder=tmp_path, log=tmp_path / "log", environment={})


def test_a_process_with_a_used_again_id_is_not_ours_and_is_left_alone(tmp_path: Path, started: list[Running]) -> None:
    ours = start(tmp_path)
    started.append(ours)
    stranger = replace(ours, started="another boot:1")
    assert processes.is_alive(ours)
    assert not processes.is_alive(stranger)
    processes.end(stranger)
    processes.kill(stranger)
    assert processes.is_alive(ours)


def test_a_process_that_does_not_listen_is_ended_by_force(tmp_path: Path, started: list[Running]) -> None:
    deaf = start(tmp_path, STUBBORN)
    started.append(deaf)
    processes.end(deaf, patience=timedelta(milliseconds=300))
    assert not processes.is_alive(deaf)


def test_a_frozen_process_hears_that_it_shall_end(tmp_path: Path, started: list[Running]) -> None:
    frozen = start(tmp_path)
    started.append(frozen)
    processes.send(frozen, signal.SIGSTOP)
    processes.end(frozen, patience=MOMENT)
    assert not processes.is_alive(frozen)


def test_a_process_is_in_a_session_of_its_own(tmp_path: Path, started: list[Running]) -> None:
    ours = start(tmp_path)
    started.append(ours)
    assert os.getsid(ours.pid) != os.getsid(0)  # a Ctrl-C in our terminal does not reach it


def test_a_process_runs_in_its_folder_and_reads_nothing(tmp_path: Path) -> None:
    short = start(tmp_path, ("sh", "-c", "cat; pwd"))
    assert processes.wait_gone(short, MOMENT)
    assert (tmp_path / "log").read_text() == f"{tmp_path}\n"


def test_a_service_that_dies_at_once_says_what_its_log_says(tmp_path: Path) -> None:
    dying = ("sh", "-c", "echo 'no space left on device' >&2; exit 7")
    service = Service(Program(tmp_path, dying), Roster(tmp_path))
    service.start()
    running = Roster(tmp_path).running("program")
    assert running is None or processes.wait_gone(running, MOMENT)
    with pytest.raises(Unavailable, match=r"(?s)program ended by itself.*no space left on device") as error:
        service.wait_ready()
    assert error.value.reason == "service_died"


def test_a_service_that_never_listens_is_given_up(tmp_path: Path) -> None:
    service = Service(Program(tmp_path, ports=("front",)), Roster(tmp_path))
    try:
        service.start()
        with pytest.raises(Unavailable, match="does not serve after") as error:
            service.wait_ready(within=timedelta(milliseconds=200))
        assert error.value.reason == "service_slow"
    finally:
        service.stop()
    assert not service.is_running


def test_a_service_comes_back_on_its_port_and_refuses_when_another_has_taken_it(tmp_path: Path) -> None:
    service = Service(Program(tmp_path, ports=("front",)), Roster(tmp_path))
    try:
        assert service.start()
        before = dict(service.ports)
        assert not service.start()
        service.kill()
        assert service.start()
        assert service.ports == before
        service.stop()
        with socket.create_server(("127.0.0.1", before["front"])), pytest.raises(Unavailable) as error:
            service.start()
        assert error.value.reason == "port_taken"
    finally:
        service.stop()


def test_an_address_is_asked_in_vain_before_the_first_start(tmp_path: Path) -> None:
    service = Service(Program(tmp_path), Roster(tmp_path))
    with pytest.raises(Unavailable, match="dunghan up"):
        _ = service.ports


def test_free_ports_are_free_and_all_different() -> None:
    ports = free_ports(("one", "two", "three")).values()
    assert len(set(ports)) == 3
    assert all(port in PORTS and is_free(port) for port in ports)


def test_a_port_that_was_given_away_is_not_given_again_though_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    (port,) = free_ports(("one",)).values()
    assert is_free(port)
    monkeypatch.setattr("agents.drivers.service.PORTS", range(port, port + 1))
    with pytest.raises(Unavailable) as error:
        free_ports(("two",))
    assert error.value.reason == "port_taken"


def test_missing_jars_are_named_with_what_brings_them(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="make setup") as error:
        LocalKafka(tmp_path, jars=tmp_path / "nowhere").prepare({"broker": 1, "controller": 2})
    assert error.value.reason == "jars_missing"


def test_missing_java_is_named_with_what_brings_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(ConfigError, match="make setup") as error:
        LocalKafka(tmp_path).prepare({"broker": 1, "controller": 2})
    assert error.value.reason == "java_missing"
