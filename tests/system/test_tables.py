"""The tables on a real ClickHouse: migrated once, equal after every replay, read by those who may."""

import random
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException

from agents.archive import Archive
from agents.dead_letters import dead_letter
from agents.drivers.clickhouse import ClickHouseFacts
from agents.drivers.desk import Desk
from agents.drivers.local import Services
from agents.drivers.memory import MemoryLease, MemoryOutbox, MemoryRecord
from agents.drivers.migrations import Migration, shipped
from agents.drivers.tables import check, fill_calendars, migrate, tables_reference
from agents.ports import Chunk, Record
from agents.rows import COLUMNS
from agents.settings import Settings
from agents.telemetry import Meters
from schemas import topics
from schemas.alert import Action
from schemas.assessment import Version
from schemas.dossier import Judgement, dump
from schemas.errors import ConfigError, InvalidRecord
from schemas.event import Event
from schemas.limits import Limit
from schemas.office import Unit
from schemas.rulebook import Change, Turned
from schemas.standing import News
from streams.history import FULL, History, add
from streams.standing import news, standings
from streams.verdict import assess
from tests.agents.test_archive import an_alert
from tests.hanoi import at, calendar_year, event, rules
from tests.tables import Row, Tables, asking, clickhouse_settings, fresh_tables

pytestmark = pytest.mark.system

OFFICE = rules(limit=Limit("working_day", 5))
FACTS = tuple(COLUMNS)


@pytest.fixture(scope="module")
def database(services: Services) -> Iterator[Tables]:
    with fresh_tables(services) as tables:
        yield tables


@pytest.fixture
def tables(database: Tables) -> Tables:
    """Empty tables."""
    database.empty()
    return database


@pytest.fixture
def spoilable(services: Services) -> Iterator[Tables]:
    """Tables of this test alone."""
    with fresh_tables(services) as tables:
        yield tables


def a_life(number: int) -> list[Event]:
    """The events of one dossier: paused, ended, reopened, and the reopening cancelled."""
    code = f"H26.12-260302-{number:04d}"
    told = [
        event(2, "2026-03-02T09:00"),
        event(5, "2026-03-03T10:00"),
        event(4, "2026-03-05T10:00", stage="review"),
        event(9, "2026-03-12T10:00:00.000001"),
        event(4, "2026-03-13T10:00"),
        event(None, "2026-03-14T10:00", kind="void", voids="again"),
    ]
    names = ["start", "pause", "on", "end", "again", "void"]
    return [replace(one, dossier_code=code, event_id=name) for one, name in zip(told, names, strict=True)]


def judged(events: Sequence[Event], *, late: timedelta = timedelta(0)) -> list[bytes]:
    """What judge says of a dossier, event by event; so much later than it could."""
    history, highest, said = History(events[0].dossier_code), 0, []
    before = None
    for one in events:
        history = add(history, one)
        answer = assess(history, OFFICE, now=at("2026-03-20T09:00"))
        highest = max(highest, len(answer.cycles))
        after = standings(answer, highest)
        told = News(one.at + late, "events", news(before, after))
        said.append(dump(Judgement(answer, highest, (one,), (one.at + late,), told)))
        before = after
    return said


def records(topic: topics.Topic, values: Sequence[bytes]) -> list[Record]:
    return [MemoryRecord(topic.name, 0, offset, 0, b"k", value) for offset, value in enumerate(values)]


async def everything() -> dict[str, list[Record]]:
    """Records of all three topics."""
    outbox = MemoryOutbox(partitions=1)
    refused = [MemoryRecord("dossier.events.v1", 1, offset, 0, b"k", b"?") for offset in range(30)]
    error = InvalidRecord("unreadable", "the bytes are not a JSON object in UTF-8")
    for when in ("2026-03-02T09:00", "2026-03-02T09:05"):  # a crash in between buries them twice
        await outbox.send([dead_letter(record, error, at=at(when)) for record in refused])
    alerts = [an_alert(cycle=cycle, action=action) for cycle in range(20) for action in (Action.RAISE, Action.RESOLVE)]
    changes = [Change(7, number, (Turned(None, held=1), Turned("H26.12", raised=2, retimed=3))) for number in range(3)]
    judgements = [value for number in range(40) for value in judged(a_life(number))]
    # A judge that starts anew says it again, later.
    judgements += [value for number in range(40) for value in judged(a_life(number), late=timedelta(days=1))]
    return {
        topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, judgements),
        topics.ALERTS.name: records(topics.ALERTS, [*map(dump, alerts), *map(dump, changes)]),
        topics.DEAD_LETTERS.name: list(outbox.records(topics.DEAD_LETTERS.name)),
    }


