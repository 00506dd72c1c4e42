"""The stage of the demonstration: services and workers of its own, in a folder of its own.

Everything it starts it stops, however it ends; only when they are to be kept do services and workers
go on, entered in the list by which `dunghan down` finds them.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agents.drivers import processes
from agents.drivers.local import LOCAL, Services, down
from agents.drivers.service import Roster, free_ports
from agents.probe import ask
from agents.settings import PREFIX, Settings, read_settings
from agents.supervise import Children, log_file
from schemas.errors import Unavailable

ROOT = Path(__file__).parents[1]
#: The city's own configuration, and one desk that never closes: its alerts can be shown at any hour of any day.
CONFIG, NIGHT_DESK = ROOT / "config", "H26.24"
NIGHT_CALENDAR = ROOT / "examples" / "demo" / "lien-tuc-2026.yaml"
#: Where a demonstration that is kept lives; another one has a folder that goes with it.
KEPT = LOCAL / "demo"
WORKERS = ("judge", "archive")
READY_SECONDS = 60.0
LOOK_SECONDS = 0.1


class Workers(Protocol):
    """Workers that were started."""

    def ended(self) -> tuple[str, int] | None:
        """The first that has ended though nobody asked it to, with its exit code (-1: not known)."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demonstration plays: its folder, settings, and the web addresses of the workers by name."""

    folder: Path
    settings: Settings
    addresses: Mapping[str, str]
    workers: Callable[[], AbstractContextManager[Workers]]

    def wait_ready(self, workers: Workers) -> None:
        """Return when every worker has its partitions and has read them in. Raises `Unavailable`."""
        deadline = time.monotonic() + READY_SECONDS
        waiting = set(self.addresses)
        while waiting:
            self.check(workers)
            if time.monotonic() > deadline:
                raise Unavailable("worker_ended", f"{', '.join(sorted(waiting))} not ready; {self.said()}")
            for name in sorted(waiting):
                said = ask(self.addresses[name])
                if said is not None and said.get("status") == "running":
                    waiting.discard(name)
            time.sleep(LOOK_SECONDS)

    def check(self, workers: Workers) -> None:
        """Raise `Unavailable` when a worker has ended."""
        ended = workers.ended()
        if ended is not None:
            raise Unavailable("worker_ended", f"{ended[0]} ended by itself; {self.said(ended[0])}")

    def said(self, *names: str) -> str:
        """The end of the logs of these workers, or of all."""
        ends = [
            f"the log of {name} ends:\n{processes.last_lines(log_file(self.folder, name), 6)}"
            for name in names or WORKERS
        ]
        return "\n".join(ends)


@contextmanager
def stage(*, keep: bool) -> Iterator[Stage]:
    """Kafka and ClickHouse running with nothing in them, and all that is needed to start the workers.

    Our own environment is changed: the settings of another installation shall not reach into it. Raises as
    `Services.start` does.
    """
    with ExitStack() as stack:
        if keep:
            folder = _emptied(KEPT)
            stack.enter_context(_stopped_on_failure(folder))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dunghan-demo-")))
        services = stack.enter_context(Services(folder, keep=keep))
        ports = free_ports(WORKERS)
        variables = {
            **services.environment,
            f"{PREFIX}CONFIG": str(_configured(folder)),
            f"{PREFIX}DATA_DIR": str(folder),
        }
        for name in [name for name in os.environ if name.startswith(PREFIX)]:
            del os.environ[name]
        os.environ.update(variables)
        environments = {name: {**os.environ, f"{PREFIX}WEB_PORT": str(port)} for name, port in ports.items()}
        if keep:
            lines = "".join(f"{name}={value}\n" for name, value in variables.items())
            (folder / "env").write_text(lines, encoding="utf-8")
        yield Stage(
            folder,
            read_settings(),
            {name: f"http://127.0.0.1:{port}" for name, port in ports.items()},
            lambda: _kept(folder, environments, ports) if keep else Children(environments, logs=folder),
        )


def _configured(folder: Path) -> Path:
    """The configuration of the demonstration, in its folder."""
    config = Path(shutil.copytree(CONFIG, folder / "config"))
    shutil.copy(NIGHT_CALENDAR, config / "calendars")
    with (config / "units.yaml").open("a", encoding="utf-8") as units:
        desk = f'code: {NIGHT_DESK}, name: "Bộ phận trực 24/7", parent: H26, calendar: lien-tuc, reception: lien-tuc'
        units.write(f"  - {{{desk}}}\n")
    return config


def stop_kept() -> tuple[str, ...]:
    """Stop what a demonstration left running, workers first; the names of what was running."""
    return down(KEPT, WORKERS) + down(KEPT)


def _emptied(folder: Path) -> Path:
    stop_kept()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def _stopped_on_failure(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        stop_kept()
        raise


class _Detached:
    """Workers that go on without us."""

    def __init__(self, folder: Path) -> None:
        self._roster = Roster(folder)

    def ended(self) -> tuple[str, int] | None:
        return next(((name, -1) for name in WORKERS if self._roster.running(name) is None), None)


@contextmanager
def _kept(folder: Path, environments: Mapping[str, Mapping[str, str]], ports: Mapping[str, int]) -> Iterator[Workers]:
    for name, environment in environments.items():
        command = processes.python("agents", "worker", name)
        running = processes.start(command, folder=ROOT, log=log_file(folder, name), environment=environment)
        Roster(folder).enter(name, running, {"web": ports[name]})
    yield _Detached(folder)
