"""Worker processes for the system tests: started, asked over HTTP, killed, and told what to do by files."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE = 60.0


def until(true: Callable[[], object], what: str, *, within: float = PATIENCE) -> None:
    """Return as soon as it is true; fail, saying what, when it takes too long."""
    deadline = time.monotonic() + within
    while not true():
        assert time.monotonic() < deadline, f"not within {within:.0f} s: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Seen:
    """One chunk as a counting worker handled it."""

    topic: str
    partition: int
    first: int
    last: int
    count: int


class CountingProcess:
    """One `tests.system.counting` process; ``folder`` is where it is told what to do."""

    def __init__(self, folder: Path, name: str, topics: list[str], environment: Mapping[str, str]) -> None:
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self._log = folder / f"log-{time.monotonic_ns()}"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.system.counting", name, str(folder), *topics],
                env={**os.environ, **environment},
                stderr=log,
                stdout=log,
            )

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Its log."""
        return [json.loads(line) for line in self._log.read_text().splitlines() if line.startswith("{")]

    def said(self, event: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        return [line for line in self.lines if line["event"] == event]

    def health(self) -> dict[str, Any]:
        """What ``/healthz`` says, with its code; {} while nobody answers."""
        started = self.said("worker_started")
        if not started:
            return {}
        try:
            with urllib.request.urlopen(f"{started[0]['address']}/healthz", timeout=5) as answer:
                return {"code": answer.status, **json.load(answer)}
        except urllib.error.HTTPError as answer:
            return {"code": answer.code, **json.load(answer)}
        except OSError:
            return {}

    def wait_until(self, status: str, *, within: float = PATIENCE) -> None:
        """Return when ``/healthz`` says this status."""
        until(
            lambda: self.health().get("status") == status, f"{status}: {self._log.read_text()[-2000:]}", within=within
        )

    def seen(self) -> list[Seen]:
        """The chunks this process handled."""
        lines = (self.folder / f"seen-{self.process.pid}").read_text().splitlines()
        words = [line.split() for line in lines]
        return [Seen(w[0], int(w[1]), int(w[2]), int(w[3]), int(w[4])) for w in words if len(w) == 5]

    def told(self) -> list[str]:
        """What it was told of assignments, by word and numbers; of every process of this folder."""
        return [line.rsplit(" ", 1)[0] for line in (self.folder / "told").read_text().splitlines()]

    def ask(self, what: str) -> None:
        """Make it hold, hang, fail… from its next chunk on."""
        (self.folder / what).touch()

    def unask(self, what: str) -> None:
        """Make it stop doing that."""
        (self.folder / what).unlink()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self, *, within: float = PATIENCE) -> int:
        """Its exit code, when it has ended."""
        return self.process.wait(within)

    def kill(self) -> None:
        """SIGKILL, and gone; nothing happens when it is gone already."""
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@contextmanager
def ended(*processes: CountingProcess) -> Iterator[None]:
    """None of them is left at the end."""
    try:
        yield
    finally:
        for process in processes:
            process.kill()
