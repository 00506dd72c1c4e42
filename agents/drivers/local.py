"""Real services on this machine without Docker: Apache Kafka and ClickHouse, on loopback, on free ports.

Two ways to hold them::

    with Services(folder) as services:      # for a test or a demo: gone at the end, however the end comes
        services.brokers                    # "127.0.0.1:21733"
        services.clickhouse                 # ("127.0.0.1", 28201)

    up(); down()                            # for `dunghan up` and `dunghan down`: they stay between commands

Who runs is written to `services.json` in the folder, and only processes that are found there, by id and start
time, are ever signalled. A service is up when it has answered a client, not when a time has passed.
"""

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from types import FrameType, TracebackType
from typing import NamedTuple, NoReturn, Self

from agents.drivers import processes
from agents.drivers.local_clickhouse import LocalClickHouse
from agents.drivers.local_kafka import LocalKafka
from agents.drivers.processes import Running
from agents.drivers.service import ENVIRONMENT, PATIENCE, Roster, Service

LOCAL = Path(__file__).parents[2] / ".local"
PARTITIONS = 4  # enough to see partitions, few enough to start at once
DATABASE = "dunghan"


class Address(NamedTuple):
    """Where a server listens."""

    host: str
    port: int


class Services:
    """Kafka and ClickHouse in one folder, started together; as a context they end with it.

    What ran in the folder before is used as it is, and left running. `keep` leaves all running at the end. Should
    this process be killed in the middle, a keeper process stops what it started.
    """

    def __init__(self, folder: Path = LOCAL, *, keep: bool = False) -> None:
        self.folder = folder.resolve()
        roster = Roster(self.folder)
        self.kafka_server = Service(LocalKafka(self.folder / "kafka"), roster)
        self.clickhouse_server = Service(LocalClickHouse(self.folder / "clickhouse", database=DATABASE), roster)
        self._keep = keep
        self._started: tuple[str, ...] = ()
        self._keeper: _Keeper | None = None
        self._signals = _Signals()

    @property
    def all(self) -> tuple[Service, ...]:
        """Both services."""
        return self.kafka_server, self.clickhouse_server

    @property
    def brokers(self) -> str:
        """Kafka's address as clients want it: `host:port`."""
        return f"127.0.0.1:{self.kafka_server.ports['broker']}"

    @property
    def clickhouse(self) -> Address:
        """ClickHouse's address for the native protocol."""
        return Address("127.0.0.1", self.clickhouse_server.ports["native"])

    @property
    def environment(self) -> Mapping[str, str]:
        """The settings that lead a worker or a command to these services."""
        return {
            "DUNGHAN_BROKERS": self.brokers,
            "DUNGHAN_CLICKHOUSE_HOST": self.clickhouse.host,
            "DUNGHAN_CLICKHOUSE_PORT": str(self.clickhouse.port),
            "DUNGHAN_CLICKHOUSE_USER": "writer",
            "DUNGHAN_CLICKHOUSE_PASSWORD": "",
            "DUNGHAN_CLICKHOUSE_DATABASE": DATABASE,
            "DUNGHAN_PARTITIONS": str(PARTITIONS),
            "DUNGHAN_REPLICATION": "1",
            "DUNGHAN_MIN_INSYNC": "1",
        }

    def start(self) -> tuple[str, ...]:
        """Start what does not run and wait until both serve; the names of those started now.

        Raises `ConfigError` (something is not installed) or `Unavailable` (one died, or took too long, and the end
        of its log).
        """
        with _alone(self.folder):
            started = tuple(service.name for service in self.all if service.start())
            for service in self.all:
                service.wait_ready(PATIENCE)
        return started

    def __enter__(self) -> Self:
        missing = [service.name for service in self.all if not service.is_running]
        self._started = () if self._keep else tuple(missing)
        self._signals.divert()
        try:
            if self._started:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._keeper = _Keeper(self.folder, self._started)
            self.start()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()

    def _leave(self) -> None:
        try:
            down(self.folder, self._started)
            if self._keeper:
                self._keeper.dismiss()
        finally:
            self._signals.restore()


def up(folder: Path = LOCAL) -> tuple[Services, tuple[str, ...]]:
    """The services running until `down`, their addresses in the file `env`; and the names of those started now.

    Raises as `Services.start` does; what had started by then stays, and `down` stops it.
    """
    services = Services(folder)
    started = services.start()
    lines = "".join(f"{name}={value}\n" for name, value in services.environment.items())
    (services.folder / "env").write_text(lines, encoding="utf-8")
    return services, started


def down(folder: Path = LOCAL, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """Stop the named services of the folder, or all; the names of those that were running. Data stay."""
    folder = folder.resolve()
    if not folder.is_dir():
        return ()
    with _alone(folder):
        roster = Roster(folder)
        wanted = roster.names() if names is None else names
        found = {name: running for name in wanted if (running := roster.running(name))}
        processes.end(*found.values())
        for name in wanted:
            roster.strike(name)
        if not roster.names():
            (folder / "env").unlink(missing_ok=True)
    return tuple(found)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else starts or stops services in the folder meanwhile; the lock goes with its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "services.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


class _Keeper:
    """A process that stops the services as soon as this one is gone; it notices by the end of a pipe."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        reading, self._writing = os.pipe()
        try:
            self._running: Running = processes.start(
                processes.python("agents.drivers.keeper", str(folder), *names),
                folder=folder,
                log=folder / "keeper.log",
                environment=ENVIRONMENT,
                stdin=reading,
            )
        finally:
            os.close(reading)

    def dismiss(self) -> None:
        """End the keeper: everything is stopped."""
        processes.kill(self._running)
        os.close(self._writing)


class _Signals:
    """SIGTERM as an ordinary exit while services are held, so that `with` blocks and `finally` clauses run."""

    def __init__(self) -> None:
        self._before: object = None

    def divert(self) -> None:
        """Divert SIGTERM, where nobody else has and Python lets us (the main thread)."""
        here = threading.current_thread() is threading.main_thread()
        if here and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _exit)
            self._before = signal.SIG_DFL

    def restore(self) -> None:
        """Let SIGTERM end the process again."""
        if self._before is not None:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._before = None


def _exit(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)