async def archive(tables: Tables, source: dict[str, list[Record]], *, size: int) -> None:
    """Let the worker archive these records in chunks of that size."""
    async with ClickHouseFacts(tables.settings) as facts:
        worker = Archive(facts, MemoryOutbox(), Meters(), pace=0)
        for topic, kept in source.items():
            for begin in range(0, len(kept), size):
                await worker.handle(Chunk(topic, 0, kept[begin : begin + size]), MemoryLease())


def stored(tables: Tables) -> dict[str, list[Row]]:
    return {table: tables.rows(table) for table in FACTS}


async def test_a_replay_in_other_batches_and_another_order_gives_equal_tables(tables: Tables) -> None:
    source = await everything()
    await archive(tables, source, size=1000)
    once = stored(tables)
    rows = {table: len(kept) for table, kept in once.items() if kept}
    assert rows == {
        "events": 240,
        "arrivals": 240,
        "verdict_changes": 240,
        "assessments": 40,
        "alerts": 40,
        "dead_letters": 30,
        "changes": 6,
    }
    assert all(str(row["seen_at"]) < "2026-03-15" for row in once["arrivals"] + once["verdict_changes"])
    await archive(tables, source, size=17)
    assert stored(tables) == once
    tables.empty()
    shuffler = random.Random(4)
    for kept in source.values():
        shuffler.shuffle(kept)
    await archive(tables, source, size=64)
    assert stored(tables) == once
    tables.client.execute(f"OPTIMIZE TABLE {tables.database}.assessments FINAL")
    assert stored(tables) == once


async def test_a_lower_version_never_wins_however_late_it_comes(tables: Tables) -> None:
    values = judged(a_life(1)[:4])
    await archive(tables, {topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, values[::-1])}, size=1)
    (row,) = tables.rows("assessments")
    assert (row["version_events"], row["verdict"], row["ended_at"]) == (4, "overdue", a_life(1)[3].at)


async def test_a_cycle_that_vanished_is_gone_and_stays_gone(tables: Tables) -> None:
    values = judged(a_life(1))
    with_two_cycles = records(topics.ASSESSMENTS, values[:5])
    await archive(tables, {topics.ASSESSMENTS.name: with_two_cycles}, size=10)
    assert [row["cycle"] for row in tables.rows("desk_assessments")] == [1, 2]
    await archive(tables, {topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, values[5:])}, size=10)
    assert [row["cycle"] for row in tables.rows("desk_assessments")] == [1]
    await archive(tables, {topics.ASSESSMENTS.name: with_two_cycles}, size=10)
    assert [row["cycle"] for row in tables.rows("desk_assessments")] == [1]


async def test_two_contents_of_one_event_are_both_kept(tables: Tables) -> None:
    first = a_life(1)[0]
    other = replace(first, at=at("2025-12-31T09:00"))  # in another year, so in another partition
    answer = assess(add(add(History(first.dossier_code), first), other), OFFICE, now=at("2026-03-20T09:00"))
    value = dump(Judgement(answer, 1, (first, other, first)))
    await archive(tables, {topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, [value])}, size=1)
    assert {row["at"] for row in tables.rows("events")} == {first.at, other.at}
    assert len(tables.rows("events")) == 2


async def test_a_record_buried_twice_keeps_its_first_burial(tables: Tables) -> None:
    source = await everything()
    letters = source[topics.DEAD_LETTERS.name]
    await archive(tables, {topics.DEAD_LETTERS.name: letters[::-1]}, size=7)
    assert {row["buried_at"] for row in tables.rows("dead_letters")} == {at("2026-03-02T09:00")}


def test_migrating_again_does_nothing(tables: Tables) -> None:
    before = tables.rows("migrations")
    assert migrate(tables.client, database=tables.database) == ()
    assert tables.rows("migrations") == before
    assert [row["name"] for row in before] == [migration.name for migration in shipped()]
    check(tables.client, database=tables.database)


