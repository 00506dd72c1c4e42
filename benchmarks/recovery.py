"""``python -m benchmarks.recovery``: how soon a judge that was killed judges again, on a real Kafka of this machine.

The state topic is filled with what a large city leaves there: dossiers that are open, each with its events, the
alerts told and the outlook, as judge itself would have written them, and stubs of those that were evicted. Then
`dunghan worker judge` is started, killed with SIGKILL, and started again while an event waits in every partition. The
broker's own clock says when each of them was answered: judge's outputs carry the broker's time.
"""

import argparse
import asyncio
import json
import logging
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from agents.batches import batches
from agents.config import load
from agents.drivers.kafka import KafkaOutbox, partition_of
from agents.drivers.kafka_topics import create_topics
from agents.drivers.local import Services
from agents.judged import remembered
from agents.ports import Outgoing
from agents.settings import Settings
from schemas import topics
from schemas.alert import Alert
from schemas.dossier import Memory, dump
from schemas.event import Event, canonical
from schemas.stub import covering, names
from streams.alerts import decide
from streams.history import History, build
from streams.outlook import foresee
from streams.rules import Rules
from streams.verdict import assess
from tests.contracts.brokers import read_partition

ROOT = Path(__file__).parents[1]
PARTITIONS = 64  # as shipped
BATCH = 20_000  # memories sent at a time
STEPS = (2, 4, 4, 5, 4, 4, 6, 4)  # an open dossier's events
STORIES = 2_000
STUBBED = 12  # records that a stub stands for: eight events, two alerts raised and resolved
PATIENCE = 600.0


def _code(number: int) -> str:
    return f"H26.{1 + number % 126:03}-261102-{number:07}"


def _history(number: int, now: datetime, chance: random.Random) -> History:
    """An open dossier that came in at some time of the last nine days."""
    code, begin = _code(number), now - timedelta(hours=chance.uniform(10, 216))
    every = (now - begin) / (len(STEPS) + 1)
    events = (
        Event(
            event_id=f"one-stop-{number}-{index}",
            dossier_code=code,
            at=(begin + index * every).replace(microsecond=0),
            status=status,
            procedure_code="1.004441",
            processing_unit=f"H26.{1 + (number + index // 3) % 126:02}",
            receiving_unit=f"H26.{1 + number % 126:02}",
            stage=("tiep-nhan", "tham-dinh", "trinh-ky")[index % 3],
            channel="online",
            source="one-stop",
            sequence=8 * number + index,
        )
        for index, status in enumerate(STEPS)
    )
    return build(code, events)


def _memories(history: History, rules: Rules, now: datetime) -> Iterator[Memory]:
    """What judge has written about an open dossier by now."""
    code, sent = history.dossier_code, dict[str, Alert]()
    for at in (history.events[-1].at, now):
        answer = assess(history, rules, now=at)
        sent |= {alert.alert_id: alert for alert in decide(answer, sent.values(), now=at)}
    yield from (Memory(code, event=event) for event in history.events)
    yield from (Memory(code, alert=alert) for alert in sent.values())
    yield Memory(code, outlook=foresee(history, answer, live=True))


def _stubs(dossiers: int) -> Iterator[Outgoing]:
    """What stands in the state of so many dossiers that were evicted."""
    for number in range(dossiers):
        code = f"H26.{1 + number % 126:03}-250303-{number:07}"
        stub = covering(1, names(f"{code}{record}".encode() for record in range(STUBBED)))
        memory = Memory(code, stub=stub)
        yield remembered(memory, partition_of(code.encode(), PARTITIONS))


def _population(dossiers: int, rules: Rules, now: datetime) -> Iterator[Outgoing]:
    """What stands in the state of so many open dossiers; after the first thousands, the same stories once more."""
    chance = random.Random(766)  # noqa: S311
    stories: list[list[tuple[bytes, bytes]]] = []
    for number in range(dossiers):
        code = _code(number).encode()
        if number < STORIES:
            memories = _memories(_history(number, now, chance), rules, now)
            stories.append([(memory.key(), dump(memory)) for memory in memories])
        told = _code(number % STORIES).encode()
        for key, value in stories[number % STORIES]:
            partition = partition_of(code, PARTITIONS)
            yield Outgoing(topics.STATE.name, key.replace(told, code), value.replace(told, code), partition)


async def _fill(settings: Settings, records: Iterator[Outgoing]) -> int:
    count = 0
    async with KafkaOutbox(settings) as outbox:
        for batch in batches(records, BATCH):
            await outbox.send(batch)
            count += len(batch)
    return count


