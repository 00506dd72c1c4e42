"""Workers as child processes: all of them live, or none does.

A child holds one end of a pipe and stops when the other closes, so even a killed parent leaves nothing behind.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import structlog

from agents.settings import PREFIX, Settings
from agents.watch import EXIT_FAILED

#: A worker ends itself at most so long after it was told to; then it is killed.
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.2

log = structlog.stdlib.get_logger(__name__)


class Children:
    """Some workers, each a process of its own. As a context: stopped at its end, however it comes."""

    def __init__(self, environments: Mapping[str, Mapping[str, str]], *, logs: Path | None = None) -> None:
        """``environments`` are the workers by name, each with all its variables. With ``logs``, a folder, each
        writes to a file there, else to our standard error.
        """
        self._environments = environments
        self._logs = logs
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name, environment in self._environments.items():
                self._running[name] = self._start(name, environment)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, name: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with _log(self._logs, name) as output:
            return subprocess.Popen(
                [sys.executable, "-m", "agents", "worker", name, "--until-eof"],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,  # a Ctrl-C reaches us alone, and we tell them
            )

    def ended(self) -> tuple[str, int] | None:
        """The first worker that has ended, with its exit code; None while all live."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                return name, code
        return None

    def stop(self) -> dict[str, int]:
        """All of them stopped; their exit codes."""
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        return {name: process.returncode for name, process in self._running.items()}


@contextmanager
def _log(folder: Path | None, name: str) -> Iterator[BinaryIO]:
    if folder is None:
        yield sys.stderr.buffer
        return
    with log_file(folder, name).open("ab") as stream:
        yield stream


def log_file(folder: Path, name: str) -> Path:
    """Where a worker writes its log, in a folder for logs."""
    return folder / f"{name}.log"


def supervise(names: Sequence[str], settings: Settings) -> int:
    """Run these workers until SIGTERM or SIGINT, or until one of them ends; the exit code of the whole.

    0 when all stopped because they were asked to; else the code of the one that ended first.
    """
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked.set())
    ports = [settings.web_port and settings.web_port + index for index in range(len(names))]
    environments = {
        name: {**os.environ, f"{PREFIX}WEB_PORT": str(port)} for name, port in zip(names, ports, strict=True)
    }
    with Children(environments) as children:
        while not asked.wait(LOOK_SECONDS):
            ended = children.ended()
            if ended is not None:
                name, code = ended
                log.error("worker_ended", ended=name, exit_code=code)
                children.stop()
                return code if code > 0 else EXIT_FAILED
        codes = children.stop()
    log.info("workers_stopped", exit_codes=codes)
    # One that was told to stop before it had learned to listen ends by the signal itself.
    failed = [code for code in codes.values() if code not in (0, -signal.SIGTERM)]
    return max((code if code > 0 else EXIT_FAILED for code in failed), default=0)
