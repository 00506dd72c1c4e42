"""Many random dossiers, each judged twice at five instants: ``python -m tests.laws [--dossiers N] [--first SEED]``.

The seeds are new ones each time; a difference names its own, is made as small as it can be, and ends the run.
"""

import multiprocessing
import os
import sys
import time
from argparse import ArgumentParser
from random import SystemRandom

from tests.laws.comparison import IN_ONE_WORLD, first_difference
from tests.laws.smallest import report

CHUNK = 50 * IN_ONE_WORLD
LINES = 20  #: of progress


def main() -> int:
    parser = ArgumentParser(prog="python -m tests.laws", description="Judge random dossiers twice.")
    parser.add_argument("--dossiers", type=int, default=20_000, help="how many (20000)")
    parser.add_argument("--first", type=int, help="the first seed (a new one each time)")
    asked = parser.parse_args()
    first = SystemRandom().randrange(10**9) if asked.first is None else asked.first
    end = first + asked.dossiers
    print(f"{asked.dossiers:,} dossiers, seeds {first} to {end - 1}, each judged twice at five instants", flush=True)
    chunks = [range(begin, min(begin + CHUNK, end)) for begin in range(first, end, CHUNK)]
    started, done = time.monotonic(), 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for chunk, found in zip(chunks, pool.imap(first_difference, chunks), strict=True):
            if found is not None:
                print(f"a difference: {report(*found)}")
                return 1
            before, done = done, done + len(chunk)
            if done * LINES // asked.dossiers > before * LINES // asked.dossiers:
                print(f"{done:>9,} agree after {time.monotonic() - started:4.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
