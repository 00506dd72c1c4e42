"""A judge or an archive that dies by SIGKILL at one exact point: ``python -m tests.system.dying NAME POINT COUNT``.

It is put together as `agents.workers` does it, with one difference: the COUNT-th time that it comes to POINT is
the last.

===============  ==================================================================
intents_begun    judge: half of what a chunk is about to tell is written down
intents_done     judge: all of it is, nothing is told
outputs_begun    judge: half of a chunk's outputs are acknowledged
outputs_done     judge: all of them are, the state is not written
state_begun      judge: half of the state is
rows_due         archive: no row of a chunk stands in ClickHouse yet
rows_begun       archive: the events of a chunk do, its assessments do not
alerts_begun     archive: the alerts of its chunks do, their dead letters do not
stubs_begun      judge: half of the stubs of a turn are acknowledged
stubs_done       judge: all of them are, and nothing is deleted
deletions_begun  judge: half of what they cover is deleted
handled          both: all writes are acknowledged, the chunk is not
===============  ==================================================================
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace

from agents.boundary import Handle
from agents.health import Health
from agents.ports import Chunk, Facts, Lease, Outbox, Outgoing
from agents.process import run
from agents.rows import ALERTS, EVENTS
from agents.settings import read_settings
from agents.telemetry import Meters, configure_logging
from agents.workers import build, real_ports
from schemas import topics
from schemas.dossier import MEMORY


class Doom:
    """When to die."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def strike_at(self, point: str) -> None:
        """Die as by a power cut when it is that point for the last time: nothing is closed, flushed or said."""
        self._left -= point == self._point
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)


class DoomedOutbox:
    """An `Outbox` that dies in or after sending a chunk's outputs."""

    def __init__(self, outbox: Outbox, doom: Doom) -> None:
        self._outbox = outbox
        self._doom = doom

    async def send(self, records: Sequence[Outgoing]) -> None:
        half = len(records) // 2
        what = _written(records)
        await self._outbox.send(records[:half])
        self._doom.strike_at(f"{what}_begun")
        await self._outbox.send(records[half:])
        self._doom.strike_at(f"{what}_done")


def _written(records: Sequence[Outgoing]) -> str:
    """Which of a chunk's three writes this is, or of an eviction's two."""
    if any(record.value is None for record in records):
        return "deletions"
    if any(record.topic == topics.ASSESSMENTS.name for record in records):
        return "outputs"
    memories = [MEMORY.validate_json(record.value or b"") for record in records if record.topic == topics.STATE.name]
    if any(memory.intended for memory in memories):
        return "intents"
    if any(memory.stub for memory in memories):
        return "stubs"
    return "state" if any(memory.event is not None for memory in memories) else "rest"


class DoomedFacts:
    """`Facts` that dies after the rows of one table."""

    def __init__(self, facts: Facts, doom: Doom) -> None:
        self._facts = facts
        self._doom = doom

    async def insert(self, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        if table == EVENTS:
            self._doom.strike_at("rows_due")
        await self._facts.insert(table, columns, rows)
        if table in (EVENTS, ALERTS):
            self._doom.strike_at("rows_begun" if table == EVENTS else "alerts_begun")


def _doomed(handle: Handle, doom: Doom) -> Handle:
    async def handled(chunk: Chunk, lease: Lease) -> None:
        await handle(chunk, lease)
        doom.strike_at("handled")

    return handled


def _end_with_input() -> None:
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    name, point, count = sys.argv[1:]
    settings, meters, doom = read_settings(), Meters(), Doom(point, int(count))
    configure_logging(settings.log_level, worker=name)
    threading.Thread(target=_end_with_input, daemon=True).start()
    ports = real_ports(settings)
    doomed = replace(ports, outbox=DoomedOutbox(ports.outbox, doom), facts=DoomedFacts(ports.facts, doom))
    worker = build(name, settings, doomed, meters)
    handles = {topic: _doomed(handle, doom) for topic, handle in worker.topics.items()}
    return run(replace(worker, topics=handles), settings, health=Health(name), meters=meters)


if __name__ == "__main__":
    sys.exit(main())
