"""A configuration folder is read whole or refused, with file, line and what to write instead."""

import shutil
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import holidays
import pytest

from agents.config import check, describe, load
from schemas.errors import ConfigError
from streams.limits import due_of
from streams.policy import Subject

ROOT = Path(__file__).parents[2]
HANOI = ROOT / "config"
PERMITS = ROOT / "examples" / "permit-receipts" / "config"

#: The one difference there is: 2 January 2026 was given off for Saturday 10 January (12729/VPCP-KGVX).
NOT_IN_HOLIDAYS = {date(2026, 1, 2), date(2026, 1, 10)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Hanoi's folder, to spoil."""
    return Path(shutil.copytree(HANOI, tmp_path / "config"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def faults(folder: Path) -> list[str]:
    found = check(folder)[1]
    return [str(fault).removeprefix(f"{folder}/").rpartition(" [")[0] for fault in found]


def reasons(folder: Path) -> list[str]:
    return [fault.reason for fault in check(folder)[1]]


@pytest.mark.parametrize(("year", "count"), [(2025, 250), (2026, 249)])
def test_hanoi_has_250_working_days_in_2025_and_249_in_2026(year: int, count: int) -> None:
    calendar = load(HANOI).newest.calendars["vn"]
    assert len(calendar.open_days(year)) == count


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_hanoi_differs_from_the_holidays_package_on_two_days_alone(year: int) -> None:
    calendar, theirs = load(HANOI).newest.calendars["vn"], holidays.country_holidays("VN", years=year)
    days = [date(year, 1, 1) + timedelta(days=number) for number in range(365)]
    differing = {day for day in days if calendar.is_open(day) != theirs.is_working_day(day)}
    assert differing == {day for day in NOT_IN_HOLIDAYS if day.year == year}


def test_a_proposed_day_does_not_count_and_2027_is_estimated() -> None:
    calendar = load(HANOI).newest.calendars["vn"]
    assert calendar.is_open(date(2026, 11, 23))
    assert not calendar.is_open(date(2026, 11, 28))
    assert not calendar.estimated(date(2026, 12, 31))
    assert calendar.estimated(date(2027, 1, 4))


def test_saturday_morning_is_reception_where_the_unit_says_so() -> None:
    rules = load(HANOI)
    saturday = date(2026, 3, 7)
    assert rules.newest.reception("H26.12").closing(saturday) == datetime(2026, 3, 7, 5, tzinfo=UTC)
    assert not rules.newest.reception("H26.01").is_open(saturday)
    assert not rules.newest.calendar("H26.12").is_open(saturday)


def test_no_saturday_is_open_inside_an_announced_run_of_days_off() -> None:
    reception = load(HANOI).newest.calendars["vn-saturday"]
    assert not any(reception.is_open(date(2026, 2, day)) for day in range(14, 23))
    assert reception.closing(date(2026, 1, 10)) == datetime(2026, 1, 10, 10, tzinfo=UTC)  # worked in full


def test_the_limit_of_the_example_is_five_working_days_online_and_none_otherwise() -> None:
    rules, received = load(HANOI), datetime(2026, 3, 2, 2, tzinfo=UTC)
    policy = rules.edition(received).policy
    assert policy is not None
    online = Subject("1.004441", None, "online", "H26.01", None)
    rule = policy.rule(online)
    assert rule is not None
    due = due_of(rule.limit, online, received, rules.edition(received))
    assert due is not None
    assert due.day == date(2026, 3, 9)
    other = policy.rule(Subject("1.004441", None, "counter", "H26.01", None))
    assert other is not None
    assert other.limit.unit == "none"


def test_the_folder_of_the_permit_log_stands_by_itself() -> None:
    rules = load(PERMITS)
    assert str(rules.zone) == "Europe/Amsterdam"
    assert not any(rules.newest.calendars["nl"].estimated(date(year, 6, 1)) for year in (2010, 2013))


def test_doctor_is_told_what_holds() -> None:
    folder, found = check(HANOI)
    assert folder is not None
    assert not found
    lines = describe(folder)
    assert "calendar vn 2025: confirmed, 250 open days, Asia/Ho_Chi_Minh" in lines
    assert (
        "calendar vn 2026: confirmed, 249 open days, Asia/Ho_Chi_Minh, proposed and not counted: 23/11, 28/11" in lines
    )
    assert "limits version 1: 50 rules, in force from 01/01/2025" in lines
    assert f"rules version {folder.rules.version}: the versions of all files together" in lines
    saturdays = ", ".join(f"H26.{branch:02}.P1" for branch in range(1, 13))
    assert f"units: 169, with a calendar of their own: H26.12, {saturdays}" in lines


def test_the_city_is_its_centre_12_branches_30_points_51_wards_and_75_communes() -> None:
    units = load(HANOI).units.values()
    kinds = Counter((unit.name or "").split()[0] for unit in units)
    assert kinds == {"Trung": 1, "Chi": 12, "Điểm": 30, "Phường": 51, "Xã": 75}
    assert {unit.parent for unit in units} - {unit.code for unit in units} == {None}
    assert len({unit.name for unit in units}) == 169


def test_all_faults_of_a_folder_are_told_at_once_and_load_names_the_first(folder: Path) -> None:
    edit(folder / "office.yaml", "receipt: next_open", "receipt: later")
    edit(folder / "limits.yaml", "version: 1", "version: one")
    edit(folder / "calendars" / "vn-2025.yaml", "2025-01-01, off: true", "2025-01-32, of: true")
    edit(folder / "units.yaml", "H26.03", "3")
    found = faults(folder)
    assert [fault.split(": ")[0] for fault in found] == [
        "office.yaml:4",
        "calendars/vn-2025.yaml:9",
        "calendars/vn-2025.yaml:9",
        "limits.yaml:3",
        "units.yaml:7",
    ]
    with pytest.raises(ConfigError, match=r"office\.yaml:4: receipt: .* \(and 4 more: dunghan doctor shows all\)"):
        load(folder)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("office.yaml", "calendar: vn", "calendar: nv", 'office.yaml:2: the calendar "nv" has no file in calendars/'),
        ("units.yaml", "reception: vn-saturday", "reception: vn-sat", "units.yaml:16: "),
        ("units.yaml", "H26.102", "H26.101", "units.yaml:18: unit H26.101 stands twice"),
        ("calendars/vn-2027.yaml", "year: 2027", "year: 2028", "calendars/vn-2027.yaml:"),
        ("calendars/vn-2026.yaml", "Asia/Ho_Chi_Minh", "Asia/Bangkok", "calendars/vn-2026.yaml:5: "),
        ("limits.yaml", "match: {}", 'match: {channel: online, procedure: "1.004441"}', "limits.yaml:121: "),
        ("limits.yaml", '"1.004441"', '"1.4441"', 'limits.yaml:6: "1.4441" does not follow codes.procedure'),
    ],
)
def test_what_only_shows_between_files_has_its_line_too(folder: Path, file: str, old: str, new: str, said: str) -> None:
    edit(folder / file, old, new)
    (found, *_) = faults(folder)
    assert found.startswith(said)


def test_a_zone_that_does_not_exist_is_refused_at_its_line(folder: Path) -> None:
    for year in (2025, 2026, 2027):
        edit(folder / "calendars" / f"vn-{year}.yaml", "Asia/Ho_Chi_Minh", "Asia/Hanoi")
    (found,) = faults(folder)
    assert found.startswith('calendars/vn-2025.yaml:4: "Asia/Hanoi" is no zone')


def test_two_files_for_one_year_are_refused(folder: Path) -> None:
    shutil.copy(folder / "calendars" / "vn-2026.yaml", folder / "calendars" / "vn-2026-again.yaml")
    assert reasons(folder) == ["calendar_twice"]


def test_versions_of_limits_rise_with_their_dates(folder: Path) -> None:
    shutil.copy(folder / "limits.yaml", folder / "limits-2.yaml")
    assert reasons(folder) == ["version_order"]
    edit(folder / "limits-2.yaml", "version: 1\nin_force_from: 2025-01-01", "version: 2\nin_force_from: 2026-07-01")
    rules = load(folder)
    assert [policy.version for policy in rules.policies] == [1, 2]


def test_files_that_may_be_absent_may_be_and_are_checked_when_they_are_there(folder: Path) -> None:
    (folder / "units.yaml").unlink()
    assert load(folder).units == {}
    (folder / "alerts.yaml").write_text("a: [")
    (folder / "sources").mkdir()
    (folder / "sources" / "portal.yaml").write_text("a: 1\na: 2")
    assert [fault.split(": ")[0] for fault in faults(folder)] == ["alerts.yaml:1", "sources/portal.yaml:2"]


def test_a_misspelt_file_is_not_passed_over(folder: Path) -> None:
    (folder / "limit.yaml").write_text("version: 2")
    (folder / "calendars" / "vn-2028.yml").write_text("calendar: vn")
    (folder / ".hidden.yaml").write_text("[")
    assert reasons(folder) == ["config_stranger", "config_stranger"]


def test_a_folder_without_its_files_says_which(tmp_path: Path) -> None:
    assert reasons(tmp_path / "nowhere") == ["config_missing"]
    assert faults(tmp_path) == [
        "office.yaml: cannot be read: No such file or directory",
        "calendars: there is no *.yaml",
        f"{tmp_path}: there is no limits*.yaml",
    ]
