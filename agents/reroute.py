"""Rerouting: an event that stands on another partition than its dossier's is sent on to its own, once, and marked.

Publishers choose partitions in different ways; two partitions would judge one dossier twice, and both wrongly.
"""

from agents.ports import Outgoing, Record
from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event, canonical


def reroute(record: Record, event: Event, partition: int) -> Outgoing:
    """The record to send so that this event is judged where its dossier is; its headers say where it was found.

    Raises `InvalidRecord` (``wrong_partition``) for one that was sent on already: it would go round for ever.
    """
    if record.topic == topics.REROUTED.name:
        raise InvalidRecord("wrong_partition", "a rerouted record is not on the partition of its dossier")
    headers = {"topic": record.topic, "partition": str(record.partition), "offset": str(record.offset)}
    return Outgoing(
        topics.REROUTED.name,
        event.dossier_code.encode(),
        canonical(event),
        partition,
        tuple((name, text.encode()) for name, text in headers.items()),
    )
