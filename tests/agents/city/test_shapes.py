"""The days, weeks and hours of the city have the shape that is published, or that the knobs say."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from agents.city.arrivals import Arrivals
from agents.city.dirt import Record
from agents.city.knobs import CITY, LIVES, chance
from agents.city.procedures import PROCEDURES
from schemas.limits import Match
from tests.agents.city.towns import RULES, town
from tests.hanoi import ZONE

VN = RULES.newest.home
A_WEEK = [date(2026, 3, 23) + timedelta(days=number) for number in range(7)]


def test_a_working_week_has_9600_dossiers_for_each_of_its_days_and_monday_most() -> None:
    counts = [Arrivals(VN, 1.0).count(day) for day in A_WEEK]
    assert sum(counts) == pytest.approx(5 * CITY["dossiers"].value, rel=0.001)
    assert sorted(counts, reverse=True) == counts
    assert counts[0] / counts[4] == pytest.approx(1.38, abs=0.02)


def test_a_year_has_9600_dossiers_for_each_working_day() -> None:
    arrivals = Arrivals(VN, 1.0)
    total = sum(arrivals.count(date(2026, 1, 1) + timedelta(days=number)) for number in range(365))
    assert total == pytest.approx(249 * CITY["dossiers"].value, rel=0.02)


def test_tet_is_quiet_before_and_full_after_and_a_worked_saturday_is_a_day() -> None:
    arrivals = Arrivals(VN, 1.0)
    usual, before, after = (arrivals.count(date(2026, *day)) for day in ((3, 23), (2, 9), (2, 23)))
    assert before < usual < after
    assert arrivals.count(date(2026, 2, 17)) < 300
    assert arrivals.count(date(2026, 1, 10)) > 6_000
    assert arrivals.count(date(2026, 3, 7)) < 1_000


def test_the_morning_and_the_afternoon_have_their_peaks() -> None:
    arrivals, draw = Arrivals(VN, 1.0), chance("shapes")
    hours = Counter(
        arrivals.instant(A_WEEK[0], draw, online=False).astimezone(VN.zone).strftime("%H") for _ in range(20_000)
    )
    assert sum(hours[hour] for hour in ("08", "09", "10")) > 0.5 * hours.total()
    assert hours["14"] > hours["13"]
    assert hours["14"] > hours["16"]
    assert hours["12"] == 0
    assert set(hours) == {"08", "09", "10", "11", "13", "14", "15", "16"}


def test_the_evening_is_a_trickle_and_online_alone() -> None:
    told = town(dirt=0, scale=0.03)
    first: dict[bytes, Record] = {}
    for record in told.records:
        first.setdefault(record.key, record)
    evening = [record for record in first.values() if datetime.fromtimestamp(record.arrives, UTC).hour in range(11, 17)]
    assert 0.02 < len(evening) / len(first) < 0.15
    assert all(b'"cong-dvc"' in record.value for record in evening)


def test_a_dossier_has_about_twelve_and_a_half_events() -> None:
    told = town(dirt=0, late=0.15, scale=0.01, days=40)
    assert len(told.records) / told.chronicle.dossiers == pytest.approx(12.5, abs=0.6)


def test_saturday_mornings_are_received_at_the_points_that_are_open() -> None:
    told = town(dirt=0, scale=0.05, until="2026-03-08T20:00:00+07:00", days=3)
    saturday = {cycle["dossier_code"] for cycle in told.cycles().values() if "-260307-" in cycle["dossier_code"]}
    counter = {code for code in saturday if ".P1-" in code}
    assert counter
    received = [told.cycles()[code, 1]["received_at"] for code in counter]
    assert any(at and at.startswith("2026-03-07T") for at in received)


def test_every_procedure_of_the_city_has_its_limit_in_the_folder() -> None:
    named = {line.match.procedure for line in RULES.policies[0].rules if line.match != Match()}
    assert {procedure.code for procedure in PROCEDURES} == named
    cases = {(line.match.procedure, line.match.case) for line in RULES.policies[0].rules if line.match.case}
    assert cases <= {(each.code, case) for each in PROCEDURES for case, _ in each.cases}
    assert {line.limit.unit for line in RULES.policies[0].rules} == {
        *("working_day", "day", "hour", "month", "same_day", "none"),
    }
    assert str(VN.zone) == ZONE
    assert all(0 <= knob.value <= 1 for knob in LIVES.values())
