"""`dunghan what-if --from-clickhouse` answers as it does for the same events in a file, and writes nothing."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents.config import load
from agents.drivers.clickhouse import INSERT
from agents.drivers.event_log import EventLog
from agents.drivers.local import Services
from agents.rows import COLUMNS, EVENTS, event_row
from schemas.event import Event
from schemas.limits import Limit
from streams.history import History, add
from tests.commands import dunghan
from tests.hanoi import at, event, history
from tests.madeup.log import CONFIG, Log, write_log
from tests.tables import Tables, fresh_tables

pytestmark = pytest.mark.system

NOW = at("2026-03-06T10:15")


@pytest.fixture(scope="module")
def tables(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


@pytest.fixture(scope="module")
def generated() -> Log:
    return write_log(load(CONFIG).newest.home, now=NOW, dossiers=300)


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """The office of the demonstration with three days where it has five."""
    folder = Path(shutil.copytree(CONFIG, tmp_path / "draft"))
    limits = folder / "limits.yaml"
    limits.write_text(limits.read_text().replace("{value: 5, unit: working_day}", "{value: 3, unit: working_day}"))
    return folder


def store(tables: Tables, events: list[Event]) -> None:
    names = ", ".join(f"`{name}`" for name in COLUMNS[EVENTS])
    rows = [event_row(one) for one in events]
    tables.client.execute(f"INSERT INTO {tables.database}.events ({names}) VALUES", rows, settings=INSERT)


def what_if(tables: Tables, draft: Path, *arguments: str | Path, **more: str) -> dict[str, Any]:
    host, port = tables.settings.clickhouse_host, tables.settings.clickhouse_port
    environment = {
        "DUNGHAN_CLICKHOUSE_HOST": host,
        "DUNGHAN_CLICKHOUSE_PORT": str(port),
        "DUNGHAN_CLICKHOUSE_USER": tables.settings.clickhouse_user,
        "DUNGHAN_CLICKHOUSE_DATABASE": tables.database,
        "DUNGHAN_CONFIG": str(CONFIG),
        **more,
    }
    answered = dunghan("what-if", *arguments, "--config", draft, "--format", "json", settings=environment)
    assert answered.code in (0, 3), answered.err
    return dict(json.loads(answered.out))


def test_clickhouse_and_a_file_of_the_same_events_answer_alike_and_nothing_is_written(
    tables: Tables, generated: Log, draft: Path, tmp_path: Path
) -> None:
    tables.empty()
    store(tables, [one for told in generated.dossiers for one in told.events])
    before = {table: tables.rows(table) for table in COLUMNS}
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(generated.lines()))
    now = ("--now", NOW.isoformat(), "--limit", "300")
    stored, filed = (what_if(tables, draft, source, *now) for source in ("--from-clickhouse", file))
    assert stored.pop("refused") == 0
    assert filed.pop("refused") > 0
    assert stored == filed
    assert stored["open"]["verdict"] > 0 < stored["closed"]["verdict"]
    assert {table: tables.rows(table) for table in COLUMNS} == before


def test_without_now_it_is_the_clock_that_the_workers_have(tables: Tables, generated: Log, draft: Path) -> None:
    tables.empty()
    store(tables, [one for told in generated.dossiers[:20] for one in told.events])
    last = max(one.at for told in generated.dossiers[:20] for one in told.events)
    shown = what_if(tables, draft, "--from-clickhouse", DUNGHAN_NOW="last-event")["now"]
    assert at(shown) == last
    assert at(what_if(tables, draft, "--from-clickhouse")["now"]) > last


def test_an_empty_log_has_no_dossiers(tables: Tables, draft: Path) -> None:
    tables.empty()
    assert what_if(tables, draft, "--from-clickhouse")["dossiers"] == 0


def test_the_log_gives_every_history_back_as_it_was_told(tables: Tables) -> None:
    tables.empty()
    rich = history(
        event(1, "2025-12-30T09:00", case="hard", channel="post", receiving_unit="H26.01", source="a", sequence=7),
        event(2, "2026-03-02T09:00", limit=Limit("working_day", 2.5), stage="Thẩm định", staff="s-1"),
        event(5, "2026-03-03T09:00:00.000001", reason="papers", due="2026-03-09T00:00"),
        event(None, "2026-03-04T09:00", kind="letter", letter="apology"),
        event(None, "2026-03-05T09:00", kind="extension", due="2026-03-20T17:00"),
        event(None, "2026-03-05T10:00", kind="void", voids="e1"),
    )
    one_id = [
        event(2, "2026-03-02T09:00", event_id="same", dossier_code="H26.12-260302-0002", limit=Limit("same_day")),
        event(2, "2026-03-02T10:00", event_id="same", dossier_code="H26.12-260302-0002"),
    ]
    store(tables, [*rich.events, *one_id])
    store(tables, [*rich.events])  # written again, as after a crash
    conflicting = History("H26.12-260302-0002")
    for one in one_id:
        conflicting = add(conflicting, one)
    with EventLog.open(tables.settings) as log:
        assert log.dossiers() == 2
        assert log.last() == at("2026-03-05T10:00")
        assert list(log.histories()) == [rich, conflicting]
