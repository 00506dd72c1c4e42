"""An installation under test: services of its own, topics and tables, workers as processes, and what they made of it.

Everything waits by probing until a deadline; whatever was started is ended by its process id, also when a test fails.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from aiokafka import ConsumerRecord
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from agents.config import load
from agents.drivers.clickhouse import connect
from agents.drivers.kafka import KafkaOutbox
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import PARTITIONS, Services
from agents.drivers.tables import fill_calendars, migrate
from agents.ports import Outgoing
from agents.settings import Settings
from schemas import topics
from schemas.event import Event, canonical
from tests.contracts.brokers import read_partition
from tests.system.workers import PATIENCE, until

ROOT = Path(__file__).parents[2]
#: What each worker consumes.
CONSUMED = {
    "judge": (topics.EVENTS.name, topics.REROUTED.name, topics.LOOKS.name),
    "archive": (topics.ASSESSMENTS.name, topics.ALERTS.name, topics.DEAD_LETTERS.name, topics.FEEDS.name),
}
#: Nothing new for this long, with all consumed: five turns of the judge's timer, the only thing that begins by itself.
QUIET = 1.0

Row = dict[str, Any]
Asked = TypeVar("Asked")


class Progress(NamedTuple):
    """How far a worker's group has come, over all partitions of all its topics."""

    committed: int
    end: int


class _Offsets(NamedTuple):
    """The same by partition."""

    committed: dict[TopicPartition, int]
    ends: dict[TopicPartition, int]

    def behind(self) -> dict[str, tuple[int, int]]:
        """The partitions that are not consumed: committed, end."""
        pairs = {where: (self.committed[where], end) for where, end in self.ends.items()}
        return {f"{where.topic}-{where.partition}": pair for where, pair in pairs.items() if pair[0] != pair[1]}


