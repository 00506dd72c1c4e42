"""``python -m tests.system.faults.backlog``: what an archive that was away needs to catch up, in memory.

First a steady stream with the archive at work; then it is away while so many records gather; then it comes back.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
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
from tests.system.generated import configuration, generate
from tests.system.office import Office

STEADY_SECONDS = 30
BATCH = 20_000


def judgements(rules: Rules) -> list[Outgoing]:
    """Some thousand records of assessments, as a judge writes them."""
    histories, _ = collect(generate(1, 2_000).events)
    now = datetime.now(UTC)
    found = []
    for code, history in histories.items():
        answer = assess(history, rules, now=now)
        judgement = Judgement(answer, max(1, len(answer.cycles)), history.events)
        partition = partition_of(code.encode(), PARTITIONS)
        found.append(Outgoing(topics.ASSESSMENTS.name, code.encode(), dump(judgement), partition))
    return found


def most(crew: Crew, true: Callable[[], bool], within: float) -> float:
    """The most megabytes that the archive has until it is true, or the time is over."""
    deadline, found = time.monotonic() + within, 0.0
    while not true() and time.monotonic() < deadline:
        found = max(found, *crew.memory().values())
        time.sleep(0.2)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults.backlog", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--minutes", type=float, default=10, help="of catching up, at most")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="backlog-") as name:
        folder = Path(name)
        with Office(folder, configuration(folder / "config")) as office:
            records = judgements(office.rules)
            crew = Crew(office, {"commit_interval": 0.5})
            crew.start("archive", "one")
            crew.wait_running()
            until = time.monotonic() + STEADY_SECONDS

            def steady() -> bool:
                office.send(records[:40])
                return time.monotonic() > until

            before = most(crew, steady, STEADY_SECONDS)
            crew.dismiss("archive", "one")
            for begin in range(0, asked.records, BATCH):
                count = min(BATCH, asked.records - begin)
                office.send((records * (1 + count // len(records)))[:count])
            began = time.monotonic()
            crew.start("archive", "one")
            after = most(crew, lambda: not crew.in_flight("archive"), asked.minutes * 60)
            progress = office.progress("archive")
    print(f"steady: {before:.0f} MB; with {asked.records} records waiting: {after:.0f} MB at most;")
    print(f"{progress.committed} of {progress.end} stored after {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
