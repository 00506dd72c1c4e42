"""One service of this machine: its ports, its process, and the list of who runs."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from agents.drivers import processes
from agents.drivers.processes import Running
from schemas.errors import Unavailable

PATIENCE = timedelta(seconds=90)  # a broker is up after 4 s here; a busy or a small machine takes longer

# Below the range that Linux takes outgoing ports from (32768 on): a service that is killed finds its port free when
# it comes back, because nobody was lent it in between.
PORTS = range(20_000, 30_000)
_CLAIMS: list[socket.socket] = []  # held open

# Our modules are found from any folder; and Java takes the coding of file names from the locale: without one it does
# not start in a folder named `dự án`.
ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2]), "TZ": "UTC", "LC_ALL": "C.UTF-8"}


class Engine(Protocol):
    """What a service is made of; `folder` is its own, and its command runs there."""

    name: str
    port_names: tuple[str, ...]
    folder: Path

    def prepare(self, ports: Mapping[str, int]) -> None:
        """Write what the command reads; raise `ConfigError` when something that it needs is not installed."""

    def command(self) -> Sequence[str]:
        """The program and its arguments."""

    def probe(self, ports: Mapping[str, int]) -> None:
        """Return when a client is served; raise anything until then."""


class Roster:
    """`services.json`: which process is which service, and on which ports; the only thing that may be signalled."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "services.json"

    def names(self) -> tuple[str, ...]:
        """Every service that was started and not stopped."""
        return tuple(self._read())

    def running(self, name: str) -> Running | None:
        """The service's process when it is alive; what is written about a dead one counts for nothing."""
        entry = self._read().get(name)
        if entry is None:
            return None
        running = Running(int(entry["pid"]), str(entry["started"]))
        return running if processes.is_alive(running) else None

    def ports(self, name: str) -> dict[str, int]:
        """The ports that the service was started on; empty when it was not."""
        entry = self._read().get(name)
        return dict(entry["ports"]) if entry else {}

    def enter(self, name: str, running: Running, ports: Mapping[str, int]) -> None:
        """Write the service down."""
        entry = {"pid": running.pid, "started": running.started, "ports": dict(ports)}
        self._write(self._read() | {name: entry})

    def strike(self, name: str) -> None:
        """Forget the service; the file goes with the last one."""
        entries = self._read()
        entries.pop(name, None)
        self._write(entries)

    def _read(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}

    def _write(self, entries: Mapping[str, Any]) -> None:
        if not entries:
            self._file.unlink(missing_ok=True)
            return
        draft = self._file.with_suffix(".draft")
        draft.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
        os.replace(draft, self._file)


class Service:
    """A real service in a process of its own; its data stay in its folder, whatever happens to the process."""

    def __init__(self, engine: Engine, roster: Roster) -> None:
        self.name = engine.name
        self.log = engine.folder / "output.log"
        self._engine = engine
        self._roster = roster
        self._ports = roster.ports(self.name)

    @property
    def ports(self) -> Mapping[str, int]:
        """The port of each name; `Unavailable` before the first start."""
        if not self._ports:
            raise Unavailable("service_down", f"{self.name} is not running; `dunghan up` starts it")
        return self._ports

    @property
    def is_running(self) -> bool:
        """Whether its process lives (it may not serve yet)."""
        return self._roster.running(self.name) is not None

    def start(self) -> bool:
        """Start the process and return at once; `False` when it runs already.

        Comes back on the ports it had. Raises `ConfigError` (something is not installed) or `Unavailable`.
        """
        if self.is_running:
            self._ports = self._roster.ports(self.name)
            return False
        folder = self._engine.folder
        folder.mkdir(parents=True, exist_ok=True)
        self._choose_ports()
        self._engine.prepare(self._ports)
        running = processes.start(self._engine.command(), folder=folder, log=self.log, environment=ENVIRONMENT)
        self._roster.enter(self.name, running, self._ports)
        return True

    def wait_ready(self, within: timedelta = PATIENCE) -> None:
        """Return when a client is served; `Unavailable`, with the end of its log, when it died or took too long."""
        deadline = time.monotonic() + within.total_seconds()
        while True:
            if not self.is_running:
                raise Unavailable("service_died", f"{self.name} ended by itself; {self._said()}")
            try:
                for port in self._ports.values():
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                self._engine.probe(self._ports)
            except Exception as answer:
                if time.monotonic() > deadline:
                    late = f"{self.name} does not serve after {within.total_seconds():.0f} s ({answer}); {self._said()}"
                    raise Unavailable("service_slow", late) from answer
                time.sleep(processes.LOOK_EVERY.total_seconds())
            else:
                return

    def stop(self) -> None:
        """End the process as it wishes to be ended, and by force when it takes too long."""
        if running := self._roster.running(self.name):
            processes.end(running)
        self._roster.strike(self.name)

    def kill(self) -> None:
        """End the process with SIGKILL, as a power cut does; its data stay as they are."""
        if running := self._roster.running(self.name):
            processes.kill(running)
        self._roster.strike(self.name)

    def restart(self) -> None:
        """Stop when it runs, start on the same ports with the same data, and wait until it serves."""
        self.stop()
        self.start()
        self.wait_ready()

    def freeze(self) -> None:
        """Stop the process from running, without ending it: a server that is there and does not answer."""
        if running := self._roster.running(self.name):
            processes.send(running, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        if running := self._roster.running(self.name):
            processes.send(running, signal.SIGCONT)

    def _choose_ports(self) -> None:
        """The ports it had, or free ones; `Unavailable` when somebody else sits on one it had."""
        if taken := [port for port in self._ports.values() if not is_free(port)]:
            raise Unavailable("port_taken", f"{self.name} wants its port {taken[0]} back, and another program has it")
        if not self._ports:
            self._ports = free_ports(self._engine.port_names)

    def _said(self) -> str:
        return f"its log ({self.log}) ends:\n{processes.last_lines(self.log)}"


def free_ports(names: Sequence[str]) -> dict[str, int]:
    """A free port on loopback for each name, ours until this process ends; `Unavailable` when there is none."""
    candidates = (port for port in random.sample(PORTS, len(PORTS)) if is_free(port) and _claim(port))
    ports = dict(zip(names, candidates, strict=False))
    if len(ports) < len(names):
        raise Unavailable("port_taken", f"no free port from {PORTS.start} to {PORTS.stop - 1}")
    return ports


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of loopback now."""
    with socket.socket() as probe, suppress(OSError):
        # As servers do: connections of a former life that are still closing are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


def _claim(port: int) -> bool:
    """Whether no other process of ours has claimed the port; then we have.

    A port looks free until its server listens, and again while a killed one is to come back on it.
    """
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0dunghan-port-{port}")  # a name in Linux's abstract namespace: no file, gone with its holder
    except OSError:
        claim.close()
        return False
    _CLAIMS.append(claim)
    return True
