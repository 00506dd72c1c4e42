"""Times as tables write them, made into instants with an offset; what is not sure is refused."""

import re
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.errors import InvalidRecord

ISO = "iso"
_TOKENS = {
    "yyyy": "[0-9]{4}",
    "MM": "[0-9]{2}",
    "dd": "[0-9]{2}",
    "HH": "[0-9]{2}",
    "mm": "[0-9]{2}",
    "ss": "[0-9]{2}",
}
_PARTS = re.compile(r"(?P<token>yyyy|MM|dd|HH|mm|ss|S{1,6})|'(?P<quoted>[^']+)'|(?P<plain>[^A-Za-z'])")
_NAIVE_ISO = re.compile(
    r"(?P<yyyy>[0-9]{4})-(?P<MM>[0-9]{2})-(?P<dd>[0-9]{2})"
    r"[Tt ](?P<HH>[0-9]{2}):(?P<mm>[0-9]{2})(:(?P<ss>[0-9]{2})([.,](?P<S>[0-9]{1,6}))?)?"
)


@lru_cache
def read_format(written: str) -> re.Pattern[str]:
    """The pattern of a format such as ``yyyyMMddHHmmss``, ``dd/MM/yyyy HH:mm`` or ``iso``.

    Letters other than the tokens stand in single quotes. Raises `ValueError` for anything else.

    >>> read_format("dd/MM/yyyy").pattern
    '(?P<dd>[0-9]{2})/(?P<MM>[0-9]{2})/(?P<yyyy>[0-9]{4})'
    """
    if written == ISO:
        return _NAIVE_ISO
    pattern, place, seen = "", 0, []
    while place < len(written):
        part = _PARTS.match(written, place)
        if part is None:
            break
        place, token = part.end(), part["token"]
        name = "S" if token and token[0] == "S" else token
        seen += [name] if name else []
        shape = _TOKENS.get(token or "", f"[0-9]{{{len(token or '')}}}")
        pattern += f"(?P<{name}>{shape})" if name else re.escape(part["quoted"] or part["plain"])
    if place < len(written) or not {"yyyy", "MM", "dd"} <= set(seen) or len(set(seen)) < len(seen):
        raise ValueError(f'"{written}" is no format; write iso, or yyyy, MM, dd, HH, mm, ss, SSS once each')
    return re.compile(pattern)


@lru_cache
def read_zone(name: str | None) -> ZoneInfo | None:
    """The zone of that name; raises `ValueError` when there is none."""
    try:
        return None if name is None else ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f'"{name}" is no zone; write a name such as Asia/Ho_Chi_Minh') from None


def read_time(text: str, written: str, zone: str | None) -> str:
    """The time in ISO 8601 with its offset: naive ones are local times of ``zone``.

    A time in ISO that has its offset keeps it. Raises `InvalidRecord`: ``invalid_time`` off the
    format, ``naive_time`` without any zone, ``ambiguous_time`` in the hour that daylight saving
    skips or repeats.

    >>> read_time("20260309170000", "yyyyMMddHHmmss", "Asia/Ho_Chi_Minh")
    '2026-03-09T17:00:00+07:00'
    """
    found = read_format(written).fullmatch(text)
    if found is None:
        if written == ISO:
            return text  # with an offset, or wrong: the event's own schema says which
        raise InvalidRecord("invalid_time", f"a time does not follow the format {written}")
    local = _local(found.groupdict(default="0"))
    place = read_zone(zone)
    if place is None:
        raise InvalidRecord("naive_time", "the time has no offset, and the mapping no zone")
    offsets = {local.replace(tzinfo=place, fold=fold).utcoffset() for fold in (0, 1)}
    if len(offsets) > 1:
        raise InvalidRecord("ambiguous_time", f"a local time that daylight saving skips or repeats in {zone}")
    return local.replace(tzinfo=place).isoformat()


def _local(parts: dict[str, str]) -> datetime:
    year, month, day, hour, minute, second = (
        int(parts.get(name, "0")) for name in ("yyyy", "MM", "dd", "HH", "mm", "ss")
    )
    micros = int(parts.get("S", "0").ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, micros)  # noqa: DTZ001 (its zone comes next)
    except ValueError:
        raise InvalidRecord("invalid_time", "a date or time that does not exist") from None