def test_a_migration_that_broke_off_halfway_is_finished_by_the_next_one(spoilable: Tables) -> None:
    last = shipped()[-1]
    broken = Migration(
        last.number + 1, "0999_broken.sql", "CREATE TABLE IF NOT EXISTS dunghan.x (a Int8) ENGINE = Memory;\nX;\n"
    )
    with pytest.raises(ServerException):
        migrate(spoilable.client, database=spoilable.database, wanted=(*shipped(), broken))
    whole = replace(broken, text=broken.text.replace("\nX;", ""))
    assert migrate(spoilable.client, database=spoilable.database, wanted=(*shipped(), whole)) == ("0999_broken.sql",)
    with pytest.raises(ConfigError) as refused:
        check(spoilable.client, database=spoilable.database)
    assert refused.value.reason == "tables_newer"


def test_a_file_that_was_applied_may_not_change(tables: Tables) -> None:
    first, *others = shipped()
    changed = replace(first, text=first.text + "-- one more thought\n")
    with pytest.raises(ConfigError) as refused:
        migrate(tables.client, database=tables.database, wanted=(changed, *others))
    assert (refused.value.reason, refused.value.path) == ("migration_changed", "schemas/tables/0001_facts.sql")


async def test_archive_does_not_start_on_tables_that_are_not_migrated(services: Services) -> None:
    with pytest.raises(ConfigError, match="run `dunghan migrate`"):
        async with ClickHouseFacts(clickhouse_settings(services, "dunghan_absent")):
            pass


def test_tables_without_calendars_are_not_ready(spoilable: Tables) -> None:
    spoilable.client.execute(f"TRUNCATE TABLE {spoilable.database}.unit_calendars")
    with pytest.raises(ConfigError, match="calendars; run `dunghan migrate`"):
        check(spoilable.client, database=spoilable.database)


async def test_changed_calendars_replace_the_old_ones(tables: Tables) -> None:
    running = judged(a_life(1)[:1])
    await archive(tables, {topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, running)}, size=1)
    saturdays = calendar_year(2026, "saturdays", {"mon-sat": ("08:00-12:00", "13:00-17:00")})
    view = "desk_assessments_at(now = '2026-03-09 01:00:00')"  # Monday, 08:00 in Hanoi
    (before,) = tables.rows(view)
    tables.use(rules(units=[Unit("H26.12", calendar="saturdays")], calendars=[saturdays]))
    (after,) = tables.rows(view)
    assert (before["working_seconds"], after["working_seconds"]) == (39 * 3600, 47 * 3600)
    fill_calendars(tables.client, OFFICE, database=tables.database)
    assert tables.rows(view)[0]["working_seconds"] == 39 * 3600
    assert [row["unit"] for row in tables.rows("unit_calendars")] == [""]


async def test_the_desk_reads_alerts_back_as_they_were_told_in_their_order(tables: Tables) -> None:
    tables.empty()
    first = an_alert(due_original=at("2026-03-09T17:00"), unit="H26.12", rules_from=at("2026-01-01T00:00"))
    second = replace(first, action=Action.RETRACT, reason="late_event", sequence=2, version=Version(4, 1, first.at))
    held = replace(first, alert_id=str(uuid.uuid4()), action=Action.HOLD, cycle=2, stage="review", found_late=True)
    written = records(topics.ALERTS, [dump(held), dump(second), dump(first), dump(second)])
    await archive(tables, {topics.ALERTS.name: written}, size=2)
    desk = Desk(tables.client, tables.database)
    assert desk.alerts(first.dossier_code) == (first, second, held)
    assert desk.alerts("H26.12-260302-9999") == ()


def test_the_desk_knows_which_dossiers_have_an_event_and_which_are_full(tables: Tables) -> None:
    rows = [
        *[("full", f"e{number}", "", at("2026-03-02T09:00")) for number in range(FULL)],
        *[("almost", f"e{number}", "", at("2026-03-02T09:00")) for number in range(FULL - 1)],
        *[("almost", "e0", "", at("2026-03-02T09:00"))] * 2,  # a repeated event takes no room
    ]
    into = f"INSERT INTO {tables.database}.events (dossier_code, event_id, digest, at) VALUES"
    tables.client.execute(into, rows)
    tables.client.execute(into, rows[-1:])
    desk = Desk(tables.client, tables.database)
    others = [f"H26.12-260302-{number:05}" for number in range(5_000)]
    assert desk.full(["full", "almost", *others]) == {"full"}
    assert desk.full([]) == frozenset()
    assert desk.dossiers("e0") == ("almost", "full")
    assert desk.dossiers(f"e{FULL - 1}") == ("full",)
    assert desk.dossiers("nowhere") == ()