async def _ask(settings: Settings, now: datetime, dossiers: int) -> None:
    """One event onto every partition, each of a dossier that is known."""
    waiting: dict[int, Outgoing] = {}
    for number in range(dossiers):
        code = _code(number)
        partition = partition_of(code.encode(), PARTITIONS)
        if partition not in waiting:
            last = _history(number, now, random.Random(number)).events[-1]  # noqa: S311
            event = replace(last, event_id=f"asked-{number}", at=now)
            waiting[partition] = Outgoing(topics.EVENTS.name, code.encode(), canonical(event), partition)
    async with KafkaOutbox(settings) as outbox:
        await outbox.send(list(waiting.values()))


@dataclass
class _Judge:
    """One `dunghan worker judge`, its log, and when it was started."""

    environment: dict[str, str]
    log: Path

    def __post_init__(self) -> None:
        self.began = time.time()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "agents", "worker", "judge"],
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )

    def said(self, event: str) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def wait(self, event: str, times: int) -> list[dict[str, Any]]:
        deadline = time.monotonic() + PATIENCE
        while len(found := self.said(event)) < times:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"judge did not say {event} {times} times: {self.log.read_text()[-3000:]}")
            time.sleep(0.1)
        return found

    def after(self, lines: list[dict[str, Any]]) -> list[float]:
        """Seconds from the start of the process to each of these lines, in order."""
        return sorted(datetime.fromisoformat(line["timestamp"]).timestamp() - self.began for line in lines)

    def megabytes(self) -> float:
        """Memory that is resident."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6

    def cpu_seconds(self) -> float:
        """What it has used of the processors."""
        user, system = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def _answered(settings: Settings, since: datetime) -> list[float]:
    """Epoch seconds at which the broker had the first answer of each partition since then."""

    async def read() -> list[float]:
        found = []
        for partition in range(PARTITIONS):
            times = [
                record.timestamp / 1000 for record in await read_partition(settings, topics.ASSESSMENTS.name, partition)
            ]
            found += [min(one for one in times if one >= since.timestamp())]
        return found

    return asyncio.run(read())


def measure(folder: Path, dossiers: int, closed: int) -> Table:
    """Fill, kill, start again, and tell how long it took."""
    rules, now = load(ROOT / "config"), datetime.now(UTC)
    with Services(folder) as services:
        environment = {**services.environment, "DUNGHAN_PARTITIONS": str(PARTITIONS), "DUNGHAN_WORKER_ID": "recovery"}
        settings = Settings.model_validate(
            {name.removeprefix("DUNGHAN_").lower(): value for name, value in environment.items()}
        )
        asyncio.run(create_topics(settings))
        records = asyncio.run(_fill(settings, chain(_population(dossiers, rules, now), _stubs(closed))))
        first = _Judge(environment, folder / "first.log")
        try:
            first.wait("partition_read", PARTITIONS)
            time.sleep(2 * settings.session_timeout)  # it judges, commits and beats: an ordinary moment to die
        finally:
            first.kill()
        asyncio.run(_ask(settings, datetime.now(UTC), dossiers))
        judge = _Judge(environment, folder / "second.log")
        try:
            read = judge.wait("partition_read", PARTITIONS)
            cpu = judge.cpu_seconds()
            time.sleep(10)  # the last answers
            megabytes = judge.megabytes()
        finally:
            judge.kill()
        answers = sorted(one - judge.began for one in _answered(settings, datetime.fromtimestamp(judge.began, UTC)))
        return _table(judge, read, answers, records, megabytes, cpu)


def _table(
    judge: _Judge, read: list[dict[str, Any]], answers: list[float], records: int, megabytes: float, cpu: float
) -> Table:
    dossiers, stubs = (sum(line[what] for line in read) for what in ("dossiers", "evicted"))
    table = Table(title=f"{dossiers:,} dossiers, {stubs:,} stubs, {records:,} records, {PARTITIONS} partitions")
    table.add_column("seconds after the start of the process")
    table.add_column("first", justify="right")
    table.add_column("last", justify="right")
    for what, times in (
        ("Python is there, everything imported", judge.after(judge.said("worker_started"))),
        ("the group is joined", judge.after(judge.said("partitions_assigned"))),
        ("a partition is read in", judge.after(read)),
        ("an event is judged, its answer acknowledged", answers),
    ):
        table.add_row(what, f"{times[0]:.2f}", f"{times[-1]:.2f}")
    table.add_row("judged at the start", "", f"{sum(line['assessed'] for line in read):,}")
    table.add_row("CPU seconds until all is read in", "", f"{cpu:.1f}")
    table.add_row("memory, MB", "", f"{megabytes:,.0f}")
    return table


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--open", type=int, default=100_000, help="dossiers in work")
    parser.add_argument("--closed", type=int, default=1_000_000, help="dossiers evicted to stubs")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # new topics have no leaders for a moment
    with tempfile.TemporaryDirectory() as folder:
        Console().print(measure(Path(folder), asked.open, asked.closed))


if __name__ == "__main__":
    main()
