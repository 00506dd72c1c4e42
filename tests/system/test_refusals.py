"""One source's rubbish is buried and marked; that of most sources at once is held, and released by an operator."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agents.drivers.local import PARTITIONS
from agents.ports import Outgoing
from schemas import topics
from schemas.event import Event, canonical
from tests.system.generated import configuration
from tests.system.office import Office, WorkerProcess
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("refusals")
    with Office(folder, configuration(folder / "config")) as office:
        yield office


def _event(source: str, number: int) -> Event:
    return Event(
        event_id=f"{source}-{number}",
        dossier_code=f"H26.12-260302-{number:04d}",
        at=datetime.now(UTC),
        status=2,
        procedure_code="1.004441",
        processing_unit="H26.12",
        source=source,
    )


def _send(office: Office, numbers: range, *sources: str, spoilt: bool) -> None:
    """One event for each number and source, the sources taking turns; spoilt ones have a status that there is not."""
    records = []
    for event in (_event(source, number) for number in numbers for source in sources):
        value = canonical(event).replace(b'"status":2', b'"status":12') if spoilt else canonical(event)
        records.append(Outgoing(topics.EVENTS.name, event.dossier_code.encode(), value))
    office.send(records)


def _sources(office: Office) -> dict[str, tuple[int, list[str]]]:
    rows = office.ask("SELECT source, refused, reasons_in_a_day FROM dunghan.desk_sources")
    return {row["source"]: (row["refused"], row["reasons_in_a_day"]) for row in rows}


def _held(judge: WorkerProcess) -> list[str]:
    """The reason of each partition that is held."""
    return [str(hold["reason"]) for hold in judge.health().get("held", [])]


def _wait_held(judge: WorkerProcess) -> None:
    until(lambda: _held(judge) == ["sources_refused"] * PARTITIONS, "every partition is held")


def test_one_source_is_buried_and_marked_most_are_held_and_released(office: Office) -> None:
    judge, archive = office.start_all()
    _send(office, range(1, 2), "portal", spoilt=True)  # the first record ever, of the only source
    office.wait_done()
    assert _sources(office) == {"portal": (1, ["unknown_status"])}

    _send(office, range(100, 130), "post", spoilt=False)
    _send(office, range(200, 260), "portal", spoilt=True)
    office.wait_done()
    assert _sources(office) == {"portal": (61, ["unknown_status"]), "post": (0, [])}
    assert judge.metric("dunghan_refused_total", source="portal") == 61
    (feed,) = office.ask("SELECT source, refused_in_a_day FROM dunghan.desk_feeds")
    assert feed == {"source": "post", "refused_in_a_day": 0}
    assert "61 records refused in a day" in office.command("status").decode()

    # A judge that begins, as after a bad deployment: both are refused, and a kill changes nothing.
    judge.stop()
    _send(office, range(300, 400), "post", "portal", spoilt=True)
    for _ in range(2):
        judge.kill()
        judge = office.start("judge")
        _wait_held(judge)
    office.wait_done("archive")
    assert _sources(office) == {"portal": (61, ["unknown_status"]), "post": (0, [])}, "nothing is buried"
    said = office.command("status", "--web", str(judge.address), exit_code=1).decode()
    assert "2 of 2 sources send what cannot be used" in said

    office.command("release", "--for", "10m", "--by", "Lan")
    office.wait_done()
    assert _held(judge) == []
    assert _sources(office) == {"portal": (161, ["unknown_status"]), "post": (100, ["unknown_status"])}
    (row,) = office.ask("SELECT by, until > now64(6, 'UTC') AS open FROM dunghan.desk_releases")
    assert (row["by"], bool(row["open"])) == ("Lan", True)
    judge.kill()
    again = office.start("judge").wait_caught_up()  # a release outlives the judge that took it up
    _send(office, range(500, 530), "post", "portal", spoilt=True)
    office.wait_done()
    assert _sources(office) == {"portal": (191, ["unknown_status"]), "post": (130, ["unknown_status"])}
    assert (again.exit_code, archive.exit_code) == (None, None)