async def test_a_calendar_that_comes_into_force_counts_from_that_instant_on(tables: Tables) -> None:
    running = judged(a_life(1)[:1])
    await archive(tables, {topics.ASSESSMENTS.name: records(topics.ASSESSMENTS, running)}, size=1)
    mornings = replace(
        calendar_year(2026, shifts={"mon-fri": ("08:00-12:00",)}), version=2, in_force_from=date(2026, 3, 9)
    )
    tables.use(rules(calendars=[mornings]))
    seconds = [
        tables.rows(f"desk_assessments_at(now = '{now}')")[0]["working_seconds"]
        for now in ("2026-03-08 16:59:59", "2026-03-08 17:00:00")  # the last second of Sunday in Hanoi, and Monday
    ]
    assert seconds == [39 * 3600, 19 * 3600]
    assert [row["calendar"] for row in tables.rows("unit_calendars")] == ["vn", "vn@2"]
    fill_calendars(tables.client, OFFICE, database=tables.database)


def test_a_desk_reads_the_view_and_nothing_below_it_and_a_wall_reads_and_writes_neither(tmp_path: Path) -> None:
    server = Services(tmp_path).clickhouse_server  # readers have grants in the database `dunghan` alone
    server.start()
    try:
        server.wait_ready()
        port = server.ports["native"]
        with asking(Settings(clickhouse_port=port, clickhouse_user="writer")) as client:
            migrate(client)
            fill_calendars(client, OFFICE)
        _try_to_read(port)
    finally:
        server.kill()


def _try_to_read(port: int) -> None:
    below = ("assessments", "events", "alerts", "dead_letters", "audit", "calendar_hours", "migrations", "hours")
    with reading(port, "desk") as desk:
        desk.execute("SELECT dossier_code, working_seconds FROM dunghan.desk_assessments LIMIT 1")
        desk.execute("SELECT at, by, done_at FROM dunghan.desk_audit LIMIT 1")
        desk.execute("SELECT units FROM dunghan.desk_assessments_at(now = '2026-03-09 01:00:00') LIMIT 1")
        for table in below:
            _refused(desk, f"SELECT count() FROM dunghan.{table}")
    with reading(port, "wall") as wall:
        for table in (*below, "desk_audit", "desk_assessments", "desk_assessments_at(now = '2026-03-09 01:00:00')"):
            _refused(wall, f"SELECT count() FROM dunghan.{table}")
    for user in ("desk", "wall"):
        with reading(port, user) as reader:
            _refused(reader, "INSERT INTO dunghan.unit_calendars VALUES ('x', 'vn')")
            _refused(reader, "TRUNCATE TABLE dunghan.unit_calendars")


@contextmanager
def reading(port: int, user: str) -> Iterator[Client]:
    client = Client("127.0.0.1", port, user=user)
    try:
        yield client
    finally:
        client.disconnect()


def _refused(reader: Client, query: str) -> None:
    with pytest.raises(ServerException) as refused:
        reader.execute(query)
    assert refused.value.code in (164, 497)  # READONLY, ACCESS_DENIED


def test_the_view_knows_now_whatever_the_time_zone_of_the_session(tables: Tables) -> None:
    into = f"INSERT INTO {tables.database}.assessments (dossier_code, cycle, version, is_deleted) VALUES"
    tables.client.execute(into, [("x", 1, 1, 0)])
    for zone in ("UTC", "Asia/Ho_Chi_Minh"):
        ((apart,),) = tables.client.execute(
            f"SELECT abs(measured_at - now64(6, 'UTC')) FROM {tables.database}.desk_assessments",
            settings={"session_timezone": zone},
        )
        assert apart < 60


def test_every_column_has_its_meaning_beside_it(tables: Tables) -> None:
    silent = tables.client.execute(
        "SELECT table, name FROM system.columns WHERE database = %(database)s AND comment = ''"
        " AND table IN (SELECT name FROM system.tables WHERE database = %(database)s AND engine LIKE '%%MergeTree')",
        {"database": tables.database},
    )
    assert silent == []
    page = tables_reference()
    for table, columns in COLUMNS.items():
        assert f"### Table `dunghan.{table}`" in page
        assert all(f"| `{column.split('.')[0]}` |" in page for column in columns)
