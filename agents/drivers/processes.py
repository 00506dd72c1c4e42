"""Programs of their own: started apart from us, recognised later, and ended by their process id alone.

A process id is given again after its process has ended, so an id alone names nobody. A `Running` also holds the
start time that the kernel keeps, and nothing is signalled that does not match both.
"""

import os
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

# How long between two looks at a process or a port. Ten looks a second cost nothing and are not felt.
LOOK_EVERY = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Running:
    """One process of this machine, for as long as it lives: its id and when the kernel started it."""

    pid: int
    started: str  # boot id and clock ticks since that boot: equal for no two processes


def start(
    command: Sequence[str],
    *,
    folder: Path,
    log: Path,
    environment: Mapping[str, str],
    stdin: int | None = None,
) -> Running:
    """A program running in `folder`, in a session of its own, its output appended to `log`.

    It outlives us, and a Ctrl-C in our terminal does not reach it. `stdin` is a file descriptor it reads from;
    without one it reads nothing. Raises `OSError` when the program cannot be started.
    """
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    source = (
        (os.POSIX_SPAWN_DUP2, stdin, 0) if stdin is not None else (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0)
    )
    # posix_spawn knows no working directory; the shell goes there and then becomes the program.
    shell = ["/bin/sh", "-c", 'cd "$0" && exec "$@"', str(folder), *command]
    pid = os.posix_spawn(
        shell[0],
        shell,
        {**os.environ, **environment},
        file_actions=[source, (os.POSIX_SPAWN_OPEN, 1, str(log), append, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)],
        setsid=True,
        # What we ignore or block, the program must not: it is told to stop by SIGTERM.
        setsigmask=(),
        setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGPIPE),
    )
    return Running(pid, _stat(pid)[1])


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this very Python."""
    return [sys.executable, "-m", module, *arguments]


def is_alive(running: Running) -> bool:
    """Whether this very process still runs; one of ours that has ended is put to rest on the way."""
    try:
        state, started = _stat(running.pid)
        # The first thread of a killed program ends before the others, and they hold its ports until they end too.
        ended = state == "Z" and len(os.listdir(f"/proc/{running.pid}/task")) <= 1
    except FileNotFoundError:
        return False
    if ended and started == running.started:
        with suppress(ChildProcessError):  # another process's child: its parent, or init, sees to it
            os.waitpid(running.pid, os.WNOHANG)
    return started == running.started and not ended


def send(running: Running, number: signal.Signals) -> None:
    """The signal delivered, if this very process is still there; nothing otherwise."""
    if is_alive(running):
        with suppress(ProcessLookupError):
            os.kill(running.pid, number)


def wait_gone(running: Running, within: timedelta) -> bool:
    """Whether the process ended within the time."""
    deadline = time.monotonic() + within.total_seconds()
    while is_alive(running):
        if time.monotonic() > deadline:
            return False
        time.sleep(LOOK_EVERY.total_seconds())
    return True


def end(*all_running: Running, patience: timedelta = timedelta(seconds=20)) -> None:
    """All of them gone: asked together with SIGTERM, and made to with SIGKILL when `patience` has run out."""
    for running in all_running:
        send(running, signal.SIGTERM)
        send(running, signal.SIGCONT)  # one that was frozen cannot hear the first
    for running in all_running:
        if not wait_gone(running, patience):
            kill(running)


def kill(running: Running) -> None:
    """The process gone at once, by SIGKILL."""
    send(running, signal.SIGKILL)
    wait_gone(running, timedelta(seconds=20))  # the kernel may have to write out its pages first


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log, indented, for an error that tells why a program died."""
    with suppress(FileNotFoundError):
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]
        return "\n".join(f"    {line[:300]}" for line in lines)
    return ""


def _stat(pid: int) -> tuple[str, str]:
    """State letter and identity of a process, from /proc; `FileNotFoundError` when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except ProcessLookupError as gone:  # it ended between opening and reading
        raise FileNotFoundError(pid) from gone
    # The name of the program may hold blanks and brackets; what follows the last bracket is regular.
    fields = text.rpartition(")")[2].split()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return fields[0], f"{boot}:{fields[19]}"
