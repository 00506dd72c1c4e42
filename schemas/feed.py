"""What judges tell each other, and everybody, about feeds: the records of ``dossier.feeds.v1``."""

from dataclasses import dataclass
from typing import Annotated, Literal

import orjson
from pydantic import Field, TypeAdapter

from schemas.instant import Instant


@dataclass(frozen=True, slots=True)
class Heard:
    """The last sign of life of a unit from one source, on one partition of the events.

    ``heard_at`` is when the broker had the event, ``at`` when it happened by the clock of the source: the first less
    the second is the lag, and when it is negative the source's clock is ahead. ``source`` is empty where events do
    not name it. The partition is part of the key, so no judge overwrites what another one heard.
    """

    unit: str
    source: str
    partition: int
    heard_at: Instant
    at: Instant
    kind: Literal["heard"] = "heard"

    def key(self) -> bytes:
        """Its key in the compacted topic."""
        return f"heard\x1f{self.unit}\x1f{self.source}\x1f{self.partition}".encode()


@dataclass(frozen=True, slots=True)
class Silence:
    """A unit fell silent: its last sign of life came at ``heard_at``, and from ``since`` on nobody can tell.

    It is over as soon as anything later was heard of the unit; nothing has to say so.
    """

    unit: str
    heard_at: Instant
    since: Instant
    kind: Literal["silence"] = "silence"

    def key(self) -> bytes:
        """Its key: of a unit the last silence counts."""
        return f"silence\x1f{self.unit}".encode()


@dataclass(frozen=True, slots=True)
class Release:
    """Until then judges bury what they refuse, however many sources send it (``dunghan release``).

    ``at`` is when it was said, and ``by`` whom.
    """

    until: Instant
    at: Instant
    by: str
    kind: Literal["release"] = "release"

    def key(self) -> bytes:
        """Its key: there is one."""
        return b"release"


FeedRecord = Heard | Silence | Release
FEED: TypeAdapter[FeedRecord] = TypeAdapter(Annotated[FeedRecord, Field(discriminator="kind")])


def dump_feed(record: FeedRecord) -> bytes:
    """The record's bytes: canonical JSON, keys sorted, equal for equal values."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
