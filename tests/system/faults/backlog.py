"""``python -m tests.system.faults.backlog``: what a worker that was away needs to catch up, in memory.

First a steady stream with the worker at work; then it is away while a tenth of so many records gather, and comes back;
then all of so many. Catching up needs fuller chunks and larger inserts than a stream, but for a long one no more than
for a short one. What is sent was sent before, so that there is not more to remember in the end than there was.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path

from agents.drivers.kafka import partition_of
from agents.drivers.local import PARTITIONS
from agents.ports import Outgoing
from schemas import topics
from schemas.dossier import Judgement, dump
from streams.replay import collect
from streams.rules import Rules
from streams.verdict import assess
from tests.system.faults.crew import Crew
from tests.system.faults.load import storm_log
from tests.system.generated import configuration, generate
from tests.system.office import CONSUMED, Office

DOSSIERS = 2_000
STEADY_SECONDS = 60
STEADY = 40  # records at a time, five times a second
BATCH = 20_000
#: A backlog ten times as long may need so much more: how full the heap gets is chance.
GROWTH = 0.1


@dataclass(frozen=True)
class Need:
    """What a worker needed: resident megabytes at most, steadily, with a tenth and with all; seconds for all."""

    steady: float
    tenth: float
    all: float
    seconds: float

    @property
    def growth(self) -> float:
        """How much more the long backlog needed than the short one, as a part of that."""
        return self.all / self.tenth - 1


def events(seed: int) -> list[Outgoing]:
    """What judge is sent."""
    return storm_log(seed, DOSSIERS).records(seed)


def judgements(rules: Rules, seed: int) -> list[Outgoing]:
    """What archive is sent, as a judge writes it."""
    histories, _ = collect(generate(seed, DOSSIERS).events)
    now = datetime.now(UTC)
    found = []
    for code, history in histories.items():
        answer = assess(history, rules, now=now)
        judgement = Judgement(answer, max(1, len(answer.cycles)), history.events)
        partition = partition_of(code.encode(), PARTITIONS)
        found.append(Outgoing(topics.ASSESSMENTS.name, code.encode(), dump(judgement), partition))
    return found


def measure(office: Office, name: str, records: Sequence[Outgoing], waiting: int, minutes: float) -> Need:
    """One worker alone: the steady stream, then so many records that waited for it."""
    crew = Crew(office, {"commit_interval": 0.5})
    crew.start(name, "one")
    crew.wait_running()
    stream = cycle(records)
    office.send(records)
    most(crew, lambda: not crew.in_flight(name), minutes * 60)
    until = time.monotonic() + STEADY_SECONDS

    def steady() -> bool:
        office.send(islice(stream, STEADY))
        return time.monotonic() > until

    before = most(crew, steady, STEADY_SECONDS)
    crew.dismiss(name, "one")

    def caught_up(count: int) -> tuple[float, float]:
        for begin in range(0, count, BATCH):
            office.send(islice(stream, min(BATCH, count - begin)))
        began = time.monotonic()
        crew.start(name, "one")
        crew.wait_running()
        needed = most(crew, lambda: not crew.in_flight(name), minutes * 60)
        progress = office.progress(name)
        assert progress.committed == progress.end, f"{name} did not catch up: {progress}"
        crew.dismiss(name, "one")
        return needed, time.monotonic() - began

    tenth, _ = caught_up(waiting // 10)
    return Need(before, tenth, *caught_up(waiting))


def most(crew: Crew, true: Callable[[], bool], within: float) -> float:
    """The most megabytes that the worker has until it is true, or the time is over."""
    deadline, found = time.monotonic() + within, 0.0
    while not true() and time.monotonic() < deadline:
        found = max(found, *crew.memory().values())
        time.sleep(0.2)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults.backlog", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=30, help="of catching up, at most")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    growth = []
    for name in CONSUMED:
        with (
            tempfile.TemporaryDirectory(prefix="backlog-") as folder,
            Office(Path(folder), configuration(Path(folder) / "config")) as office,
        ):
            records = events(asked.seed) if name == "judge" else judgements(office.rules, asked.seed)
            need = measure(office, name, records, asked.records, asked.minutes)
        growth.append(need.growth)
        print(
            f"{name}: {need.steady:.0f} MB in a steady stream, {need.tenth:.0f} MB at most with"
            f" {asked.records // 10} records waiting, {need.all:.0f} MB with {asked.records} ({need.growth:+.0%}),"
            f" caught up in {need.seconds:.0f} s",
            flush=True,
        )
    return int(any(part > GROWTH for part in growth))


if __name__ == "__main__":
    sys.exit(main())
