"""What judge does not judge here: records that are buried, or sent on to the partition of their dossier."""

from datetime import UTC, datetime
from typing import Literal, NamedTuple

import structlog

from agents.dead_letters import dead_letter, source_of
from agents.ports import Outgoing, Record
from agents.reroute import reroute
from agents.shard import Shard
from schemas.dossier import Memory
from schemas.errors import InvalidRecord
from schemas.event import Event

log = structlog.stdlib.get_logger(__name__)


class Aside(NamedTuple):
    """A record that is not judged here: its fate, with the reason or the source, and what to send and remember."""

    fate: Literal["buried", "rerouted"]
    label: str
    output: Outgoing | None
    memory: Memory | None = None
    source: str = ""


def buried(record: Record, error: InvalidRecord) -> Aside:
    """Bury the record as it came."""
    where = {"topic": record.topic, "partition": record.partition, "offset": record.offset}
    source = source_of(record.value)
    log.warning("record_buried", reason=error.reason, source=source, **where)
    letter = dead_letter(record, error, at=datetime.now(UTC), source=source)
    return Aside("buried", error.reason, letter, source=source)


def rerouted(record: Record, event: Event, partition: int, shard: Shard) -> Aside:
    """Send the event on, unless that was done before: a replay reroutes nothing twice."""
    output = reroute(record, event, partition)
    if record.offset in shard.rerouted:
        return Aside("rerouted", event.source or "", None)
    log.info("record_rerouted", source=event.source, partition=record.partition, offset=record.offset, to=partition)
    return Aside("rerouted", event.source or "", output, Memory(event.dossier_code, rerouted=record.offset))
