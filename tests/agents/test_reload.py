"""reload: a changed folder is taken up when it is whole and stable, refused when it is not, and nothing is lost."""

import os
import shutil
from pathlib import Path

import pytest

from agents.app import Timer, Worker
from agents.clock import FixedClock
from agents.config import Folder, load_folder
from agents.drivers.kafka import partition_of
from agents.drivers.memory import MemoryFeedLog, MemoryLease, MemoryOutbox, MemoryRecord, MemoryStateLog
from agents.drivers.memory_tables import MemoryCalendars, MemoryFacts, MemoryPast
from agents.ports import Chunk
from agents.reload import Reload, fingerprint
from agents.settings import Settings
from agents.telemetry import Meters
from agents.workers import Ports, build
from schemas import topics
from schemas.errors import ConfigError, Unavailable
from schemas.event import canonical
from tests.hanoi import at, event

HANOI = Path(__file__).parents[2] / "config"

STARTED = event(2, "2026-08-03T08:30", event_id="start")
MINE = partition_of(STARTED.dossier_code.encode(), 64)

LIMITS = """
version: {version}
in_force_from: {since}
rules:
  - {{match: {{}}, limit: {{value: {days}, unit: working_day}}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of Hanoi's folder, to change."""
    return Path(shutil.copytree(HANOI, tmp_path / "config"))


def write(folder: Path, version: int = 2, *, since: str = "2026-07-01", days: int = 3) -> None:
    """A new file of limits, as one should come: beside, then renamed."""
    beside = folder / ".limits-2.yaml.part"
    beside.write_text(LIMITS.format(version=version, since=since, days=days))
    beside.rename(folder / "limits-2.yaml")


class Watcher:
    """A `Reload` over a folder, and what it had taken up."""

    def __init__(self, folder: Path) -> None:
        self.taken: list[Folder] = []
        self.refusal: Exception | None = None
        self.meters = Meters()
        self.current = load_folder(folder)
        self.reload = Reload(folder, self.current, self._take_up, self.meters)

    async def _take_up(self, folder: Folder) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.taken.append(folder)

    async def look(self, times: int = 2) -> None:
        for _ in range(times):
            await self.reload.run({})

    def shown(self, name: str) -> float:
        lines = self.meters.exposition().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@pytest.fixture
def watcher(folder: Path) -> Watcher:
    return Watcher(folder)


async def test_a_folder_that_stays_as_it_is_is_not_taken_up_again(watcher: Watcher) -> None:
    await watcher.look(5)
    assert watcher.taken == []
    assert watcher.reload.note() == {"version": watcher.current.book.version, "refused": None}


async def test_a_new_version_is_taken_up_once_when_two_looks_have_seen_it(watcher: Watcher, folder: Path) -> None:
    await watcher.look()
    write(folder)
    await watcher.look(1)
    assert watcher.taken == []
    await watcher.look(4)
    (taken,) = watcher.taken
    assert taken.rules.version == watcher.current.rules.version + 2
    assert watcher.reload.note() == {"version": taken.book.version, "refused": None}
    assert watcher.shown("dunghan_rules_version") == taken.rules.version


async def test_while_it_goes_on_changing_nothing_is_read(watcher: Watcher, folder: Path) -> None:
    for days in range(1, 6):
        write(folder, days=days)
        await watcher.look(1)
    assert watcher.taken == []
    await watcher.look(1)
    assert len(watcher.taken) == 1


async def test_the_content_counts_and_not_the_time_of_a_file(watcher: Watcher, folder: Path) -> None:
    before = fingerprint(folder)
    os.utime(folder / "limits.yaml", (0, 0))
    assert fingerprint(folder) == before
    (folder / "README.md").write_text("not ours")
    assert fingerprint(folder) == before
    shutil.move(folder / "limits.yaml", folder / "limits-1.yaml")
    assert fingerprint(folder) != before
    await watcher.look()
    assert watcher.taken == [], "another name of a file is no other rule"


async def test_a_remark_is_no_change_of_the_rules(watcher: Watcher, folder: Path) -> None:
    path = folder / "limits.yaml"
    path.write_text(f"# as decided\n{path.read_text()}")
    await watcher.look()
    assert watcher.taken == []
    assert watcher.reload.note()["refused"] is None


async def test_half_a_file_leaves_the_old_rules_in_force_and_says_file_and_line(watcher: Watcher, folder: Path) -> None:
    (folder / "limits-2.yaml").write_text("version: 2\nin_force_from: 2026-07-01\nrules:\n  - {match: {}, lim")
    await watcher.look()
    assert watcher.taken == []
    note = watcher.reload.note()
    assert note["version"] == watcher.current.book.version
    assert isinstance(note["refused"], dict)
    assert note["refused"]["reason"] == "config_syntax"
    assert note["refused"]["message"].startswith(f"{folder}/limits-2.yaml:4: ")
    assert watcher.shown("dunghan_rules_refused") == 1
    write(folder)
    await watcher.look()
    assert len(watcher.taken) == 1
    assert watcher.reload.note()["refused"] is None
    assert watcher.shown("dunghan_rules_refused") == 0


