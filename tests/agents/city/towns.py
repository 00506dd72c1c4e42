"""Small cities for tests, each told once: its records, its truth, and what the program says of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from agents.city.chronicle import Chronicle, Plan, line, working_days_back
from agents.city.dirt import Record
from agents.config import load
from schemas import topics
from schemas.errors import InvalidRecord
from schemas.event import Event, read_event
from streams.replay import collect, rows
from tests.commands import ROOT

RULES = load(ROOT / "config")
FRIDAY = "2026-03-13T15:37:12+07:00"


@dataclass(frozen=True)
class Town:
    """A city that has been told."""

    chronicle: Chronicle
    records: tuple[Record, ...]
    truth: tuple[dict[str, Any], ...]

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [told for told in self.truth if told["kind"] == kind]

    def cycles(self) -> dict[tuple[str, int], dict[str, Any]]:
        return {(told["dossier_code"], told["cycle"]): told for told in self.of_kind("cycle")}


@cache
def town(
    *, seed: int = 766, scale: float = 0.006, late: float = 3, dirt: float = 1, days: int = 10, until: str = FRIDAY
) -> Town:
    """A city, as `dunghan simulate` makes it."""
    end = datetime.fromisoformat(until).astimezone(UTC)
    chronicle = Chronicle(RULES, Plan(working_days_back(RULES, end, days), end, seed, scale, late, dirt))
    truth: list[bytes] = []
    records = tuple(chronicle.records(lambda told: truth.append(line(told))))
    return Town(chronicle, records, tuple(orjson.loads(told) for told in truth))


def read(records: Iterable[Record]) -> tuple[list[Event], list[str]]:
    """The events of these records that can be used, and the reasons of the others."""
    events, refused = [], []
    for record in records:
        try:
            if len(record.value) > topics.EVENTS.max_message_bytes:
                raise InvalidRecord("oversized", "")
            event = read_event(record.value)
            RULES.check_codes(event)
            events.append(event)
        except InvalidRecord as refusal:
            refused.append(refusal.reason)
    return events, refused


def judged(told: Town) -> dict[tuple[str, int], dict[str, Any]]:
    """What the program says of every cycle at the end of the log."""
    histories, _ = collect(read(told.records)[0])
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for history in histories.values():
        for row in orjson.loads(orjson.dumps(list(rows(history, RULES, now=told.chronicle.plan.until)))):
            found[str(row["dossier_code"]), int(str(row["cycle"]))] = row
    return found
