"""The city's truth is what stands in ClickHouse: three cities with all their dirt, through the whole pipeline."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson
import pytest

from agents.city.chronicle import Chronicle, Plan, line, working_days_back
from agents.ports import Outgoing
from schemas import topics
from tests.system.answers import differences
from tests.system.office import ROOT, Office

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]

#: Ten days each: over Tết, over a worked Saturday, and of the end of the log.
CITIES = {1: "2026-02-27T17:00:00+07:00", 2: "2026-08-28T11:30:00+07:00", 3: "2026-10-16T16:59:59+07:00"}
NOW = datetime.fromisoformat(CITIES[3])
SCALE, LATE, DIRT, DAYS = 0.02, 3.0, 1.0, 10
#: Too large for Kafka: the simulator keeps it back, too.
LARGEST = topics.EVENTS.max_message_bytes - 1_024


class City:
    """One city: what it sends, and what is true of it at `NOW`."""

    def __init__(self, office: Office, seed: int) -> None:
        until = datetime.fromisoformat(CITIES[seed])
        begin = working_days_back(office.rules, until, DAYS)
        chronicle = Chronicle(office.rules, Plan(begin, until, seed, SCALE, LATE, DIRT, NOW))
        self.truth: list[dict[str, Any]] = []
        self.records = [
            Outgoing(topics.EVENTS.name, record.key, record.value)
            for record in chronicle.records(lambda told: self.truth.append(orjson.loads(line(told))))
            if len(record.value) <= LARGEST
        ]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [told for told in self.truth if told["kind"] == kind]

    def rows(self) -> list[dict[str, Any]]:
        """What is true of every cycle, in the columns of a replay."""
        return [
            {name: value for name, value in told.items() if name not in ("kind", "causes")}
            for told in self.of_kind("cycle")
        ]


@pytest.fixture(scope="module")
def cities(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, list[City]]]:
    with Office(tmp_path_factory.mktemp("city"), ROOT / "config", now=NOW.isoformat()) as office:
        office.start_all()
        told = [City(office, seed) for seed in CITIES]
        for city in told:
            office.send(city.records)
        office.wait_done(within=300)
        yield office, told


def test_every_dossier_and_cycle_of_three_cities_stands_as_the_city_knows_it(cities: tuple[Office, list[City]]) -> None:
    office, told = cities
    truth = [row for city in told for row in city.rows()]
    stored = office.desk(NOW)
    assert len(truth) > 4_000
    assert {(row["dossier_code"], row["cycle"]) for row in stored} == {
        (row["dossier_code"], row["cycle"]) for row in truth
    }
    assert differences(truth, stored) == []


def test_the_dirt_was_all_there(cities: tuple[Office, list[City]]) -> None:
    office, told = cities
    touched = {line["what"] for city in told for line in city.of_kind("dirt")}
    assert touched >= {"late", "jittered", "repeated", "resent", "misplaced", "unreadable"}
    assert any(city.of_kind("silence") for city in told)
    assert any(city.of_kind("skew") for city in told)
    misplaced = {(line["dossier_code"], line["event_id"]) for city in told for line in city.of_kind("misplaced")}
    stored = {(row["dossier_code"], row["event_id"]) for row in office.facts()["events"]}
    assert misplaced
    assert misplaced <= stored
    refused = sum(line["records"] for city in told for line in city.of_kind("refused"))
    assert 0 < len(office.facts()["dead_letters"]) <= refused
