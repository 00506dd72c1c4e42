"""Rules: which one applies, and what is refused when files are read together."""

from datetime import date

import pytest

from schemas.errors import ConfigError, InvalidRecord
from schemas.limits import Limit, LimitRule, LimitsFile, Match
from schemas.office import Codes, Office, Unit
from streams.limits import add_months
from streams.policy import Subject
from streams.rules import Rules, compile_rules
from streams.verdict import assess
from tests.hanoi import at, calendar_year, event, history, rules

FIVE, ONE = Limit("working_day", 5), Limit("working_day", 1)
OFFICE = Office("vn", "vn")


def _compile(*limits: LimitsFile, office: Office = OFFICE, units: tuple[Unit, ...] = ()) -> Rules:
    return compile_rules(office, units, [calendar_year(2026)], limits)


def _file(version: int, begins: date, *written: LimitRule) -> LimitsFile:
    return LimitsFile(version, begins, written)


def test_the_first_rule_that_matches_applies() -> None:
    known = rules(
        LimitRule(Match(procedure="1.004441.H26", channel="online"), ONE),
        LimitRule(Match(case="hard"), Limit("month", 1)),
        LimitRule(Match(unit="H26.12"), FIVE),
    )
    policy = known.edition(at("2026-03-02T09:00")).policy
    assert policy is not None

    def limit(procedure: str, case: str | None, channel: str, unit: str) -> Limit | None:
        rule = policy.rule(Subject(procedure, case, channel, unit, None))
        return None if rule is None else rule.limit

    assert limit("1.004441", None, "online", "H26.12") == ONE
    assert limit("1.004441", "hard", "counter", "H26.12") == Limit("month", 1)
    assert limit("1.004441", None, "counter", "H26.12") == FIVE
    assert limit("1.004441", None, "counter", "H26.13") is None


def test_the_newest_limits_in_force_apply() -> None:
    known = _compile(_file(2, date(2026, 7, 1)), _file(1, date(2026, 1, 1)))
    moments = (at("2025-12-31T23:59"), at("2026-01-01T00:00"), at("2026-07-01T00:00"))
    versions = [edition.policy and edition.policy.version for edition in map(known.edition, moments)]
    assert versions == [None, 1, 2]


@pytest.mark.parametrize(
    ("limits", "message", "where"),
    [
        pytest.param((), "no limits.yaml", (), id="none"),
        pytest.param(
            (_file(2, date(2026, 1, 1)), _file(1, date(2026, 7, 1))),
            "raise it",
            ("limits", 1, "version"),
            id="versions-fall",
        ),
        pytest.param(
            (_file(1, date(2026, 1, 1), LimitRule(Match(unit="A"), ONE), LimitRule(Match(unit="A"), FIVE)),),
            "rules 1 and 2",
            ("limits", 0, "rules", 1),
            id="two-equal",
        ),
        pytest.param(
            (_file(1, date(2026, 1, 1), LimitRule(Match(procedure="permits"), ONE)),),
            "never match",
            ("limits", 0, "rules", 0, "match", "procedure"),
            id="an-impossible-procedure",
        ),
    ],
)
def test_limits_are_refused(limits: tuple[LimitsFile, ...], message: str, where: tuple[object, ...]) -> None:
    with pytest.raises(ConfigError, match=message) as refused:
        _compile(*limits)
    assert refused.value.where == where


def test_a_calendar_that_is_named_must_exist_and_a_unit_stands_once() -> None:
    one = _file(1, date(2026, 1, 1))
    with pytest.raises(ConfigError) as refused:
        _compile(one, office=Office("vn", "elsewhere"))
    assert refused.value.where == ("office", "reception")
    for unit, where in ((Unit("A", calendar="x"), "calendar"), (Unit("A", reception="x"), "reception")):
        with pytest.raises(ConfigError) as refused:
            _compile(one, units=(Unit("B"), unit))
        assert refused.value.where == ("units", 1, where)
    with pytest.raises(ConfigError, match="stands twice"):
        _compile(one, units=(Unit("A"), Unit("A")))


def test_codes_follow_the_office() -> None:
    known = _compile(_file(1, date(2026, 1, 1)))
    known.check_codes(event(2, "2026-03-02T09:00", dossier_code="000.00.19.H26-260302-0001"))
    known.check_codes(event(None, "2026-03-02T09:00", kind="letter", letter="apology"))
    for wrong in ({"dossier_code": "case-1"}, {"dossier_code": "H26-261301-0001"}, {"procedure_code": "WABO"}):
        with pytest.raises(InvalidRecord) as refused:
            known.check_codes(event(2, "2026-03-02T09:00", **wrong))
        assert refused.value.reason == "invalid_code"
    own = _compile(_file(1, date(2026, 1, 1)), office=Office("vn", "vn", codes=Codes(dossier="case-[0-9]+")))
    own.check_codes(event(2, "2026-03-02T09:00", dossier_code="case-1"))
    half = _compile(_file(1, date(2026, 1, 1)), office=Office("vn", "vn", codes=Codes(dossier="x(-(?P<yymmdd>.*))?")))
    half.check_codes(event(2, "2026-03-02T09:00", dossier_code="x"))


def test_months_end_where_the_month_ends() -> None:
    assert add_months(date(2027, 12, 31), 2) == date(2028, 2, 29)
    assert add_months(date(2026, 12, 15), 1) == date(2027, 1, 15)


def _since(code: str, calendar: str, begins: date) -> Unit:
    """An entry with its date, which units.yaml calls ``from``."""
    return Unit(code, calendar=calendar, **{"from": begins})  # type: ignore[arg-type]


def test_a_unit_has_the_calendars_of_its_entry_of_that_day_and_before_the_first_its_first() -> None:
    night = calendar_year(2026, "night", {"mon-sun": ("22:00-24:00",)})
    units = (
        _since("H26.12", "night", date(2026, 7, 1)),
        _since("H26.12", "vn", date(2026, 1, 1)),
        _since("H26.13", "night", date(2027, 1, 1)),
    )
    known = compile_rules(OFFICE, units, [calendar_year(2026), night], [_file(1, date(2020, 1, 1))])

    def calendars(now: str) -> tuple[str, str]:
        edition = known.edition(at(now))
        return edition.calendar("H26.12").name, edition.calendar("H26.13").name

    moments = ("2025-06-01T00:00", "2026-06-30T23:59:59", "2026-07-01T00:00")
    assert [calendars(now) for now in moments] == [("vn", "night"), ("vn", "night"), ("night", "night")]
    assert [edition.begins for edition in known.editions[1:]] == [at("2020-01-01T00:00"), at("2026-07-01T00:00")]


@pytest.mark.parametrize(
    ("ended", "due"),
    [
        pytest.param("2026-06-30T16:00", "2026-06-30T11:00", id="before-the-change"),
        pytest.param("2026-07-01T16:00", "2026-06-30T23:00", id="after-it"),
    ],
)
def test_a_cycle_keeps_the_calendar_that_its_unit_had_at_its_end(ended: str, due: str) -> None:
    night = calendar_year(2026, "night", {"mon-sun": ("22:00-24:00",)})
    units = (Unit("H26.12"), _since("H26.12", "night", date(2026, 7, 1)))
    every = LimitRule(Match(), Limit("hour", 1))
    known = compile_rules(OFFICE, units, [calendar_year(2026), night], [_file(1, date(2020, 1, 1), every)])
    told = history(event(2, "2026-06-30T10:00"), event(9, ended))
    (cycle,) = assess(told, known, now=at("2026-08-01T09:00")).cycles
    assert cycle.due_current == at(due)
