"""Rules read together: what is refused and in which words, which files are in force, what the compiled rules say."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.calendar import CalendarYear
from schemas.errors import ConfigError, InvalidRecord
from schemas.limits import Limit, LimitRule, LimitsFile, Match, NearDue
from schemas.office import Office, Unit
from streams.calendar import working_time
from streams.policy import Subject
from streams.rules import Rules, compile_rules
from tests.hanoi import WEEK, ZONE, at, event

OFFICE = Office("vn", "vn")
ONE, FIVE = Limit("working_day", 1), Limit("working_day", 5)
YEAR = CalendarYear("vn", 2026, ZONE, WEEK)
JULY, AUGUST = date(2026, 7, 1), date(2026, 8, 1)
HALF_DAYS = {"mon-fri": ("08:00-12:00",)}


def limits(version: int, begins: date, *written: LimitRule) -> LimitsFile:
    return LimitsFile(version, begins, written)


LIMITS = limits(1, date(2020, 1, 1))


def unit(code: str, begins: date, calendar: str | None = None) -> Unit:
    return Unit(code, calendar=calendar, **{"from": begins})  # type: ignore[arg-type]


def compiled(
    *files: LimitsFile, office: Office = OFFICE, units: Sequence[Unit] = (), calendars: Sequence[CalendarYear] = (YEAR,)
) -> Rules:
    return compile_rules(office, units, calendars, files or (LIMITS,))


def fault(
    *files: LimitsFile, office: Office = OFFICE, units: Sequence[Unit] = (), calendars: Sequence[CalendarYear] = (YEAR,)
) -> tuple[str, str, tuple[str | int, ...]]:
    """Reason, words and place of what is refused."""
    with pytest.raises(ConfigError) as refused:
        compile_rules(office, units, calendars, files)
    return refused.value.reason, refused.value.message, refused.value.where


def test_a_calendar_that_is_named_has_a_file() -> None:
    words = 'the calendar "elsewhere" has no file in calendars/'
    for office, units, where in (
        (Office("elsewhere", "vn"), [], ("office", "calendar")),
        (Office("vn", "elsewhere"), [], ("office", "reception")),
        (OFFICE, [Unit("A"), Unit("B", calendar="elsewhere")], ("units", 1, "calendar")),
        (OFFICE, [Unit("A"), Unit("B", reception="elsewhere")], ("units", 1, "reception")),
    ):
        assert fault(LIMITS, office=office, units=units) == ("calendar_missing", words, where)


def test_there_are_limits() -> None:
    words = "there is no limits.yaml; write at least one rule: {match: {}, limit: {unit: none}}"
    assert fault() == ("limits_missing", words, ())


def test_two_files_of_a_year_have_two_versions_and_one_zone_which_rise_with_their_dates() -> None:
    other = CalendarYear("other", 2026, ZONE, WEEK)
    again = replace(YEAR, in_force_from=JULY)
    words = "calendar vn has two files for 2026 with version 1"
    assert fault(LIMITS, calendars=[other, YEAR, again]) == ("calendar_twice", words, ("calendars", 2, "year"))
    paris = replace(YEAR, version=2, in_force_from=JULY, zone="Europe/Paris")
    words = "calendar vn changes its zone; give it another name"
    assert fault(LIMITS, calendars=[paris, YEAR]) == ("calendar_zone", words, ("calendars", 0, "zone"))
    lower = [replace(YEAR, version=3), replace(YEAR, version=2, in_force_from=JULY)]
    words = "version 2 comes into force after version 3; raise it"
    assert fault(LIMITS, calendars=lower) == ("version_order", words, ("calendars", 1, "version"))
    fallen = [replace(YEAR, version=3), replace(YEAR, version=4, in_force_from=JULY)]
    fallen.append(replace(YEAR, version=2, in_force_from=AUGUST))
    words = "version 2 comes into force after version 4; raise it"
    assert fault(LIMITS, calendars=fallen) == ("version_order", words, ("calendars", 2, "version"))


def test_the_versions_of_limits_rise_with_their_dates() -> None:
    words = "version 1 comes into force after version 2; raise it"
    files = limits(1, JULY), limits(2, date(2026, 1, 1))
    assert fault(*files) == ("version_order", words, ("limits", 0, "version"))
    words = "version 1 comes into force after version 1; raise it"
    assert fault(limits(1, JULY), LIMITS) == ("version_order", words, ("limits", 0, "version"))


def test_a_unit_stands_once_for_each_first_day() -> None:
    words = "unit A stands twice"
    assert fault(LIMITS, units=[Unit("B"), Unit("A"), Unit("A")]) == ("unit_twice", words, ("units", 2, "code"))
    twice = [unit("A", AUGUST), unit("A", JULY), unit("A", AUGUST)]
    assert fault(LIMITS, units=twice) == ("unit_twice", words, ("units", 2, "code"))


def test_of_two_lines_for_a_unit_the_one_that_begins_later_holds_wherever_it_stands() -> None:
    half = CalendarYear("half", 2026, ZONE, HALF_DAYS)
    later, earlier = unit("A", AUGUST, "half"), unit("A", JULY)
    for units in ([later, earlier], [earlier, later], [later, Unit("A")]):
        known = compiled(units=units, calendars=[YEAR, half])
        assert (known.units, known.newest.calendar("A").name) == ({"A": later}, "half")


def test_a_rule_that_could_never_match_and_two_that_match_the_same_are_refused() -> None:
    never = LimitRule(Match(procedure="permits"), ONE)
    words = '"permits" does not follow codes.procedure, so it would never match'
    assert fault(LIMITS, limits(2, JULY, LimitRule(Match(), ONE), never)) == (
        "procedure_pattern",
        words,
        ("limits", 1, "rules", 1, "match", "procedure"),
    )
    same = [LimitRule(Match(procedure=code), ONE) for code in ("1.004441.H26", "1.004442", "1.004441")]
    words = "rules 1 and 3 of version 7 match the same dossiers"
    assert fault(LIMITS, limits(7, JULY, *same)) == ("limits_ambiguous", words, ("limits", 1, "rules", 2))


def test_rules_that_differ_in_one_thing_are_kept_whole_with_the_national_part_of_their_code() -> None:
    near = NearDue(working_hours=3)
    first = Match("1.004441.H26", "hard", "online", "H26.12")
    matches = (
        first,
        replace(first, procedure="1.004442"),
        replace(first, case="easy"),
        replace(first, channel="post"),
        replace(first, unit="H26.13"),
        replace(first, procedure=None),
    )
    known = compiled(limits(1, JULY, *(LimitRule(match, FIVE, near) for match in matches)))
    (policy,) = known.policies
    assert policy.rules == (
        LimitRule(Match("1.004441", "hard", "online", "H26.12"), FIVE, near),
        LimitRule(Match("1.004442", "hard", "online", "H26.12"), FIVE, near),
        LimitRule(Match("1.004441", "easy", "online", "H26.12"), FIVE, near),
        LimitRule(Match("1.004441", "hard", "post", "H26.12"), FIVE, near),
        LimitRule(Match("1.004441", "hard", "online", "H26.13"), FIVE, near),
        LimitRule(Match(None, "hard", "online", "H26.12"), FIVE, near),
    )
    assert policy.rule(Subject("1.004442", "hard", "online", "H26.12", None)) == policy.rules[1]
    assert policy.rule(Subject("1.004442", "hard", "post", "H26.12", None)) is None


def test_an_edition_holds_from_the_midnight_of_its_day_and_has_the_files_in_force_then() -> None:
    half = replace(YEAR, version=2, in_force_from=JULY, shifts=HALF_DAYS)
    known = compiled(limits(3, AUGUST, LimitRule(Match(), ONE)), calendars=[half, YEAR])
    assert [edition.begins for edition in known.editions] == [
        datetime.min.replace(tzinfo=UTC),
        at("2026-07-01T00:00"),
        at("2026-08-01T00:00"),
    ]
    day = at("2026-03-02T00:00"), at("2026-03-03T00:00")
    worked = [working_time(edition.home, *day) for edition in known.editions]
    assert worked == [timedelta(hours=hours) for hours in (8, 4, 4)]
    assert [edition.policy and edition.policy.version for edition in known.editions] == [None, None, 3]
    moments = ("2026-06-30T23:59:59", "2026-07-01T00:00", "2026-07-31T23:59:59", "2026-08-01T00:00")
    assert [known.editions.index(known.edition(at(moment))) for moment in moments] == [0, 1, 1, 2]
    assert [len(known.after(at(moment))) for moment in moments] == [2, 1, 1, 0]


def test_a_calendar_that_begins_later_than_it_is_asked_for_is_known_by_its_first_files() -> None:
    first = replace(YEAR, version=1, in_force_from=JULY)
    half = replace(YEAR, version=2, in_force_from=AUGUST, shifts=HALF_DAYS)
    known = compiled(calendars=[half, first])
    day = at("2026-03-02T00:00"), at("2026-03-03T00:00")
    worked = [working_time(edition.home, *day) for edition in known.editions]
    assert worked == [timedelta(hours=hours) for hours in (8, 8, 8, 4)], "ever, from 2020, July and August on"


def test_the_version_is_that_of_all_files_together() -> None:
    files = limits(2, date(2020, 1, 1)), limits(30, JULY)
    half = replace(YEAR, version=400, in_force_from=JULY, shifts=HALF_DAYS)
    known = compiled(*files, calendars=[replace(YEAR, version=5), half])
    assert known.version == 2 + 30 + 5 + 400
    assert [policy.version for policy in known.policies] == [2, 30]
    assert [policy.begins for policy in known.policies] == [at("2020-01-01T00:00"), at("2026-07-01T00:00")]


def test_times_of_a_unit_are_told_in_the_zone_of_its_calendar() -> None:
    dutch = CalendarYear("nl", 2026, "Europe/Amsterdam", WEEK)
    known = compiled(units=[Unit("NL", calendar="nl")], calendars=[YEAR, dutch])
    assert known.zone.key == "Asia/Ho_Chi_Minh"
    zones = [known.zone_of(code).key for code in ("NL", "H26.12", None)]
    assert zones == ["Europe/Amsterdam", "Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"]


def test_a_unit_has_a_processing_and_a_reception_calendar_or_the_offices() -> None:
    half = CalendarYear("half", 2026, ZONE, HALF_DAYS)
    saturday = CalendarYear("saturday", 2026, ZONE, {"mon-sat": ("08:00-12:00",)})
    units = [Unit("A", calendar="half"), Unit("B", reception="half")]
    edition = compiled(units=units, calendars=[YEAR, half, saturday], office=Office("vn", "saturday")).newest
    assert [edition.calendar(code).name for code in ("A", "B", "C", None)] == ["half", "vn", "vn", "vn"]
    receptions = [edition.reception(code).name for code in ("A", "B", "C", None)]
    assert receptions == ["saturday", "half", "saturday", "saturday"]


def test_rules_as_if_always_are_the_newest_from_the_beginning_and_the_same_otherwise() -> None:
    half = replace(YEAR, version=2, in_force_from=JULY, shifts=HALF_DAYS)
    office = Office("vn", "vn", clock_runs_on=("1.004441",))
    known = compiled(LIMITS, limits(2, JULY), calendars=[YEAR, half], units=[Unit("A")], office=office)
    forever = known.always()
    (edition,) = forever.editions
    assert (edition.begins, edition.policy) == (datetime.min.replace(tzinfo=UTC), known.newest.policy)
    assert edition.calendars == known.newest.calendars
    assert (forever.office, forever.units, forever.version) == (known.office, known.units, known.version)
    assert forever.clock_runs_on == frozenset({"1.004441"})


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("H26-240229-0001", None, id="29-february-of-a-leap-year"),
        pytest.param("H26-230229-0001", "the date in the dossier code does not exist", id="29-february-of-another"),
        pytest.param("H26-260229-0001", "the date in the dossier code does not exist", id="29-february-2026"),
        pytest.param("H26-260431-0001", "the date in the dossier code does not exist", id="31-april"),
        pytest.param("H26-261301-0001", "the date in the dossier code does not exist", id="a-thirteenth-month"),
        pytest.param("H26-260302", "the dossier code does not follow the office's pattern", id="no-number"),
    ],
)
def test_the_date_in_a_dossier_code_exists(code: str, words: str | None) -> None:
    known, one = compiled(), event(2, "2026-03-02T09:00", dossier_code=code)
    if words is None:
        known.check_codes(one)
        return
    with pytest.raises(InvalidRecord) as refused:
        known.check_codes(one)
    assert (refused.value.reason, refused.value.message) == ("invalid_code", words)


def test_a_procedure_code_follows_the_offices_pattern_whole() -> None:
    for code in ("WABO", "1.004441x", "x1.004441"):
        with pytest.raises(InvalidRecord) as refused:
            compiled().check_codes(event(2, "2026-03-02T09:00", procedure_code=code))
        assert refused.value.message == "the procedure code does not follow the office's pattern"
