"""A worker as small as one can be, run in a process of its own by the tests of the transport.

It appends a line for each chunk to a file and obeys files in its folder, each for all partitions or,
as in ``hold-2``, for one: ``hold`` makes it raise `Unavailable`, ``slow`` makes its handles wait for as
long as the file is there, ``pause`` makes each take a moment, ``hang`` lets one never return, ``block``
stops its main loop, ``bug`` raises something that has no fate.
"""

import asyncio
import gc
import os
import sys
import time
from collections import Counter
from pathlib import Path

from agents.app import Worker
from agents.health import Health
from agents.ports import Chunk, Lease
from agents.process import run
from agents.settings import read_settings
from agents.telemetry import Meters, configure_logging
from schemas.errors import Unavailable


class Counting:
    """What it knows is its folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines = (folder / f"seen-{os.getpid()}").open("a", buffering=1)
        self._told = (folder / "told").open("a", buffering=1)

    async def assigned(self, partition: int) -> None:
        if (self._folder / "slow-read").exists():
            await asyncio.sleep(1.0)
        print("assigned", partition, os.getpid(), file=self._told)

    def revoked(self, partitions: frozenset[int]) -> None:
        print("revoked", *sorted(partitions), os.getpid(), file=self._told)

    async def handle(self, chunk: Chunk, lease: Lease) -> None:
        if self._asked("hold", chunk.partition):
            alive = [it for it in gc.get_objects() if isinstance(it, Chunk)]
            most = max(Counter((it.topic, it.partition) for it in alive).values())
            print("chunks-of-a-partition", most, os.getpid(), file=self._told)
            raise Unavailable("test_hold", "the test asked for it")
        if self._asked("slow", chunk.partition):
            print("taken", chunk.topic, chunk.partition, os.getpid(), file=self._told)
        while self._asked("slow", chunk.partition):  # noqa: ASYNC110 — another process says when
            await asyncio.sleep(0.05)
        if self._asked("pause", chunk.partition):
            await asyncio.sleep(0.05)
        if self._asked("hang", chunk.partition):
            await asyncio.Event().wait()
        if self._asked("bug", chunk.partition):
            raise ZeroDivisionError("the test asked for it")
        if self._asked("block", chunk.partition):
            time.sleep(3600)  # noqa: ASYNC251 — a stuck main loop is what is wanted
        first, last = chunk.records[0].offset, chunk.records[-1].offset
        print(chunk.topic, chunk.partition, first, last, len(chunk.records), file=self._lines)

    def _asked(self, what: str, partition: int) -> bool:
        return (self._folder / what).exists() or (self._folder / f"{what}-{partition}").exists()


def main() -> int:
    name, folder, *topics = sys.argv[1:]
    settings = read_settings()
    configure_logging(settings.log_level, worker=name)
    counting = Counting(Path(folder))
    worker = Worker(name, dict.fromkeys(topics, counting.handle), assigned=counting.assigned, revoked=counting.revoked)
    return run(worker, settings, health=Health(name), meters=Meters())


if __name__ == "__main__":
    sys.exit(main())
