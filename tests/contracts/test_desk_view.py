"""The view `desk_assessments` measures as `streams.ledger.measure` does, to the microsecond."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from agents.drivers.clickhouse import INSERT
from agents.drivers.local import Services
from agents.rows import ASSESSMENTS, COLUMNS, assessment_rows
from schemas.assessment import Assessment
from schemas.dossier import Judgement
from schemas.event import Event
from streams.history import History, add
from streams.replay import row
from streams.rules import Rules
from streams.verdict import assess
from tests.hanoi import at, event, rules
from tests.laws.dossiers import histories, nows, offices
from tests.tables import Row, Tables, fresh_tables

pytestmark = [pytest.mark.system, pytest.mark.laws]

LATER = [timedelta(0), timedelta(microseconds=1), timedelta(hours=5, seconds=0.25), timedelta(days=400)]


@pytest.fixture(scope="module")
def tables(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


def told(dossier: int, events: Sequence[Event]) -> History:
    history = History(f"H26.12-260302-{dossier:04d}")
    for one in events:
        history = add(history, replace(one, dossier_code=history.dossier_code))
    return history


def store(tables: Tables, answers: Sequence[Assessment]) -> None:
    rows = [row for answer in answers for row in assessment_rows(Judgement(answer, len(answer.cycles)))]
    names = ", ".join(f"`{name}`" for name in COLUMNS[ASSESSMENTS])
    tables.client.execute(f"INSERT INTO {tables.database}.assessments ({names}) VALUES", rows, settings=INSERT)


def plain(value: object) -> object:
    """A value of the view as `replay` writes it, instants in UTC."""
    match value:
        case Decimal():
            return float(value)
        case datetime():
            return value.isoformat()
        case list():
            return [plain(part) for part in value]
        case (unit, stage, Decimal() as seconds):
            return {"unit": unit, "stage": stage, "working_seconds": float(seconds)}
        case _:
            return value


def in_utc(expected: Row) -> Row:
    """A row of `replay` with its instants in UTC."""
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in expected.items()
    }


def measured(tables: Tables, at: datetime) -> dict[tuple[object, object], Row]:
    """What the view shows at an instant, by dossier and cycle."""
    rows = tables.rows(f"desk_assessments_at(now = '{at.replace(tzinfo=None).isoformat(' ')}')")
    return {(one["dossier_code"], one["cycle"]): {name: plain(value) for name, value in one.items()} for one in rows}


#: Few examples of many dossiers, and none made smaller: each costs seconds.
BRIEF = settings(max_examples=8, suppress_health_check=list(HealthCheck), phases=(Phase.reuse, Phase.generate))


@BRIEF
@given(office=offices(), dossiers=st.lists(histories, min_size=10, max_size=20), judged_at=nows)
def test_the_view_gives_the_numbers_of_replay_at_every_later_instant(
    tables: Tables, office: Rules, dossiers: list[list[Event]], judged_at: datetime
) -> None:
    tables.empty()
    tables.use(office)
    answers = [assess(told(number, events), office, now=judged_at) for number, events in enumerate(dossiers)]
    store(tables, answers)
    for later in LATER:
        now = judged_at + later
        shown = measured(tables, now)
        assert len(shown) == sum(len(answer.cycles) for answer in answers)
        for answer in answers:
            for cycle in answer.cycles:
                expected = in_utc(row(answer.dossier_code, cycle, office, now=now))
                actual = shown[answer.dossier_code, cycle.cycle]
                assert {name: actual[name] for name in expected} == expected


def test_the_columns_of_the_contract_come_first_and_in_its_order(tables: Tables) -> None:
    office, now = rules(), at("2026-03-03T09:00")
    (cycle,) = assess(told(1, [event(2, "2026-03-02T09:00")]), office, now=now).cycles
    contract = list(row("H26.12-260302-0001", cycle, office, now=now))
    described = tables.client.execute(f"DESCRIBE TABLE {tables.database}.desk_assessments")
    assert [name for name, *_ in described][: len(contract)] == contract


def test_the_view_moves_with_the_clock(tables: Tables) -> None:
    tables.empty()
    tables.use(rules())
    store(tables, [assess(told(1, [event(2, "2026-03-02T09:00")]), rules(), now=at("2026-03-03T09:00"))])
    (first,), (second,) = tables.rows("desk_assessments"), tables.rows("desk_assessments")
    between = second["measured_at"] - first["measured_at"]  # type: ignore[operator]
    assert between > timedelta(0)
    assert second["wall_seconds"] - first["wall_seconds"] == Decimal(str(between.total_seconds()))  # type: ignore[operator]
