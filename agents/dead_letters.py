"""Burying: a refused record goes to the dead-letter topic as it came, with its position and the reason beside it.

The headers are all that is said about it elsewhere; its bytes, which may hold personal data, stay in
that topic alone.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from agents.ports import Outgoing, Record
from schemas import topics
from schemas.dossier import DeadLetter
from schemas.errors import InvalidRecord

#: What key, headers and Kafka's own framing may take beside the bytes, or the broker refuses the dead letter.
FRAMING = 64 * 1024
LARGEST = topics.DEAD_LETTERS.max_message_bytes - FRAMING

_SOURCE = re.compile(r"[0-9A-Za-z._:/-]{1,64}")  # as in `schemas.event`
#: How each header is written; numbers are bounded so that they fit the table.
_HEADERS = {
    "reason": re.compile(r"[a-z_]{1,64}"),
    "detail": re.compile(r".{0,2000}", re.DOTALL),
    "topic": re.compile(r"[A-Za-z0-9._-]{1,249}"),
    "partition": re.compile(r"[0-9]{1,9}"),
    "offset": re.compile(r"[0-9]{1,18}"),
    "size": re.compile(r"[0-9]{1,9}"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "buried_at": re.compile(r"[0-9]{4}-[0-9T:.-]{1,40}(\+00:00|Z)"),
}
#: Stands on a record that was resent, and on its letter when it is buried again: the name of the first letter.
RESENT_FROM = "resent_from"
_NAME = re.compile(rb"[A-Za-z0-9._-]{1,249}/[0-9]{1,9}/[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Letter:
    """A buried record with its bytes; ``about`` is all that may be said of it elsewhere."""

    about: DeadLetter
    key: bytes | None
    value: bytes | None

    @property
    def whole(self) -> bool:
        """Whether these are the bytes that were buried: those that were too long for the topic are not there."""
        return hashlib.sha256(self.value or b"").hexdigest() == self.about.sha256


def source_of(value: bytes | None) -> str:
    """The source that a record names which could not be used; empty when it cannot be read that far.

    Only what has the form of a source is taken: anything else may be personal data.
    """
    try:
        said = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return ""
    source = said.get("source") if isinstance(said, dict) else None
    return source if isinstance(source, str) and _SOURCE.fullmatch(source) else ""


def dead_letter(record: Record, error: InvalidRecord, *, at: datetime, source: str = "") -> Outgoing:
    """The record to send so that this one is buried; ``at`` is an instant in UTC.

    Bytes that are too long for the dead-letter topic are left out: only our own topics can hold
    such records, and keep them as long as it does.
    """
    value = record.value or b""
    headers = {
        "reason": error.reason,
        "detail": error.message,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "size": str(len(value)),
        "sha256": hashlib.sha256(value).hexdigest(),
        "buried_at": at.isoformat(),
        **({"source": source} if source else {}),
    }
    origin = resent_from(record.headers)
    if origin is not None:
        headers[RESENT_FROM] = origin
    return Outgoing(
        topics.DEAD_LETTERS.name,
        record.key or b"",
        None if len(value) > LARGEST else record.value,
        record.partition,
        tuple((name, text.encode()) for name, text in headers.items()),
    )


def read_dead_letter(record: Record) -> DeadLetter:
    """What the headers of a buried record say.

    Raises `InvalidRecord` (``unreadable``) when they are not those that `dead_letter` writes.
    """
    try:
        said = {name: value.decode() for name, value in record.headers}
        for name, pattern in _HEADERS.items():
            if pattern.fullmatch(said[name]) is None:
                raise ValueError(name)
        source = said.get("source", "")  # letters of before have none
        if source and _SOURCE.fullmatch(source) is None:
            raise ValueError("source")
        return DeadLetter(
            said["topic"],
            int(said["partition"]),
            int(said["offset"]),
            said["reason"],
            said["detail"],
            int(said["size"]),
            said["sha256"],
            datetime.fromisoformat(said["buried_at"]),
            resent_from(record.headers),
            source,
        )
    except (KeyError, ValueError):
        raise InvalidRecord("unreadable", "the headers are not those of a dead letter") from None


def read_letter(record: Record) -> Letter:
    """The buried record itself; raises as `read_dead_letter` does."""
    return Letter(read_dead_letter(record), record.key, record.value)


def resent_from(headers: Sequence[tuple[str, bytes]]) -> str | None:
    """The name of the letter that a record with these headers was resent from; None for any other record."""
    for name, text in headers:
        if name == RESENT_FROM and _NAME.fullmatch(text or b"") is not None:  # a header may be null
            return text.decode()
    return None
