"""The event: one thing that happened to one dossier, as upstream publishes it."""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Annotated, Any, Literal, Self

import orjson
from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import ErrorDetails, PydanticCustomError

from schemas.errors import InvalidRecord
from schemas.instant import Instant
from schemas.limits import Limit, Word

Code = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z._:/-]+$")]
Kind = Literal["status", "extension", "letter", "void"]
Channel = Literal["counter", "online", "post"]

SHORT = len("1.004441")
_NATIONAL_PROCEDURE = re.compile(r"([0-9]\.[0-9]{6})\.([0-9]{3}\.[0-9]{2}\.[0-9]{2}\.[A-Z][0-9]{2}|[A-Z][0-9]{2})")

#: What each kind must have besides ``event_id``, ``dossier_code`` and ``at``.
REQUIRED: Mapping[Kind, tuple[str, ...]] = {
    "status": ("status", "procedure_code", "processing_unit"),
    "extension": ("due",),
    "void": ("voids",),
    "letter": ("letter",),
}
#: What belongs to one kind alone.
OWN: Mapping[str, Kind] = {
    "status": "status",
    "stage": "status",
    "limit": "status",
    "case": "status",
    "voids": "void",
    "letter": "letter",
}
#: What each kind must not have.
FOREIGN: Mapping[Kind, tuple[str, ...]] = {
    kind: tuple(name for name, owner in OWN.items() if owner != kind) for kind in REQUIRED
}
_required = {kind: attrgetter("kind", *names) for kind, names in REQUIRED.items()}
_foreign = {kind: attrgetter(*names) for kind, names in FOREIGN.items()}


@lru_cache(4_096)  # a city has some hundred procedures, and every event names one
def first_two_groups(procedure: str) -> str:
    """The procedure code as limits name it: the national code without its unit part.

    >>> first_two_groups("1.004441.000.00.00.H26"), first_two_groups("WABO")
    ('1.004441', 'WABO')
    """
    if len(procedure) <= SHORT:
        return procedure
    national = _NATIONAL_PROCEDURE.fullmatch(procedure)
    return national[1] if national else procedure


def _rules_of_kinds(schema: dict[str, Any]) -> None:
    """Say in JSON Schema what each kind requires and refuses."""
    schema["allOf"] = [
        {
            "if": {
                "properties": {"kind": {"const": kind}},
                **({} if kind == "status" else {"required": ["kind"]}),
            },
            "then": {
                "required": list(required),
                "properties": dict.fromkeys(FOREIGN[kind], False),
            },
        }
        for kind, required in REQUIRED.items()
    ]


@dataclass(
    frozen=True,
    slots=True,
    kw_only=True,
    config=ConfigDict(extra="forbid", strict=True, json_schema_extra=_rules_of_kinds),
)
class Event:
    """One thing that happened to one dossier. Frozen; times are instants in UTC.

    An optional field that is absent means: as before. There is no field for names, addresses or
    free text, and an unknown field is refused: personal data does not get in.
    """

    event_id: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$")]
    dossier_code: Annotated[str, Field(min_length=1, max_length=64)]
    at: Instant
    kind: Kind = "status"
    status: Annotated[int, Field(ge=1, le=10)] | None = None
    procedure_code: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(first_two_groups)] | None = None
    receiving_unit: Word | None = None
    processing_unit: Word | None = None
    stage: Word | None = None
    case: Word | None = None
    channel: Channel | None = None
    due: Instant | None = None
    limit: Limit | None = None
    voids: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    reason: Code | None = None
    letter: Literal["apology"] | None = None
    staff: Code | None = None
    source: Code | None = None
    sequence: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        kind = self.kind
        if None in _required[kind](self):
            name = next(name for name in REQUIRED[kind] if getattr(self, name) is None)
            raise PydanticCustomError("missing_field", "{kind} needs {name}", {"kind": kind, "name": name})
        if any(_foreign[kind](self)):
            name = next(name for name in FOREIGN[kind] if getattr(self, name) is not None)
            raise PydanticCustomError(
                "misplaced_field", "{name} belongs to kind {kind} alone", {"name": name, "kind": OWN[name]}
            )
        return self


EVENT: TypeAdapter[Event] = TypeAdapter(Event)

_EVENTS: TypeAdapter[list[Event]] = TypeAdapter(list[Event])

_REASONS = {
    "json_invalid": "unreadable",
    "dataclass_type": "unreadable",
    "unexpected_keyword_argument": "unknown_field",
    "missing": "missing_field",
    "naive_time": "naive_time",
    "missing_field": "missing_field",
    "misplaced_field": "misplaced_field",
}


def read_event(value: bytes | None) -> Event:
    """The event in these bytes, or the one reason why there is none.

    Codes and times against the clock are the office's (`streams.rules.Rules.check_codes`), not the format's.

    Raises `InvalidRecord` with a reason of `DEAD_LETTER_REASONS`; its message never repeats a value,
    because a refused record is the likeliest to hold personal data.
    """
    if value is None:
        raise InvalidRecord("unreadable", "the record has no value")
    try:
        return EVENT.validate_json(value)
    except ValidationError as error:
        raise _refusal(error.errors(include_url=False, include_input=False)[0]) from None


def read_events(values: Iterable[bytes]) -> list[Event]:
    """The events in these bytes, each a JSON value by itself, as `read_event` reads them one by one, and sooner.

    Raises `InvalidRecord` when any of them is no event; which one, and why, `read_event` says.
    """
    try:
        return _EVENTS.validate_json(b"[%b]" % b",".join(values))
    except ValidationError:
        raise InvalidRecord("unreadable", "not every record is an event") from None


def _refusal(first: ErrorDetails) -> InvalidRecord:
    field = str(first["loc"][0]) if first["loc"] else ""
    reason = _REASONS.get(first["type"], "invalid_field")
    if reason == "invalid_field" and field in ("status", "kind"):
        reason = f"unknown_{field}"
    if reason == "unreadable":
        return InvalidRecord(reason, "the bytes are not a JSON object in UTF-8")
    if reason == "unknown_field":
        return InvalidRecord(reason, "a field that the event does not have")  # even its name may be personal
    return InvalidRecord(reason, f"{field}: {first['msg']}" if field else first["msg"])


def canonical(event: Event) -> bytes:
    """The event as canonical JSON: keys sorted, no spaces, absent fields left out, times in UTC.

    Two events are the same content when, and only when, these bytes are equal.
    """
    return orjson.dumps(present(event), option=orjson.OPT_SORT_KEYS)


def present(event: Event) -> dict[str, object]:
    """The fields that the event has, by name."""
    values = {name: getattr(event, name) for name in event.__slots__}
    if event.limit is not None:
        values["limit"] = {"unit": event.limit.unit} | (
            {} if event.limit.value is None else {"value": event.limit.value}
        )
    return {name: value for name, value in values.items() if value is not None}