class WorkerProcess:
    """One worker in a process of its own; ``folder`` is the only place where it may leave files."""

    def __init__(self, command: Sequence[str], folder: Path, log: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.log = log
        self.name = log.stem
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=folder,
                env={**os.environ, **environment, "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,  # it stops when this ends: should we be killed, it is not left behind
                stdout=output,
                stderr=output,
            )

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it lives."""
        return self._process.poll()

    @property
    def lines(self) -> list[Row]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    @property
    def address(self) -> str | None:
        """Its web address; None before it has said so."""
        return next((str(line["address"]) for line in self.lines if line["event"] == "worker_started"), None)

    def ask(self, path: str) -> bytes:
        """What its web port answers, whatever the code; empty while nobody does."""
        address = self.address
        with suppress(OSError):
            try:
                if address is not None:
                    with urllib.request.urlopen(f"{address}{path}", timeout=5) as answer:
                        return bytes(answer.read())
            except urllib.error.HTTPError as refusal:
                return refusal.read()
        return b""

    def health(self) -> Row:
        """What ``/healthz`` says; empty while nobody answers."""
        answer = self.ask("/healthz")
        return dict(json.loads(answer)) if answer else {}

    def metric(self, name: str, **labels: str) -> float:
        """The sum of the samples of a metric that have these labels."""
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        lines = self.ask("/metrics").decode().splitlines()
        samples = [line for line in lines if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.rsplit(" ", 1)[1]) for line in samples if all(label in line for label in wanted))

    def wait_caught_up(self) -> Self:
        """Return when every partition is its own and read in."""

        def caught_up() -> bool:
            assert self.exit_code is None, f"{self.name} ended with {self.exit_code}"
            health = self.health()
            return health.get("status") == "running" and len(health["assigned"]) == PARTITIONS

        until(caught_up, f"{self.name} caught up")
        return self

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """Asked to stop, and its exit code."""
        self._process.terminate()
        code = self._process.wait(PATIENCE)
        self._close()
        return code

    def kill(self) -> None:
        """SIGKILL, and gone; nothing happens when it is gone already."""
        self._process.kill()
        self._process.wait()
        self._close()

    def wait_gone(self) -> int:
        """Its exit code when it ends by itself."""
        code = self._process.wait(PATIENCE)
        self._close()
        return code

    def lose_files(self) -> None:
        """Every local file of the worker is gone, as after a lost disk."""
        shutil.rmtree(self.folder)

    def _close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()


class Office:
    """One office from its event log to its tables; as a context, everything it started ends with it.

    ``now`` is the clock of its judge; ``settings`` are more of a worker's settings, by name. ``bare`` leaves Kafka
    and ClickHouse as they are found: whoever restores a backup begins with nothing.
    """

    def __init__(self, folder: Path, config: Path, *, now: str = "", bare: bool = False, **settings: object) -> None:
        self.folder = folder
        self.config = config
        self.rules = load(config)
        self.workers: list[WorkerProcess] = []
        self._starts = count()  # a log of its own for every start, or a test would read what another one said
        self._now = now
        self._bare = bare
        self._more = settings

    def __enter__(self) -> Self:
        with ExitStack() as opened:
            self.services = opened.enter_context(Services(self.folder / "services"))
            self.environment = {
                **self.services.environment,
                "DUNGHAN_CONFIG": str(self.config),
                "DUNGHAN_NOW": self._now,
                "DUNGHAN_COMMIT_INTERVAL": "0.2",
                "DUNGHAN_EVICT_DAYS": "36500",  # nobody leaves unless a test says so: made-up years are long ago
                **_variables(self._more),
            }
            values = {name.removeprefix("DUNGHAN_").lower(): value for name, value in self.environment.items()}
            self.settings = Settings.model_validate(values | {"config": self.config})
            self._client = connect(self.settings)
            opened.callback(self._client.disconnect)
            if not self._bare:
                asyncio.run(create_topics(self.settings))
                migrate(self._client)
                fill_calendars(self._client, self.rules)
            self._admin = KafkaAdminClient(bootstrap_servers=self.services.brokers)
            opened.callback(self._admin.close)
            self._opened = opened.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            error.add_note(self.told())
        for worker in self.workers:
            worker.kill()
        self._opened.close()

    def start(self, name: str, *command: str, worker_id: str = "one", **settings: object) -> WorkerProcess:
        """The worker in a process of its own, not waited for; ``command`` is a module and arguments other than ours."""
        folder = self.folder / f"{name}-{worker_id}"
        environment = {
            **self.environment,
            **_variables(settings),
            "DUNGHAN_WORKER_ID": worker_id,
            "DUNGHAN_DATA_DIR": str(folder / "data"),
            "TMPDIR": str(folder),
            "HOME": str(folder),
        }
        log = self.folder / f"{name}-{next(self._starts)}.log"
        worker = WorkerProcess(command or ("agents", "worker", name, "--until-eof"), folder, log, environment)
        self.workers.append(worker)
        return worker

    def start_all(self) -> tuple[WorkerProcess, WorkerProcess]:
        """Judge and archive, caught up."""
        judge, archive = self.start("judge"), self.start("archive")
        return judge.wait_caught_up(), archive.wait_caught_up()

    def command(
        self, *arguments: str | Path, exit_code: int = 0, given: bytes = b"", within: float = PATIENCE
    ) -> bytes:
        """What a command of ours prints; fails with what it said when it ends with another code."""
        done = subprocess.run(
            [sys.executable, "-m", "agents", *map(str, arguments)],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            input=given,
            capture_output=True,
            timeout=within,
            check=False,
        )
        assert done.returncode == exit_code, done.stderr.decode()[-4000:]
        return done.stdout

    def send(self, records: Iterable[Outgoing]) -> None:
        """Records onto topics, acknowledged; those of one partition in this order."""

        async def deliver() -> None:
            async with KafkaOutbox(self.settings) as outbox:
                await outbox.send(list(records))

        asyncio.run(deliver())

    def publish(self, events: Iterable[Event]) -> None:
        """Events onto their topic, acknowledged, in this order."""
        self.send(Outgoing(topics.EVENTS.name, event.dossier_code.encode(), canonical(event)) for event in events)

    def records(self, topic: topics.Topic) -> list[ConsumerRecord]:
        """All that stands on a topic, partition by partition."""

        async def read() -> list[ConsumerRecord]:
            return [
                record
                for number in range(PARTITIONS)
                for record in await read_partition(self.settings, topic.name, number)
            ]

        return asyncio.run(read())

    def ends(self) -> dict[str, int]:
        """How many records were ever written to each topic."""
        wanted = [TopicPartition(topic.name, number) for topic in topics.ALL for number in range(PARTITIONS)]
        found = _asked_again(lambda: self._admin.list_partition_offsets(dict.fromkeys(wanted, OffsetSpec.LATEST)))
        ends = dict.fromkeys((topic.name for topic in topics.ALL), 0)
        for where, end in found.items():
            ends[where.topic] += end.offset
        return ends

    def progress(self, name: str, *only: str) -> Progress:
        """How far the worker's group has come in its topics (or some of them)."""
        offsets = self._offsets(name, only or CONSUMED[name])
        return Progress(sum(offsets.committed.values()), sum(offsets.ends.values()))

    def _offsets(self, name: str, names: Sequence[str]) -> "_Offsets":
        wanted = [TopicPartition(topic, number) for topic in names for number in range(PARTITIONS)]
        group = f"dunghan-{name}"
        known, ends = _asked_again(
            lambda: (
                self._admin.list_group_offsets({group: wanted})[group],
                self._admin.list_partition_offsets(dict.fromkeys(wanted, OffsetSpec.LATEST)),
            )
        )
        committed = {where: max(0, known[where].offset) if where in known else 0 for where in wanted}
        return _Offsets(committed, {where: found.offset for where, found in ends.items()})

    def wait_done(self, *names: str, within: float = PATIENCE) -> None:
        """Return when the groups of the workers have consumed everything, and nothing new has come for a while."""
        before: list[_Offsets] = []
        since = time.monotonic()
        deadline = since + within
        while time.monotonic() - since < QUIET or any(offsets.behind() for offsets in before):
            self.check_alive()
            offsets = [self._offsets(name, CONSUMED[name]) for name in names or CONSUMED]
            if offsets != before:
                before, since = offsets, time.monotonic()
            assert time.monotonic() < deadline, f"not consumed within {within:.0f} s: {[o.behind() for o in before]}"
            time.sleep(0.1)

    def wait_for(self, true: Callable[[Progress], bool], name: str, *only: str, what: str) -> Progress:
        """Return the worker's progress as soon as it is so."""
        seen: list[Progress] = []

        def look() -> bool:
            seen.append(self.progress(name, *only))
            return true(seen[-1])

        until(look, what)
        return seen[-1]

    def check_alive(self) -> None:
        """Fail when a worker ended by itself without being waited for."""
        for worker in self.workers:
            assert worker.exit_code in (None, 0, -9), f"{worker.name} ended with {worker.exit_code}"

    def ask(self, query: str, **values: object) -> list[Row]:
        """The rows of a query, by column name."""
        found, columns = self._client.execute(query, values or None, with_column_types=True)
        return [dict(zip((name for name, _ in columns), row, strict=True)) for row in found]

    def facts(self) -> dict[str, list[Row]]:
        """What stands in the tables, whole; only when a record was buried is left out, which no two runs share."""
        return {
            "events": self.ask("SELECT * FROM dunghan.events FINAL ORDER BY dossier_code, event_id, digest"),
            "assessments": self.ask("SELECT * FROM dunghan.assessments FINAL ORDER BY dossier_code, cycle"),
            "dead_letters": self.ask(
                "SELECT * EXCEPT buried_at FROM dunghan.dead_letters FINAL ORDER BY topic, partition, offset, sha256"
            ),
        }

    def desk(self, now: datetime) -> list[Row]:
        """`desk_assessments_at` of an instant, by dossier and cycle."""
        instant = now.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        return self.ask(f"SELECT * FROM dunghan.desk_assessments_at(now = '{instant}') ORDER BY dossier_code, cycle")

    def alerts(self) -> dict[tuple[str, str], bool]:
        """Dossier and id of every alert that was told, and whether its last action leaves it open."""
        rows = self.ask(
            "SELECT dossier_code, toString(alert_id) AS id, argMax(action, sequence) IN ('raise', 'retime') AS open"
            " FROM dunghan.alerts FINAL GROUP BY dossier_code, alert_id"
        )
        return {(row["dossier_code"], row["id"]): bool(row["open"]) for row in rows}

    def told(self) -> str:
        """The end of every worker's log, for a failure."""
        return "\n".join(
            f"--- {worker.name} ({worker.exit_code})\n{worker.log.read_text()[-3000:]}" for worker in self.workers
        )


@retry(retry=retry_if_exception_type(KafkaError), wait=wait_fixed(0.5), stop=stop_after_delay(PATIENCE), reraise=True)
def _asked_again(ask: Callable[[], Asked]) -> Asked:
    """The answer of a broker that may have been away a moment ago, and finds its coordinator only now."""
    return ask()


def _variables(settings: Mapping[str, object]) -> dict[str, str]:
    return {f"DUNGHAN_{name.upper()}": str(value) for name, value in settings.items()}
