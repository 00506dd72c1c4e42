"""``python -m tests.system.faults``: storms of some seeds, one after the other; exit code 1 when one left a trace."""

import argparse
import logging
import random
import sys
import tempfile
from pathlib import Path

from tests.system.faults.play import play
from tests.system.faults.storm import ONCE

#: A storm with differences shows so many of them.
SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.system.faults", description=__doc__)
    parser.add_argument("--seed", type=int, help="the first seed; without it one of chance, which is printed")
    parser.add_argument("--storms", type=int, default=1, help="so many seeds in a row")
    parser.add_argument("--kills", type=int, default=10, help="SIGKILLs in a storm, among the other faults")
    parser.add_argument("--burst", type=int, default=5_000, help="dossiers that are overdue at once")
    asked = parser.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # of a broker that is down we know
    first = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    failed = 0
    for seed in range(first, first + asked.storms):
        with tempfile.TemporaryDirectory(prefix="storm-") as folder:
            played = play(Path(folder), seed, asked.kills, ONCE, dossiers=80 * asked.kills, burst=asked.burst, say=_say)
        _say(
            f"seed {seed}: {len(played.differences)} differences; {played.kills_under_way} kills with records under "
            f"way; {played.restarts} workers ended by themselves; {played.seconds:.0f} s"
        )
        for difference in played.differences[:SHOWN]:
            _say(f"  {difference[:500]}")
        failed += bool(played.differences)
    return int(failed > 0)


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
