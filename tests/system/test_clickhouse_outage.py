"""ClickHouse down holds archive alone: judging and alerts go on, nothing is lost, and it says why it waits."""

from pathlib import Path

import pytest

from schemas import topics
from tests.system.generated import Log, configuration
from tests.system.office import Office
from tests.system.outcome import Outcome
from tests.system.workers import until

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]


def test_while_clickhouse_is_down_judging_goes_on_and_afterwards_no_row_is_missing(
    log: Log, calm: Outcome, tmp_path: Path
) -> None:
    records = log.records()
    half = len(records) // 2
    with Office(tmp_path, configuration(tmp_path / "config")) as office:
        _, archive = office.start_all()
        office.send(records[:half])
        office.wait_done()
        office.services.clickhouse_server.kill()
        office.send(records[half:])
        office.wait_done("judge")
        stored = office.progress("archive", topics.ALERTS.name)
        assert stored.committed < stored.end, "alerts were told that no row knows of yet"
        until(lambda: archive.health()["status"] == "held", "archive says that it is held")
        assert {hold["reason"] for hold in archive.health()["held"]} == {"clickhouse_unavailable"}
        office.services.clickhouse_server.start()
        office.services.clickhouse_server.wait_ready()
        office.wait_done()
        assert archive.health()["status"] == "running"
        assert office.facts() == calm.facts
