"""The program and the city agree on every dossier, clean or dirty; what is late is late for a cause that is named."""

from collections import Counter
from typing import Any

import pytest

from tests.agents.city.towns import FRIDAY, Town, judged, town

#: What a truth has beside the fields of the replay contract.
BESIDE = {"kind", "causes"}
SPANS = {
    "a Friday afternoon": (FRIDAY, 10),
    "over Tết": ("2026-03-03T10:00:00+07:00", 15),
    "over a worked Saturday": ("2026-01-12T09:15:00+07:00", 8),
    "until a Sunday evening": ("2026-03-08T20:00:00+07:00", 5),
    "into an estimated year": ("2027-01-05T08:00:00+07:00", 6),
}


def differences(told: Town) -> dict[tuple[str, int], dict[str, tuple[Any, Any]]]:
    """Where the program and the truth differ, field by field."""
    truth, found = told.cycles(), judged(told)
    assert truth.keys() == found.keys()
    differing = {
        key: {
            name: (value, found[key][name])
            for name, value in line.items()
            if name not in BESIDE and value != found[key][name]
        }
        for key, line in truth.items()
    }
    return {key: fields for key, fields in differing.items() if fields}


@pytest.mark.parametrize("dirt", [0, 1, 10], ids=["clean", "dirty", "filthy"])
@pytest.mark.parametrize("seed", [1, 2, 766])
def test_the_program_says_of_every_cycle_what_the_clerk_of_the_city_says(seed: int, dirt: float) -> None:
    told = town(seed=seed, dirt=dirt)
    assert len(told.cycles()) > 500
    assert differences(told) == {}


@pytest.mark.parametrize("span", SPANS.values(), ids=SPANS)
def test_they_agree_over_days_off_made_up_saturdays_and_estimated_years(span: tuple[str, int]) -> None:
    until, days = span
    assert differences(town(seed=3, until=until, days=days)) == {}


def test_every_kind_of_life_is_there() -> None:
    told = town(scale=0.03, days=15)
    cycles = told.cycles().values()
    assert {cycle["verdict"] for cycle in cycles} == {
        *("early", "on_time", "overdue", "in_time", "no_deadline", "withdrawn", "refused", "not_started"),
    }
    assert {cycle["clock"] for cycle in cycles} == {"not_started", "running", "paused", "stopped", "never"}
    assert {cycle["status"] for cycle in cycles} == set(range(1, 11))
    assert max(cycle["cycle"] for cycle in cycles) == 2
    assert any(cycle["verdict"] == "early" and cycle["verdict_unextended"] == "overdue" for cycle in cycles)


def test_without_causes_and_on_a_clean_feed_nothing_is_late() -> None:
    told = town(late=0, dirt=0, scale=0.03)
    assert told.of_kind("episode") == []
    assert [cycle for cycle in told.cycles().values() if cycle["verdict"] == "overdue"] == []
    assert {why for cycle in told.cycles().values() for why in cycle["causes"]} <= {"extension"}


def test_on_a_clean_feed_every_late_dossier_names_its_episodes_and_went_through_their_place() -> None:
    told = town(dirt=0, scale=0.03)
    episodes = {episode["name"]: episode for episode in told.of_kind("episode")}
    late = [cycle for cycle in told.cycles().values() if cycle["verdict"] == "overdue"]
    assert len(late) > 20
    units: dict[str, set[str]] = {}
    for record in told.records:
        units.setdefault(record.key.decode(), set()).add(record.value.decode())
    for cycle in late:
        named = [episodes[why] for why in cycle["causes"] if why != "extension"]
        assert named
        for episode in named:
            said = "".join(units[cycle["dossier_code"]])
            assert f'"{episode["unit"]}"' in said
            assert f'"{episode["stage"]}"' in said


def test_the_share_of_late_ends_is_about_what_was_asked_for() -> None:
    for late, least, most in ((0.15, 0.03, 0.5), (3, 1.6, 4.2)):
        ended = Counter[bool]()
        for seed in (1, 2):
            cycles = town(seed=seed, late=late, dirt=0, scale=0.02, days=20).cycles().values()
            ended.update(cycle["verdict"] == "overdue" for cycle in cycles if cycle["status"] in (9, 10))
        assert least < 100 * ended[True] / ended.total() < most
