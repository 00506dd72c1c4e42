"""Instants as they cross a border: ISO 8601 with an offset, never naive, never a number."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

FIRST = datetime(1990, 1, 1, tzinfo=UTC)
LAST = datetime(2100, 1, 1, tzinfo=UTC)  # legacy systems send 9999-12-31 for "none"; nothing is guessed

_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
_WRITTEN = rf"^{_TIME}(Z|z|[+-][0-9]{{2}}:?[0-9]{{2}})?$"


def _settle(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise PydanticCustomError("naive_time", "the time has no offset (write 2026-03-02T09:00:00+07:00)")
    try:
        instant = value.astimezone(UTC)
    except OverflowError:  # not a year of the calendar any more: 9999-12-31T23:59:59-05:00
        instant = LAST
    if not FIRST <= instant < LAST:
        raise PydanticCustomError("time_range", "the time lies outside the years 1990 to 2099")
    return instant


class _Written:
    """How pydantic reads an instant: a string of that form, then a datetime, then UTC."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        steps: list[CoreSchema] = [
            core_schema.str_schema(strict=True, pattern=_WRITTEN),
            core_schema.datetime_schema(strict=False),
        ]
        written = core_schema.no_info_after_validator_function(_settle, core_schema.chain_schema(steps))
        built = core_schema.no_info_after_validator_function(_settle, core_schema.datetime_schema(strict=True))
        return core_schema.json_or_python_schema(json_schema=written, python_schema=built)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "date-time"}


#: An aware instant, in UTC inside the program; on the wire ISO 8601 with its offset.
Instant = Annotated[datetime, _Written]