async def test_a_fault_that_is_taken_back_is_forgotten(watcher: Watcher, folder: Path) -> None:
    (folder / "limits-2.yaml").write_text("version")
    await watcher.look()
    assert watcher.reload.note()["refused"] is not None
    (folder / "limits-2.yaml").unlink()
    await watcher.look()
    assert watcher.reload.note()["refused"] is None
    assert watcher.taken == []


async def test_a_folder_that_is_gone_for_a_while_changes_nothing(
    watcher: Watcher, folder: Path, tmp_path: Path
) -> None:
    await watcher.look()
    shutil.move(folder, tmp_path / "away")
    await watcher.look()
    refused = watcher.reload.note()["refused"]
    assert isinstance(refused, dict)
    assert refused["reason"] == "config_missing"
    shutil.move(tmp_path / "away", folder)
    await watcher.look()
    assert watcher.reload.note()["refused"] is None


async def test_what_cannot_be_taken_up_now_is_tried_at_the_next_look(watcher: Watcher, folder: Path) -> None:
    write(folder)
    watcher.refusal = Unavailable("clickhouse_unavailable", "down")
    await watcher.look(1)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await watcher.look(1)
    watcher.refusal = None
    await watcher.look(1)
    assert len(watcher.taken) == 1


async def test_a_refusal_names_the_place_of_the_version(watcher: Watcher, folder: Path) -> None:
    write(folder)
    watcher.refusal = ConfigError("rules_unraised", "raise it", where=("limits version 2",))
    await watcher.look()
    refused = watcher.reload.note()["refused"]
    assert isinstance(refused, dict)
    assert refused["message"] == f"{folder}/limits-2.yaml:2: raise it [rules_unraised]"


def _ports(outbox: MemoryOutbox, calendars: MemoryCalendars) -> Ports:
    state = MemoryStateLog(outbox, topics.STATE.name)
    feeds = MemoryFeedLog(outbox, topics.FEEDS.name)
    clock = FixedClock(at("2026-08-03T09:00"))
    return Ports(
        clock, outbox, state, feeds, MemoryFacts(), MemoryPast(outbox), calendars, {"judge": (), "archive": ()}
    )


async def test_archive_gives_the_calendars_to_the_views_at_its_start_and_after_a_change(folder: Path) -> None:
    calendars = MemoryCalendars()
    worker = build("archive", Settings(config=folder), _ports(MemoryOutbox(), calendars), Meters())
    (timer,) = worker.timers
    calendars.fail_next(1)
    await timer.run({})
    with pytest.raises(Unavailable):
        await timer.run({})
    await timer.run({})
    assert calendars.versions == [load_folder(folder).rules.version]
    write(folder)
    await timer.run({})
    await timer.run({})
    assert calendars.versions[1:] == [load_folder(folder).rules.version]


def _reload(worker: Worker) -> Timer:
    (timer,) = [each for each in worker.timers if getattr(each.run, "__qualname__", "") == "Reload.run"]
    return timer


SPOILT = [
    pytest.param("limits.yaml", "value: 1,", "value: 2,", "limits version 1", id="limits"),
    pytest.param("office.yaml", "skew: 5m", "skew: 6m", "office version 0", id="office"),
    pytest.param("units.yaml", "Hoàn Kiếm", "Cửa Đông", "units version 0", id="units"),
    pytest.param("calendars/vn-2026.yaml", "2026-01-02", "2026-01-05", "calendar vn 2026 version 1", id="calendar"),
]


@pytest.mark.parametrize(("file", "old", "new", "named"), SPOILT)
async def test_a_file_that_was_judged_by_may_not_say_something_else_under_its_version_also_after_a_restart(
    folder: Path, file: str, old: str, new: str, named: str
) -> None:
    outbox = MemoryOutbox(64)
    judge = build("judge", Settings(config=folder), _ports(outbox, MemoryCalendars()), Meters())
    await judge.assigned(MINE)
    record = MemoryRecord(topics.EVENTS.name, MINE, 0, 0, b"", canonical(STARTED))
    await judge.topics[topics.EVENTS.name](Chunk(topics.EVENTS.name, MINE, [record]), MemoryLease())
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    for _ in range(2):
        await _reload(judge).run({})
    note = judge.notes["rules"]()
    assert isinstance(note, dict)
    assert note["refused"]["reason"] == "rules_unraised"
    assert note["refused"]["message"].startswith(f"{path}:")
    assert named in note["refused"]["message"]
    again = build("judge", Settings(config=folder), _ports(outbox, MemoryCalendars()), Meters())
    with pytest.raises(Unavailable, match="rules_unraised"):
        await again.assigned(MINE)
    path.write_text(text)
    for _ in range(3):
        await _reload(again).run({})
    await again.assigned(MINE)


@pytest.mark.parametrize(("file", "written"), [("office.yaml", "version: 1\n"), ("units.yaml", "version: 1\n")])
async def test_office_and_units_have_a_version_to_raise(
    watcher: Watcher, folder: Path, file: str, written: str
) -> None:
    path = folder / file
    path.write_text(written + path.read_text())
    await watcher.look()
    (taken,) = watcher.taken
    assert taken.rules.version == watcher.current.rules.version + 1
