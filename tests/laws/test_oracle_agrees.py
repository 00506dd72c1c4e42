"""The quick judgement and the slow oracle, which share no code, give the same rows to the last field."""

from collections.abc import Sequence
from datetime import datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from schemas.event import Event
from streams.history import History, add
from streams.replay import rows
from streams.rules import compile_rules
from tests.laws.worlds import CODE, Row, T, instants, story, world
from tests.oracle.judge import judge

pytestmark = pytest.mark.laws


def _comparable(row: Row) -> Row:
    """Durations to the microsecond: the oracle divides, the ledger need not."""
    exact = {name: round(value, 6) for name, value in row.items() if isinstance(value, (int, float))}
    units = row["units"]
    assert isinstance(units, list)
    return row | exact | {"units": [unit | {"working_seconds": round(unit["working_seconds"], 6)} for unit in units]}


@pytest.mark.timeout(1800)
@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example])
@given(st.data())
def test_the_oracle_agrees_on_every_field_at_five_instants(data: st.DataObject) -> None:
    def pick(options: Sequence[T]) -> T:
        return options[data.draw(st.integers(0, len(options) - 1))]

    place = world(pick)

    def oracle(events: Sequence[Event], now: datetime) -> list[Row]:
        return judge(events, place.office, place.units, place.calendars, place.limits, now)

    events = story(pick, place, oracle)
    rules = compile_rules(place.office, place.units, place.calendars, place.limits)
    known = History(CODE)
    for event in events:
        known = add(known, event)
    for now in instants(pick, events, lambda now: oracle(events, now)):
        expected = [_comparable(row) for row in oracle(events, now)]
        found = [_comparable(row) for row in orjson.loads(orjson.dumps(list(rows(known, rules, now=now))))]
        if found != expected:
            note(f"now {now}, {place.office}, {place.units}")
            note("\n".join(str(one) for one in [*place.limits, *sorted(events, key=lambda event: event.at)]))
        assert found == expected
