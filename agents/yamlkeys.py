"""Which keys a model has at a place: for the sentence "write one of: …"."""

from collections.abc import Iterator, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin


def keys_at(model: Any, where: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that may stand there, as a file writes them; none where any may.

    >>> from schemas.office import Office
    >>> keys_at(Office, ("codes",))
    ('dossier', 'procedure')
    """
    kinds = list(_arms(model))
    for part in where:
        inner = [arm for kind in kinds for arm in _inside(kind, part)]
        kinds = inner or kinds  # pydantic also names the arm of a union that it tried
    return tuple(key for kind in kinds for key in _fields(kind))


def _arms(kind: Any) -> Iterator[Any]:
    """The kinds that a value may be of."""
    if get_origin(kind) is Annotated:
        yield from _arms(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for arm in get_args(kind):
            yield from _arms(arm)
    else:
        yield kind


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    """The kinds of what lies at ``part`` of a value of that kind."""
    if get_origin(kind) is tuple and isinstance(part, int):
        yield from _arms(get_args(kind)[0])
    elif get_origin(kind) is dict:
        yield from _arms(get_args(kind)[1])
    elif isinstance(part, str) and part in _fields(kind):
        yield from _arms(_fields(kind)[part].annotation)


def _fields(kind: Any) -> dict[str, Any]:
    """The fields of a model by the names that a file uses."""
    fields = getattr(kind, "__pydantic_fields__", {})
    return {field.alias or name: field for name, field in fields.items()}
