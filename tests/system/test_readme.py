"""What the README tells an upstream developer to do, done exactly so."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from schemas import topics
from tests.commands import ROOT
from tests.system.office import Office
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

README = (ROOT / "README.md").read_text(encoding="utf-8")
UPSTREAM = (ROOT / "docs" / "upstream.md").read_text(encoding="utf-8")
CODE = "H26.12-261124-0007"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The office of config/, both workers at work."""
    with Office(tmp_path_factory.mktemp("readme"), ROOT / "config") as office:
        office.start_all()
        yield office


def lines() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    return str(found)


def run(office: Office, program: str) -> None:
    environment = {**os.environ, "DUNGHAN_BROKERS": office.environment["DUNGHAN_BROKERS"]}
    command = [sys.executable, "-W", "ignore", "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_they_are_ten_lines_and_their_event_is_judged(office: Office) -> None:
    assert len([line for line in lines().splitlines() if line.strip()]) == 10
    run(office, lines())
    query = "SELECT verdict, unit FROM dunghan.desk_assessments WHERE dossier_code = %(code)s"
    until(lambda: office.ask(query, code=CODE), "the event is judged and stands in ClickHouse")
    assert office.ask(query, code=CODE) == [{"verdict": "in_time", "unit": "H26.12"}]
    assert CODE in office.command("explain", CODE).decode()


def test_without_an_offset_it_gets_what_the_readme_says(office: Office) -> None:
    naive = lines().replace("datetime.now(timezone.utc)", "datetime.now()")
    assert naive != lines()
    before = len(office.records(topics.DEAD_LETTERS))
    run(office, naive)
    (query,) = re.findall(r"```sql\n(.*?)```", README, flags=re.DOTALL)
    until(lambda: office.ask(query), "the dead letter stands in ClickHouse")
    assert [row["reason"] for row in office.ask(query)] == ["naive_time"]
    letters = office.records(topics.DEAD_LETTERS)[before:]
    assert [dict(letter.headers)["reason"] for letter in letters] == [b"naive_time"]
    assert [letter.key for letter in letters] == [CODE.encode()]


def test_the_questions_that_the_page_for_publishing_systems_asks_can_be_asked(office: Office) -> None:
    run(office, lines())
    refused, counted = re.findall(r"```sql\n(.*?)```", UPSTREAM, flags=re.DOTALL)
    assert CODE in counted
    until(lambda: office.ask(counted), "the event stands in ClickHouse")
    assert {(row["status"], row["processing_unit"]) for row in office.ask(counted)} == {(2, "H26.12")}
    assert office.ask(refused) == []
