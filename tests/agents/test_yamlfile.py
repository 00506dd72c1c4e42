"""YAML is read so that every fault has its line, and nothing is taken for what it is not."""

from pathlib import Path

import pytest

from agents.yamlfile import fit, fit_all, read_file, read_text
from schemas.calendar import CalendarYear
from schemas.errors import ConfigError
from schemas.limits import LimitsFile
from schemas.office import Office, UnitsFile

CALENDAR = """\
calendar: vn
year: 2026
zone: Asia/Ho_Chi_Minh
shifts:
  mon-fri: ["08:00-12:00", "13:00-17:00"]
  sat: [08:00-12:00]
days:
  - {date: 2026-01-02, off: true}
  - {date: 2026-01-10, work: true}
"""


def faults(text: str, model: type[object]) -> list[str]:
    """What is said of a file, each without the file's name and reason."""
    found = fit_all(read_text(text, "x.yaml"), model)[1]
    return [f"{fault.line}: {fault.message}" for fault in found]


def fault(text: str) -> tuple[int | None, str, str]:
    with pytest.raises(ConfigError) as caught:
        read_text(text, "x.yaml")
    return caught.value.line, caught.value.reason, caught.value.message


def test_off_is_a_key_and_dates_and_hours_are_text() -> None:
    plain = read_text("{off: yes, day: 2026-01-02, from: 08:00, code: 010, none: ~, is: true}", "x.yaml").plain
    assert plain == {"off": "yes", "day": "2026-01-02", "from": "08:00", "code": "010", "none": None, "is": True}


def test_numbers_are_numbers_unless_they_stand_in_quotes() -> None:
    assert read_text('[5, -5, 0.5, "5", 1e3, 1_000]', "x.yaml").plain == [5, -5, 0.5, "5", "1e3", "1_000"]


def test_a_calendar_is_read_as_written() -> None:
    year = fit(read_text(CALENDAR, "x.yaml"), CalendarYear)
    assert (year.week()[5], year.days[0].off, year.days[1].work) == (((480, 720),), True, True)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", (3, "config_key_twice", '"a" stands twice here; keep one')),
        ("a: &x 1\nb: *x", (1, "config_syntax", "anchors and aliases are not understood here; write the value out")),
        ("a: 1\nb: !!python/name:os.system", (2, "config_syntax", "")),
        ("a: 1\n? [b]\n: 2", (2, "config_syntax", "a key must be a word")),
        ("a: [1\nb: 2", (2, "config_syntax", "")),
        ("a: 1\n\tb: 2", (2, "config_syntax", "")),
        ("# nothing\n", (1, "config_syntax", "the file is empty")),
        ("a: 1\n---\nb: 2", (2, "config_syntax", "")),
        ("a: 1\nb: \x07", (2, "config_syntax", "a character that YAML forbids")),
        ("[" * 30 + "]" * 30, (1, "config_syntax", "lists within lists without end")),
    ],
)
def test_what_could_surprise_a_reader_is_refused_with_its_line(text: str, said: tuple[int, str, str]) -> None:
    line, reason, message = fault(text)
    assert (line, reason) == said[:2]
    assert said[2] in message


def test_a_file_that_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"a: 1\nb: H\xe0 N\xf4i")
    with pytest.raises(ConfigError, match=r"x\.yaml:2: is not UTF-8"):
        read_file(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: 1", encoding="utf-8-sig")
    assert read_file(path).plain == {"a": 1}


def test_a_file_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_file(tmp_path / "x.yaml")


def test_every_fault_of_a_calendar_is_told_with_what_to_write_instead() -> None:
    text = """\
calendar: 12
year: "2026"
shift: {}
shifts:
  mon-fri: 08:00-12:00
days:
  - {date: 2026-01-02, off: yes, decree: 1.50}
  - {date: 2026-01-10, work: maybe, state: confirmd}
  - {date: 2026-02-30, off: true}
  - {dat: 2026-01-03, off: true}
  - {date: 2026-01-04, off: true, work: true}
  - 2026-01-05
"""
    assert faults(text, CalendarYear) == [
        '1: calendar: must be text; put it in quotes, as "12"',
        '1: "zone" is missing here',
        "2: year: must be a whole number, without quotes",
        '3: "shift" is no key here; write one of: calendar, year, zone, shifts, state, days, version, in_force_from',
        "5: mon-fri: must be a list, as [...]",
        "7: off: write true",
        '7: decree: must be text; put it in quotes, as "1.50"',
        "8: work: write true, or must be a list, as [...]",
        "8: state: write 'confirmed' or 'proposed'",
        "9: date: must be a date, as 2026-01-31",
        '10: "date" is missing here',
        '10: "dat" is no key here; write one of: date, off, work, decree, state',
        "11: days: a day is either off: true or work: true (or work: [shifts])",
        "12: days: must have keys: date, off, work, decree, state",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[08:00-12:00]", '["08:00-12:00", "11:00-13:00"]', "6: the shifts 08:00-12:00, 11:00-13:00 overlap"),
        ("[08:00-12:00]", '["12:00-08:00"]', '6: "12:00-08:00" ends before it begins'),
        ("[08:00-12:00]", "[8]", '6: sat: must be text; put it in quotes, as "8"'),
        ("[08:00-12:00]", "[8-12]", '6: "8-12" is no shift (write "08:00-12:00")'),
        ("sat:", "mon:", "6: mon has its shifts twice"),
        ("sat:", "sta:", '6: "sta" names no weekdays (write mon-fri, sat or mon-sun)'),
        ("2026-01-10", "2026-01-02", "9: 2026-01-02 stands twice"),
        ("2026-01-10", "2027-01-10", "9: 2027-01-10 is not in 2026"),
    ],
)
def test_a_calendar_that_cannot_be_is_refused_at_the_line_that_is_wrong(old: str, new: str, said: str) -> None:
    assert faults(CALENDAR.replace(old, new), CalendarYear) == [said]


def test_a_calendar_without_open_hours_is_refused() -> None:
    text = "calendar: vn\nyear: 2026\nzone: UTC\nshifts: {mon: []}"
    (said,) = faults(text, CalendarYear)
    assert said.endswith("the calendar has no open hours")


def test_faults_of_an_office_its_units_and_its_limits_say_what_to_write() -> None:
    office = "calendar: vn\nreception: vn\nskew: 5\nclock_runs_on: [1.004440]\ncodes: {dossier: '('}\nreceipt: x"
    assert faults(office, Office) == [
        "3: skew: write a length of time such as 5m, 2h, 30d or 5wd",
        '4: clock_runs_on: must be text; put it in quotes, as "1.004440"',
        "5: dossier: not a pattern: missing ), unterminated subpattern at position 0",
        "6: receipt: write 'next_open' or 'civil'",
    ]
    assert faults("units:\n  - {code: H26, form: 2026-01-01}", UnitsFile) == [
        '2: "form" is no key here; write one of: code, name, parent, calendar, reception, from'
    ]
    limits = "version: 1\nin_force_from: 2026-07-01\nrules:\n  - match:\n    limit: {value: 5.5, unit: day}"
    assert faults(limits, LimitsFile) == [
        "4: match: must have keys: procedure, case, channel, unit",
        "5: limit: days and months are whole",
    ]


def test_fit_raises_the_first_fault_with_file_and_line() -> None:
    with pytest.raises(ConfigError, match=r'^x\.yaml:1: "reception" is missing here \[config_invalid\]$'):
        fit(read_text("calendar: vn", "x.yaml"), Office)
