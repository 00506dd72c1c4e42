"""``python -m tests.system.faults.million``: ten days of the whole city, a good million events, judged once more.

The city is sent at once and judged live; then ``dunghan worker judge --shadow`` judges it from offset zero. It must
find no difference, and no alert may come; what else the live judge says meanwhile is shown.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from schemas import topics
from tests.system.faults.crew import Crew
from tests.system.office import CONSUMED, ROOT, Office

WITHIN = 3_600.0  # seconds for making the city, and for judging it


def shadow(office: Office) -> tuple[list[str], float, float]:
    """What it prints, how many seconds it takes, and the most megabytes it has."""
    began = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", "agents", "worker", "judge", "--shadow", "--format", "json"],
        cwd=ROOT,
        env={**os.environ, **office.environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        told = process.stdout.read().splitlines()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in (0, 1), f"the shadow ended with {process.returncode}"
    return told, time.monotonic() - began, usage.ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults.million", description=__doc__)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="million-") as name, Office(Path(name), ROOT / "config") as office:
        size = ("--days", str(asked.days), "--scale", str(asked.scale), "--seed", str(asked.seed))
        office.command("simulate", "--to", "kafka", *size, within=WITHIN)
        sent = office.ends()[topics.EVENTS.name]
        began = time.monotonic()
        crew = Crew(office, {})
        for worker in CONSUMED:
            crew.start(worker, "one")
        crew.settle(within=WITHIN)
        print(f"{sent} records judged and stored after {time.monotonic() - began:.0f} s", crew.memory(), flush=True)
        before, alerts = office.ends(), office.alerts()
        told, seconds, megabytes = shadow(office)
        office.wait_done()
        after = office.ends()
    *found, last = map(json.loads, told)
    summary = last["summary"]
    print(f"shadow: {seconds:.0f} s, {megabytes:.0f} MB at most; {summary}")
    print(f"{len(alerts)} alerts were told live; {len(found)} differences")
    for difference in found[:20]:
        print(f"  {json.dumps(difference, ensure_ascii=False)[:500]}")
    grown = {topic: (before[topic], end) for topic, end in after.items() if end != before[topic]}
    print("topics that grew meanwhile:", grown or "none")
    return int(bool(found) or topics.ALERTS.name in grown or not alerts)


if __name__ == "__main__":
    sys.exit(main())
