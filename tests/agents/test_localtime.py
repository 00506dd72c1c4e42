"""A local time becomes an instant only where it is sure."""

import pytest

from agents.localtime import read_format, read_time, read_zone
from schemas.errors import InvalidRecord

HANOI, AMSTERDAM = "Asia/Ho_Chi_Minh", "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("text", "written", "zone", "instant"),
    [
        ("20260309170000", "yyyyMMddHHmmss", HANOI, "2026-03-09T17:00:00+07:00"),
        ("09/03/2026 17:05", "dd/MM/yyyy HH:mm", HANOI, "2026-03-09T17:05:00+07:00"),
        ("09/03/2026", "dd/MM/yyyy", HANOI, "2026-03-09T00:00:00+07:00"),
        ("2026-03-09T17:00:00.25", "yyyy-MM-dd'T'HH:mm:ss.SS", HANOI, "2026-03-09T17:00:00.250000+07:00"),
        ("2026-03-09T17:00:00", "iso", HANOI, "2026-03-09T17:00:00+07:00"),
        ("2026-03-09 17:00", "iso", HANOI, "2026-03-09T17:00:00+07:00"),
        ("2026-03-09T17:00:00.5", "iso", HANOI, "2026-03-09T17:00:00.500000+07:00"),
        ("2026-07-01T12:00:00", "iso", AMSTERDAM, "2026-07-01T12:00:00+02:00"),
        ("2026-12-01T12:00:00", "iso", AMSTERDAM, "2026-12-01T12:00:00+01:00"),
        ("2026-03-09T17:00:00Z", "iso", HANOI, "2026-03-09T17:00:00Z"),  # its own offset comes first
        ("tomorrow", "iso", HANOI, "tomorrow"),  # the event's schema refuses it
    ],
)
def test_a_time_is_read_in_its_format_and_zone(text: str, written: str, zone: str, instant: str) -> None:
    assert read_time(text, written, zone) == instant


@pytest.mark.parametrize(
    ("text", "written", "zone", "reason"),
    [
        ("9/3/2026", "dd/MM/yyyy", HANOI, "invalid_time"),
        ("20260230120000", "yyyyMMddHHmmss", HANOI, "invalid_time"),
        ("20260309240000", "yyyyMMddHHmmss", HANOI, "invalid_time"),
        ("２0260309170000", "yyyyMMddHHmmss", HANOI, "invalid_time"),  # a full-width digit
        ("20260309170000", "yyyyMMddHHmmss", None, "naive_time"),
        ("2026-03-09T17:00:00", "iso", None, "naive_time"),
        ("2026-03-29T02:30:00", "iso", AMSTERDAM, "ambiguous_time"),  # skipped
        ("2026-10-25T02:30:00", "iso", AMSTERDAM, "ambiguous_time"),  # twice
    ],
)
def test_a_time_that_is_not_sure_is_refused(text: str, written: str, zone: str | None, reason: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read_time(text, written, zone)
    assert caught.value.reason == reason
    assert text not in caught.value.message


@pytest.mark.parametrize("written", ["", "HH:mm", "yyyy-MM", "yyyy-MM-ddTHH", "dd/MM/yyyy dd", "yyyyMMdd'", "%Y%m%d"])
def test_a_format_that_says_no_whole_date_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="is no format; write iso"):
        read_format(written)


@pytest.mark.parametrize("name", ["Asia/Hanoi", "", "../etc/passwd", "UTC+7"])
def test_a_zone_that_does_not_exist_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no zone"):
        read_zone(name)
