"""`dunghan simulate` writes the city where it is asked to, at the pace that is asked for, or says why it cannot."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from agents.city.dirt import Record
from agents.simulate import Pace
from tests.commands import ROOT, Answered, dunghan

SMALL = ("--scale", "0.003", "--days", "4", "--until", "2026-03-13T15:37:12+07:00", "--config", ROOT / "config")


def simulate(*arguments: str | Path) -> Answered:
    return dunghan("simulate", *arguments, *SMALL)


def test_a_file_with_its_truth_judged_at_its_end_agrees(tmp_path: Path) -> None:
    file, truth = tmp_path / "events.jsonl", tmp_path / "truth.jsonl"
    answered = simulate("--to", file, "--truth", truth, "--late", "3")
    assert (answered.code, answered.out) == (0, "")
    assert answered.err.endswith("seed 766; it ends at 2026-03-13T15:37:12+07:00\n")
    told: list[dict[str, Any]] = [orjson.loads(line) for line in truth.read_bytes().splitlines()]
    cycles = {(line["dossier_code"], line["cycle"]): line for line in told if line["kind"] == "cycle"}
    found = dunghan("replay", file, "--now", told[0]["now"], "--config", ROOT / "config")
    for row in map(orjson.loads, found.out.splitlines()):
        line = cycles.pop((row["dossier_code"], row["cycle"]))
        assert {name: value for name, value in line.items() if name not in ("kind", "causes")}.items() <= row.items()
    assert cycles == {}


def test_standard_output_has_the_same_bytes_as_a_file(tmp_path: Path) -> None:
    simulate("--to", tmp_path / "events.jsonl", "--dirt", "0")
    assert simulate("--to", "-", "--dirt", "0").out.encode() == (tmp_path / "events.jsonl").read_bytes()


def test_a_log_may_begin_at_an_instant_instead(tmp_path: Path) -> None:
    arguments = ("--from", "2026-03-09T10:00:00+07:00", "--days", "2", "--scale", "0.01", "--dirt", "0")
    answered = dunghan("simulate", "--to", "-", *arguments, "--config", ROOT / "config")
    instants = [orjson.loads(line)["at"] for line in answered.out.splitlines()]
    assert "2026-03-09T10:00:00" <= instants[0] < "2026-03-09T11"
    assert "2026-03-10T16" < instants[-1] <= "2026-03-10T17:00:00"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--to", "-", "--speed", "quick"), 2, "'quick' is no speed"),
        (("--to", "-", "--speed", "-1"), 2, "is no speed"),
        (("--to", "-", "--until", "2026-03-13"), 2, "has no offset"),
        (("--to", "-", "--from", "2026-03-14T00:00:00+07:00"), 2, "before it begins"),
        (("--to", "-", "--late", "9"), 2, "less than or equal to 3"),
        (("--to", "-", "--truth", "-"), 2, "a file of its own"),
        (("--to", "/nowhere/events.jsonl"), 1, "[file_unreadable]"),
        (("--to", "-", "--config", str(ROOT / "examples" / "permit-receipts" / "config")), 1, "[city_unknown]"),
    ],
)
def test_what_cannot_be_is_told(arguments: tuple[str, ...], code: int, said: str) -> None:
    answered = dunghan("simulate", *SMALL, *arguments)
    assert answered.code == code
    assert said in answered.err


def test_kafka_that_is_not_there_is_one_line() -> None:
    answered = dunghan("simulate", *SMALL, "--to", "kafka", settings={"DUNGHAN_BROKERS": "127.0.0.1:1"})
    assert (answered.code, answered.err.count("\n")) == (1, 1)
    assert "[kafka_unavailable]" in answered.err


class Watch:
    """A clock that goes by only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def when(pace: Pace, *arrivals: int) -> Iterator[float]:
    watch = Watch()
    records = (Record(arrives, number, b"", b"") for number, arrives in enumerate(arrivals))
    for _ in pace.kept(records, watch, watch.sleep):
        yield watch.now


def test_live_is_a_second_a_second_and_sixty_is_a_minute_a_second() -> None:
    assert list(when(Pace(speed=1.0), 1_000, 1_010, 1_030)) == [0, 10, 30]
    assert list(when(Pace(speed=60.0), 1_000, 1_060, 1_600)) == [0, 1, 10]
    assert list(when(Pace(), 1_000, 1_060, 1_600)) == [0, 0, 0]


def test_a_feed_that_begins_at_an_instant_waits_for_its_first_record() -> None:
    assert list(when(Pace(speed=1.0, start=990), 1_000, 1_010)) == [10, 20]


def test_a_rate_is_never_passed() -> None:
    assert list(when(Pace(rate=2), 1_000, 1_000, 1_000, 1_000)) == [0, 0.5, 1, 1.5]
    assert list(when(Pace(speed=1.0, rate=2), 1_000, 1_000, 1_010)) == [0, 0.5, 10]
