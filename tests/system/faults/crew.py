"""The workers of a storm: two judges and two archives that are always started again, under the names they had."""

import os
import signal
import time
from dataclasses import dataclass, field

from tests.system.office import CONSUMED, Office, WorkerProcess
from tests.system.workers import until

#: A worker ended by itself and says: start me again. Anything else that it did not do on our order is a bug.
START_AGAIN = (69, 75)
IDS = ("one", "two")
SESSION = 6.0
#: Small chunks and quick commits: many borders to die at. Much of a storm is waiting for a session to end.
SETTINGS = {"chunk_records": 50, "commit_interval": 0.2, "session_timeout": SESSION}


@dataclass
class Crew:
    """Who works in an office, by worker and id; ``restarts`` counts those that ended by themselves."""

    office: Office
    settings: dict[str, object] = field(default_factory=lambda: dict(SETTINGS))
    members: dict[tuple[str, str], WorkerProcess] = field(default_factory=dict)
    restarts: int = 0

    def start_all(self) -> None:
        """Everybody at work, the partitions shared out."""
        for name in CONSUMED:
            for worker_id in IDS:
                self.start(name, worker_id)
        self.wait_running()

    def start(self, name: str, worker_id: str) -> WorkerProcess:
        """A new process of this worker, in the place of the one before."""
        worker = self.office.start(name, worker_id=worker_id, **self.settings)
        self.members[name, worker_id] = worker
        return worker

    def kill(self, name: str, worker_id: str) -> None:
        """SIGKILL, and started again at once."""
        self.office.workers.remove(worker := self.members[name, worker_id])
        worker.kill()
        self.start(name, worker_id)

    def dismiss(self, name: str, worker_id: str) -> None:
        """Stop a worker for good, as it wishes to be stopped."""
        worker = self.members.pop((name, worker_id))
        self.office.workers.remove(worker)
        code = worker.stop()
        # One that had not learned to listen yet ends by the signal itself.
        assert code in (0, -signal.SIGTERM, *START_AGAIN), f"{worker.name} ended with {code}"

    def freeze(self, name: str, worker_id: str, seconds: float) -> None:
        """SIGSTOP for so long, then SIGCONT."""
        worker = self.members[name, worker_id]
        worker.signal(signal.SIGSTOP)
        time.sleep(seconds)
        worker.signal(signal.SIGCONT)

    def keep(self) -> None:
        """Start again whoever ended and may; fail when somebody ended as a bug does."""
        for (name, worker_id), worker in tuple(self.members.items()):
            code = worker.exit_code
            if code is None:
                continue
            assert code in START_AGAIN, f"{worker.name} ended with {code}:\n{worker.log.read_text()[-4000:]}"
            self.office.workers.remove(worker)
            worker.kill()
            self.start(name, worker_id)
            self.restarts += 1

    def wait_running(self, *, within: float = 400.0) -> None:
        """Return when each member says that it runs, and together they have every partition."""

        def running() -> bool:
            self.keep()
            return all(worker.health().get("status") == "running" for worker in self.members.values())

        until(running, "all workers run", within=within)

    def settle(self, *, within: float = 600.0) -> None:
        """Return when everything is consumed and nothing new comes."""
        self.wait_running(within=within)
        self.office.wait_done(within=within)

    def in_flight(self, name: str) -> bool:
        """Whether records of this worker wait or are under way."""
        progress = self.office.progress(name)
        return progress.committed < progress.end

    def memory(self) -> dict[str, float]:
        """Resident megabytes of each member that lives."""
        return {
            f"{name}-{worker_id}": _resident(worker.pid)
            for (name, worker_id), worker in self.members.items()
            if worker.exit_code is None
        }


def _resident(pid: int) -> float:
    with open(f"/proc/{pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
