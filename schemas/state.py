"""The format of the records of ``dossier.state.v1``: every one says its own, so that a program knows what it can read.

State outlives programs: it is compacted, never rewritten. A change that an older program would misread raises `FORMAT`
and adds the step from the format before to `UPGRADES`; a field that may be absent needs neither.
"""

import re
from collections.abc import Callable, Mapping, Sequence

import orjson
from pydantic import ValidationError

from schemas.dossier import FORMAT, MEMORIES, Memory
from schemas.errors import Unavailable

Fields = dict[str, object]
Upgrades = Mapping[int, Callable[[Fields], Fields]]

#: From the fields of a record of this format to those of the next one.
UPGRADES: Upgrades = {}
#: Inside a text the quotes would be escaped, so this can only be the field.
_STAMP = re.compile(rb'"format":([0-9]+)')


def format_of(value: bytes) -> int:
    """The format of a record: 1 when it does not say.

    >>> format_of(b'{"format":3}'), format_of(b"{}")
    (3, 1)
    """
    stamp = _STAMP.search(value)
    return 1 if stamp is None else int(stamp[1])


def check_format(key: bytes, value: bytes, *, known: int = FORMAT) -> None:
    """Raise `Unavailable` (``state_unreadable``) for a record of a newer format than ``known``.

    Judging without a part of what is known would be wrong in silence, and so would be guessing at it.
    """
    written = format_of(value)
    if written > known:
        raise Unavailable(
            "state_unreadable",
            f"a state record has format {written}, written by a newer program; this one knows {known}: {key!r}",
        )


def read_memories(
    whose: str, values: Sequence[bytes], *, upgrades: Upgrades = UPGRADES, known: int = FORMAT
) -> list[Memory]:
    """The memories in records that `check_format` let pass, older ones brought up to ``known`` step by step.

    Raises `Unavailable` (``state_unreadable``) for bytes that are none of ours.
    """
    try:
        current = [value if format_of(value) == known else _upgraded(value, upgrades, known) for value in values]
        return MEMORIES.validate_json(b"[%b]" % b",".join(current))
    except (ValidationError, ValueError, KeyError) as error:
        raise Unavailable("state_unreadable", f"a state record cannot be read: {whose}") from error


def _upgraded(value: bytes, upgrades: Upgrades, known: int) -> bytes:
    fields: Fields = orjson.loads(value)
    for step in range(format_of(value), known):
        fields = upgrades[step](fields)
    return orjson.dumps(fields)
