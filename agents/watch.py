"""The watchdogs of a worker: a process that cannot go on must end, so that somebody starts it again.

Two of them, because what is stuck cannot watch itself: `StallWatch` runs in the main loop and sees
partitions that do not move; `LoopWatch` is a thread and sees the main loop not moving.
"""

import faulthandler
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import Protocol

import structlog
from faust.types import TP

from agents.health import Health

#: Exit codes as sysexits.h names them: EX_UNAVAILABLE, EX_SOFTWARE, EX_TEMPFAIL, EX_CONFIG.
EXIT_UNREACHABLE = 69
EXIT_FAILED = 70
EXIT_STALLED = 75
EXIT_REFUSED = 78

#: A worker that had no heartbeat for this long ends. Before, it waits: a broker that restarts takes less, and a
#: worker that starts waits for its broker anyway.
LOST_SECONDS = 120.0
#: A thread that meant to sleep a second and slept this long was suspended (SIGSTOP), and so was everything else.
SUSPENDED_SECONDS = 5.0

log = structlog.stdlib.get_logger(__name__)


class Watched(Protocol):
    """What the watch needs to see of the consumer."""

    @property
    def heartbeat_at(self) -> float:
        """When the last accepted heartbeat was sent, in monotonic seconds."""
        ...

    def progress_of(self, tp: TP) -> tuple[bool, object]:
        """Whether records wait, and a mark that changes with any progress."""
        ...


class StallWatch:
    """Notices partitions whose records wait while nothing moves, not held and read in, and a lost session."""

    def __init__(
        self,
        consumer: Watched,
        health: Health,
        *,
        stall_timeout: float,
        session_timeout: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._consumer = consumer
        self._health = health
        self._stall_timeout = stall_timeout
        self._session_timeout = session_timeout
        self._monotonic = monotonic
        self._began = monotonic()  # before the first heartbeat, which takes a while on a busy machine
        self._marks: dict[TP, tuple[object, float]] = {}
        self._silent: set[int] = set()

    def look(self, assigned: Iterable[TP]) -> str | None:
        """Look once, a second or so after the last time; a reason to end the process, or None."""
        now = self._monotonic()
        partitions = list(assigned)
        silence = now - max(self._consumer.heartbeat_at, self._began)
        self._note_silence({tp.partition for tp in partitions} if silence > self._session_timeout else set())
        stalled = {tp.partition for tp in partitions if self._stands_still(tp, now)}
        self._health.stalled(stalled)
        if stalled:
            return f"records of partitions {sorted(stalled)} wait, and nothing moved for {self._stall_timeout:.0f} s"
        if silence > LOST_SECONDS:
            return f"no heartbeat was accepted for {silence:.0f} s"
        return None

    def _stands_still(self, tp: TP, now: float) -> bool:
        waiting, mark = self._consumer.progress_of(tp)
        excused = tp.partition in self._health.holds or tp.partition in self._health.behind
        known = self._marks.get(tp)
        if not waiting or excused or known is None or known[0] != mark:
            self._marks[tp] = (mark, now)
            return False
        return now - known[1] > self._stall_timeout

    def _note_silence(self, silent: set[int]) -> None:
        """While the broker does not take our heartbeats, say held: an idle worker would not notice otherwise."""
        unheld = silent - self._health.holds.keys()
        for partition in unheld:
            self._health.held(partition, "kafka_unavailable", "Kafka does not answer our heartbeats")
        for partition in self._silent - silent:
            self._health.resumed(partition)
        self._silent = (self._silent & silent) | unheld


class LoopWatch(threading.Thread):
    """Ends the process when the main loop has not called `beat` for too long; starts as a daemon."""

    def __init__(self, timeout: float) -> None:
        super().__init__(name="loop-watch", daemon=True)
        self._timeout = timeout
        self._beat_at = time.monotonic()
        self._dismissed = threading.Event()

    def beat(self) -> None:
        """The main loop lives."""
        self._beat_at = time.monotonic()

    def dismiss(self) -> None:
        """Watch no more."""
        self._dismissed.set()

    def run(self) -> None:
        """Watch until dismissed."""
        looked_at = time.monotonic()
        while not self._dismissed.wait(1.0):
            now = time.monotonic()
            if now - looked_at > SUSPENDED_SECONDS:
                self._beat_at = now
            looked_at = now
            if now - self._beat_at > self._timeout:
                log.error("worker_stalled", why=f"the main loop did not move for {self._timeout:.0f} s")
                faulthandler.dump_traceback(sys.stderr)
                os._exit(EXIT_STALLED)
