"""Judge and archive killed with SIGKILL between two writes, and started again: the same rows as on a calm day."""

from pathlib import Path

import pytest

from schemas import topics
from tests.system.answers import alerts_called_for
from tests.system.generated import Log, configuration
from tests.system.office import CONSUMED, Office, WorkerProcess
from tests.system.outcome import Outcome

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

#: Where each worker dies, one after the other, and which time it comes there (see `tests.system.dying`).
DEATHS = {
    "judge": (("outputs_begun", 4), ("outputs_done", 5), ("handled", 6)),
    "archive": (("rows_due", 2), ("rows_begun", 2), ("handled", 3)),
}
INPUT = {"judge": topics.EVENTS.name, "archive": topics.ASSESSMENTS.name}


def _start(office: Office, name: str, *command: str) -> WorkerProcess:
    """The worker with small chunks, so that it dies among many."""
    return office.start(name, *command, chunk_records=25, commit_interval=0.05)


@pytest.mark.parametrize("name", ["judge", "archive"])
def test_a_worker_killed_between_any_two_writes_leaves_the_rows_of_the_calm_run(
    name: str, log: Log, calm: Outcome, tmp_path: Path
) -> None:
    records = log.records()
    first, *parts = (records[index * len(records) // 4 : (index + 1) * len(records) // 4] for index in range(4))
    (other,) = CONSUMED.keys() - {name}
    with Office(tmp_path, configuration(tmp_path / "config")) as office:
        workers = [_start(office, name), _start(office, other)]
        for worker in workers:
            worker.wait_caught_up()
        office.send(first)
        begin = office.wait_for(
            lambda progress: 0 < progress.committed == progress.end,
            name,
            INPUT[name],
            what="the first part is consumed",
        )
        workers[0].kill()
        for (point, count), part in zip(DEATHS[name], parts, strict=True):
            doomed = _start(office, name, "tests.system.dying", name, point, str(count))
            office.send(part)
            assert doomed.wait_gone() == -9
            killed = office.progress(name, INPUT[name])
            assert 0 < begin.committed <= killed.committed < killed.end, point
            doomed.lose_files()
        _start(office, name).wait_caught_up()
        office.wait_done()
        assert office.facts() == calm.facts
        alerts, called_for = office.alerts(), alerts_called_for(log, office.rules, now=calm.now)
        assert called_for <= alerts.keys()
        assert {alert for alert, is_open in alerts.items() if is_open} <= called_for
