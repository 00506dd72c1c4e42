"""How the rows of a CSV become events, as a small YAML file says it; the pure part knows no file.

A mapping only renames: a field of the event is a constant or a column, a column's values may be
mapped one to one, its times have a format and a zone. It decides nothing that `read_event` does
not check again. The format is documented in ``docs/mapping.md`` and by ``examples/permit-receipts``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Tag, model_validator
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from agents.localtime import read_format, read_time, read_zone
from agents.yamlfile import Document, fit, read_file
from schemas.errors import ConfigError, InvalidRecord
from schemas.limits import STRICT, Word

FieldName = Literal[
    "event_id", "kind", "dossier_code", "status", "at", "procedure_code", "receiving_unit", "processing_unit",
    "stage", "case", "channel", "due", "limit.value", "limit.unit", "voids", "reason", "letter", "staff",
    "source", "sequence",
]  # fmt: skip
TIMES = frozenset({"at", "due"})
WHOLE = frozenset({"status", "sequence"})
_WHOLE = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
NEEDED = ("dossier_code", "at")

#: Why a row makes no event, besides the reasons of `schemas.errors.DEAD_LETTER_REASONS`.
ROW_REASONS = {
    "ragged_row": "The row has more or fewer cells than the header, or its quotes do not close.",
    "no_event": "No event of the mapping applies to the row, and `ignore` does not name it.",
    "unmapped_value": "A column has a value that its `values` do not name.",
    "invalid_time": "A time does not follow its format.",
    "ambiguous_time": "A local time that daylight saving skips or repeats.",
    "conflicting_row": "A `once_per` event was made by an earlier row with another content.",
}

Constant = str | int | float
Values = dict[str, str | int | None]


@dataclass(frozen=True, slots=True, config=STRICT)
class Times:
    """How local times are written, where a column says nothing else; without zone only offsets are read."""

    format: str = "iso"
    zone: Word | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        read_format(self.format)
        read_zone(self.zone)
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class Column:
    """A cell of the row: ``values`` maps it (null: absent), ``format`` and ``zone`` read a time."""

    column: Word
    values: Values | None = None
    format: str | None = None
    zone: Word | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        read_format(self.format or "iso")
        read_zone(self.zone)
        return self


def _field_kind(value: object) -> str:
    return "<column>" if isinstance(value, dict | Column) else "<constant>"


def _condition_kind(value: object) -> str:
    return "<values>" if isinstance(value, list | tuple) else "<presence>"


Source = Annotated[
    Annotated[Column, Tag("<column>")] | Annotated[Constant, Tag("<constant>")], Discriminator(_field_kind)
]
Presence = Literal["present", "absent"]
Condition = Annotated[
    Annotated[Presence, Tag("<presence>")] | Annotated[tuple[str, ...], Tag("<values>")],
    Discriminator(_condition_kind),
]
Conditions = dict[str, Condition]


@dataclass(frozen=True, slots=True, config=STRICT)
class EventRule:
    """One event that a row makes: ``when`` all its conditions hold, and ``once_per`` that column's value."""

    name: Word
    fields: dict[FieldName, Source]
    when: Conditions = field(default_factory=dict)
    once_per: Word | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in NEEDED:
            if name not in self.fields:
                raise PydanticCustomError("mapping_field", "fields has no {name}", {"name": name})
        return self


@dataclass(frozen=True, slots=True, config=STRICT)
class MappingFile:
    """A mapping as written. ``ignore``: rows that make no event, on purpose (any condition suffices)."""

    events: tuple[EventRule, ...]
    times: Times = field(default_factory=Times)
    ignore: Conditions = field(default_factory=dict)
    delimiter: Literal[",", ";", "\t", "|"] = ","

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.events:
            raise PydanticCustomError("mapping_field", "events is empty; write at least one")
        return self


@dataclass(frozen=True, slots=True)
class CsvMapping:
    """A mapping read from a file: its columns know their lines."""

    path: str
    file: MappingFile
    columns: Mapping[str, int]


def load_mapping(path: Path) -> CsvMapping:
    """The mapping at ``path``; raises `ConfigError` with file and line."""
    return mapping_of(read_file(path))


def mapping_of(document: Document) -> CsvMapping:
    """The mapping in a document; raises `ConfigError` with file and line."""
    file = fit(document, MappingFile)
    columns: dict[str, int] = {}
    for column in file.ignore:
        columns.setdefault(column, document.line(("ignore", column)))
    for number, rule in enumerate(file.events):
        here = ("events", number)
        for column in rule.when:
            columns.setdefault(column, document.line((*here, "when", column)))
        if rule.once_per is not None:
            columns.setdefault(rule.once_per, document.line((*here, "once_per")))
        for name, source in rule.fields.items():
            if isinstance(source, Column):
                columns.setdefault(source.column, document.line((*here, "fields", name, "column")))
    return CsvMapping(document.path, file, columns)


def check_header(mapping: CsvMapping, header: Sequence[str]) -> None:
    """Raise `ConfigError` unless the table has every column that the mapping names, once."""
    for name in header:
        if header.count(name) > 1:
            raise ConfigError("invalid_header", f'the column "{name}" stands twice in the header of the table')
    for column, line in mapping.columns.items():
        if column not in header:
            known = ", ".join(header)
            message = f'the table has no column "{column}"; it has: {known}'
            raise ConfigError("invalid_header", message, path=mapping.path, line=line)


def values_from_row(row: Mapping[str, str], mapping: CsvMapping) -> Iterator[tuple[EventRule, dict[str, Any]]]:
    """The rules that apply to a row, each with the fields of its event in the terms of JSON.

    Raises `InvalidRecord` with a reason of `ROW_REASONS`; its message never repeats a value.
    """
    for rule in mapping.file.events:
        if all(_holds(condition, row[column]) for column, condition in rule.when.items()):
            yield rule, _fields(rule, row, mapping.file.times)


def ignored(row: Mapping[str, str], mapping: CsvMapping) -> bool:
    """Whether the mapping says that such a row makes no event."""
    return any(_holds(condition, row[column]) for column, condition in mapping.file.ignore.items())


def _holds(condition: Condition, cell: str) -> bool:
    if isinstance(condition, tuple):
        return cell in condition
    return (cell != "") == (condition == "present")


def _fields(rule: EventRule, row: Mapping[str, str], times: Times) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, source in rule.fields.items():
        value = _cell(name, source, row, times) if isinstance(source, Column) else source
        if value is None:
            continue
        group, _, part = name.partition(".")
        if part:
            fields.setdefault(group, {})[part] = value
        else:
            fields[name] = value
    return fields


def _cell(name: FieldName, source: Column, row: Mapping[str, str], times: Times) -> Constant | None:
    """The field's value: None when the cell is empty."""
    cell = row[source.column]
    if source.values is not None and (cell != "" or "" in source.values):
        if cell not in source.values:
            raise InvalidRecord(
                "unmapped_value", f'the column "{source.column}" has a value that "values" does not name'
            )
        return source.values[cell]
    if cell == "":
        return None
    if name in TIMES:
        return read_time(cell, source.format or times.format, source.zone or times.zone)
    if name in WHOLE and _WHOLE.fullmatch(cell):
        return int(cell)
    if name == "limit.value" and _NUMBER.fullmatch(cell):
        return float(cell)
    return cell  # where a number was due, the event's own schema refuses it
